//! Where the daemon is: its socket, its log, Dune's caches and what Dune's clients look at.
//!
//! | | place |
//! |---|---|
//! | our socket | `--socket`, else `$XDG_RUNTIME_DIR/reviver/socket`, else `CACHE/daemon/socket` |
//! | the log | `--log`, else `CACHE/daemon/log` |
//! | Dune's caches | `${XDG_CACHE_HOME:-~/.cache}/dune/db` |
//! | Dune's port file | `$XDG_RUNTIME_DIR/dune-cache-daemon/dune-cache-daemon/port`; without that variable below Dune's caches, in one place for clients since 2.6 and in another one for older ones |

use crate::cli::Global;
use crate::cli::context::{directory, user_settings};
use crate::repository::user::UserSettings;
use anyhow::{Context as _, anyhow};
use std::path::{Path, PathBuf};

/// Places that commands of the daemon agree on.
pub(super) struct Places {
    /// The cache directory.
    pub(super) cache: PathBuf,
    runtime: Option<PathBuf>,
}

impl Places {
    pub(super) fn new(global: &Global, user: &UserSettings) -> anyhow::Result<Self> {
        let usual = || Some(below_home("XDG_CACHE_HOME", ".cache")?.join("reviver"));
        let cache = global.cache_dir().or_else(|| user.cache.clone()).or_else(usual);
        let cache =
            cache.ok_or_else(|| anyhow!("there is no home for a cache; name one with --cache-dir"))?;
        Ok(Self { cache: absolute(&cache)?, runtime: directory("XDG_RUNTIME_DIR") })
    }

    pub(super) fn socket(&self, given: Option<&Path>) -> anyhow::Result<PathBuf> {
        match (given, &self.runtime) {
            (Some(given), _) => absolute(given),
            (None, Some(runtime)) => Ok(runtime.join("reviver/socket")),
            (None, None) => Ok(self.cache.join("daemon/socket")),
        }
    }

    /// The socket of a daemon that runs. Settings that cannot be understood keep nobody from ending one, unless they alone tell
    /// where it is.
    pub(super) fn asked(global: &Global, given: Option<&Path>) -> anyhow::Result<PathBuf> {
        let user = match (given, directory("XDG_RUNTIME_DIR"), global.cache_dir()) {
            (None, None, None) => user_settings()?,
            _ => UserSettings::default(),
        };
        Self::new(global, &user)?.socket(given)
    }

    pub(super) fn log(&self, given: Option<&Path>) -> anyhow::Result<PathBuf> {
        given.map_or_else(|| Ok(self.cache.join("daemon/log")), absolute)
    }

    /// The root of Dune's caches.
    pub(super) fn dune() -> anyhow::Result<PathBuf> {
        let cache = below_home("XDG_CACHE_HOME", ".cache");
        Ok(cache.context("there is no home for Dune's caches; set HOME or XDG_CACHE_HOME")?.join("dune/db"))
    }

    /// Where Dune's clients look for a daemon: all generations of them.
    pub(super) fn ports(&self, dune: &Path) -> Vec<PathBuf> {
        match &self.runtime {
            Some(runtime) => vec![runtime.join("dune-cache-daemon/dune-cache-daemon/port")],
            None => ["runtime/dune-cache-daemon/port", "v2/runtime/dune-cache-daemon/port"]
                .map(|path| dune.join(path))
                .into(),
        }
    }
}

/// A path that means the same in another working directory.
fn absolute(path: &Path) -> anyhow::Result<PathBuf> {
    std::path::absolute(path).with_context(|| format!("cannot tell where {} is", path.display()))
}

/// A directory of the XDG base directory specification, also where there is no `HOME`: a daemon may be started by what has
/// hardly an environment.
pub(in crate::cli) fn below_home(variable: &str, below: &str) -> Option<PathBuf> {
    directory(variable).or_else(|| Some(directory("HOME").or_else(home)?.join(below)))
}

/// The home that the system knows of.
fn home() -> Option<PathBuf> {
    let user = rustix::process::getuid().as_raw().to_string();
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let fields = users.lines().map(|line| line.split(':').collect::<Vec<_>>());
    let own = fields.into_iter().find(|fields| fields.get(2) == Some(&user.as_str()))?;
    own.get(5).map(PathBuf::from).filter(|path| path.is_absolute())
}
