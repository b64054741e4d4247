//! A cache of its own for each case, and what is looked at around it.

use reviver::key::{Key, Name};
use reviver::store::{Added, Content, Draft, DraftItem, Layout, Options, Partition, PartitionId, Store};
use reviver::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, SystemTime};
use tempfile::TempDir;

/// When all happens that has no time of its own.
pub(crate) const NOW: Timestamp = Timestamp(1_000);

/// How long something may take that is to be answered at once, on a machine that has much else to do.
const AT_ONCE: Duration = Duration::from_secs(20);

/// A cache and a directory around it.
pub(crate) struct Cache {
    directory: TempDir,
    pub(crate) store: Store,
    pub(crate) partition: Partition,
}

impl Cache {
    pub(crate) fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = open(&directory.path().join("cache"));
        let partition = partition(&store);
        Self { directory, store, partition }
    }

    /// A path beside the cache.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Writes a file beside the cache, with the directories above it.
    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, content).unwrap();
        path
    }

    /// Binds a key to contents without files.
    pub(crate) fn bind(&self, name: &str, contents: &[&[u8]], now: u64) {
        let added = self.partition.add(key(name), &of_bytes(b"hunk", contents), Timestamp(now)).unwrap();
        assert!(matches!(added, Added::Stored { .. }));
    }

    /// Binds a key to files with the hunk `m`.
    pub(crate) fn add(&self, name: &str, sources: &[&Path]) -> Added {
        self.partition.add(key(name), &Draft::of_files(b"m", sources), NOW).unwrap()
    }

    /// Revives an entry and gives its hunk; errors are for the cases that expect none.
    pub(crate) fn revive(&self, name: &str, destinations: &[PathBuf]) -> Option<Vec<u8>> {
        let destinations: Vec<&Path> = destinations.iter().map(PathBuf::as_path).collect();
        let revived = self.partition.revive(key(name), &destinations, NOW).unwrap();
        revived.map(|revived| revived.metadata)
    }

    /// The bytes of an entry's contents; `None` if it is unbound.
    pub(crate) fn contents(&self, name: &str) -> Option<Vec<Vec<u8>>> {
        let entry = self.partition.find(key(name)).unwrap()?;
        let bytes = |index| entry.bytes(index).unwrap().into_owned();
        Some((0..entry.items().len()).map(bytes).collect())
    }

    /// The file of an entry.
    pub(crate) fn entry(&self, name: &str) -> PathBuf {
        self.store.layout().entry(self.partition.id(), key(name))
    }

    /// Nothing half written is left in the cache.
    pub(crate) fn assert_nothing_half_written(&self) {
        assert_eq!(self.half_written(), 0, "files under tmp/");
    }

    /// How many files are half written.
    pub(crate) fn half_written(&self) -> usize {
        let parts = fs::read_dir(self.store.layout().tmp()).into_iter().flatten();
        let paths = parts.map(|part| part.unwrap().path());
        paths.map(|path| fs::read_dir(path).map_or(1, Iterator::count)).sum()
    }
}

/// The store in this directory.
pub(crate) fn open(cache: &Path) -> Store {
    Store::open(cache, Options::default()).unwrap()
}

/// The one partition of these cases.
pub(crate) fn partition(store: &Store) -> Partition {
    store.partition(PartitionId::new([1; 16]))
}

/// The directory that a cache in `cache` has its files in.
pub(crate) fn version_directory(cache: &Path) -> PathBuf {
    Layout::new(cache).root().to_owned()
}

/// The key of a name.
pub(crate) fn key(name: &str) -> Key {
    Key::named(&Name::new(name).unwrap())
}

/// A draft of plain contents.
pub(crate) fn of_bytes<'a>(metadata: &'a [u8], contents: &[&'a [u8]]) -> Draft<'a> {
    let item =
        |content: &&'a [u8]| DraftItem { path: Vec::new(), content: Content::Bytes(content), mode: None };
    Draft { metadata, items: contents.iter().map(item).collect(), ..Draft::default() }
}

/// What this process takes away of the permissions of new files.
pub(crate) fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let umask = status.lines().find_map(|line| line.strip_prefix("Umask:")).unwrap().trim();
    u32::from_str_radix(umask, 8).unwrap()
}

/// Destinations that hold something old, and what that is.
pub(crate) struct Old(Vec<(PathBuf, Vec<u8>, SystemTime)>);

impl Old {
    /// Writes them; their time is so old that a touch would show.
    pub(crate) fn write(cache: &Cache, names: &[&str]) -> Self {
        let write = |name: &&str| {
            let path = cache.write(name, format!("old {name}"));
            fs::File::open(&path).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
            (path, format!("old {name}").into_bytes(), SystemTime::UNIX_EPOCH)
        };
        Self(names.iter().map(write).collect())
    }

    pub(crate) fn paths(&self) -> Vec<PathBuf> {
        self.0.iter().map(|(path, ..)| path.clone()).collect()
    }

    /// Bytes and times are as they were, and nothing lies beside.
    pub(crate) fn assert_untouched(&self) {
        for (path, bytes, time) in &self.0 {
            assert_eq!(&fs::read(path).unwrap(), bytes, "{}", path.display());
            assert_eq!(fs::metadata(path).unwrap().modified().unwrap(), *time, "{}", path.display());
            let beside = fs::read_dir(path.parent().unwrap()).unwrap();
            let hidden = |name: std::ffi::OsString| name.to_string_lossy().starts_with('.');
            assert!(!beside.map(|entry| entry.unwrap().file_name()).any(hidden), "staged files");
        }
    }
}

/// Gives the answer of `ask`, or fails if there is none for long: what hangs must not hang the tests.
pub(crate) fn at_once<T: Send + 'static>(ask: impl FnOnce() -> T + Send + 'static) -> T {
    let (sender, receiver) = mpsc::channel();
    let asked = thread::spawn(move || drop(sender.send(ask())));
    match receiver.recv_timeout(AT_ONCE) {
        Ok(answer) => answer,
        Err(mpsc::RecvTimeoutError::Timeout) => panic!("no answer after {AT_ONCE:?}"),
        Err(mpsc::RecvTimeoutError::Disconnected) => {
            std::panic::resume_unwind(asked.join().expect_err("it said nothing"))
        }
    }
}
