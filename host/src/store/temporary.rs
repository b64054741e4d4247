//! Private directories, and what killed processes left behind.

use super::Store;
use super::error::StoreError;
use super::file::{self, with_parent};
use super::layout::PARTS;
use super::note;
use crate::time::Timestamp;
use rustix::fs::FlockOperation;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::time::Duration;

/// What is older than this and held by nobody was left behind.
const LEFT_BEHIND: Duration = Duration::from_hours(1);
/// How long damaged files stay to be looked at.
const QUARANTINE: Duration = Duration::from_hours(7 * 24);

/// A private directory that goes when this is dropped.
#[derive(Debug)]
pub struct Temporary {
    directory: tempfile::TempDir,
    // Held open and locked: however long a run takes, nobody takes its directory for a leftover.
    _lock: File,
}

impl Temporary {
    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.directory.path()
    }
}

impl Store {
    /// Makes a private directory under `tmp/`. It is removed on drop, or as a leftover after a kill.
    pub fn temporary(&self) -> Result<Temporary, StoreError> {
        let parent = self.layout().tmp();
        self.writable(&parent)?;
        let directory = with_parent("create a directory in", &parent.join("d"), || {
            tempfile::Builder::new()
                .prefix("d")
                .permissions(Permissions::from_mode(0o700))
                .tempdir_in(&parent)
        })?;
        let lock = File::open(directory.path()).map_err(StoreError::io("open", directory.path()))?;
        file::lock(&lock, FlockOperation::LockExclusive).map_err(StoreError::io("lock", directory.path()))?;
        Ok(Temporary { directory, _lock: lock })
    }

    /// Removes what killed processes left under `tmp/` and `locks/` more than an hour ago, and what has been in quarantine
    /// for a week, and what such processes left beside their destinations under other than the usual names. Whatever cannot be
    /// removed now is tried again the next time.
    pub fn clean_temporaries(&self, now: Timestamp) {
        // Its parts stay, and are short names.
        clean(&self.layout().tmp(), now.before(LEFT_BEHIND), |name| name.len() > 2);
        for part in 0..PARTS {
            clean(&self.layout().tmp_part(part), now.before(LEFT_BEHIND), |_| true);
        }
        clean(&self.layout().path_locks(), now.before(LEFT_BEHIND), |_| true);
        clean(&self.layout().quarantine(), now.before(QUARANTINE), |_| true);
    }
}

/// Removes what is named so, has not changed since `limit`, and is locked by nobody.
fn clean(directory: &Path, limit: Timestamp, is_named: impl Fn(&str) -> bool) {
    let Ok(names) = file::list(directory) else { return };
    for (name, is_directory) in names.into_iter().filter(|(name, _)| is_named(name)) {
        let path = directory.join(&name);
        let Ok(metadata) = fs::symlink_metadata(&path) else { continue };
        // The change of the inode: a file in quarantine keeps the time at which it was written.
        let changed = crate::identity::Identity::of(&metadata).ctime;
        if u64::try_from(changed).is_ok_and(|changed| changed >= limit.0) {
            continue;
        }
        let Ok(held) = File::open(&path) else { continue };
        if file::try_lock(&held).unwrap_or(false) && (!name.starts_with(note::PREFIX) || note::heed(&held)) {
            drop(if is_directory { fs::remove_dir_all(&path) } else { fs::remove_file(&path) });
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use crate::store::testing::Cache;
    use crate::time::Timestamp;
    use std::time::{Duration, SystemTime};

    #[test]
    fn leftovers_go_after_an_hour_and_what_is_held_stays() {
        let cache = Cache::new();
        let held = cache.store.temporary().unwrap();
        let leftover = cache.store.layout().tmp_part(7).join("1-1");
        std::fs::create_dir(leftover.parent().unwrap()).unwrap();
        std::fs::write(&leftover, b"half").unwrap();
        cache.store.clean_temporaries(Timestamp::of(SystemTime::now()));
        assert!(leftover.exists());
        cache.store.clean_temporaries(Timestamp::of(SystemTime::now() + Duration::from_hours(2)));
        assert!(!leftover.exists());
        assert!(held.path().exists());
        let path = held.path().to_owned();
        drop(held);
        assert!(!path.exists());
    }
}
