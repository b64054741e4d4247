//! Taking away what no entry needs any more.

use super::error::StoreError;
use super::file;
use super::fold::Fold;
use super::index::Index;
use super::layout::unsharded;
use super::ledger::{needed, objects};
use super::{Partition, Store};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::time::Timestamp;
use rustix::fs::FlockOperation;
use std::collections::HashSet;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

/// A companion that no entry names may be about to be named, for this long.
const YOUNG: Duration = Duration::from_hours(1);

impl Store {
    /// Removes the objects that no entry needs, and gives their bytes. Additions of objects wait meanwhile.
    pub(super) fn sweep_objects(&self) -> Result<u64, StoreError> {
        let alone = self.hold("objects", FlockOperation::LockExclusive)?;
        let there = objects(self)?;
        let mut kept = HashSet::new();
        if !there.is_empty() {
            for id in self.partitions()? {
                let partition = self.partition(id);
                for live in partition.fold()?.iter().filter(|live| live.may_need_objects()) {
                    kept.extend(needed(self, id, live.record.key)?);
                }
            }
        }
        let mut freed = 0;
        for ((digest, mode), size) in there {
            if !kept.contains(&(digest, mode)) {
                let path = self.layout().object(digest, mode);
                file::if_there(fs::remove_file(&path)).map_err(StoreError::io("remove", &path))?;
                freed += size;
            }
        }
        drop(alone);
        Ok(freed)
    }
}

impl Partition {
    /// Makes the index anew if it and the entries disagree, as after a kill or a power failure.
    pub(super) fn reconcile(&self) -> Result<(), StoreError> {
        // Entries first: each had its record before it was there, so none is missed for being new.
        let listed = self.listed()?;
        let fold = self.fold()?;
        let known = listed.iter().filter(|&&key| fold.get(key).is_some()).count();
        if known != listed.len() || known != fold.iter().count() {
            return self.reindex();
        }
        for live in fold.iter().filter(|live| live.replaced) {
            let told = (live.record.own, live.record.objects);
            if self.record_of(live.record.key)?.is_none_or(|there| (there.own, there.objects) != told) {
                return self.reindex();
            }
        }
        Ok(())
    }

    /// Removes the companions that no entry names: at once those that an evicted entry named, after an hour all others.
    pub(super) fn sweep_companions(
        &self,
        evicted: &HashSet<Digest>,
        now: Timestamp,
    ) -> Result<(), StoreError> {
        let layout = self.store().layout();
        let path = layout.index(self.id());
        let opened = file::if_there(file::open(&path)).map_err(StoreError::io("open", &path))?;
        let Some(log) = opened else { return Ok(()) };
        let mut fold = Fold::default();
        fold.extend(&log).map_err(StoreError::io("read", &path))?;
        let named = fold.companions();
        let limit = i64::try_from(now.before(YOUNG).0).unwrap_or(i64::MAX);
        let mut doomed: Vec<(Digest, PathBuf)> = Vec::new();
        for (shard, _) in file::list(&layout.companions(self.id()))? {
            for (name, _) in file::list(&layout.companions(self.id()).join(&shard))? {
                let Some(digest) = unsharded(&shard, &name) else { continue };
                let path = layout.companion(self.id(), digest);
                let is_old = || fs::metadata(&path).is_ok_and(|there| Identity::of(&there).mtime < limit);
                if !named.contains_key(&digest) && (evicted.contains(&digest) || is_old()) {
                    doomed.push((digest, path));
                }
            }
        }
        if doomed.is_empty() {
            return Ok(());
        }
        // Once more, alone: an entry that names one of them may have come meanwhile.
        let Some(alone) = Index::open(self, FlockOperation::LockExclusive)? else { return Ok(()) };
        if file::is_nameless(&log).map_err(StoreError::io("examine", &path))? {
            return Ok(());
        }
        fold.extend(&log).map_err(StoreError::io("read", &path))?;
        let named = fold.companions();
        for (digest, path) in doomed {
            if !named.contains_key(&digest) {
                file::if_there(fs::remove_file(&path)).map_err(StoreError::io("remove", &path))?;
            }
        }
        drop(alone);
        Ok(())
    }
}
