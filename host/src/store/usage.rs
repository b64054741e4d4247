//! How much the cache holds.

use super::Store;
use super::error::StoreError;
use super::ledger::Measured;

/// What is there, measured: entries through their indexes, everything else by looking at it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// How many partitions.
    pub partitions: u64,
    /// How many entries.
    pub entries: u64,
    /// Their bytes, with their records in the indexes.
    pub entry_bytes: u64,
    /// How many objects.
    pub objects: u64,
    /// Their bytes.
    pub object_bytes: u64,
    /// The bytes of companions.
    pub companion_bytes: u64,
    /// The bytes of remembered answers, tables, compiled plugins, journals and of what is in quarantine.
    pub auxiliary_bytes: u64,
    /// The bytes of everything.
    pub bytes: u64,
}

impl Store {
    /// Measures what is there. Only an index that is lost or damaged is changed, by being made anew.
    pub fn usage(&self) -> Result<Usage, StoreError> {
        let measured = Measured::of(self)?;
        let auxiliaries: u64 = measured.auxiliaries.iter().map(|file| file.size).sum();
        Ok(Usage {
            partitions: measured.partitions.len() as u64,
            entries: measured.partitions.iter().map(|(_, entries)| entries.len() as u64).sum(),
            entry_bytes: measured.entry_bytes(),
            objects: measured.objects.len() as u64,
            object_bytes: measured.objects.values().sum(),
            companion_bytes: measured.companion_bytes(),
            auxiliary_bytes: auxiliaries + measured.journals,
            bytes: measured.bytes(),
        })
    }
}
