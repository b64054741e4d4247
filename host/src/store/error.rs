//! What can go wrong in the store. Absence and damage of an entry are outcomes, not errors.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// The store could not do what it was asked.
#[derive(Debug)]
#[non_exhaustive]
pub enum StoreError {
    /// The system refused.
    Io {
        /// What was tried, as in "cannot write".
        action: &'static str,
        /// On which file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The place of the cache is taken by something that is no directory.
    NotADirectory {
        /// The place.
        path: PathBuf,
    },
    /// A content to add is neither a regular file nor a link to one.
    SourceKind {
        /// The content's file.
        path: PathBuf,
    },
    /// A file changed while it was read, or another number of bytes can be read of it than it says to have.
    SourceChanged {
        /// The file.
        path: PathBuf,
    },
    /// The path of an item would lead out of the place that it is revived in, or is none.
    InvalidItem {
        /// The path.
        path: String,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A draft is larger than an entry can be.
    TooLarge,
    /// The cache is used by somebody who only reads it.
    ReadOnly {
        /// What was to be written.
        path: PathBuf,
    },
    /// A destination to publish at is not inside the cache.
    Outside {
        /// The destination.
        path: PathBuf,
    },
}

impl StoreError {
    /// Makes an error of the system one of the store.
    pub(super) fn io(action: &'static str, path: impl AsRef<Path>) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { action, path: path.as_ref().to_owned(), source }
    }
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { action, path, source } => write!(f, "cannot {action} `{}`: {source}", path.display()),
            Self::NotADirectory { path } => write!(f, "`{}` is no directory", path.display()),
            Self::SourceKind { path } => write!(f, "`{}` is no regular file", path.display()),
            Self::SourceChanged { path } => {
                write!(f, "`{}` changed while it was read, or is not as long as it says", path.display())
            }
            Self::InvalidItem { path, why } => write!(f, "no entry can hold the path {path:?}: {why}"),
            Self::TooLarge => f.write_str("an entry cannot hold that much beside its contents"),
            Self::ReadOnly { path } => {
                write!(f, "`{}` is not written: the cache is only read", path.display())
            }
            Self::Outside { path } => write!(f, "`{}` is not inside the cache", path.display()),
        }
    }
}

impl std::error::Error for StoreError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
