//! Removing entries on purpose, with what only they needed.
//!
//! | outcome | the cache afterwards |
//! |---|---|
//! | the keys that were bound | they are unbound; objects and companions that no entry needs are gone |
//! | error | some keys are unbound; every entry that is there is whole |
//!
//! Which entries nobody uses any more is the caller's knowledge. One that could not find out must not ask: here, a key that
//! is called unused goes.

use super::error::StoreError;
use super::fold::Live;
use super::{Partition, Store};
use crate::digest::Digest;
use crate::key::Key;
use crate::policy::Candidate;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::fs;

/// How many entries go under one lock: additions and uses wait for about a millisecond.
const BATCH: usize = 128;

impl Partition {
    /// Unbinds a key and tells whether it was bound. What only its entry needed goes with the next sweep, so this is quick.
    ///
    /// Errors: the system refuses; the key is still bound then, or the index does not know yet that it is not.
    pub fn remove(&self, key: Key, now: Timestamp) -> Result<bool, StoreError> {
        Ok(!self.unbind(&[key], now)?.is_empty())
    }

    /// Unbinds keys and gives those that were bound, in the given order; see the [module](self) for the outcomes.
    pub fn remove_all(&self, keys: &[Key], now: Timestamp) -> Result<Vec<Key>, StoreError> {
        let fold = self.fold()?;
        let has_objects = keys.iter().any(|&key| fold.get(key).is_some_and(Live::may_need_objects));
        drop(fold);
        let removed = self.evict(keys, now)?;
        if has_objects {
            self.store().sweep_objects()?;
        }
        Ok(removed)
    }

    /// Unbinds the keys that the caller calls unused, and gives them.
    pub fn remove_unused(
        &self,
        unused: &dyn Fn(&Key, &Candidate) -> bool,
        now: Timestamp,
    ) -> Result<Vec<Key>, StoreError> {
        let candidates = self.candidates()?.into_iter();
        let keys: Vec<Key> = candidates.filter(|(key, seen)| unused(key, seen)).map(|(key, _)| key).collect();
        self.remove_all(&keys, now)
    }

    /// Unbinds keys, a few at a time, with the companions that only they named, and gives those that were bound. Objects are
    /// left to a sweep.
    pub(super) fn evict(&self, keys: &[Key], now: Timestamp) -> Result<Vec<Key>, StoreError> {
        let mut companions: HashSet<Digest> = HashSet::new();
        if !keys.is_empty() {
            let fold = self.fold()?;
            companions.extend(keys.iter().filter_map(|&key| fold.get(key)?.record.companion));
        }
        let mut removed = Vec::with_capacity(keys.len());
        for some in keys.chunks(BATCH) {
            removed.extend(self.unbind(some, now)?);
        }
        self.sweep_companions(&companions, now)?;
        Ok(removed)
    }
}

impl Store {
    /// Removes everything that can be made again: all entries of all partitions, all that is remembered, and what the journals
    /// tell. Directories, locks and the secret stay. What others add meanwhile may stay too.
    pub fn clear(&self, now: Timestamp) -> Result<u64, StoreError> {
        self.writable(self.layout().root())?;
        let mut removed = 0;
        let partitions = self.partitions()?;
        for &id in &partitions {
            let partition = self.partition(id);
            let keys = partition.listed()?;
            removed += partition.evict(&keys, now)?.len() as u64;
        }
        self.sweep_objects()?;
        for file in super::auxiliary::auxiliaries(self, &partitions)? {
            super::file::if_there(fs::remove_file(&file.path))
                .map_err(StoreError::io("remove", &file.path))?;
        }
        let layout = self.layout();
        for &id in &partitions {
            for told in [layout.journal(id), layout.journal_old(id), layout.counters(id), layout.baseline(id)]
            {
                super::file::if_there(fs::remove_file(&told)).map_err(StoreError::io("remove", &told))?;
            }
        }
        self.clean_temporaries(now);
        self.set_total(self.usage()?.bytes)?;
        Ok(removed)
    }
}
