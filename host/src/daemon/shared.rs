//! What all sessions share.

use super::clients::Clients;
use super::log::Log;
use crate::repository::user::UserSettings;
use crate::runtime::Runtime;
use crate::store::Store;
use crate::time::Timestamp;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// What the daemon is told by who starts it.
pub struct Given {
    /// The cache of runs.
    pub store: Store,
    /// The engine, one for all sessions.
    pub runtime: Arc<Runtime>,
    /// What the user's `config.toml` says.
    pub user: UserSettings,
    /// Where the user's grants are.
    pub grants: Option<PathBuf>,
    /// The time now.
    pub now: fn() -> Timestamp,
    /// Where lines go.
    pub log: Arc<dyn Log>,
    /// How long a peer may take to greet.
    pub patience: Duration,
}

/// What all sessions share.
pub struct Shared {
    /// What was given.
    pub given: Given,
    /// Who is connected.
    pub clients: Arc<Clients>,
    /// What happened so far.
    pub counts: Counts,
    ending: AtomicBool,
}

impl Shared {
    pub(super) fn new(given: Given, clients: Arc<Clients>) -> Self {
        Self { given, clients, counts: Counts::default(), ending: AtomicBool::new(false) }
    }

    /// Writes a line to the log.
    pub fn log(&self, line: fmt::Arguments<'_>) {
        self.given.log.line(line);
    }

    /// Whether the daemon is about to end: sessions finish what they are doing, and go.
    #[must_use]
    pub fn is_ending(&self) -> bool {
        self.ending.load(Ordering::Relaxed)
    }

    pub(super) fn end(&self) {
        self.ending.store(true, Ordering::Relaxed);
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared")
            .field("clients", &self.clients)
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

/// What happened since the daemon started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Promotions that were stored.
    pub promoted: AtomicU64,
    /// Promotions that were not.
    pub refused: AtomicU64,
    /// Files whose content was there already.
    pub deduplicated: AtomicU64,
    /// Bytes of the files that came into the store.
    pub bytes: AtomicU64,
    /// Requests of our own protocol.
    pub requests: AtomicU64,
}

impl Counts {
    /// Counts some of one thing.
    pub fn add(counter: &AtomicU64, by: u64) {
        counter.fetch_add(by, Ordering::Relaxed);
    }
}
