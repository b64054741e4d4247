//! One client: what it says, and what it is answered.

use super::DuneStore;
use super::annotate::Annotate;
use super::note::Note;
use crate::protocol::Version;
use crate::protocol::dune::{Command, Dedup};
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

/// One client of a store. It may be used by one thread at a time, and be moved between them.
pub struct Session {
    store: Arc<DuneStore>,
    version: Version,
    clock: Box<dyn Clock + Send>,
    annotate: Option<Box<dyn Annotate + Send>>,
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
        Self { store, version, clock, annotate }
    }

    /// Does what the client asks for. Nothing that it asks for ends the session.
    pub fn take(&mut self, command: Command) -> Answer {
        let _ = (&self.clock, &self.annotate, command);
        Answer::default()
    }
}
