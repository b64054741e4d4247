//! The index of a partition: a log of what happened to its entries, so that nothing need be looked at to decide what goes.
//!
//! ```text
//!   0  "RVI"                                      3
//!   3  kind: 1 added, 2 used, 3 removed           1
//!   4  key                                       32
//!  36  companion, or zeros                       32
//!  68  files; for a use, how many uses            4
//!  72  size of the companion                      4   saturated
//!  76  bytes of the entry's own file              8
//!  84  bytes of its objects                       8
//!  92  time, nanoseconds since the epoch          8
//! 100  cost, nanoseconds                          8
//! 108  first bytes of the BLAKE3 digest           4   of what stands before
//! 112
//! ```
//!
//! * A record is appended by one write under a shared lock on the log, a removal under an exclusive one. An addition holds
//!   its lock until its entry is published.
//! * Two additions of one key may publish in another order than they append, and one may be killed between the two. So of a
//!   key that was added over another, the latest record may tell of an entry that is not the one that is there. Whoever needs
//!   to know looks at the entry itself, and a rewriting puts the record right.
//! * A record whose check fails (torn by a full disk or a power failure) is skipped byte by byte until the next good one.
//! * The log is rewritten ([`super::reindex`]) into a new file under the exclusive lock; whoever then gets the lock on
//!   the old file sees that it lost its name, and opens the new one. So nothing appended is lost.

use super::Partition;
use super::draft::Draft;
use super::error::StoreError;
use super::file::{self, with_parent};
use super::format::{self, Header, Item, LARGEST};
use crate::digest::Digest;
use crate::key::Key;
use crate::time::Timestamp;
use rustix::fs::{FlockOperation, OFlags};
use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::PathBuf;
use std::time::Duration;

/// How many bytes a record has.
pub(super) const RECORD: usize = 112;

/// How much the log grows between two looks at whether it should be rewritten.
const REWRITE_STEP: u64 = 4 * 1024 * 1024;

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Kind {
    Added = 1,
    Used = 2,
    Removed = 3,
}

/// One line of the log.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) kind: Kind,
    pub(super) key: Key,
    pub(super) companion: Option<Digest>,
    /// Files of an addition, uses of a use.
    pub(super) count: u32,
    pub(super) companion_size: u32,
    pub(super) own: u64,
    pub(super) objects: u64,
    pub(super) time: Timestamp,
    pub(super) cost: u64,
}

impl Record {
    /// The addition of an entry that was found.
    pub(super) fn of_entry(header: &Header) -> Self {
        Self {
            companion: header.companion,
            companion_size: saturated(header.companion_size),
            cost: header.cost,
            ..Self::of_items(header.key, &header.items, header.size, header.created)
        }
    }

    /// The addition of a draft, as a file of this size.
    pub(super) fn of_draft(key: Key, draft: &Draft<'_>, items: &[Item], own: u64, time: Timestamp) -> Self {
        Self {
            companion: draft.companion,
            companion_size: saturated(draft.companion_size),
            cost: draft.cost,
            ..Self::of_items(key, items, own, time)
        }
    }

    fn of_items(key: Key, items: &[Item], own: u64, time: Timestamp) -> Self {
        let objects = format::objects(items).iter().map(|object| object.2).sum();
        Self { own, objects, ..Self::event(Kind::Added, key, saturated(items.len() as u64), time) }
    }

    /// A number of uses, or a removal.
    pub(super) fn event(kind: Kind, key: Key, count: u32, time: Timestamp) -> Self {
        Self { kind, key, companion: None, count, companion_size: 0, own: 0, objects: 0, time, cost: 0 }
    }

    /// What the entry takes: its file, this record and its objects; not its companion.
    pub(super) fn size(&self) -> u64 {
        self.own + RECORD as u64 + self.objects
    }

    pub(super) fn to_bytes(self) -> [u8; RECORD] {
        let mut bytes = [0; RECORD];
        bytes[..3].copy_from_slice(b"RVI");
        bytes[3] = self.kind as u8;
        bytes[4..36].copy_from_slice(self.key.digest().as_bytes());
        if let Some(companion) = self.companion {
            bytes[36..68].copy_from_slice(companion.as_bytes());
        }
        bytes[68..72].copy_from_slice(&self.count.to_le_bytes());
        bytes[72..76].copy_from_slice(&self.companion_size.to_le_bytes());
        bytes[76..84].copy_from_slice(&self.own.to_le_bytes());
        bytes[84..92].copy_from_slice(&self.objects.to_le_bytes());
        bytes[92..100].copy_from_slice(&self.time.0.to_le_bytes());
        bytes[100..108].copy_from_slice(&self.cost.to_le_bytes());
        let check = Digest::of(&bytes[..108]);
        bytes[108..].copy_from_slice(&check.as_bytes()[..4]);
        bytes
    }

    /// The record in [`RECORD`] bytes; `None` if they are none.
    pub(super) fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let bytes: &[u8; RECORD] = bytes.first_chunk()?;
        let kind = match (&bytes[..3], bytes[3]) {
            (b"RVI", 1) => Kind::Added,
            (b"RVI", 2) => Kind::Used,
            (b"RVI", 3) => Kind::Removed,
            _ => return None,
        };
        if Digest::of(&bytes[..108]).as_bytes()[..4] != bytes[108..] {
            return None;
        }
        let digest = |at: usize| bytes[at..].first_chunk().copied().map(Digest::new);
        let small = |at: usize| bytes[at..].first_chunk().copied().map(u32::from_le_bytes);
        let large = |at: usize| bytes[at..].first_chunk().copied().map(u64::from_le_bytes);
        let (own, objects) = (large(76)?, large(84)?);
        if own > LARGEST || objects > LARGEST {
            return None;
        }
        Some(Self {
            kind,
            key: Key::new(digest(4)?),
            companion: digest(36).filter(|companion| companion.as_bytes() != &[0; 32]),
            count: small(68)?,
            companion_size: small(72)?,
            own,
            objects,
            time: Timestamp(large(92)?),
            cost: large(100)?,
        })
    }
}

fn saturated(number: u64) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

/// The open and locked log.
#[derive(Debug)]
pub(super) struct Index {
    file: File,
    path: PathBuf,
    size: u64,
    grown: u64,
}

impl Index {
    /// The log for an addition, locked with others; made if it is missing, from the entries if there are any.
    pub(super) fn create(partition: &Partition) -> Result<Self, StoreError> {
        loop {
            if let Some(index) = Self::open(partition, FlockOperation::LockShared)? {
                return Ok(index);
            }
            // Made empty while there are entries, it would hide them from every trim.
            let entries = partition.store().layout().entries(partition.id());
            if entries.try_exists().map_err(StoreError::io("examine", &entries))? {
                partition.reindex()?;
            } else {
                drop(Self::make(partition)?);
            }
        }
    }

    /// The log, locked; `None` where there is none.
    pub(super) fn open(partition: &Partition, lock: FlockOperation) -> Result<Option<Self>, StoreError> {
        Self::open_with(partition, |file| file::lock(file, lock))
    }

    /// The log for the note of a use, locked with others. It is not waited for long: what is not noted makes an entry look
    /// older, and costs a miss at worst.
    pub(super) fn open_briefly(partition: &Partition) -> Result<Option<Self>, StoreError> {
        const PATIENCE: Duration = Duration::from_millis(100);
        Self::open_with(partition, |file| file::lock_within(file, FlockOperation::LockShared, PATIENCE))
    }

    fn open_with(
        partition: &Partition,
        lock: impl Fn(&File) -> io::Result<()>,
    ) -> Result<Option<Self>, StoreError> {
        let path = partition.store().layout().index(partition.id());
        partition.store().writable(&path)?;
        loop {
            let opened = file::if_there(appending().open(&path));
            let Some(file) = opened.map_err(StoreError::io("open", &path))? else { return Ok(None) };
            if let Some(index) = Self::locked(file, path.clone(), &lock)? {
                return Ok(Some(index));
            }
        }
    }

    /// The log, locked alone; made empty where there is none.
    pub(super) fn make_alone(partition: &Partition) -> Result<Self, StoreError> {
        let path = partition.store().layout().index(partition.id());
        loop {
            let file = Self::make(partition)?;
            if let Some(index) =
                Self::locked(file, path.clone(), |file| file::lock(file, FlockOperation::LockExclusive))?
            {
                return Ok(index);
            }
        }
    }

    fn make(partition: &Partition) -> Result<File, StoreError> {
        let path = partition.store().layout().index(partition.id());
        with_parent("open", &path, || appending().create(true).mode(0o600).open(&path))
    }

    fn locked(
        file: File,
        path: PathBuf,
        lock: impl Fn(&File) -> io::Result<()>,
    ) -> Result<Option<Self>, StoreError> {
        lock(&file).map_err(StoreError::io("lock", &path))?;
        let metadata = file.metadata().map_err(StoreError::io("examine", &path))?;
        if !metadata.is_file() {
            return Err(StoreError::SourceKind { path });
        }
        Ok((metadata.nlink() > 0).then_some(Self { file, path, size: metadata.len(), grown: 0 }))
    }

    /// Appends a record, by one write.
    pub(super) fn append(&mut self, record: &Record) -> Result<(), StoreError> {
        (&self.file).write_all(&record.to_bytes()).map_err(StoreError::io("append to", &self.path))?;
        self.grown += RECORD as u64;
        Ok(())
    }

    /// Gives the lock back, and rewrites the log if it has just grown past another step: nobody may ever trim this cache.
    pub(super) fn release(self, partition: &Partition) {
        drop(self.file);
        if (self.size + self.grown) / REWRITE_STEP > self.size / REWRITE_STEP {
            // What was to be appended is. A log that stays long for want of room is no failure of that.
            drop(partition.compact());
        }
    }
}

/// How the log is opened: something else in its place is not waited for.
fn appending() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.append(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed());
    options
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_round_trips_and_no_flipped_byte_passes() {
        let record = Record {
            kind: Kind::Added,
            key: Key::new(Digest::of(b"k")),
            companion: Some(Digest::of(b"c")),
            count: 3,
            companion_size: 4,
            own: 5,
            objects: 6,
            time: Timestamp(7),
            cost: 8,
        };
        let bytes = record.to_bytes();
        assert_eq!(Record::from_bytes(&bytes), Some(record));
        for at in 0..RECORD {
            let mut flipped = bytes;
            flipped[at] ^= 0x10;
            assert_eq!(Record::from_bytes(&flipped), None, "byte {at}");
        }
        assert_eq!(Record::from_bytes(&bytes[1..]), None);
    }
}
