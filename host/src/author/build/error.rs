//! Why a plugin was not built.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::PathBuf;

use super::{ModuleError, TARGET};

/// Why a plugin was not built.
#[derive(Debug)]
#[non_exhaustive]
pub enum BuildError {
    /// A file or directory could not be read or written.
    Io {
        /// Which one.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A tool could not be started.
    Start {
        /// Which one.
        tool: &'static str,
        /// Why.
        source: io::Error,
    },
    /// A tool failed, apart from compiling.
    Tool {
        /// What was called.
        call: String,
        /// What it said.
        output: String,
    },
    /// The compiler does not have the target of plugins.
    TargetMissing,
    /// The crate does not compile.
    Compile {
        /// The package.
        package: String,
        /// What cargo and the compiler said.
        output: String,
    },
    /// What cargo says of the crate is not understood, or it has no library.
    NoLibrary {
        /// The directory of the crate.
        crate_directory: PathBuf,
    },
    /// The crate compiles, and is no plugin.
    NotAPlugin {
        /// The package.
        package: String,
        /// Why it is none.
        source: ModuleError,
    },
}

impl fmt::Display for BuildError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, .. } => write!(f, "cannot use {}", path.display()),
            Self::Start { tool, .. } => write!(f, "cannot start `{tool}`"),
            Self::Tool { call, output } => write!(f, "`{call}` failed:\n{}", output.trim_end()),
            Self::TargetMissing => {
                write!(f, "the Rust target of plugins is missing: run `rustup target add {TARGET}`")
            }
            Self::Compile { package, output } => {
                write!(f, "plugin `{package}` does not compile:\n{}", output.trim_end())
            }
            Self::NoLibrary { crate_directory } => {
                write!(f, "{} holds no package with a library", crate_directory.display())
            }
            Self::NotAPlugin { package, .. } => {
                write!(f, "`{package}` compiles, but is no plugin: is `reviver_sdk::export!` missing?")
            }
        }
    }
}

impl Error for BuildError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        match self {
            Self::Io { source, .. } | Self::Start { source, .. } => Some(source),
            Self::NotAPlugin { source, .. } => Some(source),
            Self::Tool { .. } | Self::TargetMissing | Self::Compile { .. } | Self::NoLibrary { .. } => None,
        }
    }
}
