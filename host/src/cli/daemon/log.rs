//! The daemon's log: a file of bounded size, each line with its time.

use crate::daemon::log::Log;
use anyhow::Context as _;
use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::SystemTime;

/// What is larger becomes `log.old`, which is replaced by that.
const SIZE: u64 = 4 << 20;

/// A log in a file.
pub(super) struct LogFile {
    path: PathBuf,
    file: Mutex<(File, u64)>,
    /// Whether what the process prints by itself goes there as well.
    has_output: AtomicBool,
}

impl LogFile {
    pub(super) fn open(path: PathBuf) -> anyhow::Result<Self> {
        crate::daemon::lock::make_above(&path)
            .and_then(|()| open(&path))
            .with_context(|| format!("cannot write the log {}", path.display()))
            .map(|file| Self { path, file: Mutex::new(file), has_output: AtomicBool::new(false) })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Has everything printed there from now on.
    pub(super) fn take_over(&self) -> io::Result<()> {
        let file = &self.file.lock().unwrap_or_else(PoisonError::into_inner).0;
        self.has_output.store(true, Ordering::Relaxed);
        rustix::stdio::dup2_stdout(file)?;
        Ok(rustix::stdio::dup2_stderr(file)?)
    }

    fn rotate(&self, (file, size): &mut (File, u64)) -> io::Result<()> {
        let mut old = self.path.clone().into_os_string();
        old.push(".old");
        fs::rename(&self.path, old)?;
        (*file, *size) = open(&self.path)?;
        if self.has_output.load(Ordering::Relaxed) {
            rustix::stdio::dup2_stdout(&*file)?;
            rustix::stdio::dup2_stderr(&*file)?;
        }
        Ok(())
    }
}

fn open(path: &Path) -> io::Result<(File, u64)> {
    let file = OpenOptions::new().append(true).create(true).mode(0o600).open(path)?;
    let size = file.metadata()?.len();
    Ok((file, size))
}

/// A log that cannot be written is no reason to end what it tells of.
impl Log for LogFile {
    fn line(&self, line: fmt::Arguments<'_>) {
        let time = humantime::format_rfc3339_seconds(SystemTime::now());
        // What a peer sent may be in it, and is to stay one line.
        let line = line.to_string().replace(['\n', '\r'], " ");
        let line = format!("{time} {line}\n");
        let mut file = self.file.lock().unwrap_or_else(PoisonError::into_inner);
        if file.1 + line.len() as u64 > SIZE {
            self.rotate(&mut file).ok();
        }
        file.1 += line.len() as u64;
        file.0.write_all(line.as_bytes()).ok();
    }
}
