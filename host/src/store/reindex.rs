//! Rewriting an index: shorter, or anew from the entries where it is lost or damaged.

use super::Partition;
use super::error::StoreError;
use super::file::{self, TmpFile};
use super::fold::{Fold, Live};
use super::format::{self, Header};
use super::index::{Index, Kind, RECORD, Record};
use super::layout::unsharded;
use crate::bytes::Malformed;
use crate::key::Key;
use crate::time::Timestamp;
use rustix::fs::FlockOperation;
use std::io::{self, BufWriter, Read as _, Write as _};
use std::path::Path;

/// A log of fewer records than this is not worth rewriting.
const SMALL: u64 = 1024;

impl Partition {
    /// Makes the index anew from the entries that are there. What the old one can still tell of uses is kept; damaged entries
    /// go into quarantine. Adding and removing wait meanwhile.
    ///
    /// Errors leave the old index as it is.
    pub fn reindex(&self) -> Result<(), StoreError> {
        let layout = self.store().layout();
        let path = layout.index(self.id());
        let alone = Index::make_alone(self)?;
        let old = Fold::read(&path)?.unwrap_or_default();
        let mut entries = Vec::new();
        for key in self.listed()? {
            let entry = layout.entry(self.id(), key);
            match read_header(&entry).map_err(StoreError::io("read", &entry))? {
                Some(Ok(header)) if header.key == key => {
                    let record = Record::of_entry(&header);
                    let known = old.get(key);
                    entries.push(Live {
                        record,
                        last_use: known.map_or(record.time, |live| live.last_use.max(record.time)),
                        uses: known.map_or(0, |live| live.uses),
                        bound: true,
                        replaced: false,
                    });
                }
                Some(_) => self.set_aside(&entry)?,
                None => {}
            }
        }
        write(self, &entries)?;
        drop(alone);
        Ok(())
    }

    /// Rewrites the index if most of it is history.
    pub(super) fn compact(&self) -> Result<(), StoreError> {
        let path = self.store().layout().index(self.id());
        // Looked at without the lock first: reading takes long, and mostly there is nothing to gain.
        let worth = |fold: &Fold| fold.records > SMALL && fold.records > 4 * fold.iter().count() as u64;
        let opened = file::if_there(file::open(&path)).map_err(StoreError::io("open", &path))?;
        let Some(log) = opened else { return Ok(()) };
        let mut fold = Fold::default();
        fold.extend(&log).map_err(StoreError::io("read", &path))?;
        // Damage is for a rebuild; half a record may just be being written.
        if fold.damaged || !worth(&fold) {
            return Ok(());
        }
        let Some(alone) = Index::open(self, FlockOperation::LockExclusive)? else { return Ok(()) };
        if file::is_nameless(&log).map_err(StoreError::io("examine", &path))? {
            return Ok(());
        }
        fold.extend(&log).map_err(StoreError::io("read", &path))?;
        if !fold.damaged {
            let mut entries = fold.into_entries();
            // The log forgets here which of them these are.
            for live in entries.iter_mut().filter(|live| live.replaced) {
                if let Some(record) = self.record_of(live.record.key)? {
                    live.record = record;
                }
            }
            write(self, &entries)?;
        }
        drop(alone);
        Ok(())
    }

    /// What the index says, after it was made anew if it is lost or damaged.
    pub(super) fn fold(&self) -> Result<Fold, StoreError> {
        let path = self.store().layout().index(self.id());
        let damaged = match Fold::read(&path)? {
            Some(fold) if !fold.damaged => return Ok(fold),
            Some(_) => {
                // What looked torn may have been a record on its way; alone, none is.
                let alone = Index::open(self, FlockOperation::LockExclusive)?;
                let fold = Fold::read(&path)?.unwrap_or_default();
                drop(alone);
                if !fold.damaged {
                    return Ok(fold);
                }
                Some(fold)
            }
            None if !self.store().layout().entries(self.id()).exists() => return Ok(Fold::default()),
            None => None,
        };
        match (self.reindex(), damaged) {
            (Ok(()), _) => Ok(Fold::read(&path)?.unwrap_or_default()),
            // A full disk must not keep a trim from making room: what can be read is better than nothing.
            (Err(_), Some(fold)) => Ok(fold),
            (Err(error), None) => Err(error),
        }
    }

    /// The record of the entry that is there; `None` if there is none, or a damaged one.
    pub(super) fn record_of(&self, key: Key) -> Result<Option<Record>, StoreError> {
        let path = self.store().layout().entry(self.id(), key);
        let header = read_header(&path).map_err(StoreError::io("read", &path))?;
        Ok(header.and_then(Result::ok).map(|header| Record::of_entry(&header)))
    }

    /// The keys that have a file, in order.
    pub(super) fn listed(&self) -> Result<Vec<Key>, StoreError> {
        let directory = self.store().layout().entries(self.id());
        let mut keys = Vec::new();
        for (shard, _) in file::list(&directory)?.iter().filter(|(_, is_directory)| *is_directory) {
            let files = file::list(&directory.join(shard))?;
            keys.extend(files.iter().filter_map(|(name, _)| unsharded(shard, name)).map(Key::new));
        }
        keys.sort_unstable();
        Ok(keys)
    }
}

/// The header of an entry's file without its contents; `None` where it is absent.
pub(super) fn read_header(path: &Path) -> io::Result<Option<Result<Header, Malformed>>> {
    const USUAL: u64 = 4096;
    let mut file = match file::if_there(file::open(path)) {
        Ok(Some(file)) => file,
        Ok(None) => return Ok(None),
        Err(error) if file::is_spoilt(&error) => {
            return Ok(Some(Err(Malformed { expected: "a regular file that may be read" })));
        }
        Err(error) => return Err(error),
    };
    let size = file.metadata()?.len();
    let mut bytes = Vec::with_capacity(USUAL as usize);
    (&mut file).take(USUAL).read_to_end(&mut bytes)?;
    match format::header_length(&bytes) {
        Ok(length) if length as u64 <= size => {
            let rest = (length as u64).saturating_sub(bytes.len() as u64);
            file.take(rest).read_to_end(&mut bytes)?;
            Ok(Some(format::decode(&bytes, size)))
        }
        Ok(_) => Ok(Some(Err(Malformed { expected: "the whole header" }))),
        Err(malformed) => Ok(Some(Err(malformed))),
    }
}

fn write(partition: &Partition, entries: &[Live]) -> Result<(), StoreError> {
    let layout = partition.store().layout();
    let tmp = TmpFile::create(layout)?;
    let mut out = BufWriter::with_capacity(1024 * RECORD, &tmp.file);
    let mut put = |record: Record| out.write_all(&record.to_bytes());
    let result = entries.iter().try_for_each(|live| {
        put(Record { kind: Kind::Added, ..live.record })?;
        if live.uses == 0 && live.last_use == live.record.time {
            return Ok(());
        }
        let uses = u32::try_from(live.uses).unwrap_or(u32::MAX);
        put(Record::event(Kind::Used, live.record.key, uses, Timestamp(live.last_use.0)))
    });
    result.and_then(|()| out.flush()).map_err(StoreError::io("write", tmp.path()))?;
    drop(out);
    tmp.place(&layout.index(partition.id()))
}
