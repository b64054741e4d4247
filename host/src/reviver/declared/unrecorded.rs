//! Why a run is not recorded.

use super::super::execute::Unsure;
use super::super::hunk::HunkError;
use super::super::resolve::Doubt;
use super::super::unchanged::Changed;
use super::super::writes::Unproved;
use super::hash::{HashError, list};
use crate::outcome::Exit;
use crate::store::StoreError;
use std::fmt;
use std::path::PathBuf;

/// Why a run is not recorded. Nothing is bound to its key by it then; what was, still is.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unrecorded {
    /// It is of a kind that never is.
    Passing,
    /// It has no key.
    Unkeyed(HashError),
    /// It failed: failures may come from what no key knows.
    Failed(Exit),
    /// It is not known for sure what it did.
    Unsure(Unsure),
    /// It did not write these; they are sorted.
    MissingWrites(Vec<PathBuf>),
    /// It cannot be shown that it wrote what is there.
    Unproved(Unproved),
    /// Something that it read changed.
    Changed(Changed),
    /// Something that it read cannot be looked at any more.
    Doubt(Doubt),
    /// Another run writes this path too.
    Contended(PathBuf),
    /// Something that it wrote changed after its end. What it was recorded as is removed again.
    Disturbed(PathBuf),
    /// Its outcome cannot be kept.
    Hunk(HunkError),
    /// The cache cannot be used.
    Store(StoreError),
}

impl fmt::Display for Unrecorded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing => f.write_str("it is never cached"),
            Self::Unkeyed(error) => error.fmt(f),
            Self::Failed(Exit::Code(code)) => write!(f, "exit status {code}"),
            Self::Failed(Exit::Signal(signal)) => write!(f, "ended by signal {signal}"),
            Self::Unsure(unsure) => unsure.fmt(f),
            Self::MissingWrites(missing) => write!(f, "it did not write {}", list(missing)),
            Self::Unproved(unproved) => unproved.fmt(f),
            Self::Changed(changed) => changed.fmt(f),
            Self::Doubt(doubt) => doubt.fmt(f),
            Self::Contended(path) => write!(f, "another run writes {} too", path.display()),
            Self::Disturbed(path) => write!(f, "{} changed after the end of the run", path.display()),
            Self::Hunk(error) => error.fmt(f),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Unrecorded {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unkeyed(error) => Some(error),
            Self::Unproved(error) => Some(error),
            Self::Changed(error) => Some(error),
            Self::Doubt(error) => Some(error),
            Self::Hunk(error) => Some(error),
            Self::Store(error) => Some(error),
            _ => None,
        }
    }
}

impl From<Doubt> for Unrecorded {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

impl From<Changed> for Unrecorded {
    fn from(changed: Changed) -> Self {
        Self::Changed(changed)
    }
}

impl From<HunkError> for Unrecorded {
    fn from(error: HunkError) -> Self {
        Self::Hunk(error)
    }
}

impl From<StoreError> for Unrecorded {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}
