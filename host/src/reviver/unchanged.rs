//! Whether what was looked at before a run is still what it was.

use super::files::Files;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something that was looked at before a run, and is not the same any more.
#[derive(Debug)]
#[non_exhaustive]
pub enum Changed {
    /// It has another identity, or another value.
    Differs(PathBuf),
    /// It came, or the way to it changed, so shortly before the run that nobody can be sure of it.
    Young(PathBuf),
    /// It cannot be looked at any more.
    Unseen {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(path) => write!(f, "{} changed while the command ran", path.display()),
            Self::Young(path) => write!(f, "{} is too young to be sure of", path.display()),
            Self::Unseen { path, source } => write!(f, "cannot look at {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for Changed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unseen { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Compares the identities of all that was looked at, but for what the run writes. Equal identities alone prove nothing
/// where they were not settled: values are to be compared too.
pub(super) fn same_identities(before: &Files, after: &Files, places: &[PathBuf]) -> Result<(), Changed> {
    for (path, then) in before.seen() {
        // Directories change with every name; what matters of them is in the values.
        if places.contains(&path) || then.is_some_and(|identity| identity.is_directory()) {
            continue;
        }
        let written = places.iter().any(|place| path.starts_with(place) || place.starts_with(&path));
        let now = after.identity(&path).map_err(unseen(&path))?;
        if now != then && !written {
            return Err(Changed::Differs(path));
        }
    }
    Ok(())
}

fn unseen(path: &Path) -> impl FnOnce(io::Error) -> Changed + '_ {
    move |source| Changed::Unseen { path: path.to_owned(), source }
}
