//! How a daemon goes, in a file beside its socket, for `reviver daemon status`.
//!
//! A file and no question over the socket: it is there also when the daemon is stopped, or has no descriptor left. It appears by
//! rename, not more often than ten times a second, and goes with the daemon. That one runs is said by the lock alone; what a killed
//! daemon left has another process in it than the lock.

use super::clients::Kind;
use super::shared::Shared;
use serde_json::{Value, json};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// So often it is written at the most.
const LEAST: Duration = Duration::from_millis(100);

/// So often it is looked whether something changed without a sign, while somebody is connected.
const EVERY: Duration = Duration::from_secs(1);

/// The file, and what it said last.
#[derive(Debug)]
pub(super) struct Status {
    path: PathBuf,
    /// What does not change: process, start, endpoints.
    fixed: Value,
    last: Value,
    written: Option<Instant>,
    /// Whether Dune's clients find the daemon where it says.
    pub(super) is_found: bool,
}

impl Status {
    pub(super) fn at(path: PathBuf, fixed: Value) -> Self {
        Self { path, fixed, last: Value::Null, written: None, is_found: true }
    }

    /// Writes the file where something changed. Gives how long from now it is to be looked at again, if at all: as long as
    /// somebody is connected, something may change without a sign.
    pub(super) fn refresh(&mut self, shared: &Shared) -> Option<Duration> {
        let mut now = of(shared);
        if !self.is_found {
            now["dune"] = Value::Null;
        }
        let is_used = !shared.clients.is_empty();
        if now == self.last {
            return is_used.then_some(EVERY);
        }
        let early = self.written.map(|written| LEAST.saturating_sub(written.elapsed()));
        if let Some(left) = early.filter(|left| !left.is_zero()) {
            return Some(left);
        }
        self.written = Some(Instant::now());
        let mut whole = self.fixed.clone();
        if let (Some(whole), Some(now)) = (whole.as_object_mut(), now.as_object()) {
            whole.extend(now.iter().map(|(name, value)| (name.clone(), value.clone())));
        }
        if let Err(error) = write(&self.path, &whole) {
            shared.log(format_args!("cannot write {}: {error}", self.path.display()));
        }
        self.last = now;
        is_used.then_some(EVERY)
    }

    pub(super) fn remove(&self) {
        // Without the lock nobody takes it for true.
        fs::remove_file(&self.path).ok();
    }
}

fn write(path: &Path, value: &Value) -> io::Result<()> {
    let new = path.with_extension("json.new");
    fs::write(&new, value.to_string())?;
    fs::rename(&new, path)
}

fn of(shared: &Shared) -> Value {
    let (clients, counts) = (&shared.clients, &shared.counts);
    json!({
        "clients": {
            "dune": clients.of(Kind::Dune),
            "own": clients.of(Kind::Own),
            "served": clients.greeted(),
        },
        "promoted": counts.promoted.get(),
        "refused": counts.refused.get(),
        "deduplicated": counts.deduplicated.get(),
        "files": counts.files.get(),
        "requests": counts.requests.get(),
        "trims": counts.trims.get(),
        "freed": counts.freed.get(),
    })
}
