//! A daemon, and those who speak with it.

use crate::support::{REVIVER, Repository};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::client::{Client, ClientError};
use reviver::key::Name;
use reviver::protocol::own::Code;
use reviver::protocol::own::request::{Destination, Record, Revive, Which};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

/// A repository with a rule whose plugin is its own, and not pinned.
pub(crate) fn unpinned() -> Result<Repository> {
    let repository = Repository::new()?;
    repository
        .write("reviver.toml", "[plugin.p]\npath = 'p.wasm'\n[[rule]]\ncommand = 'mine'\nplugin = 'p'\n")?;
    repository.write("p.wasm", "no component")?;
    Ok(repository)
}

/// A daemon of a repository's user, which ends with this.
pub(crate) struct Daemon {
    child: Child,
    pub(crate) socket: PathBuf,
}

impl Daemon {
    pub(crate) fn start(repository: &Repository) -> Result<Self> {
        Self::start_at(repository, repository.home.join("daemon/socket"))
    }

    /// One that listens here.
    pub(crate) fn start_at(repository: &Repository, socket: PathBuf) -> Result<Self> {
        let mut command = repository.command(REVIVER);
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

    /// Somebody who has greeted.
    pub(crate) fn client(&self) -> Result<Client> {
        let socket = UnixStream::connect(&self.socket)?;
        // A test that waits for ever tells nothing.
        socket.set_read_timeout(Some(Duration::from_mins(1)))?;
        Ok(Client::over(socket)?)
    }

    /// Somebody who has named the repository too.
    pub(crate) fn at(&self, repository: &Repository) -> Result<Client> {
        let mut client = self.client()?;
        client.repository(&repository.root)?;
        Ok(client)
    }

    /// Somebody who speaks in bytes, and has greeted.
    pub(crate) fn raw(&self) -> Result<Raw> {
        let socket = UnixStream::connect(&self.socket)?;
        socket.set_read_timeout(Some(Duration::from_mins(1)))?;
        let mut raw = Raw(socket);
        raw.say(b"(4:lang7:reviver(1:11:0))")?;
        raw.hears(b"(4:lang7:reviver(1:11:0))")?;
        Ok(raw)
    }

    /// How many of its threads were started since others were busy.
    pub(crate) fn further_threads(&self) -> Result<usize> {
        let mut number = 0;
        for task in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // One that ended meanwhile is none.
            let name = fs::read_to_string(task?.path().join("comm")).unwrap_or_default();
            number += usize::from(name.trim() == "request");
        }
        Ok(number)
    }

    /// Fails unless the daemon still serves.
    pub(crate) fn serves(&mut self, repository: &Repository) -> Result<()> {
        ensure!(self.child.try_wait()?.is_none(), "the daemon is gone");
        self.at(repository)?.stats()?;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// Speaks in bytes.
pub(crate) struct Raw(pub(crate) UnixStream);

impl Raw {
    pub(crate) fn say(&mut self, bytes: &[u8]) -> Result<()> {
        Ok(self.0.write_all(bytes)?)
    }

    /// Fails unless exactly this comes next.
    pub(crate) fn hears(&mut self, bytes: &[u8]) -> Result<()> {
        let mut heard = vec![0; bytes.len()];
        self.0.read_exact(&mut heard).with_context(|| format!("instead of {}", bytes.escape_ascii()))?;
        ensure!(heard == bytes, "{}, and not {}", heard.escape_ascii(), bytes.escape_ascii());
        Ok(())
    }

    /// All that comes until the connection ends.
    pub(crate) fn rest(&mut self) -> Result<Vec<u8>> {
        let mut heard = Vec::new();
        self.0.read_to_end(&mut heard)?;
        Ok(heard)
    }
}

pub(crate) fn name(text: &str) -> Result<Name> {
    Ok(Name::new(text)?)
}

pub(crate) fn record(name_: &str, files: &[&str]) -> Result<Record> {
    let files = files.iter().map(PathBuf::from).collect();
    Ok(Record { name: name(name_)?, metadata: b"metadata".to_vec(), files, root: None })
}

pub(crate) fn revive(name_: &str, to: &[&str]) -> Result<Revive> {
    let to = Destination::Each(to.iter().map(PathBuf::from).collect());
    Ok(Revive { which: Which::Name(name(name_)?), to, umask: None })
}

/// Fails unless the daemon refuses with this code; its words.
pub(crate) fn refused<T: std::fmt::Debug>(code: Code, answer: Result<T, ClientError>) -> Result<String> {
    match answer {
        Err(ClientError::Refused { code: found, message }) if found == code => Ok(message),
        other => bail!("{code} was due, and not {other:?}"),
    }
}
