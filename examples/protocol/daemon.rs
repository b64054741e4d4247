//! A daemon that is measured.

use anyhow::{Result, bail, ensure};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A daemon with a cache of its own; it ends with this.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) socket: PathBuf,
}

impl Daemon {
    pub(crate) fn start(binary: &Path, place: &Path) -> Result<Self> {
        let socket = place.join("daemon/socket");
        let mut command = command(binary, place);
        command.args(["daemon", "start", "--foreground", "--socket"]).arg(&socket);
        let child = command.stdout(Stdio::null()).spawn()?;
        let mut daemon = Self { child, socket };
        let until = Instant::now() + Duration::from_secs(30);
        while UnixStream::connect(&daemon.socket).is_err() {
            if let Some(status) = daemon.child.try_wait()? {
                bail!("the daemon ended: {status}");
            }
            ensure!(Instant::now() < until, "the daemon does not listen");
            std::thread::sleep(Duration::from_millis(5));
        }
        Ok(daemon)
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// `reviver` with the cache and the settings in a place, and in its repository.
pub(crate) fn command(binary: &Path, place: &Path) -> Command {
    let mut command = Command::new(binary);
    command.env_clear().env("HOME", place).env("REVIVER_CACHE_DIR", place.join("cache"));
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default());
    command.current_dir(place.join("repository")).stdin(Stdio::null());
    command
}
