//! A user with directories of his own, who starts daemons and builds.

use crate::peer::skipped;
use anyhow::{Context as _, Result, ensure};
use rustix::process::{Flock, FlockType, Pid, Signal, fcntl_getlk, kill_process, test_kill_process};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

const REVIVER: &str = env!("CARGO_BIN_EXE_reviver");

/// The user's directories; all gone in the end, and the daemon with them.
pub(crate) struct Scene {
    top: TempDir,
    has_runtime: bool,
}

impl Scene {
    pub(crate) fn new() -> Result<Self> {
        Self::of(true)
    }

    /// One whose user has no `XDG_RUNTIME_DIR`.
    pub(crate) fn without_runtime() -> Result<Self> {
        Self::of(false)
    }

    fn of(has_runtime: bool) -> Result<Self> {
        let top = tempfile::Builder::new().prefix("rv-").tempdir()?;
        for name in ["home", "run", "cache"] {
            fs::create_dir(top.path().join(name))?;
        }
        Ok(Self { top, has_runtime })
    }

    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.path().join(name)
    }

    /// The root of Dune's caches.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("cache/dune/db")
    }

    pub(crate) fn port(&self) -> PathBuf {
        self.path("run/dune-cache-daemon/dune-cache-daemon/port")
    }

    pub(crate) fn log(&self) -> PathBuf {
        self.path("cache/reviver/daemon/log")
    }

    /// A program in this user's environment, and nothing else in it.
    pub(crate) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.env_clear().current_dir(self.top.path()).stdin(Stdio::null());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        if self.has_runtime {
            command.env("XDG_RUNTIME_DIR", self.path("run"));
        }
        command.env("DUNE_CACHE", "enabled").env("LOG", self.path("ran"));
        command
    }

    pub(crate) fn reviver(&self, arguments: &[&str]) -> Command {
        let mut command = self.command(REVIVER);
        command.args(arguments);
        command
    }

    /// What `reviver` says, whatever comes of it.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Output> {
        Ok(self.reviver(arguments).output()?)
    }

    /// Starts a daemon in the background, which has to succeed. Its process.
    pub(crate) fn start(&self, arguments: &[&str]) -> Result<Pid> {
        done(self.reviver(&[&["daemon", "start"], arguments].concat()))?;
        let pid = self.status()?["pid"].as_i64().context("a process")?;
        Pid::from_raw(i32::try_from(pid)?).context("a process")
    }

    pub(crate) fn status(&self) -> Result<Json> {
        Ok(serde_json::from_slice(&self.ask(&["daemon", "status", "--json"])?.stdout)?)
    }

    /// A build that has to succeed.
    pub(crate) fn build(&self, workspace: &str) -> Result<()> {
        done(self.dune(workspace, &["build", "@all", "@install"])).map(drop)
    }

    pub(crate) fn dune(&self, workspace: &str, arguments: &[&str]) -> Command {
        let mut command = self.command("dune");
        command.args(arguments).current_dir(self.path(workspace));
        command
    }

    /// Which rules ran that say so.
    pub(crate) fn ran(&self) -> String {
        fs::read_to_string(self.path("ran")).unwrap_or_default()
    }

    /// Writes a workspace: a library, an executable, and rules that say when they run.
    pub(crate) fn workspace(&self, name: &str) -> Result<()> {
        let rule = |target: &str, action: &str| {
            format!(
                "(rule (targets {target}) (deps in.txt) (action (system \"echo {target} >> $LOG; {action}\")))\n"
            )
        };
        let rules = [
            rule("upper.txt", "tr a-z A-Z < in.txt > upper.txt"),
            rule("twin.txt", "tr a-z A-Z < in.txt > twin.txt"),
            rule("tool", "cp in.txt tool; chmod +x tool"),
        ];
        for (path, content) in [
            ("dune-project", "(lang dune 2.9)\n"),
            ("in.txt", "some words\n"),
            ("dune", &rules.concat()),
            ("lib/dune", "(library (name words))\n"),
            ("lib/count.ml", "let count text = List.length (String.split_on_char ' ' text)\n"),
            ("lib/words.ml", "let tell text = Printf.printf \"%d words\\n\" (Count.count text)\n"),
            ("bin/dune", "(executable (name main) (libraries words))\n"),
            ("bin/main.ml", "let () = Words.tell \"three words here\"\n"),
        ] {
            let path = self.path(name).join(path);
            fs::create_dir_all(path.parent().context("above")?)?;
            fs::write(path, content)?;
        }
        Ok(())
    }

    pub(crate) fn clean(&self, workspace: &str) -> Result<()> {
        Ok(fs::remove_dir_all(self.path(workspace).join("_build"))?)
    }

    /// What was built, by its path: mode, links, content.
    pub(crate) fn built(&self, workspace: &str) -> Result<BTreeMap<PathBuf, Built>> {
        let top = self.path(workspace).join("_build/default");
        let (mut found, mut open) = (BTreeMap::new(), vec![top.clone()]);
        while let Some(directory) = open.pop() {
            for entry in fs::read_dir(directory)? {
                let path = entry?.path();
                let metadata = fs::symlink_metadata(&path)?;
                if metadata.is_dir() {
                    open.push(path);
                } else if metadata.is_file() {
                    let (mode, links) = (metadata.mode() & 0o777, metadata.nlink());
                    let built = Built { mode, links, content: fs::read(&path)? };
                    found.insert(path.strip_prefix(&top)?.to_owned(), built);
                }
            }
        }
        ensure!(found.len() > 20, "only {} files were built", found.len());
        Ok(found)
    }

    /// What sessions leave behind in Dune's caches if they end badly.
    pub(crate) fn left(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.root()).into_iter().flatten().flatten().map(|entry| entry.path());
        entries.filter(|path| path.to_string_lossy().contains("promoting")).collect()
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        // Most tests have ended it themselves.
        self.ask(&["daemon", "stop", "--kill"]).ok();
    }
}

/// A file that was built.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Built {
    pub(crate) mode: u32,
    pub(crate) links: u64,
    pub(crate) content: Vec<u8>,
}

/// What a command says that has to succeed.
pub(crate) fn done(mut command: Command) -> Result<String> {
    let output = command.output()?;
    ensure!(output.status.success(), "{command:?}: {output:?}");
    Ok(String::from_utf8(output.stdout)?)
}

/// The process that holds the lock of a file.
pub(crate) fn holder(path: &Path) -> Result<Option<Pid>> {
    let lock = fcntl_getlk(File::open(path)?, &Flock::from(FlockType::WriteLock))?;
    Ok(lock.and_then(|lock| lock.pid))
}

/// Sends a signal, and tells how long the process then took to end.
pub(crate) fn end(pid: Pid, signal: Signal) -> Result<Duration> {
    let start = Instant::now();
    kill_process(pid, signal)?;
    ensure!(gone(pid), "{pid} did not end");
    Ok(start.elapsed())
}

/// Whether a process ends before long. It is no child of ours, so nobody has to wait for it but its own parent.
pub(crate) fn gone(pid: Pid) -> bool {
    let until = Instant::now() + Duration::from_secs(20);
    while Instant::now() < until {
        let status = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        // Where nothing reaps what lost its parent it stays as a zombie. Its first thread is one before the others have
        // ended, and they hold its locks: a daemon was taken for a living one in the moment after its end.
        let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count);
        if test_kill_process(pid).is_err() || status.contains(") Z") && threads <= 1 {
            return true;
        }
        sleep(Duration::from_millis(5));
    }
    false
}

/// Whether OCaml is here besides Dune; says so where it is not.
pub(crate) fn ocaml_is_here() -> bool {
    let here = Command::new("ocamlfind").arg("ocamlopt").arg("-version").output().is_ok()
        || Command::new("ocamlopt").arg("-version").output().is_ok_and(|output| output.status.success());
    if !here {
        skipped("there is no OCaml here");
    }
    here
}
