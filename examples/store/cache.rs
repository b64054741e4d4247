//! The caches that are measured.

use crate::workload::Workload;
use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{Added, Draft, Options, Partition, PartitionId, Store, TrimRequest, Trimmed};
use reviver::time::Timestamp;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

const METADATA: &[u8] = b"exit 0, and what else there is to say";

/// A cache that is measured.
pub(crate) trait Cache {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()>;
    /// Whether the entry was there; then its contents are at their destinations.
    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool>;
    /// Lets half of it go.
    fn halve(&self) -> Result<()>;
    /// How many of the entries are there.
    fn left(&self, workload: &Workload) -> usize;
}

/// A directory per key, as it is usually done.
pub(crate) struct Plain(pub(crate) PathBuf);

impl Plain {
    pub(crate) fn key(&self, entry: usize) -> PathBuf {
        self.0.join(format!("{}.k", key(entry).digest().to_hex()))
    }
}

impl Cache for Plain {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()> {
        let directory = self.key(entry);
        fs::create_dir_all(&directory)?;
        for file in 0..workload.files {
            fs::copy(workload.source(entry, file), directory.join(file.to_string()))?;
        }
        Ok(fs::write(directory.join("metadata"), METADATA)?)
    }

    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool> {
        let directory = self.key(entry);
        match fs::read(directory.join("metadata")) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        for file in 0..workload.files {
            let (source, to) = (directory.join(file.to_string()), workload.destination(out, entry, file));
            match fs::copy(&source, &to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(to.parent().context("a parent")?)?;
                    fs::copy(&source, &to)?;
                }
                copied => drop(copied?),
            }
        }
        Ok(true)
    }

    fn halve(&self) -> Result<()> {
        let mut keys = Vec::new();
        for directory in fs::read_dir(&self.0)? {
            let directory = directory?.path();
            let (mut size, mut last) = (0, SystemTime::UNIX_EPOCH);
            for file in fs::read_dir(&directory)? {
                let metadata = file?.metadata()?;
                size += metadata.len();
                last = last.max(metadata.accessed()?);
            }
            keys.push((last, size, directory));
        }
        keys.sort_unstable();
        let (all, mut gone): (u64, u64) = (keys.iter().map(|key| key.1).sum(), 0);
        for (_, size, directory) in keys {
            if gone * 2 >= all {
                break;
            }
            fs::remove_dir_all(directory)?;
            gone += size;
        }
        Ok(())
    }

    fn left(&self, workload: &Workload) -> usize {
        (0..workload.entries).filter(|&entry| self.key(entry).exists()).count()
    }
}

/// Ours.
pub(crate) struct Ours {
    pub(crate) store: Store,
    pub(crate) partition: Partition,
}

impl Ours {
    pub(crate) fn new(directory: &Path, options: Options) -> Result<Self> {
        let store = Store::open(directory, options)?;
        let partition = store.partition(PartitionId::new([1; 16]));
        Ok(Self { store, partition })
    }

    pub(crate) fn add_all(&self, key: Key, sources: &[PathBuf]) -> Result<()> {
        let sources: Vec<_> = sources.iter().map(PathBuf::as_path).collect();
        let draft = Draft { cost: 1, ..Draft::of_files(METADATA, &sources) };
        ensure!(matches!(self.partition.add(key, &draft, now())?, Added::Stored { .. }));
        Ok(())
    }
}

impl Cache for Ours {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()> {
        let sources: Vec<_> = (0..workload.files).map(|file| workload.source(entry, file)).collect();
        self.add_all(key(entry), &sources)
    }

    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool> {
        let destinations: Vec<_> =
            (0..workload.files).map(|file| workload.destination(out, entry, file)).collect();
        let destinations: Vec<_> = destinations.iter().map(PathBuf::as_path).collect();
        Ok(self.partition.revive(key(entry), &destinations, now())?.is_some())
    }

    fn halve(&self) -> Result<()> {
        let half = self.store.usage()?.bytes / 2;
        ensure!(matches!(self.store.trim(&TrimRequest::new(half, now()))?, Trimmed::Done(_)));
        Ok(())
    }

    fn left(&self, workload: &Workload) -> usize {
        (0..workload.entries).filter(|&entry| self.partition.contains(key(entry))).count()
    }
}

pub(crate) fn key(number: usize) -> Key {
    Key::new(Digest::of(&number.to_le_bytes()))
}

pub(crate) fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}
