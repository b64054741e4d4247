//! A bounded table of digests on disk that many processes share without a lock.
//!
//! The file is an array of 32768 buckets of 8 records of 64 bytes; it grows, sparsely, to 16 MiB and no further:
//!
//! ```text
//! record  0        20        52      56      64
//!         | tag    | value   | time  | check |
//! ```
//!
//! `tag` is the front of the digest of what is asked for, `value` the answer, `time` the seconds since the epoch when it
//! was written, `check` the front of the digest of the 56 bytes before it. A record is written in one call; where two
//! processes meet in one record, or one is killed in it, the check fails and the record is none. A full bucket loses its
//! oldest record. Losing all of it costs time, never a wrong answer.

use crate::digest::Digest;
use crate::time::Timestamp;
use std::cell::OnceCell;
use std::fs::{DirBuilder, File, OpenOptions};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

const RECORD: usize = 64;
const BUCKET: usize = 8 * RECORD;
const BUCKETS: u64 = 32768;

/// A table in a file, opened when it is first needed.
#[derive(Debug)]
pub struct Table {
    path: PathBuf,
    only_read: bool,
    file: OnceCell<Option<File>>,
}

impl Table {
    /// The table in the file at `path`, which need not exist.
    #[must_use]
    pub const fn new(path: PathBuf) -> Self {
        Self { path, only_read: false, file: OnceCell::new() }
    }

    /// The same, and nothing is ever put into it.
    #[must_use]
    pub const fn only_read(path: PathBuf) -> Self {
        Self { path, only_read: true, file: OnceCell::new() }
    }

    /// What was last put under `question`, if it is still there.
    #[must_use]
    pub fn get(&self, question: Digest) -> Option<Digest> {
        let bucket = bucket(self.file()?, question)?;
        let record = bucket.chunks_exact(RECORD).find(|record| record[..20] == question.as_bytes()[..20])?;
        if !valid(record) {
            return None;
        }
        record[20..52].try_into().ok().map(Digest::new)
    }

    /// Puts an answer. Where the file cannot be written the answer is simply not kept.
    pub fn put(&self, question: Digest, answer: Digest, now: Timestamp) {
        let Some(file) = self.file().filter(|_| !self.only_read) else { return };
        let mut record = [0; RECORD];
        record[..20].copy_from_slice(&question.as_bytes()[..20]);
        record[20..52].copy_from_slice(answer.as_bytes());
        record[52..56].copy_from_slice(&((now.0 / 1_000_000_000) as u32).to_le_bytes());
        let check = Digest::of(&record[..56]);
        record[56..].copy_from_slice(&check.as_bytes()[..8]);

        let slot = bucket(file, question).map_or(0, |bucket| slot(&bucket, question));
        // A failed write leaves the table as it was, or a record that its check rejects.
        file.write_at(&record, offset(question) + (slot * RECORD) as u64).ok();
    }

    fn file(&self) -> Option<&File> {
        let open = || if self.only_read { File::open(&self.path).ok() } else { open(&self.path) };
        self.file.get_or_init(open).as_ref()
    }
}

fn bucket(file: &File, question: Digest) -> Option<[u8; BUCKET]> {
    let mut bucket = [0; BUCKET];
    let mut filled = 0;
    while filled < BUCKET {
        match file.read_at(&mut bucket[filled..], offset(question) + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return None,
        }
    }
    Some(bucket)
}

/// Opens the table for reading and writing, made where it is absent; for reading alone where that is all there is.
fn open(path: &Path) -> Option<File> {
    let writable =
        || OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(path);
    writable()
        .or_else(|_| {
            if let Some(parent) = path.parent() {
                DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            }
            writable()
        })
        .or_else(|_| File::open(path))
        .ok()
}

/// Where the bucket of a question begins.
fn offset(question: Digest) -> u64 {
    let mut front = [0; 8];
    front.copy_from_slice(&question.as_bytes()[24..]);
    u64::from_le_bytes(front) % BUCKETS * BUCKET as u64
}

/// The record that an answer goes into: the one of the same question, else a free or broken one, else the oldest.
fn slot(bucket: &[u8; BUCKET], question: Digest) -> usize {
    let age = |record: &[u8]| {
        if valid(record) { u32::from_le_bytes([record[52], record[53], record[54], record[55]]) } else { 0 }
    };
    let same = bucket.chunks_exact(RECORD).position(|record| record[..20] == question.as_bytes()[..20]);
    same.or_else(|| {
        bucket.chunks_exact(RECORD).enumerate().min_by_key(|(_, record)| age(record)).map(|(slot, _)| slot)
    })
    .unwrap_or(0)
}

fn valid(record: &[u8]) -> bool {
    Digest::of(&record[..56]).as_bytes()[..8] == record[56..]
}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(number: u64) -> Digest {
        Digest::of(&number.to_le_bytes())
    }

    #[test]
    fn answers_are_found_by_another_process_and_replaced() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("tables/hashes");
        let table = Table::new(path.clone());
        assert_eq!(table.get(question(1)), None);
        table.put(question(1), question(100), Timestamp(0));
        table.put(question(1), question(101), Timestamp(0));
        assert_eq!(Table::new(path).get(question(1)), Some(question(101)));
    }

    #[test]
    fn a_full_bucket_loses_its_oldest_record_and_the_file_stays_bounded() {
        let directory = tempfile::tempdir().unwrap();
        let table = Table::new(directory.path().join("t"));
        let same: Vec<_> =
            (0..).map(question).filter(|q| offset(*q) == offset(question(0))).take(9).collect();
        for (second, question) in same.iter().enumerate() {
            table.put(*question, *question, Timestamp((second as u64 + 1) * 1_000_000_000));
        }
        assert_eq!(table.get(same[0]), None);
        assert!(same[1..].iter().all(|question| table.get(*question) == Some(*question)));
        assert!(directory.path().join("t").metadata().unwrap().len() <= BUCKETS * BUCKET as u64);
    }

    #[test]
    fn no_flipped_byte_is_ever_an_answer() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("t");
        let table = Table::new(path.clone());
        table.put(question(7), question(8), Timestamp(1));
        let file = OpenOptions::new().write(true).open(&path).unwrap();
        let start = offset(question(7));
        let good = bucket(table.file().unwrap(), question(7)).unwrap();
        for (at, byte) in good.iter().enumerate().take(RECORD) {
            file.write_at(&[byte ^ 1], start + at as u64).unwrap();
            assert_eq!(table.get(question(7)), None, "byte {at}");
            file.write_at(&[*byte], start + at as u64).unwrap();
        }
        assert_eq!(table.get(question(7)), Some(question(8)));
    }
}
