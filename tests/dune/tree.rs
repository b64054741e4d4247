//! What is in a directory.

use crate::peer::LONG;
use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// Files by their path below a directory, each told in a line.
pub(crate) type Files = BTreeMap<String, String>;

/// What belongs to Dune's daemon itself, beside its store.
const BESIDE: [&str; 5] = ["beacon", "log", "runtime", "stderr", "stdout"];

/// All files of a store: rules as their bytes, others as mode, links and size. What daemons have on its way there is gone soon
/// after they have closed their connections, which is waited for.
pub(crate) fn store(root: &Path) -> Result<Files> {
    let until = Instant::now() + LONG;
    while is_on_its_way(root)? {
        ensure!(Instant::now() < until, "what is on its way stays in {}", root.display());
        sleep(Duration::from_millis(5));
    }
    let mut files = Files::new();
    visit(root, root, &mut |path, name, metadata| {
        if BESIDE.iter().any(|beside| name.split('/').next() == Some(beside)) {
            return Ok(());
        }
        let is_rule = name.starts_with("meta/") || name.starts_with("v2/meta/");
        let told = if is_rule { latin(&fs::read(path)?) } else { told(metadata) };
        files.insert(name.to_owned(), told);
        Ok(())
    })?;
    Ok(files)
}

/// Whether there is a file in a client's private directory. Dune's daemon keeps those directories as long as it runs.
fn is_on_its_way(root: &Path) -> Result<bool> {
    let mut found = false;
    visit(root, root, &mut |_, name, _| {
        found |= name.starts_with("promoting");
        Ok(())
    })?;
    Ok(found)
}

/// All files of a build tree.
pub(crate) fn build(root: &Path) -> Result<Files> {
    let mut files = Files::new();
    visit(root, root, &mut |_, name, metadata| {
        files.insert(name.to_owned(), told(metadata));
        Ok(())
    })?;
    Ok(files)
}

/// What was added or changed; what was removed is `None`.
pub(crate) fn difference(before: &Files, after: &Files) -> BTreeMap<String, Option<String>> {
    let changed = after.iter().filter(|(name, told)| before.get(*name) != Some(told));
    let removed = before.keys().filter(|name| !after.contains_key(*name));
    let changed = changed.map(|(name, told)| (name.clone(), Some(told.clone())));
    changed.chain(removed.map(|name| (name.clone(), None))).collect()
}

/// Bytes as text of as many letters.
pub(crate) fn latin(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| char::from(*byte)).collect()
}

/// The bytes of such a text.
pub(crate) fn from_latin(text: &str) -> Vec<u8> {
    text.chars().map(|letter| letter as u8).collect()
}

fn told(metadata: &fs::Metadata) -> String {
    if metadata.is_symlink() {
        return "symlink".to_owned();
    }
    format!("{:o} nlink={} size={}", metadata.mode() & 0o7777, metadata.nlink(), metadata.len())
}

fn visit(
    root: &Path,
    directory: &Path,
    found: &mut impl FnMut(&Path, &str, &fs::Metadata) -> Result<()>,
) -> Result<()> {
    let entries = match fs::read_dir(directory) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
        entries => entries.with_context(|| directory.display().to_string())?,
    };
    for entry in entries {
        let path = entry?.path();
        let metadata = match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            metadata => metadata?,
        };
        if metadata.is_dir() {
            visit(root, &path, found)?;
        } else {
            let name = path.strip_prefix(root)?.to_str().context("a name")?;
            found(&path, name, &metadata)?;
        }
    }
    Ok(())
}
