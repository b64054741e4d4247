//! What is kept of real sessions, and moving it to places of today.

use crate::speech::values;
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::Sexp;
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// Where the cache was.
pub(crate) const CACHE: &str = "/ws/cache/dune/db";

/// One folder.
pub(crate) struct Fixture {
    pub(crate) name: &'static str,
}

/// A file that was promoted.
pub(crate) struct Promoted {
    pub(crate) path: String,
    pub(crate) digest: String,
    pub(crate) is_executable: bool,
    pub(crate) content: Vec<u8>,
}

impl Fixture {
    fn path(&self, name: &str) -> PathBuf {
        place().join(self.name).join(name)
    }

    /// What was said on one way of a connection.
    pub(crate) fn said(&self, name: &str) -> Result<Vec<Sexp>> {
        values(&fs::read(self.path(name)).with_context(|| format!("{}/{name}", self.name))?)
    }

    /// The same of a client whose build root is this one. Nothing else is changed.
    pub(crate) fn said_from(&self, name: &str, build_root: &Path) -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let mut moved = 0;
        for value in self.said(name)? {
            if value.as_named().is_some_and(|(name, _)| name == b"set-build-root") {
                let root = Sexp::atom(build_root.as_os_str().as_bytes());
                Sexp::named("set-build-root", [root]).write_to(&mut bytes);
                moved += 1;
            } else {
                value.write_to(&mut bytes);
            }
        }
        ensure!(moved == 1, "{name} has {moved} build roots");
        Ok(bytes)
    }

    /// All files that were promoted.
    pub(crate) fn promoted(&self) -> Result<Vec<Promoted>> {
        let all: Vec<Json> = serde_json::from_str(&fs::read_to_string(self.path("promoted.json"))?)?;
        let promoted = all.iter().map(|file| {
            let path = file["path"].as_str().context("a path")?.to_owned();
            let content = fs::read(self.path("files").join(&path)).with_context(|| path.clone())?;
            ensure!(Some(content.len() as u64) == file["size"].as_u64(), "{path}");
            let digest = file["digest"].as_str().context("a digest")?.to_owned();
            let is_executable = file["exec"].as_bool().context("a mode")?;
            Ok(Promoted { path, digest, is_executable, content })
        });
        promoted.collect()
    }

    /// Puts all files that were promoted below a build root.
    pub(crate) fn lay_out(&self, build_root: &Path) -> Result<()> {
        for Promoted { path, is_executable, content, .. } in self.promoted()? {
            write(&build_root.join(path), &content, if is_executable { 0o755 } else { 0o644 })?;
        }
        Ok(())
    }

    /// The rules that Dune's daemon wrote, by their path below the cache, as they are with the cache at another place.
    pub(crate) fn rules(&self, cache: &Path) -> Result<BTreeMap<String, Vec<u8>>> {
        let text = fs::read_to_string(self.path("store_meta_after.json"))?;
        let all: BTreeMap<String, String> = serde_json::from_str(&text)?;
        let moved = all.into_iter().map(|(path, text)| {
            let values = values(&crate::tree::from_latin(&text))?;
            Ok((path, values.iter().flat_map(|value| moved(value, cache).to_bytes()).collect()))
        });
        moved.collect()
    }
}

/// A value with each path in the cache of that time in this cache instead.
pub(crate) fn moved(value: &Sexp, cache: &Path) -> Sexp {
    match value {
        Sexp::List(values) => Sexp::list(values.iter().map(|value| moved(value, cache))),
        Sexp::Atom(bytes) => match bytes.strip_prefix(CACHE.as_bytes()) {
            Some(rest) => Sexp::atom([cache.as_os_str().as_bytes(), rest].concat()),
            None => value.clone(),
        },
    }
}

/// Where they are kept.
pub(crate) fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/dune/fixtures")
}

/// Writes a file of this mode, with the directories above it.
pub(crate) fn write(path: &Path, content: &[u8], mode: u32) -> Result<()> {
    fs::create_dir_all(path.parent().context("a parent")?)?;
    fs::write(path, content).with_context(|| path.display().to_string())?;
    fs::set_permissions(path, fs::Permissions::from_mode(mode))?;
    Ok(())
}
