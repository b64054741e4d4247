//! Modules of the host import downward only, and what is for one place alone stays there.
//!
//! The order is that of `host/src/lib.rs`, whose blank lines part the layers: a module may use its own layer and those
//! above it in that file.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result, ensure};

/// What only the modules beside it may hold.
const RESERVED: [(&str, &[&str]); 8] = [
    ("wasmtime", &["runtime"]),
    ("println!", &["cli"]),
    ("print!", &["cli"]),
    ("env::var", &["cli", "author"]),
    ("env::current_dir", &["cli", "author"]),
    ("SystemTime::now", &["cli"]),
    ("anyhow", &["cli"]),
    ("clap", &["cli"]),
];

#[test]
fn modules_import_downward_only() -> Result<()> {
    let library = fs::read_to_string(source().join("lib.rs"))?;
    let mut layers = BTreeMap::new();
    for (layer, group) in library.split("\n\n").enumerate() {
        let modules = group.lines().filter_map(|line| {
            line.strip_prefix("pub ").unwrap_or(line).strip_prefix("mod ")?.strip_suffix(';')
        });
        layers.extend(modules.map(|module| (module.to_owned(), layer)));
    }
    ensure!(layers.len() > 10, "lib.rs is read wrong: {layers:?}");
    for (path, module, code) in modules()? {
        let own = layers.get(&module).with_context(|| format!("lib.rs does not name {module}"))?;
        for named in code.split("crate::").skip(1) {
            let named: String = named.chars().take_while(|c| c.is_ascii_lowercase() || *c == '_').collect();
            let upward = layers.get(&named).is_some_and(|layer| layer > own);
            ensure!(!upward, "{} is in the layer of {module} and names {named} above it", path.display());
        }
    }
    Ok(())
}

#[test]
fn engine_terminal_environment_and_clock_are_each_in_one_place() -> Result<()> {
    for (path, module, code) in modules()? {
        for (word, allowed) in RESERVED {
            let holds = code.contains(word) && !allowed.contains(&&*module);
            ensure!(!holds, "{} names `{word}`, which is for {} alone", path.display(), allowed.join(", "));
        }
    }
    Ok(())
}

fn source() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../host/src")
}

/// Each file of the host with its top module and its code, without comments and tests.
fn modules() -> Result<Vec<(PathBuf, String, String)>> {
    let (mut found, mut pending) = (Vec::new(), vec![source()]);
    while let Some(directory) = pending.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let within = path.strip_prefix(source())?.with_extension("");
            let top = within.iter().next().and_then(|top| top.to_str()).context("a module")?.to_owned();
            if path.is_dir() {
                pending.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs")
                && !["lib", "main"].contains(&&*top)
                && !within.iter().any(|part| part == "tests" || part == "testing")
            {
                let text = fs::read_to_string(&path)?;
                let code = text.split("\nmod tests {").next().unwrap_or_default().lines();
                let code: Vec<_> = code.filter(|line| !line.trim_start().starts_with("//")).collect();
                found.push((path.clone(), top, code.join("\n")));
            }
        }
    }
    Ok(found)
}
