//! Building a plugin's crate, or a core module that any compiler made, into a component.
//!
//! The crate is compiled for `wasm32-unknown-unknown`, whose standard library imports nothing, and what comes out is
//! wrapped into a component in this process. Equal sources, lock file and compiler give equal bytes wherever they lie
//! and whoever builds: a lock file's digest holds on every machine of a team. For that
//!
//! * the profile is given here and does not depend on the crate's workspace;
//! * flags, wrappers and targets from the caller's environment and cargo configuration are kept out;
//! * the place of the workspace is written as `/workspace`, and those of other crates as `/NAME-VERSION`;
//! * symbols are told apart by a crate's name and version instead of by cargo's hash of its place.
//!
//! [`component`] makes one of a finished core module. [`build`] needs a `cargo` and nothing else:
//!
//! | outcome | what it means |
//! |---|---|
//! | `Ok` | the component, validated, and what the compiler had to say; no file but those of the target directory is new |
//! | [`BuildError::TargetMissing`] | the compiler lacks the target; its message is the command that adds it |
//! | [`BuildError::Compile`] | the crate does not compile; the compiler's words are in it |
//! | [`BuildError::NotAPlugin`] | it compiles, and is no plugin |
//! | other | the tools could not be run, or said what is not understood |

mod cargo;
mod error;
mod module;
mod shape;
mod target;
mod wrapper;

use std::path::{Path, PathBuf};

pub use error::BuildError;
pub use module::{ModuleError, component};
pub use shape::Misfit;
pub use target::present as has_target;

/// The target that plugins are compiled for.
pub const TARGET: &str = "wasm32-unknown-unknown";

/// How a plugin is built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Options {
    /// Where cargo puts what it makes. The same one for all plugins and all times saves compiling the SDK again.
    pub target_directory: PathBuf,
    /// Whether a missing target is added through rustup.
    pub install_target: bool,
    /// Whether the crate's lock file must be there and up to date.
    pub locked: bool,
}

/// A plugin that was built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Built {
    /// The name of the crate's package.
    pub package: String,
    /// The component.
    pub component: Vec<u8>,
    /// What cargo and the compiler said: progress and warnings.
    pub messages: String,
}

/// Builds the crate whose `Cargo.toml` lies in `crate_directory` into a component; outcomes see the [module](self).
///
/// ```no_run
/// use reviver::author::build::{Options, build};
///
/// let options =
///     Options { target_directory: "/tmp/plugins".into(), install_target: false, locked: false };
/// let built = build("plugins/words".as_ref(), &options)?;
/// std::fs::write("plugin.wasm", built.component)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn build(crate_directory: &Path, options: &Options) -> Result<Built, BuildError> {
    let io = |path: &Path| {
        let path = path.to_owned();
        move |source| BuildError::Io { path, source }
    };
    // A relative path would be taken from the crate by one tool and from the working directory by another.
    let crate_directory = crate_directory.canonicalize().map_err(io(crate_directory))?;
    std::fs::create_dir_all(&options.target_directory).map_err(io(&options.target_directory))?;
    let target_directory = options.target_directory.canonicalize().map_err(io(&options.target_directory))?;

    target::ensure(&crate_directory, options.install_target)?;
    let crates = cargo::crates(&crate_directory, options.locked)?;
    let wrapper = wrapper::write(&target_directory)?;
    let compiled = cargo::compile(&crate_directory, &target_directory, &wrapper, &crates, options.locked)?;
    let module = std::fs::read(&compiled.module).map_err(io(&compiled.module))?;
    let component = component(&module, None)
        .map_err(|source| BuildError::NotAPlugin { package: crates.package.clone(), source })?;
    Ok(Built { package: crates.package, component, messages: compiled.messages })
}
