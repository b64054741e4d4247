//! Keeping what a run writes apart from what others write, and from the cache's own objects.

use super::writes::{State, Watched};
use crate::store::{Intrusion, LinkMode, PathLock, Store, StoreError};
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// What a run that is to be recorded holds, until it is.
#[derive(Debug, Default)]
pub(super) struct Guard {
    pub(super) locks: Vec<PathLock>,
    /// The writes that somebody else is about to write.
    pub(super) contended: Vec<PathBuf>,
    /// What tells those others, and those who come later, that we write there too.
    intrusions: Vec<Intrusion>,
    /// What the system refused.
    pub(super) refused: Vec<StoreError>,
}

impl Guard {
    /// Takes the lock of every write.
    pub(super) fn of<'p>(store: &Store, places: impl IntoIterator<Item = &'p Path>) -> Self {
        let mut guard = Self::default();
        // In order, though nobody waits: two runs of one operation meet in the first path already.
        for place in places.into_iter().collect::<BTreeSet<_>>() {
            match store.lock_path(place) {
                Ok(Some(lock)) => guard.locks.push(lock),
                Ok(None) => {
                    guard.contended.push(place.to_owned());
                    match store.intrude(place) {
                        Ok(intrusion) => guard.intrusions.push(intrusion),
                        Err(error) => guard.refused.push(error),
                    }
                }
                Err(error) => guard.refused.push(error),
            }
        }
        guard
    }

    /// Takes the lock of every write, if all are to be had.
    pub(super) fn alone(store: &Store, places: &[PathBuf]) -> Option<Self> {
        let places: BTreeSet<_> = places.iter().collect();
        let take = || {
            let locks = places.iter().map(|place| store.lock_path(place));
            let locks = locks.collect::<Result<Option<Vec<_>>, _>>().ok()??;
            Some(Self { locks, ..Self::default() })
        };
        match take()? {
            // What a killed process held may have been disturbed since: that goes with its lock.
            stale if stale.is_disturbed() => {
                drop(stale);
                take()
            }
            guard => Some(guard),
        }
    }

    /// Whether somebody else put something in one of the places.
    pub(super) fn is_disturbed(&self) -> bool {
        self.locks.iter().any(PathLock::is_disturbed)
    }
}

/// A tool that rewrites its output in place must not reach an object of the cache through a hard link.
pub(super) fn unlink_shared(store: &Store, watched: &[Watched]) {
    if store.options().link != LinkMode::Hardlink {
        return;
    }
    for Watched { path, before, .. } in watched {
        let shared =
            matches!(before, State::File(_)) && fs::metadata(path).is_ok_and(|file| file.nlink() > 1);
        if shared {
            // Where it cannot be unlinked it cannot be replaced by the command either, which will say so.
            fs::remove_file(path).ok();
        }
    }
}
