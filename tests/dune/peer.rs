//! A daemon with directories of its own: ours, or Dune's.

use anyhow::{Context as _, Result, bail, ensure};
use rustix::process::{Pid, Signal, kill_process};
use std::ffi::OsString;
use std::fs;
use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// The command that is tested.
const REVIVER: &str = env!("CARGO_BIN_EXE_reviver");
/// How long anything may take on a busy machine.
pub(crate) const LONG: Duration = Duration::from_secs(20);
const NOBODY: u32 = 65534;

/// Whose daemon it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Whose {
    Ours,
    Dunes,
}

/// The directories that a daemon and its clients share; all gone in the end.
pub(crate) struct Place {
    top: TempDir,
}

/// A daemon that runs.
pub(crate) struct Daemon {
    child: Child,
    endpoint: SocketAddr,
}

impl Place {
    pub(crate) fn new() -> Result<Self> {
        let top = tempfile::Builder::new().prefix("reviver-dune-").tempdir()?;
        for name in ["home", "runtime", "cache"] {
            fs::create_dir(top.path().join(name))?;
        }
        Ok(Self { top })
    }

    /// A path in it.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.top.path().join(name)
    }

    /// The root of Dune's cache.
    pub(crate) fn root(&self) -> PathBuf {
        self.path("cache/dune/db")
    }

    fn port(&self) -> PathBuf {
        self.path("runtime/dune-cache-daemon/dune-cache-daemon/port")
    }

    /// The command that runs a daemon in the foreground, in an environment of nothing but this place.
    fn command(&self, whose: Whose, program: Option<&Path>) -> Command {
        let (usual, arguments): (_, &[&str]) = match whose {
            Whose::Ours => (REVIVER, &["daemon", "start", "--dune", "--foreground"]),
            Whose::Dunes => ("dune", &["cache", "start", "--foreground"]),
        };
        let mut command = Command::new(program.map_or_else(|| OsString::from(usual), OsString::from));
        command.args(arguments).env_clear().current_dir(self.top.path());
        command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
        command.env("HOME", self.path("home")).env("XDG_CACHE_HOME", self.path("cache"));
        command.env("XDG_RUNTIME_DIR", self.path("runtime")).env("REVIVER_CACHE_DIR", self.path("own"));
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }

    /// Starts one.
    pub(crate) fn start(&self, whose: Whose) -> Result<Daemon> {
        self.run(self.command(whose, None))
    }

    /// Starts ours as nobody, whom permissions stop. Only root can.
    pub(crate) fn start_as_nobody(&self) -> Result<Daemon> {
        // The command lies where only root looks, so nobody has a copy; made by another process, or it could not be run yet.
        let copy = self.path("reviver");
        ensure!(Command::new("cp").arg(REVIVER).arg(&copy).status()?.success());
        let mut command = self.command(Whose::Ours, Some(&copy));
        command.uid(NOBODY).gid(NOBODY);
        self.run(command)
    }

    /// Gives all that is there to nobody.
    pub(crate) fn give_to_nobody(&self) -> Result<()> {
        let status = Command::new("chown")
            .arg("-R")
            .arg(format!("{NOBODY}:{NOBODY}"))
            .arg(self.top.path())
            .status()?;
        ensure!(status.success());
        Ok(())
    }

    /// Starts ours after a shell has done something, as limiting what the system grants.
    pub(crate) fn start_after(&self, first: &str) -> Result<Daemon> {
        let plain = self.command(Whose::Ours, None);
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{first}; exec \"$@\""), "sh", REVIVER]).args(plain.get_args());
        shell.env_clear().current_dir(self.top.path()).stdin(Stdio::null()).stdout(Stdio::null());
        shell.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.run(shell)
    }

    fn run(&self, mut command: Command) -> Result<Daemon> {
        let complaints = fs::File::create(self.path("complaints"))?;
        let mut child = command.stderr(complaints).spawn().with_context(|| format!("{command:?}"))?;
        let until = Instant::now() + LONG;
        loop {
            let text = fs::read_to_string(self.port()).unwrap_or_default();
            if let Ok(endpoint) = text.parse() {
                return Ok(Daemon { child, endpoint });
            }
            if let Some(status) = child.try_wait()? {
                bail!("{command:?} ended with {status}: {}", self.complaints());
            }
            if Instant::now() > until {
                child.kill()?;
                child.wait()?;
                bail!("{} holds {text:?}: {}", self.port().display(), self.complaints());
            }
            sleep(Duration::from_millis(10));
        }
    }

    /// What the last daemon said on its standard error.
    pub(crate) fn complaints(&self) -> String {
        fs::read_to_string(self.path("complaints")).unwrap_or_default()
    }
}

impl Daemon {
    pub(crate) fn connect(&self) -> Result<TcpStream> {
        let stream = TcpStream::connect(self.endpoint).context("connect")?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    pub(crate) fn endpoint(&self) -> SocketAddr {
        self.endpoint
    }

    pub(crate) fn is_alive(&mut self) -> Result<bool> {
        Ok(self.child.try_wait()?.is_none())
    }

    /// Tells it to end, and how long that took.
    pub(crate) fn ends(&mut self) -> Result<Duration> {
        let started = Instant::now();
        self.terminate();
        while self.is_alive()? && started.elapsed() < LONG {
            sleep(Duration::from_millis(10));
        }
        Ok(started.elapsed())
    }

    fn terminate(&self) {
        if let Some(pid) = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw) {
            // One that has ended cannot be told to.
            kill_process(pid, Signal::TERM).ok();
        }
    }

    /// The most memory that it ever had.
    pub(crate) fn peak(&self) -> Result<u64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
        Ok(peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.terminate();
        let until = Instant::now() + Duration::from_secs(5);
        while matches!(self.child.try_wait(), Ok(None)) && Instant::now() < until {
            sleep(Duration::from_millis(10));
        }
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Whether Dune with a daemon of its own is here; says so where it is not.
pub(crate) fn dune_is_here() -> bool {
    let version = Command::new("dune").arg("--version").stdin(Stdio::null()).output();
    let here = version.is_ok_and(|output| output.stdout.starts_with(b"2.9."));
    if !here {
        skipped("there is no Dune 2.9 here");
    }
    here
}

/// Says that something is not tested. Not by a macro: the test runner would keep that to itself, since the test passes.
pub(crate) fn skipped(why: &str) {
    // A standard error that is closed has nobody to tell.
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).ok();
}
