//! What authors of plugins need: a Rust toolchain with the target of plugins.

use super::{Finding, Scene};
use crate::author::build::{TARGET, has_target};
use std::fs;
use std::path::{Path, PathBuf};

/// Directories below the root that plugins' crates are looked for in.
const DEPTH: usize = 4;
/// No more entries than this are looked at: a repository may be huge.
const ENTRIES: usize = 20_000;

pub(super) fn target(scene: &Scene) -> Vec<Finding> {
    let plugin = plugin_crate(&scene.place.root.path);
    let directory = plugin.as_deref().unwrap_or(&scene.place.root.path);
    let subject = "plugin target";
    let has_rustup = on_path("rustup");
    let missing = |says: String, cure: String| match &plugin {
        Some(plugin) => {
            let says = format!("{says}, and {} is the crate of a plugin", plugin.display());
            Finding::problem(subject, says, cure)
        }
        None => Finding::note(subject, format!("{says}; only authors of plugins need it")).cured_by(cure),
    };
    vec![match has_target(directory) {
        Ok(true) => Finding::ok(subject, format!("the compiler has {TARGET}")),
        Ok(false) if has_rustup => {
            missing(format!("the compiler lacks {TARGET}"), format!("run `rustup target add {TARGET}`"))
        }
        Ok(false) => missing(
            format!("the compiler lacks {TARGET}, and there is no rustup"),
            format!("install rustup, or the standard library of {TARGET} from where rustc came"),
        ),
        Err(error) => missing(error.to_string(), "install Rust through rustup".to_owned()),
    }]
}

/// The directory of a crate below the root that is made with the SDK.
fn plugin_crate(root: &Path) -> Option<PathBuf> {
    let mut open = vec![(root.to_owned(), 0)];
    let mut seen = 0;
    while let Some((directory, depth)) = open.pop() {
        if uses_sdk(&directory.join("Cargo.toml")) {
            return Some(directory);
        }
        if depth == DEPTH {
            continue;
        }
        let mut inside: Vec<_> = fs::read_dir(&directory).into_iter().flatten().flatten().collect();
        inside.sort_by_key(fs::DirEntry::file_name);
        for entry in inside {
            seen += 1;
            if seen > ENTRIES {
                return None;
            }
            let name = entry.file_name();
            let is_kept = name != "target" && !name.to_string_lossy().starts_with('.');
            if is_kept && entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                open.push((entry.path(), depth + 1));
            }
        }
    }
    None
}

fn uses_sdk(manifest: &Path) -> bool {
    let table = fs::read_to_string(manifest).ok().and_then(|text| text.parse::<toml::Table>().ok());
    let dependencies = table.as_ref().and_then(|table| table.get("dependencies")?.as_table());
    dependencies.is_some_and(|dependencies| dependencies.contains_key("reviver-sdk"))
}

fn on_path(program: &str) -> bool {
    let path = std::env::var_os("PATH");
    path.is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()))
}
