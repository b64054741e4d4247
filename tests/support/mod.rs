//! A repository with a cache, a home and settings of its own, in which the command runs.

pub(crate) mod lua;
pub(crate) mod other_user;
mod ran;

use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::policy::Role;
use reviver::repository::lock::{Lock, Pin};
use reviver::runtime::Capabilities;
use serde_json::Value as Json;
use std::ffi::OsStr;
use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;
use tempfile::TempDir;

pub(crate) use ran::{Ran, Verdict};

/// The command that is tested.
pub(crate) const REVIVER: &str = env!("CARGO_BIN_EXE_reviver");

/// A repository, the user's directories, and the cache; all gone in the end.
pub(crate) struct Repository {
    _top: TempDir,
    pub(crate) root: PathBuf,
    pub(crate) cache: PathBuf,
    pub(crate) home: PathBuf,
}

impl Repository {
    pub(crate) fn new() -> Result<Self> {
        Self::within(tempfile::tempdir()?)
    }

    /// One that lies in the same place in each run of these tests, or cargo would take its crates for new ones each time and
    /// keep all that it ever made of them.
    pub(crate) fn at(name: &str) -> Result<Self> {
        let tests = Digest::of(env!("CARGO_TARGET_TMPDIR").as_bytes()).short();
        let place = format!("reviver-{name}-{tests}");
        // What a run left that was killed.
        match fs::remove_dir_all(std::env::temp_dir().join(&place)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
        Self::within(tempfile::Builder::new().prefix(&place).rand_bytes(0).tempdir()?)
    }

    fn within(top: TempDir) -> Result<Self> {
        let path = top.path().canonicalize()?;
        let (root, cache, home) = (path.join("repository"), path.join("cache"), path.join("home"));
        fs::create_dir_all(&root)?;
        fs::create_dir_all(home.join("config/reviver"))?;
        Ok(Self { _top: top, root, cache, home })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.root.join(name)
    }

    /// Writes a file, with the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("it has a parent")?)?;
        fs::write(&path, content).with_context(|| path.display().to_string())
    }

    /// Writes a script that can be run. Another process does it: a file that this one has open for writing is, for a moment,
    /// open in what other threads are about to start as well, and cannot be run then.
    pub(crate) fn script(&self, name: &str, body: &str) -> Result<()> {
        let path = self.path(name);
        fs::create_dir_all(path.parent().context("it has a parent")?)?;
        let mut shell = Command::new("sh");
        shell.args(["-c", "printf '#!/bin/sh\\n%s' \"$1\" >\"$0\" && chmod 755 \"$0\""]).arg(&path).arg(body);
        ensure!(shell.status()?.success(), "{}", path.display());
        Ok(())
    }

    pub(crate) fn read(&self, name: &str) -> Result<Vec<u8>> {
        let path = self.path(name);
        fs::read(&path).with_context(|| path.display().to_string())
    }

    pub(crate) fn text(&self, name: &str) -> Result<String> {
        Ok(String::from_utf8(self.read(name)?)?)
    }

    pub(crate) fn exists(&self, name: &str) -> bool {
        self.path(name).exists()
    }

    pub(crate) fn remove(&self, names: &[&str]) -> Result<()> {
        names.iter().try_for_each(|name| {
            let path = self.path(name);
            if path.is_dir() { fs::remove_dir_all(path) } else { fs::remove_file(path) }
        })?;
        Ok(())
    }

    /// Any program in this repository: a bare environment, nothing on standard input.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(&self.root).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.env("HOME", &self.home).env("XDG_CONFIG_HOME", self.home.join("config"));
        command.env("REVIVER_CACHE_DIR", &self.cache);
        command
    }

    /// `reviver` with these arguments.
    pub(crate) fn reviver<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.command(REVIVER);
        command.args(arguments);
        command
    }

    /// `reviver run --verbose` with these arguments, which say `--` themselves where it is wanted.
    pub(crate) fn runs<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Command {
        let mut command = self.command(REVIVER);
        command.args(["run", "--verbose"]).args(arguments);
        command
    }

    /// Runs or revives, and tells what became of it.
    pub(crate) fn run<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Ran> {
        Ran::of(&mut self.runs(arguments))
    }

    /// What a command other than `run` says.
    pub(crate) fn ask<S: AsRef<OsStr>>(&self, arguments: &[S]) -> Result<Ran> {
        Ran::of(&mut self.reviver(arguments))
    }

    /// `reviver plugin pin`, which has to succeed.
    pub(crate) fn pin(&self) -> Result<Ran> {
        let pinned = self.ask(&["plugin", "pin"])?;
        ensure!(pinned.code == Some(0), "{pinned:?}");
        Ok(pinned)
    }

    /// Pins the file of a plugin as it is, also one that `plugin pin` would refuse.
    pub(crate) fn pin_blindly(&self, name: &str, file: &str, role: Role) -> Result<()> {
        let bytes = self.read(file)?;
        let pin = Pin {
            role,
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            abi: "0.1.0".to_owned(),
            imports: Vec::new(),
            capabilities: Capabilities::ALL,
        };
        Ok(Lock { pins: [(name.to_owned(), pin)].into() }.save(&self.path("reviver.lock"))?)
    }

    /// `reviver cache stats --json`.
    pub(crate) fn stats(&self) -> Result<Json> {
        let stats = self.ask(&["cache", "stats", "--json"])?;
        ensure!(stats.code == Some(0), "{stats:?}");
        Ok(serde_json::from_slice(&stats.stdout)?)
    }

    /// Hits, misses and entries.
    pub(crate) fn counts(&self) -> Result<[u64; 3]> {
        let stats = self.stats()?;
        let count = |name: &str| stats[name].as_u64().context("a number");
        Ok([count("hits")?, count("misses")?, count("entries")?])
    }

    /// The files of the cache that lie in a directory of this name.
    pub(crate) fn cached(&self, directory: &str) -> Vec<PathBuf> {
        let mut found = files(&self.cache);
        found.retain(|path| {
            let above = path.strip_prefix(&self.cache).ok().and_then(Path::parent);
            above.is_some_and(|above| above.components().any(|part| part.as_os_str() == directory))
        });
        found
    }
}

/// All files below a directory, in order.
pub(crate) fn files(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for path in fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.is_dir() { open.push(path) } else { found.push(path) }
        }
    }
    found.sort();
    found
}

/// Until files that were just written are older than the granularity of the clock: a run that starts earlier reads files
/// that are too young to be sure of.
pub(crate) fn settle() {
    std::thread::sleep(Duration::from_millis(30));
}

/// Says that something is not tested. Not by a macro: the test runner would keep that to itself, since the test passes.
pub(crate) fn skipped(why: &str) {
    // A standard error that is closed has nobody to tell.
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).ok();
}

/// Whether a program that a test needs is there; says so where it is not.
pub(crate) fn installed(program: &str) -> bool {
    let there = std::env::var_os("PATH")
        .is_some_and(|path| std::env::split_paths(&path).any(|directory| directory.join(program).is_file()));
    if !there {
        skipped(&format!("there is no `{program}` on this machine"));
    }
    there
}

/// Whether the test runs as root, which some of them need; says so where it does not.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let root = fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        skipped("only root can arrange this");
    }
    root
}
