//! Plugins of `tests/planted`, whose configuration says which fault they have.

use crate::support::Repository;
use anyhow::{Context as _, Result};
use reviver::author::build::{Options, build};
use std::fs;
use std::path::Path;
use std::sync::OnceLock;

/// The component of the planted plugin of a role, built once for all tests.
pub(crate) fn component(role: &str) -> Result<Vec<u8>> {
    static COMPONENTS: [OnceLock<Result<Vec<u8>, String>>; 3] = [const { OnceLock::new() }; 3];
    let at = ["key", "metadata", "eviction"].iter().position(|one| *one == role).context("a role")?;
    let built = COMPONENTS[at].get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/planted").join(role);
        // The directory that all guests of the tests share, or each would compile the SDK again.
        let target_directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("guests");
        let options = Options { target_directory, install_target: true, locked: true };
        build(&directory, &options).map(|built| built.component).map_err(|error| error.to_string())
    });
    built.clone().map_err(anyhow::Error::msg)
}

/// Puts the planted plugin of a role into a repository, as `planted`.
pub(crate) fn planted(repository: &Repository, role: &str, fault: &str) -> Result<()> {
    fs::write(repository.path("planted.wasm"), component(role)?)?;
    repository.write("reviver.toml", settings("planted", "planted.wasm", fault))
}

/// The table of a planted plugin.
pub(crate) fn settings(name: &str, path: &str, fault: &str) -> String {
    format!("[plugin.{name}]\npath = \"{path}\"\n[plugin.{name}.config]\nfault = \"{fault}\"\n\n")
}
