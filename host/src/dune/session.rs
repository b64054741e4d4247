//! One client: what it says, and what it is answered.
//!
//! | command | does |
//! |---|---|
//! | build root | is what later paths are below; one that is not absolute leaves none |
//! | common metadata, repositories | replace those said before |
//! | promotion | see [`promote`](super::promote); what is wrong with it is a [`Note`], and the session goes on |
//! | hint | nothing: what is wanted soon is here already |

use super::DuneStore;
use super::annotate::Annotate;
use super::layout::FileLayout;
use super::note::Note;
use super::source::BuildRoot;
use super::stage::Staging;
use crate::protocol::Version;
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Command, Dedup, Repository};
use crate::time::Clock;
use std::fmt;
use std::sync::Arc;

/// What came of a command.
#[derive(Debug, Default)]
pub struct Answer {
    /// What to tell the client, in this order.
    pub dedups: Vec<Dedup>,
    /// What to tell people.
    pub notes: Vec<Note>,
}

/// One client of a store. It is used by one thread at a time, and may be moved between them. Dropping it removes what it had on
/// its way.
pub struct Session {
    pub(super) store: Arc<DuneStore>,
    pub(super) version: Version,
    pub(super) clock: Box<dyn Clock + Send>,
    pub(super) annotate: Option<Box<dyn Annotate + Send>>,
    pub(super) root: Option<BuildRoot>,
    pub(super) common: Vec<Sexp>,
    pub(super) repositories: Vec<Repository>,
    pub(super) staging: Option<Staging>,
    /// The format of the last promotion, which is the one that the client reads.
    pub(super) last: Option<FileLayout>,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Session({}, {})", self.store.root().display(), self.version)
    }
}

impl Session {
    /// A client that has said nothing yet but its version.
    #[must_use]
    pub fn new(
        store: Arc<DuneStore>,
        version: Version,
        clock: Box<dyn Clock + Send>,
        annotate: Option<Box<dyn Annotate + Send>>,
    ) -> Self {
        let (root, staging, last) = (None, None, None);
        let (common, repositories) = (Vec::new(), Vec::new());
        Self { store, version, clock, annotate, root, common, repositories, staging, last }
    }

    /// Does what the client asks for. Nothing that it asks for ends the session.
    pub fn take(&mut self, command: Command) -> Answer {
        let mut answer = Answer::default();
        match command {
            Command::SetBuildRoot(path) if path.is_absolute() => self.root = Some(BuildRoot::new(path)),
            Command::SetBuildRoot(path) => {
                self.root = None;
                answer.notes.push(Note::BuildRoot(path));
            }
            Command::SetCommonMetadata(values) => self.common = values,
            Command::SetRepos(all) => self.repositories = all,
            Command::Promote(promotion) => match self.promote(&promotion, &mut answer.notes) {
                Ok(dedups) => answer.dedups = dedups,
                Err(refusal) => answer.notes.push(Note::Refused { key: promotion.key, refusal }),
            },
            Command::Hint(_) => {}
        }
        answer
    }
}
