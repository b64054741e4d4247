//! Dune's shared caches on disk: what its clients read by themselves, and what a daemon or its owner does with it.
//!
//! Dune looks its cache up without asking anybody, so whoever serves it writes what it reads. Which of several formats that is
//! depends on its version; they lie beside each other below one root, which [`layout`] draws.
//!
//! | module | is |
//! |---|---|
//! | [`digest`] | the three ways in which Dune has named content |
//! | [`layout`] | where everything is |
//! | [`meta`] | what is kept of a rule: which files it made |
//! | [`session`] | what one client says, and what it is answered |
//! | [`annotate`] | what a repository's own metadata plugin adds to that |
//! | [`note`] | what a session has to say to people |
//! | [`stats`], [`verify`], [`trim`] | what is there, whether it is right, and letting some of it go |
//!
//! # Laws
//!
//! 1. Files appear whole, by a rename or a link; a kill at any moment leaves none that is not.
//! 2. A rule's file appears after all that it names, and a dedup is told after that.
//! 3. A file is kept under the digest of what was read, never under the one that was announced.
//! 4. Nothing outside of a build root is read for a promotion, whatever its paths and links say.
//! 5. What is found to be wrong is put aside, not deleted.
//! 6. Dune itself may work in the same directories at the same time. What it removes is as good as removed here.

pub mod annotate;
mod compare;
pub mod digest;
pub mod layout;
pub mod meta;
pub mod note;
mod place;
mod promote;
mod proofs;
mod quarantine;
pub mod session;
mod source;
mod stage;
pub mod stats;
pub mod trim;
pub mod verify;
mod walk;

pub use crate::repository::dune::Collision;
pub use annotate::{Annotate, AnnotateError, Provenance};
pub use layout::{FileLayout, MetaLayout};
pub use note::{Note, Refusal};
pub use session::{Answer, Session};
pub use stats::Stats;
pub use trim::{Bound, TrimRequest, Trimmed};
pub use verify::Verified;
pub use walk::Trouble;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

use layout::Layout;
use proofs::Proofs;

use std::fmt;
use std::path::{Path, PathBuf};

/// How a store is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// Whether a file that the store has already is read before it is given to others. Clients trust it without looking.
    pub verify: bool,
    /// What to do where a rule made other files than before.
    pub collision: Collision,
}

impl Default for Options {
    fn default() -> Self {
        Self { verify: true, collision: Collision::default() }
    }
}

/// A root of Dune's caches: usually `~/.cache/dune/db`.
#[derive(Debug)]
pub struct DuneStore {
    layout: Layout,
    options: Options,
    proofs: Proofs,
}

impl DuneStore {
    /// The store at an absolute path. Nothing is made on disk before something is promoted.
    pub fn open(root: PathBuf, options: Options) -> Result<Self, DuneError> {
        if !root.is_absolute() {
            return Err(DuneError::Relative(root));
        }
        Ok(Self { layout: Layout::new(root), options, proofs: Proofs::default() })
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        self.layout.root()
    }

    /// Its paths.
    #[must_use]
    pub const fn layout(&self) -> &Layout {
        &self.layout
    }

    const fn proofs(&self) -> &Proofs {
        &self.proofs
    }

    /// Whether it can be gone through; where nothing is, it can.
    fn readable(&self) -> Result<(), DuneError> {
        match std::fs::read_dir(self.root()) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                Err(DuneError::Io { what: "list", path: self.root().to_owned(), source })
            }
            _ => Ok(()),
        }
    }

    /// How it is used.
    #[must_use]
    pub const fn options(&self) -> Options {
        self.options
    }
}

/// Why a store cannot be worked with.
#[derive(Debug)]
#[non_exhaustive]
pub enum DuneError {
    /// Its path is not absolute: clients before 1.2 are told whole paths.
    Relative(PathBuf),
    /// The system refused something.
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
}

impl fmt::Display for DuneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Relative(path) => write!(f, "{}: the root of a cache is an absolute path", path.display()),
            Self::Io { what, path, source } => write!(f, "cannot {what} {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for DuneError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Relative(_) => None,
            Self::Io { source, .. } => Some(source),
        }
    }
}
