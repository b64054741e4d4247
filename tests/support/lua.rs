//! The sources of Lua, as a crate of the registry brings them.

use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Copies the sources of Lua 5.4 into a directory and gives the names of the modules to compile.
pub(crate) fn copy(to: &Path) -> Result<Vec<String>> {
    let mut modules = Vec::new();
    for file in fs::read_dir(sources()?)? {
        let path = file?.path();
        let name = path.file_name().and_then(|name| name.to_str()).context("it has a name")?.to_owned();
        fs::copy(&path, to.join(&name))?;
        if let Some(module) = name.strip_suffix(".c")
            && !["ltests", "onelua"].contains(&module)
        {
            modules.push(module.to_owned());
        }
    }
    modules.sort();
    ensure!(modules.len() >= 32, "{modules:?}");
    Ok(modules)
}

/// Where cargo keeps them.
fn sources() -> Result<PathBuf> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args([
        "metadata",
        "--format-version",
        "1",
        "--offline",
        "--filter-platform=host-tuple",
        "--manifest-path",
    ]);
    let output = cargo.arg(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml")).output()?;
    ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let metadata: Json = serde_json::from_slice(&output.stdout)?;
    let mut packages = metadata["packages"].as_array().into_iter().flatten();
    let package = packages.find(|package| package["name"] == "lua-src").context("it is a dependency")?;
    let manifest = package["manifest_path"].as_str().context("it has a manifest")?;
    Ok(Path::new(manifest).with_file_name("lua-5.4.7"))
}
