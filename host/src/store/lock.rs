//! Locks between processes: advisory, held through an open file, gone with the process that held them.

use super::Store;
use super::error::StoreError;
use super::file::{self, with_parent};
use crate::digest::Framer;
use rustix::fs::FlockOperation;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

/// So often a directory is made that others take away.
const MOST_TRIES: u32 = 1000;

/// Holds one output path for this process. Its file is removed with it, so nothing is left behind.
#[derive(Debug)]
pub struct PathLock {
    path: PathBuf,
    file: File,
}

impl PathLock {
    /// Whether somebody put something in the place that is held ([`Store::disturb_path`]).
    #[must_use]
    pub fn is_disturbed(&self) -> bool {
        self.file.metadata().map_or(true, |metadata| metadata.len() > 0)
    }
}

impl Drop for PathLock {
    fn drop(&mut self) {
        remove(&self.path);
    }
}

/// Says that somebody writes to an output path without holding it, until this is dropped.
#[derive(Debug)]
pub struct Intrusion {
    path: PathBuf,
    file: File,
}

impl Drop for Intrusion {
    fn drop(&mut self) {
        // Only the last one has it alone. Whoever opened the file meanwhile sees that it lost its name.
        if file::try_lock(&self.file).unwrap_or(false) {
            remove(&self.path);
        }
    }
}

/// Says to whoever holds an output path that somebody else puts something there: at once, and once more when this is dropped.
/// Who took the path in between hears it too, and who lets go of it in between has heard it before.
#[derive(Debug)]
#[must_use]
pub struct Disturbance<'s> {
    store: &'s Store,
    destination: PathBuf,
}

impl Disturbance<'_> {
    fn tell(&self) {
        // Nobody holds anything, as a rule, and to follow links takes longer than to see that.
        if self.store.layout().path_locks().exists() {
            self.store.tell(&followed(&self.destination));
        }
    }
}

impl Drop for Disturbance<'_> {
    fn drop(&mut self) {
        self.tell();
    }
}

/// Holds one of the cache's own locks.
#[derive(Debug)]
pub(super) struct Held {
    _file: File,
}

impl Store {
    /// Takes the lock of an output path without waiting. Name it absolutely; links on the way to it are followed, so that whoever
    /// comes another way meets the same lock.
    ///
    /// | outcome | when |
    /// |---|---|
    /// | `Some` | it is this process's until the value is dropped; `locks/paths/` holds a file meanwhile |
    /// | `None` | another holder has it, in this process or another, or somebody [writes there](Store::intrude) without it |
    /// | error | the file system cannot lock, or cannot create the file |
    pub fn lock_path(&self, destination: &Path) -> Result<Option<PathLock>, StoreError> {
        let destination = &followed(destination);
        let path = self.path_lock(destination);
        self.writable(&path)?;
        loop {
            let file = open(&path)?;
            if !file::try_lock(&file).map_err(StoreError::io("lock", &path))? {
                return Ok(None);
            }
            if !file::is_nameless(&file).map_err(StoreError::io("examine", &path))? {
                let lock = PathLock { path, file };
                return Ok((!self.is_intruded(destination)?).then_some(lock));
            }
        }
    }

    /// Tells the holder of an output path that somebody else writes there all the same, and keeps others from holding it
    /// until that is over.
    pub fn intrude(&self, destination: &Path) -> Result<Intrusion, StoreError> {
        let destination = &followed(destination);
        let path = self.intrusion(destination);
        self.writable(&path)?;
        loop {
            let file = open(&path)?;
            // Held alone only for as long as somebody looks at it.
            file::lock(&file, FlockOperation::LockShared).map_err(StoreError::io("lock", &path))?;
            if !file::is_nameless(&file).map_err(StoreError::io("examine", &path))? {
                // After that: who got the path in between has not seen the intrusion.
                self.tell(destination);
                return Ok(Intrusion { path, file });
            }
        }
    }

    /// Whether somebody writes to an output path without holding it. What a killed process left behind is removed.
    fn is_intruded(&self, followed: &Path) -> Result<bool, StoreError> {
        let path = self.intrusion(followed);
        let opened = file::if_there(OpenOptions::new().read(true).write(true).open(&path));
        let Some(file) = opened.map_err(StoreError::io("open", &path))? else { return Ok(false) };
        if !file::try_lock(&file).map_err(StoreError::io("lock", &path))? {
            return Ok(true);
        }
        if !file::is_nameless(&file).map_err(StoreError::io("examine", &path))? {
            remove(&path);
        }
        Ok(false)
    }

    /// Tells the holder of an output path, if there is one, that somebody else puts something there, as long as what is given is
    /// kept.
    pub fn disturb_path(&self, destination: &Path) -> Disturbance<'_> {
        let disturbance = Disturbance { store: self, destination: destination.to_owned() };
        disturbance.tell();
        disturbance
    }

    fn tell(&self, followed: &Path) {
        if let Ok(mut file) = OpenOptions::new().append(true).open(self.path_lock(followed)) {
            file.write_all(b"!").ok();
        }
    }

    /// The lock on a path whose links were followed.
    fn path_lock(&self, followed: &Path) -> PathBuf {
        self.named("reviver.lock", followed)
    }

    /// What tells of intrusions there.
    fn intrusion(&self, followed: &Path) -> PathBuf {
        self.named("reviver.lock.intrusion", followed)
    }

    fn named(&self, what: &'static str, followed: &Path) -> PathBuf {
        let name = Framer::new(what).bytes(followed.as_os_str().as_bytes()).finish();
        self.layout().path_locks().join(name.to_hex())
    }

    /// Takes one of the cache's own locks and waits for it: alone, or shared with others.
    ///
    /// The system lets those who share in as long as one of them is there, so who wants it alone could wait for ever. All
    /// therefore pass a turnstile, and it stays shut while somebody waits behind it for the others to leave.
    pub(super) fn hold(&self, name: &str, operation: FlockOperation) -> Result<Held, StoreError> {
        let lock = |name: &str| {
            let path = self.layout().lock(name);
            self.writable(&path)?;
            let file = open(&path)?;
            file::lock(&file, operation).map_err(StoreError::io("lock", &path))?;
            Ok(file)
        };
        let turnstile = lock(&format!("{name}-turnstile"))?;
        let file = lock(name)?;
        drop(turnstile);
        Ok(Held { _file: file })
    }

    /// Takes one of the cache's own locks unless another has it.
    pub(super) fn try_hold(&self, name: &str) -> Result<Option<Held>, StoreError> {
        let path = self.layout().lock(name);
        self.writable(&path)?;
        let file = open(&path)?;
        let taken = file::try_lock(&file).map_err(StoreError::io("lock", &path))?;
        Ok(taken.then_some(Held { _file: file }))
    }
}

/// A path with the links followed that lead to its directory, as far as that is there.
fn followed(destination: &Path) -> PathBuf {
    let mut above = destination.ancestors().skip(1);
    let there = above.find_map(|above| Some((fs::canonicalize(above).ok()?, above)));
    match there.map(|(real, above)| (real, destination.strip_prefix(above))) {
        Some((real, Ok(rest))) => real.join(rest),
        _ => destination.to_owned(),
    }
}

fn open(path: &Path) -> Result<File, StoreError> {
    let mut options = OpenOptions::new();
    let options = options.read(true).write(true).create(true).truncate(false).mode(0o600);
    let mut opened = with_parent("open", path, || options.open(path));
    for _ in 0..MOST_TRIES {
        match &opened {
            // Whoever let go of the last path took the directory away in between.
            Err(StoreError::Io { source, .. })
                if matches!(source.kind(), ErrorKind::NotFound | ErrorKind::AlreadyExists) =>
            {
                opened = with_parent("open", path, || options.open(path));
            }
            _ => break,
        }
    }
    opened
}

/// Removes a file whose lock is still held, so that whoever waits with it open sees that it lost its name; and its directory, if it
/// was the last.
fn remove(path: &Path) {
    drop(fs::remove_file(path));
    if let Some(directory) = path.parent() {
        drop(fs::remove_dir(directory));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use crate::store::testing::Cache;
    use rustix::fs::FlockOperation;
    use std::path::Path;
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::{Duration, Instant};

    /// Two runs that wrote one file, one of them by a link to its directory, did not meet, and what the one had written was recorded
    /// as the other's.
    #[test]
    fn a_path_is_one_by_whichever_links_it_is_reached() {
        let cache = Cache::new();
        let top = cache.directory.path();
        std::fs::create_dir_all(top.join("real/below")).unwrap();
        std::os::unix::fs::symlink("real/below", top.join("link")).unwrap();
        let held = cache.store.lock_path(&top.join("link/new/o")).unwrap().unwrap();
        assert!(cache.store.lock_path(&top.join("real/below/new/o")).unwrap().is_none());
        assert!(cache.store.lock_path(&top.join("real/new/o")).unwrap().is_some());
        std::fs::create_dir(top.join("real/below/new")).unwrap();
        assert!(!held.is_disturbed());
        let disturbance = cache.store.disturb_path(&top.join("real/below/new/o"));
        assert!(held.is_disturbed());
        drop(held);
        let next = cache.store.lock_path(&top.join("link/new/o")).unwrap().unwrap();
        assert!(!next.is_disturbed());
        drop(disturbance);
        assert!(next.is_disturbed(), "who came in between hears it too");
        drop(next);
        let intrusion = cache.store.intrude(&top.join("real/below/new/o")).unwrap();
        assert!(cache.store.lock_path(&top.join("link/new/o")).unwrap().is_none());
        drop(intrusion);
        assert!(cache.store.lock_path(&top.join("link/new/o")).unwrap().is_some());
    }

    #[test]
    fn a_path_has_one_holder_and_its_lock_leaves_nothing() {
        let cache = Cache::new();
        let path = Path::new("/out/a.o");
        let held = cache.store.lock_path(path).unwrap();
        assert!(held.is_some());
        assert!(cache.store.lock_path(path).unwrap().is_none());
        assert!(cache.store.lock_path(Path::new("/out/b.o")).unwrap().is_some());
        drop(held);
        assert_eq!(std::fs::read_dir(cache.store.layout().locks()).unwrap().count(), 0);
        assert!(cache.store.lock_path(path).unwrap().is_some());
    }

    /// Of three runs that write one path, the second runs without the lock, and is still at it when the third asks: that
    /// one must not take for its own what the second writes.
    #[test]
    fn a_path_that_somebody_writes_without_holding_it_is_disturbed_and_not_to_be_had() {
        let cache = Cache::new();
        let path = Path::new("/out/a.o");
        let first = cache.store.lock_path(path).unwrap().unwrap();
        assert!(!first.is_disturbed());
        let second = cache.store.intrude(path).unwrap();
        let another = cache.store.intrude(path).unwrap();
        assert!(first.is_disturbed());
        drop(first);
        assert!(cache.store.lock_path(path).unwrap().is_none());
        drop(second);
        assert!(cache.store.lock_path(path).unwrap().is_none(), "there is another");
        drop(another);
        assert!(cache.store.lock_path(path).unwrap().is_some_and(|third| !third.is_disturbed()));
        assert_eq!(std::fs::read_dir(cache.store.layout().locks()).unwrap().count(), 0);
    }

    /// A sweep waited half a second and more beside four processes that added, and had no reason ever to get its turn.
    #[test]
    fn whoever_wants_a_lock_alone_gets_it_though_others_never_leave_together() {
        let cache = Cache::new();
        let done = AtomicBool::new(false);
        let started = Instant::now();
        let waited = std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| {
                    // They do leave in the end, or the test would wait for ever with whom it shows to.
                    while !done.load(Ordering::Relaxed) && started.elapsed() < Duration::from_secs(30) {
                        let held = cache.store.hold("objects", FlockOperation::LockShared).unwrap();
                        std::thread::sleep(Duration::from_millis(5));
                        drop(held);
                    }
                });
            }
            std::thread::sleep(Duration::from_millis(20));
            for _ in 0..20 {
                drop(cache.store.hold("objects", FlockOperation::LockExclusive).unwrap());
            }
            done.store(true, Ordering::Relaxed);
            started.elapsed()
        });
        assert!(waited < Duration::from_secs(25), "20 turns took {waited:?}");
    }

    #[test]
    fn threads_that_fight_for_a_path_never_hold_it_together() {
        let cache = Cache::new();
        let inside = std::sync::atomic::AtomicU32::new(0);
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..200 {
                        if let Some(lock) = cache.store.lock_path(Path::new("/o")).unwrap() {
                            assert_eq!(inside.fetch_add(1, std::sync::atomic::Ordering::SeqCst), 0);
                            inside.fetch_sub(1, std::sync::atomic::Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
    }
}
