//! Why a daemon does not start.

use super::lock::Holder;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Why a daemon does not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// The system refused something.
    System {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// One of ours runs there.
    Running {
        /// Its socket.
        socket: PathBuf,
        /// Who it is.
        holder: Holder,
    },
    /// Somebody serves Dune's clients already.
    DuneRunning {
        /// The file that is held.
        port: PathBuf,
        /// Who holds it.
        holder: Holder,
    },
    /// A directory for a socket that is not the user's alone.
    Open {
        /// The directory.
        directory: PathBuf,
        /// What is wrong with it.
        why: &'static str,
    },
    /// A directory for a port file that is another user's, who could send clients anywhere.
    PortOpen(PathBuf),
    /// A path that no socket can have.
    Long {
        /// The path.
        path: PathBuf,
        /// So many bytes it may have.
        longest: usize,
    },
}

impl StartError {
    pub(super) fn system(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::System { what, path: path.to_owned(), source }
    }
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::System { what, path, source } => write!(f, "cannot {what} {}: {source}", path.display()),
            Self::Running { socket, holder } => {
                write!(f, "already running on {} ({holder})", socket.display())
            }
            Self::DuneRunning { port, holder } => write!(
                f,
                "another daemon serves Dune's clients ({holder}; it holds {}); end it with `dune cache stop`",
                port.display()
            ),
            Self::Open { directory, why } => write!(
                f,
                "no socket is made in {}, which {why}; name another place with --socket",
                directory.display()
            ),
            Self::PortOpen(directory) => write!(
                f,
                "Dune's clients would look in {}, which belongs to another user; set XDG_RUNTIME_DIR to a directory of your own",
                directory.display()
            ),
            Self::Long { path, longest } => write!(
                f,
                "{} is too long for the path of a socket, which has at most {longest} bytes; name another one with --socket",
                path.display()
            ),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::System { source, .. } => Some(source),
            _ => None,
        }
    }
}
