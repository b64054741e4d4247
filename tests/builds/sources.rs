//! Where the sources of projects are that nobody commits.

use anyhow::{Context as _, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// The sources of a project that `.ci/sources` fetched, if it did.
pub(crate) fn find(project: &str) -> Option<PathBuf> {
    let place = std::env::var_os("REVIVER_SOURCES")
        .map_or_else(|| Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/sources"), PathBuf::from);
    let sources = place.join(project);
    sources.is_dir().then_some(sources)
}

/// Copies a directory with all that is in it, permissions and times included.
pub(crate) fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).with_context(|| from.display().to_string())? {
        let entry = entry?;
        let (source, copy) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            self::copy(&source, &copy)?;
        } else {
            fs::copy(&source, &copy).with_context(|| source.display().to_string())?;
            let time = fs::metadata(&source)?.modified()?;
            fs::File::open(&copy)?.set_modified(time)?;
        }
    }
    Ok(())
}
