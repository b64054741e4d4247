//! A cache for a test.

use super::{Added, Content, Draft, DraftItem, LinkMode, Options, Partition, PartitionId, Store};
use crate::digest::Digest;
use crate::key::Key;
use crate::time::Timestamp;
use std::path::PathBuf;
use tempfile::TempDir;

pub(super) struct Cache {
    pub(super) directory: TempDir,
    pub(super) store: Store,
    pub(super) partition: Partition,
}

impl Cache {
    pub(super) fn new() -> Self {
        Self::linking(LinkMode::Auto)
    }

    pub(super) fn linking(link: LinkMode) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let options = Options { link, ..Options::default() };
        let store = Store::open(&directory.path().join("cache"), options).unwrap();
        let partition = store.partition(PartitionId::new([1; 16]));
        Self { directory, store, partition }
    }

    /// A path outside the cache.
    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// How many files are being written.
    pub(super) fn unfinished(&self) -> usize {
        let parts = std::fs::read_dir(self.store.layout().tmp()).into_iter().flatten();
        let paths = parts.map(|part| part.unwrap().path());
        paths.map(|path| std::fs::read_dir(path).map_or(1, Iterator::count)).sum()
    }

    /// Binds a key to one plain content.
    pub(super) fn add(&self, key: Key, content: &[u8], now: u64) -> Added {
        let draft = draft(&[content]);
        self.partition.add(key, &draft, Timestamp(now)).unwrap()
    }
}

pub(super) fn key(name: &str) -> Key {
    Key::new(Digest::of(name.as_bytes()))
}

pub(super) fn draft<'a>(contents: &[&'a [u8]]) -> Draft<'a> {
    let item = |content: &&'a [u8]| DraftItem {
        path: Vec::new(),
        content: Content::Bytes(content),
        mode: Some(0o644),
    };
    Draft { metadata: b"hunk", items: contents.iter().map(item).collect(), ..Draft::default() }
}
