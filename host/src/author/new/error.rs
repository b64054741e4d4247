//! Why no plugin was made.

use crate::author::sdk::DIRECTORY;
use std::error::Error;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why no plugin was made.
#[derive(Debug)]
#[non_exhaustive]
pub enum NewError {
    /// The name cannot be that of a crate and a plugin.
    Name {
        /// The name.
        name: String,
        /// Why not.
        why: &'static str,
    },
    /// Something has the name already.
    Exists(PathBuf),
    /// Where the SDK should be lies something else.
    Foreign(PathBuf),
    /// A file or directory could not be read or written.
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

impl NewError {
    pub(super) fn io(path: &Path, source: io::Error) -> Self {
        Self::Io { path: path.to_owned(), source }
    }
}

impl fmt::Display for NewError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Name { name, why } => {
                write!(f, "`{name}` cannot be the name of a plugin: {why}")
            }
            Self::Exists(path) => {
                write!(f, "{} exists already; nothing was changed: take another name", path.display())
            }
            Self::Foreign(path) => write!(
                f,
                "{} is no SDK; nothing was changed: take another `--directory`, since `{DIRECTORY}` is written there",
                path.display()
            ),
            Self::Io { path, source } => write!(f, "cannot make {}: {source}", path.display()),
        }
    }
}

impl Error for NewError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Name { .. } | Self::Exists(_) | Self::Foreign(_) => None,
        }
    }
}
