//! What all sessions share.

use super::clients::Clients;
use super::codecs::Codecs;
use super::log::Log;
use crate::dune::DuneStore;
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
    /// Dune's, where its clients are served.
    pub dune: Option<Arc<DuneStore>>,
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
    /// The metadata plugins that were used.
    pub(super) codecs: Codecs,
    ending: AtomicBool,
}

impl Shared {
    pub(super) fn new(given: Given, clients: Arc<Clients>) -> Self {
        let (counts, codecs) = (Counts::default(), Codecs::default());
        Self { given, clients, counts, codecs, ending: AtomicBool::new(false) }
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
        let mut shared = f.debug_struct("Shared");
        shared.field("clients", &self.clients).field("counts", &self.counts).finish_non_exhaustive()
    }
}

/// A number that several threads count up.
#[derive(Debug, Default)]
pub struct Count(AtomicU64);

impl Count {
    /// Counts so many more.
    pub fn add(&self, more: u64) {
        self.0.fetch_add(more, Ordering::Relaxed);
    }

    /// So many there were.
    #[must_use]
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// What happened since the daemon started.
#[derive(Debug, Default)]
pub struct Counts {
    /// Promotions that were stored.
    pub promoted: Count,
    /// Promotions and other messages that were not taken.
    pub refused: Count,
    /// Files that came into the store.
    pub files: Count,
    /// Files whose content was there already.
    pub deduplicated: Count,
    /// Requests of our own protocol.
    pub requests: Count,
    /// Trims that let something go.
    pub trims: Count,
    /// Bytes that trims let go.
    pub freed: Count,
}
