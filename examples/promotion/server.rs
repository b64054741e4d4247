//! A daemon with a home of its own.

use anyhow::{Context as _, Result, ensure};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Whose daemon it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    Dune,
    Reviver,
}

impl Kind {
    /// Both, each going first every other time.
    pub(crate) const fn in_turn(round: usize) -> [Self; 2] {
        if round.is_multiple_of(2) { [Self::Dune, Self::Reviver] } else { [Self::Reviver, Self::Dune] }
    }
}

/// The version of Dune, where it is one with a daemon.
pub(crate) fn dune() -> Option<String> {
    let output = Command::new("dune").arg("--version").output().ok()?;
    let version = String::from_utf8(output.stdout).ok()?.trim().to_owned();
    version.starts_with("2.").then_some(version)
}

/// A running daemon.
pub(crate) struct Server {
    home: TempDir,
    process: Child,
    /// Where it listens.
    pub(crate) endpoint: String,
}

impl Server {
    /// Starts one with an empty store, and waits until it listens.
    pub(crate) fn start(kind: Kind, reviver: &Path, parent: &Path) -> Result<Self> {
        let home = tempfile::Builder::new().prefix("home").tempdir_in(parent)?;
        fs::create_dir(home.path().join("run"))?;
        let mut command = match kind {
            Kind::Dune => Command::new("dune"),
            Kind::Reviver => Command::new(reviver),
        };
        match kind {
            Kind::Dune => command.args(["cache", "start", "--foreground"]),
            Kind::Reviver => command.args(["daemon", "start", "--dune", "--foreground"]),
        };
        surround(&mut command, home.path());
        let process = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn()?;
        let published = home.path().join("run/dune-cache-daemon/dune-cache-daemon/port");
        let until = Instant::now() + Duration::from_secs(20);
        let endpoint = loop {
            match fs::read_to_string(&published) {
                Ok(endpoint) if !endpoint.is_empty() => break endpoint,
                _ => ensure!(Instant::now() < until, "{kind:?} does not publish where it listens"),
            }
            sleep(Duration::from_millis(5));
        };
        Ok(Self { home, process, endpoint })
    }

    /// Has a command see this daemon and its store.
    pub(crate) fn serve(&self, command: &mut Command) {
        surround(command, self.home.path());
    }

    /// A path beside its store.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// All that it stored, by path: metadata with its bytes, contents with their lengths.
    pub(crate) fn stored(&self) -> Result<BTreeMap<PathBuf, (u64, Vec<u8>)>> {
        let root = self.path("cache/dune/db");
        let mut found = BTreeMap::new();
        for part in ["files/v4", "meta/v4"] {
            for shard in fs::read_dir(root.join(part))? {
                for file in fs::read_dir(shard?.path())? {
                    let path = file?.path();
                    let bytes = if part == "meta/v4" { fs::read(&path)? } else { Vec::new() };
                    let length = fs::metadata(&path)?.len();
                    found.insert(path.strip_prefix(&root)?.to_owned(), (length, bytes));
                }
            }
        }
        Ok(found)
    }

    /// Ends it as `dune cache stop` does.
    pub(crate) fn stop(mut self) -> Result<()> {
        let status = Command::new("kill").arg(self.process.id().to_string()).status()?;
        ensure!(status.success(), "cannot stop the daemon");
        self.process.wait().context("the daemon")?;
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // One that was stopped is gone already.
        self.process.kill().ok();
        self.process.wait().ok();
    }
}

fn surround(command: &mut Command, home: &Path) {
    for (variable, _) in std::env::vars_os() {
        let name = variable.to_string_lossy();
        if ["REVIVER_", "DUNE_", "CARGO", "XDG_"].iter().any(|prefix| name.starts_with(prefix)) {
            command.env_remove(&variable);
        }
    }
    command.env_remove("LD_LIBRARY_PATH");
    command
        .env("HOME", home)
        .env("XDG_CACHE_HOME", home.join("cache"))
        .env("XDG_RUNTIME_DIR", home.join("run"));
}
