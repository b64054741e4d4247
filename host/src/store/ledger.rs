//! What is there and who needs it, so that it is known how many bytes an eviction really frees: contents and companions that
//! another entry shares stay.

use super::Store;
use super::auxiliary::{self, Auxiliary, auxiliaries};
use super::error::StoreError;
use super::fold::Live;
use super::index::RECORD;
use super::layout::{PartitionId, unsharded};
use super::reindex::read_header;
use crate::digest::Digest;
use crate::key::Key;
use std::collections::HashMap;

/// An object's digest and mode.
pub(super) type ObjectId = (Digest, u32);

/// What the cache holds.
#[derive(Debug)]
pub(super) struct Measured {
    pub(super) partitions: Vec<(PartitionId, Vec<Live>)>,
    /// All objects with the bytes that they take.
    pub(super) objects: HashMap<ObjectId, u64>,
    pub(super) auxiliaries: Vec<Auxiliary>,
    /// Bytes that no trim takes away.
    pub(super) journals: u64,
}

impl Measured {
    /// Looks at everything; entries are only looked up in their indexes.
    pub(super) fn of(store: &Store) -> Result<Self, StoreError> {
        let ids = store.partitions()?;
        let partitions = ids.iter().map(|&id| Ok((id, store.partition(id).fold()?.into_entries())));
        Ok(Self {
            partitions: partitions.collect::<Result<_, StoreError>>()?,
            objects: objects(store)?,
            auxiliaries: auxiliaries(store, &ids)?,
            journals: auxiliary::journals(store, &ids),
        })
    }

    /// The bytes of entries, with their records, but not of their objects and companions.
    pub(super) fn entry_bytes(&self) -> u64 {
        self.partitions.iter().flat_map(|(_, entries)| entries).map(own).sum()
    }

    /// The bytes of companions.
    pub(super) fn companion_bytes(&self) -> u64 {
        let of = |entries: &[Live]| companions(entries).values().map(|shared| shared.size).sum::<u64>();
        self.partitions.iter().map(|(_, entries)| of(entries)).sum()
    }

    /// The bytes of everything.
    pub(super) fn bytes(&self) -> u64 {
        let auxiliaries: u64 = self.auxiliaries.iter().map(|file| file.size).sum();
        self.entry_bytes()
            + self.companion_bytes()
            + self.objects.values().sum::<u64>()
            + auxiliaries
            + self.journals
    }
}

/// The bytes that only this entry takes: its file and its record.
fn own(live: &Live) -> u64 {
    live.record.own + RECORD as u64
}

/// Something that several entries may need.
#[derive(Clone, Copy, Default, Debug)]
struct Shared {
    size: u64,
    needed: u32,
}

/// Who needs what. Evicting an entry here tells what that frees.
#[derive(Clone, Debug)]
pub(super) struct Ledger {
    objects: HashMap<ObjectId, Shared>,
    companions: HashMap<(PartitionId, Digest), Shared>,
    /// The objects of those entries that have any.
    needs: HashMap<(PartitionId, Key), Vec<ObjectId>>,
}

impl Ledger {
    /// Reads the headers of those entries that may have objects.
    pub(super) fn of(store: &Store, measured: &Measured) -> Result<Self, StoreError> {
        let unneeded = measured.objects.iter().map(|(&id, &size)| (id, Shared { size, needed: 0 }));
        let mut objects: HashMap<_, _> = unneeded.collect();
        let mut all_companions = HashMap::new();
        let mut needs = HashMap::new();
        for (id, entries) in &measured.partitions {
            all_companions
                .extend(companions(entries).into_iter().map(|(name, shared)| ((*id, name), shared)));
            for live in entries.iter().filter(|live| live.may_need_objects()) {
                let needed = needed(store, *id, live.record.key)?;
                for object in &needed {
                    objects.entry(*object).or_default().needed += 1;
                }
                needs.insert((*id, live.record.key), needed);
            }
        }
        Ok(Self { objects, companions: all_companions, needs })
    }

    /// The bytes of objects that nobody needs.
    pub(super) fn unneeded(&self) -> u64 {
        self.objects.values().filter(|shared| shared.needed == 0).map(|shared| shared.size).sum()
    }

    /// Takes an entry away and gives the bytes that this frees.
    pub(super) fn evict(&mut self, id: PartitionId, live: &Live) -> u64 {
        let mut freed = own(live);
        for object in self.needs.remove(&(id, live.record.key)).unwrap_or_default() {
            freed += self.objects.get_mut(&object).map_or(0, release);
        }
        if let Some(name) = live.record.companion {
            freed += self.companions.get_mut(&(id, name)).map_or(0, release);
        }
        freed
    }
}

fn release(shared: &mut Shared) -> u64 {
    shared.needed = shared.needed.saturating_sub(1);
    if shared.needed == 0 { shared.size } else { 0 }
}

fn companions(entries: &[Live]) -> HashMap<Digest, Shared> {
    let mut all: HashMap<_, Shared> = HashMap::new();
    for live in entries {
        if let Some(name) = live.record.companion {
            let shared = all.entry(name).or_default();
            shared.size = shared.size.max(u64::from(live.record.companion_size));
            shared.needed += 1;
        }
    }
    all
}

/// The objects that an entry needs; none if it is gone or damaged.
pub(super) fn needed(store: &Store, id: PartitionId, key: Key) -> Result<Vec<ObjectId>, StoreError> {
    let path = store.layout().entry(id, key);
    let header = read_header(&path).map_err(StoreError::io("read", &path))?;
    let Some(Ok(header)) = header else { return Ok(Vec::new()) };
    Ok(header.objects().into_iter().map(|(digest, mode, _)| (digest, mode)).collect())
}

/// All objects that are there, with their sizes.
pub(super) fn objects(store: &Store) -> Result<HashMap<ObjectId, u64>, StoreError> {
    let mut files = Vec::new();
    auxiliary::collect(&store.layout().objects(), &mut files)?;
    let named = files.iter().filter_map(|file| {
        let shard = file.path.parent()?.file_name()?.to_str()?;
        let (hex, mode) = file.path.file_name()?.to_str()?.split_once('-')?;
        Some(((unsharded(shard, hex)?, u32::from_str_radix(mode, 8).ok()?), file.size))
    });
    Ok(named.collect())
}
