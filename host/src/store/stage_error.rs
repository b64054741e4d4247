//! What can go wrong when an entry is revived.

use crate::key::Key;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// An entry could not be revived. No destination was changed, except by [`StageError::NotPutBack`].
#[derive(Debug)]
#[non_exhaustive]
pub enum StageError {
    /// A content is not what was added: the key is as good as unbound, and its entry is in quarantine.
    Damaged {
        /// The key.
        key: Key,
        /// Which content.
        item: Option<usize>,
        /// What is wrong with it.
        damage: Damage,
    },
    /// The system refused.
    Destination {
        /// What was tried, as in "cannot write".
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A destination is a directory, which no content replaces.
    IsADirectory {
        /// The destination.
        path: PathBuf,
    },
    /// Something else is where a directory is to be.
    NotADirectory {
        /// The destination.
        path: PathBuf,
    },
    /// After another failure, this destination could not be put back. It holds its old or its new content.
    NotPutBack {
        /// The destination.
        path: PathBuf,
        /// Why not.
        source: io::Error,
        /// The other failure.
        cause: Box<Self>,
    },
}

/// What is wrong with a content.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Damage {
    /// It is not there.
    Missing,
    /// It is not what was added.
    Differs,
    /// There is no such content, or it is of another kind.
    Kind,
}

impl StageError {
    /// Makes an error of the system one about a destination.
    pub(super) fn destination(
        action: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Destination { action, path: path.as_ref().to_owned(), source }
    }

    /// Whether the caller should treat this as a miss.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Damaged { .. })
    }
}

impl fmt::Display for StageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Damaged { key, item, damage } => {
                let damage = match damage {
                    Damage::Missing => "is missing",
                    Damage::Differs => "is not what was added",
                    Damage::Kind => "is not of the kind that was asked for",
                };
                match item {
                    Some(item) => write!(f, "content {item} of entry {key} {damage}"),
                    None => write!(f, "entry {key} {damage}"),
                }
            }
            Self::Destination { action, path, source } => {
                write!(f, "cannot {action} `{}`: {source}", path.display())
            }
            Self::IsADirectory { path } => write!(f, "`{}` is a directory", path.display()),
            Self::NotADirectory { path } => write!(f, "`{}` is no directory", path.display()),
            Self::NotPutBack { path, source, cause } => {
                write!(f, "{cause}; then `{}` could not be put back: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for StageError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Destination { source, .. } | Self::NotPutBack { source, .. } => Some(source),
            _ => None,
        }
    }
}
