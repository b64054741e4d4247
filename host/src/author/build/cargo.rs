//! Calling cargo: what a crate is made of, and compiling it.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use serde_json::Value;

use super::{BuildError, TARGET, wrapper};

/// The profile of plugins: small, and function names stay readable in a trap's backtrace. On the command line each of
/// these is stronger than what a manifest, a configuration file or the environment says.
const PROFILE: [&str; 10] = [
    "inherits=\"release\"",
    "opt-level=\"s\"",
    "lto=\"fat\"",
    "codegen-units=1",
    "panic=\"abort\"",
    "strip=\"debuginfo\"",
    "debug=false",
    "debug-assertions=false",
    "overflow-checks=false",
    "incremental=false",
];

/// What the caller's environment may hold and must not reach the compiler.
const FOREIGN: [&str; 11] = [
    "CARGO_BUILD_RUSTC",
    "CARGO_BUILD_TARGET",
    "CARGO_BUILD_TARGET_DIR",
    "CARGO_ENCODED_RUSTFLAGS",
    "CARGO_MAKEFLAGS",
    "MAKEFLAGS",
    "RUSTC",
    "RUSTC_BOOTSTRAP",
    "RUSTC_WORKSPACE_WRAPPER",
    "RUSTC_WRAPPER",
    "RUSTFLAGS",
];

/// What a plugin is made of.
#[derive(Debug)]
pub(super) struct Crates {
    /// The name of its own package.
    pub(super) package: String,
    /// The places of its workspace and of all crates outside of it, and what stands for them; the outer before the
    /// inner ones.
    places: Vec<(String, String)>,
}

/// What came out of compiling.
#[derive(Debug)]
pub(super) struct Compiled {
    /// The path of the core module.
    pub(super) module: PathBuf,
    /// What cargo and the compiler said.
    pub(super) messages: String,
}

/// What the crate in `directory` is made of.
pub(super) fn crates(directory: &Path, locked: bool) -> Result<Crates, BuildError> {
    let mut cargo = cargo(directory);
    cargo.args(["metadata", "--format-version=1", "--filter-platform", TARGET]);
    cargo.args(locked.then_some("--locked"));
    let output = run(&mut cargo)?;
    if !output.status.success() {
        return Err(BuildError::Tool { call: "cargo metadata".to_owned(), output: messages(&output) });
    }
    serde_json::from_slice(&output.stdout)
        .ok()
        .and_then(|metadata| parts(&metadata))
        .ok_or_else(|| BuildError::NoLibrary { crate_directory: directory.to_owned() })
}

/// What `cargo metadata` says of its root package; `None` where there is none, as in a workspace without.
fn parts(metadata: &Value) -> Option<Crates> {
    let resolve = &metadata["resolve"];
    let root = resolve["root"].as_str()?;
    let nodes = resolve["nodes"].as_array()?;
    // Only what the plugin needs, which may be little of its workspace.
    let mut needed = BTreeSet::from([root]);
    let mut open = vec![root];
    while let Some(id) = open.pop() {
        let node = nodes.iter().find(|node| node["id"] == id)?;
        let dependencies = node["dependencies"].as_array()?.iter().filter_map(Value::as_str);
        open.extend(dependencies.filter(|dependency| needed.insert(dependency)));
    }

    let workspace = metadata["workspace_root"].as_str()?;
    let mut package = None;
    let mut places = vec![(workspace.to_owned(), "/workspace".to_owned())];
    for one in metadata["packages"].as_array()? {
        let text = |field: &str| one[field].as_str();
        let (id, name, place) = (text("id")?, text("name")?, Path::new(text("manifest_path")?).parent()?);
        if id == root {
            package = Some(name.to_owned());
        }
        if needed.contains(id) && !place.starts_with(workspace) {
            places.push((place.display().to_string(), format!("/{name}-{}", text("version")?)));
        }
    }
    // The compiler takes the last prefix that fits.
    places.sort();
    Some(Crates { package: package?, places })
}

/// Compiles the library of the crate in `directory` into a core module.
pub(super) fn compile(
    directory: &Path,
    target_directory: &Path,
    compiler: &Path,
    crates: &Crates,
    locked: bool,
) -> Result<Compiled, BuildError> {
    let mut cargo = cargo(directory);
    // The kind of library is said here, so that a manifest need not ask for one that its native target may not have.
    cargo.args(["rustc", "--lib", "--crate-type=cdylib", "--profile=plugin", "--target", TARGET]);
    cargo.args(["--package", &crates.package, "--message-format=json-render-diagnostics"]);
    cargo.args(locked.then_some("--locked"));
    cargo.arg("--target-dir").arg(target_directory);
    for setting in PROFILE {
        cargo.args(["--config", &format!("profile.plugin.{setting}")]);
    }
    let places: Vec<_> = crates
        .places
        .iter()
        .map(|(place, name)| (place.as_str(), name.as_str()))
        .chain(target_directory.to_str().map(|place| (place, "/target")))
        .map(|(place, name)| format!("{place}={name}"))
        .collect();
    cargo.env(wrapper::PLACES, places.join("\n")).env("CARGO_ENCODED_RUSTFLAGS", wrapper::RECIPE);
    // Set instead of removed: an empty one is stronger than a configuration file.
    cargo.env("RUSTC_WRAPPER", compiler).env("RUSTC_WORKSPACE_WRAPPER", "");
    cargo.env("CARGO_TERM_COLOR", "never");

    let output = run(&mut cargo)?;
    let messages = messages(&output);
    if !output.status.success() {
        return Err(BuildError::Compile { package: crates.package.clone(), output: messages });
    }
    let module = String::from_utf8_lossy(&output.stdout)
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| {
            message["manifest_path"].as_str().map(Path::new) == Some(directory.join("Cargo.toml").as_path())
        })
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|file| file.as_str().map(PathBuf::from))
        .find(|file| file.extension().is_some_and(|extension| extension == "wasm"))
        .ok_or_else(|| BuildError::NoLibrary { crate_directory: directory.to_owned() })?;
    Ok(Compiled { module, messages })
}

fn cargo(directory: &Path) -> Command {
    let mut cargo = Command::new("cargo");
    for variable in FOREIGN {
        cargo.env_remove(variable);
    }
    cargo.current_dir(directory).stdin(Stdio::null());
    cargo
}

fn run(cargo: &mut Command) -> Result<Output, BuildError> {
    cargo.output().map_err(|source| BuildError::Start { tool: "cargo", source })
}

fn messages(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}
