//! Testing a plugin's crate: natively, and its component by the same tests.
//!
//! A crate's tests call the plugin through the SDK's test host. Where the environment names a component, that host asks
//! the component instead of the code that was compiled natively, so that what is tested is what is shipped: the
//! compiler's other target, the contract's encoding and the limits are part of it.
//!
//! | variable | is |
//! |---|---|
//! | [`PLUGIN`] | the component's file, an absolute path |
//! | [`COMMAND`] | the program that answers calls: `COMMAND plugin run PLUGIN --calls` |
//!
//! [`run`] is `cargo test` in the crate, its output that of this process:
//!
//! | outcome | what it means |
//! |---|---|
//! | `Ok` | cargo's exit status: success where all tests passed |
//! | `Err` | there is no such directory, or cargo could not be started |

use super::build::BuildError;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};

/// The variable that names the component that tests are to ask.
pub const PLUGIN: &str = "REVIVER_PLUGIN";

/// The variable that names the program through which they ask it.
pub const COMMAND: &str = "REVIVER_COMMAND";

/// What is tested.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject<'a> {
    /// The crate as cargo compiles it for this machine.
    Native,
    /// A component.
    Component {
        /// Its file, an absolute path.
        file: &'a Path,
        /// The program that answers its calls, an absolute path.
        command: &'a Path,
    },
}

/// How tests are run.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Options {
    /// Where cargo puts what it makes; its own choice without one.
    pub target_directory: Option<PathBuf>,
    /// Whether the crate's lock file must be there and up to date.
    pub locked: bool,
    /// What the test programs get as arguments, such as the name of a test.
    pub arguments: Vec<OsString>,
}

/// Runs the tests of the crate in `crate_directory`; outcomes see the [module](self).
pub fn run(
    crate_directory: &Path,
    options: &Options,
    subject: Subject<'_>,
) -> Result<ExitStatus, BuildError> {
    // Or it would seem that cargo is missing where the crate is.
    let crate_directory = crate_directory
        .canonicalize()
        .map_err(|source| BuildError::Io { path: crate_directory.to_owned(), source })?;
    let mut cargo = command(&crate_directory, options, subject);
    cargo.status().map_err(|source| BuildError::Start { tool: "cargo", source })
}

fn command(crate_directory: &Path, options: &Options, subject: Subject<'_>) -> Command {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(crate_directory).stdin(Stdio::null()).arg("test");
    cargo.args(options.locked.then_some("--locked"));
    if let Some(directory) = &options.target_directory {
        cargo.arg("--target-dir").arg(directory);
    }
    if !options.arguments.is_empty() {
        cargo.arg("--").args(&options.arguments);
    }
    match subject {
        // Whatever the caller's environment says, as it does where a test tests this.
        Subject::Native => cargo.env_remove(PLUGIN).env_remove(COMMAND),
        Subject::Component { file, command } => cargo.env(PLUGIN, file).env(COMMAND, command),
    };
    cargo
}
