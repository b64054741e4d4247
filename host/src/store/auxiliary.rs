//! What lies in the cache beside entries and objects.

use super::Store;
use super::error::StoreError;
use super::file;
use super::layout::PartitionId;
use crate::identity::Identity;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A file that can be made again by whoever needs it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Auxiliary {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) mtime: i64,
}

/// All files that may go by their age, the oldest first.
pub(super) fn auxiliaries(store: &Store, partitions: &[PartitionId]) -> Result<Vec<Auxiliary>, StoreError> {
    let layout = store.layout();
    let mut found = Vec::new();
    for &id in partitions {
        for directory in [layout.derivations(id), layout.labels(id), layout.outputs(id)] {
            collect(&directory, &mut found)?;
        }
    }
    collect(&layout.artifacts(), &mut found)?;
    collect(&layout.tables(), &mut found)?;
    collect(&layout.quarantine(), &mut found)?;
    found.sort_unstable_by(|a, b| a.mtime.cmp(&b.mtime).then_with(|| a.path.cmp(&b.path)));
    Ok(found)
}

/// The bytes of what bounds itself: journals, counters and breakers.
pub(super) fn journals(store: &Store, partitions: &[PartitionId]) -> u64 {
    let layout = store.layout();
    let size = |path: PathBuf| fs::symlink_metadata(path).map_or(0, |metadata| taken(&metadata));
    let of = |&id: &PartitionId| {
        [layout.journal(id), layout.journal_old(id), layout.counters(id), layout.baseline(id)]
    };
    let breakers = |&id: &PartitionId| {
        let mut files = Vec::new();
        // What cannot be listed now is counted another time.
        collect(&layout.breakers(id), &mut files).ok();
        files.into_iter().map(|file| file.size).sum::<u64>()
    };
    partitions.iter().flat_map(of).map(size).sum::<u64>() + partitions.iter().map(breakers).sum::<u64>()
}

/// The bytes that a file takes: fewer than its length where it has holes.
fn taken(metadata: &Metadata) -> u64 {
    metadata.len().min(metadata.blocks() * 512)
}

/// Gathers the files in a directory and below. What goes away meanwhile is gone.
pub(super) fn collect(directory: &Path, found: &mut Vec<Auxiliary>) -> Result<(), StoreError> {
    for (name, is_directory) in file::list(directory)? {
        let path = directory.join(name);
        if is_directory {
            collect(&path, found)?;
        } else if let Some(metadata) =
            file::if_there(fs::symlink_metadata(&path)).map_err(StoreError::io("examine", &path))?
        {
            let mtime = Identity::of(&metadata).mtime;
            found.push(Auxiliary { path, size: taken(&metadata), mtime });
        }
    }
    Ok(())
}
