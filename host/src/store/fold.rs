//! What an index says is there: its records, folded in order.

use super::error::StoreError;
use super::file;
use super::index::{Kind, RECORD, Record};
use crate::digest::Digest;
use crate::key::Key;
use crate::policy::Candidate;
use crate::time::Timestamp;
use std::collections::HashMap;
use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::path::Path;

const CHUNK: usize = 1024 * 1024;

/// An entry, as far as the index knows it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Live {
    /// The addition, its time being that of creation.
    pub(super) record: Record,
    pub(super) last_use: Timestamp,
    pub(super) uses: u64,
    /// Whether it is there; a removed one keeps its slot.
    pub(super) bound: bool,
    /// Whether it was added over another: the entry that is there may be that one still ([`super::index`]).
    pub(super) replaced: bool,
}

impl Live {
    /// Whether the entry may need objects; its header says which.
    pub(super) const fn may_need_objects(&self) -> bool {
        self.record.objects > 0 || self.replaced
    }

    /// As a policy sees it.
    pub(super) fn candidate(&self, unused: bool) -> Candidate {
        Candidate {
            size: self.record.size() + u64::from(self.record.companion_size),
            files: self.record.count,
            created: self.record.time,
            last_use: self.last_use,
            uses: self.uses,
            cost: self.record.cost,
            unused,
        }
    }
}

/// The entries of one partition, by their keys.
#[derive(Default, Debug)]
pub(super) struct Fold {
    /// Keys are digests, so eight bytes of one nearly always tell it from others; where they do not, the next free number
    /// is taken. A million entries are 34 MB here where whole keys would be 80.
    slots: HashMap<u64, u32>,
    entries: Vec<Live>,
    /// How many records were read.
    pub(super) records: u64,
    /// Whether anything was skipped.
    pub(super) damaged: bool,
}

impl Fold {
    /// Folds a log; `None` where there is none.
    pub(super) fn read(path: &Path) -> Result<Option<Self>, StoreError> {
        let opened = file::if_there(file::open(path));
        let Some(log) = opened.map_err(StoreError::io("open", path))? else { return Ok(None) };
        let mut fold = Self::default();
        fold.extend(&log).map_err(StoreError::io("read", path))?;
        Ok(Some(fold))
    }

    /// Folds what is left of an open log. Half a record at its end counts as damage.
    pub(super) fn extend(&mut self, mut log: &File) -> std::io::Result<()> {
        let mut buffer = vec![0; CHUNK];
        let mut filled = 0;
        loop {
            match log.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            }
            let used = self.parse(&buffer[..filled]);
            buffer.copy_within(used..filled, 0);
            filled -= used;
        }
        self.damaged |= filled > 0;
        Ok(())
    }

    /// Folds whole records from the front and tells how many bytes they took.
    fn parse(&mut self, bytes: &[u8]) -> usize {
        let mut at = 0;
        while bytes.len() - at >= RECORD {
            if let Some(record) = Record::from_bytes(&bytes[at..]) {
                self.apply(&record);
                at += RECORD;
            } else {
                self.damaged = true;
                at += 1;
            }
        }
        at
    }

    /// Folds one record.
    pub(super) fn apply(&mut self, record: &Record) {
        self.records += 1;
        let (slot, found) = self.slot(record.key);
        match (record.kind, found) {
            (Kind::Added, found) => {
                let replaced = found.is_some_and(|index| self.entries[index as usize].bound);
                let live = Live { record: *record, last_use: record.time, uses: 0, bound: true, replaced };
                if let Some(index) = found {
                    self.entries[index as usize] = live;
                } else {
                    self.slots.insert(slot, self.entries.len() as u32);
                    self.entries.push(live);
                }
            }
            (Kind::Used, Some(index)) => {
                let live = &mut self.entries[index as usize];
                live.uses += u64::from(record.count);
                live.last_use = live.last_use.max(record.time);
            }
            (Kind::Removed, Some(index)) => self.entries[index as usize].bound = false,
            (Kind::Used | Kind::Removed, None) => {}
        }
    }

    /// The entry of a key.
    pub(super) fn get(&self, key: Key) -> Option<&Live> {
        let index = self.slot(key).1?;
        Some(&self.entries[index as usize]).filter(|live| live.bound)
    }

    /// All entries that are there.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Live> {
        self.entries.iter().filter(|live| live.bound)
    }

    /// All entries that are there, given away.
    pub(super) fn into_entries(mut self) -> Vec<Live> {
        self.entries.retain(|live| live.bound);
        self.entries
    }

    /// The companions that entries name, each once, with their sizes.
    pub(super) fn companions(&self) -> HashMap<Digest, u64> {
        let named = |live: &Live| Some((live.record.companion?, u64::from(live.record.companion_size)));
        self.iter().filter_map(named).collect()
    }

    fn slot(&self, key: Key) -> (u64, Option<u32>) {
        let first = key.digest().as_bytes().first_chunk().copied();
        let mut slot = first.map_or(0, u64::from_le_bytes);
        loop {
            match self.slots.get(&slot) {
                Some(&index) if self.entries[index as usize].record.key == key => return (slot, Some(index)),
                Some(_) => slot = slot.wrapping_add(1),
                None => return (slot, None),
            }
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;

    fn key(first: u8, last: u8) -> Key {
        let mut bytes = [0; 32];
        (bytes[0], bytes[31]) = (first, last);
        Key::new(Digest::new(bytes))
    }

    fn log(records: &[Record]) -> Vec<u8> {
        records.iter().flat_map(|record| record.to_bytes()).collect()
    }

    fn fold(bytes: &[u8]) -> Fold {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("index");
        std::fs::write(&path, bytes).unwrap();
        Fold::read(&path).unwrap().unwrap()
    }

    fn event(kind: Kind, key: Key, time: u64) -> Record {
        Record::event(kind, key, 1, Timestamp(time))
    }

    #[test]
    fn keys_that_begin_alike_stay_apart() {
        let (a, b) = (key(1, 1), key(1, 2));
        let fold = fold(&log(&[
            event(Kind::Added, a, 1),
            event(Kind::Added, b, 2),
            event(Kind::Used, b, 9),
            event(Kind::Removed, a, 10),
        ]));
        assert!(fold.get(a).is_none());
        assert_eq!(fold.get(b).map(|live| (live.uses, live.last_use)), Some((1, Timestamp(9))));
        assert_eq!(fold.iter().count(), 1);
    }

    #[test]
    fn a_torn_record_is_skipped_and_all_others_count() {
        let whole = log(&[event(Kind::Added, key(1, 0), 1), event(Kind::Added, key(2, 0), 2)]);
        for torn in 1..RECORD {
            let mut bytes = whole.clone();
            bytes.truncate(RECORD + torn);
            bytes.extend(log(&[event(Kind::Added, key(3, 0), 3)]));
            let fold = fold(&bytes);
            assert!(fold.damaged);
            assert!(fold.get(key(1, 0)).is_some() && fold.get(key(3, 0)).is_some(), "{torn}");
            assert_eq!(fold.iter().count(), 2);
        }
        let mut tail = whole;
        tail.truncate(RECORD + 5);
        assert!(fold(&tail).damaged);
    }

    #[test]
    fn a_clock_that_went_back_does_not_make_an_entry_older() {
        let fold = fold(&log(&[event(Kind::Added, key(1, 0), 50), event(Kind::Used, key(1, 0), 5)]));
        assert_eq!(fold.get(key(1, 0)).map(|live| live.last_use), Some(Timestamp(50)));
    }
}
