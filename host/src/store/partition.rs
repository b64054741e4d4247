//! One repository's entries: what is known of them, and their uses.

use super::Store;
use super::entry::Entry;
use super::error::StoreError;
use super::file;
use super::fold::Fold;
use super::format;
use super::index::{Index, Kind, Record};
use super::layout::PartitionId;
use super::reindex::read_header;
use crate::identity::Identity;
use crate::key::{Key, Name};
use crate::policy::Candidate;
use crate::time::Timestamp;
use rustix::fs::FlockOperation;
use std::fs;
use std::path::Path;

/// One repository's part of the cache.
#[derive(Clone, Debug)]
pub struct Partition {
    store: Store,
    id: PartitionId,
}

/// What a list of keys shows of each.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyInfo {
    /// The key.
    pub key: Key,
    /// The name that a person gave to the entry.
    pub name: Option<Name>,
    /// When it was added.
    pub created: Timestamp,
    /// How many contents it has.
    pub files: u64,
    /// How many bytes its file and its objects have, shared ones included, and its record in the index.
    pub bytes: u64,
    /// When it was last revived, or added.
    pub last_use: Timestamp,
    /// How often it was revived.
    pub uses: u64,
}

/// How much a partition holds, as its index tells.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct PartitionStats {
    /// How many entries.
    pub entries: u64,
    /// How many contents they have.
    pub files: u64,
    /// How many bytes they take: their files, index records and objects, shared ones counted for each, and companions.
    pub bytes: u64,
    /// How often they were revived.
    pub uses: u64,
}

impl Partition {
    pub(super) const fn new(store: Store, id: PartitionId) -> Self {
        Self { store, id }
    }

    /// Which partition this is.
    #[must_use]
    pub const fn id(&self) -> PartitionId {
        self.id
    }

    /// The store that it is a part of.
    #[must_use]
    pub const fn store(&self) -> &Store {
        &self.store
    }

    /// The entry that a key is bound to. Its header is verified, its contents are when they are used.
    ///
    /// | outcome | when | the cache afterwards |
    /// |---|---|---|
    /// | `Some` | the key is bound | unchanged |
    /// | `None` | it is not | unchanged |
    /// | `None` | its entry is damaged | the entry is in `quarantine/` |
    /// | error | the system refuses to read it | unchanged |
    pub fn find(&self, key: Key) -> Result<Option<Entry>, StoreError> {
        let path = self.store.layout().entry(self.id, key);
        let (bytes, identity) = match file::if_there(file::read_whole(&path)) {
            Ok(Some(read)) => read,
            Ok(None) => return Ok(None),
            // It became shorter than it said, or is no file: damage, and whatever is there now is looked at again.
            Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof || file::is_spoilt(&error) => {
                self.quarantine(key, None)?;
                return Ok(None);
            }
            Err(error) => return Err(StoreError::io("read", path)(error)),
        };
        match format::decode(&bytes, bytes.len() as u64) {
            Ok(header) if header.key == key => Ok(Some(Entry::new(self.clone(), header, bytes, identity))),
            _ => {
                self.quarantine(key, Some(identity))?;
                Ok(None)
            }
        }
    }

    /// Whether a key is bound. The entry may still prove damaged when it is found.
    #[must_use]
    pub fn contains(&self, key: Key) -> bool {
        fs::symlink_metadata(self.store.layout().entry(self.id, key)).is_ok_and(|there| there.is_file())
    }

    /// Unbinds keys under one lock, and gives those that were bound. Something else in an entry's place goes into quarantine.
    pub(super) fn unbind(&self, keys: &[Key], now: Timestamp) -> Result<Vec<Key>, StoreError> {
        let mut index = Index::open(self, FlockOperation::LockExclusive)?;
        let mut removed = Vec::with_capacity(keys.len());
        for &key in keys {
            let path = self.store.layout().entry(self.id, key);
            // A kill after this leaves a record of an entry that is not there, which a trim finds out.
            match file::if_there(fs::remove_file(&path)) {
                Ok(Some(())) => removed.push(key),
                Ok(None) => {}
                Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => {
                    self.set_aside(&path)?;
                    removed.push(key);
                }
                Err(error) => return Err(StoreError::io("remove", path)(error)),
            }
            if let Some(index) = &mut index {
                index.append(&Record::event(Kind::Removed, key, 0, now))?;
            }
        }
        Ok(removed)
    }

    /// Notes that an entry was revived, by one append to the index. It waits a tenth of a second at most.
    pub fn used(&self, key: Key, now: Timestamp) -> Result<(), StoreError> {
        if self.store.options().read_only {
            return Ok(());
        }
        let Some(mut index) = Index::open_briefly(self)? else { return Ok(()) };
        index.append(&Record::event(Kind::Used, key, 1, now))?;
        index.release(self);
        Ok(())
    }

    /// Takes a damaged entry out of sight, unless something else is bound to its key by now: `identity` is that of the file
    /// that was found damaged.
    pub(super) fn quarantine(&self, key: Key, identity: Option<Identity>) -> Result<(), StoreError> {
        if self.store.options().read_only {
            return Ok(());
        }
        let index = Index::open(self, FlockOperation::LockExclusive)?;
        let path = self.store.layout().entry(self.id, key);
        let there = file::if_there(fs::symlink_metadata(&path)).map_err(StoreError::io("examine", &path))?;
        let Some(there) = there.map(|metadata| Identity::of(&metadata)) else { return Ok(()) };
        if identity.is_some_and(|identity| identity != there) {
            return Ok(());
        }
        self.set_aside(&path)?;
        if let Some(mut index) = index {
            index.append(&Record::event(Kind::Removed, key, 0, Timestamp(0)))?;
        }
        Ok(())
    }

    /// Moves a file into quarantine.
    pub(super) fn set_aside(&self, path: &Path) -> Result<(), StoreError> {
        self.store.set_aside(path)
    }

    /// The keys that are bound, in order. Damaged entries are left out.
    pub fn keys(&self) -> Result<Vec<KeyInfo>, StoreError> {
        let fold = self.fold()?;
        let infos = self.listed()?.into_iter().map(|key| self.info(key, &fold));
        infos.filter_map(Result::transpose).collect()
    }

    /// What is known of one key; `None` if it is unbound, or its entry is damaged.
    pub fn key_stats(&self, key: Key) -> Result<Option<KeyInfo>, StoreError> {
        if self.contains(key) { self.info(key, &self.fold()?) } else { Ok(None) }
    }

    fn info(&self, key: Key, fold: &Fold) -> Result<Option<KeyInfo>, StoreError> {
        let path = self.store.layout().entry(self.id, key);
        let header = read_header(&path).map_err(StoreError::io("read", &path))?;
        let Some(header) = header.and_then(Result::ok).filter(|header| header.key == key) else {
            return Ok(None);
        };
        let record = Record::of_entry(&header);
        let live = fold.get(key);
        Ok(Some(KeyInfo {
            key,
            files: header.items.len() as u64,
            bytes: record.size(),
            created: header.created,
            name: header.name,
            last_use: live.map_or(header.created, |live| live.last_use),
            uses: live.map_or(0, |live| live.uses),
        }))
    }

    /// How much is there. Only the index is read.
    pub fn stats(&self) -> Result<PartitionStats, StoreError> {
        let fold = self.fold()?;
        let mut stats = PartitionStats::default();
        for live in fold.iter() {
            stats.entries += 1;
            stats.files += u64::from(live.record.count);
            stats.bytes += live.record.size();
            stats.uses += live.uses;
        }
        stats.bytes += fold.companions().values().sum::<u64>();
        Ok(stats)
    }

    /// All entries as an eviction policy sees them, none of them `unused`. Only the index is read.
    pub fn candidates(&self) -> Result<Vec<(Key, Candidate)>, StoreError> {
        Ok(self.fold()?.iter().map(|live| (live.record.key, live.candidate(false))).collect())
    }
}
