//! Dune's shared caches on disk: what its clients read by themselves, and what a daemon or its owner does with it.
//!
//! Dune looks its cache up without asking anybody, so whoever serves it writes what it reads. Which of several formats that is
//! depends on its version; they lie beside each other below one root, which [`layout`] draws.
//!
//! | module | is |
//! |---|---|
//! | `digest` | the three ways in which Dune has named content |
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
pub mod note;
pub mod session;
pub mod trim;

use std::fmt;
use std::path::{Path, PathBuf};

/// What to do where a rule was already promoted with other files than now: it is not reproducible.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Collision {
    /// The newer ones count, as with Dune's own daemon.
    #[default]
    Replace,
    /// The older ones stay.
    Keep,
}

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
    root: PathBuf,
    options: Options,
}

impl DuneStore {
    /// The store at an absolute path. Nothing is made on disk before something is promoted.
    pub fn open(root: PathBuf, options: Options) -> Result<Self, DuneError> {
        if !root.is_absolute() {
            return Err(DuneError::Relative(root));
        }
        Ok(Self { root, options })
    }

    /// Where it is.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
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
