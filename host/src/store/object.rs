//! Contents of 64 KiB and more: one read-only file per digest and mode, shared by all entries of all partitions.
//!
//! An object is written and hashed in [one pass](super::hash) and appears by rename. Whoever adds one holds `locks/objects` together with
//! other adders until the entry that names it is published; the sweep holds it alone, so it never takes an object whose entry
//! is about to appear.

use super::LinkMode;
use super::Store;
use super::error::StoreError;
use super::file::TmpFile;
use super::hash::{PassError, digest_of_bytes, pass};
use crate::digest::Digest;
use crate::identity::Identity;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, ioctl_ficlone, utimensat};
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// From this size on a content is an object.
pub(super) const THRESHOLD: u64 = 64 * 1024;

/// Gives a file the present time.
pub(super) fn touch(path: &Path) -> io::Result<()> {
    let now = Timespec { tv_sec: 0, tv_nsec: UTIME_NOW };
    let times = Timestamps { last_access: now, last_modification: now };
    utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW).map_err(io::Error::from)
}

/// Makes an object of an open file, which must still be what `before` says when it was read.
pub(super) fn add_file(
    store: &Store,
    source: &File,
    path: &Path,
    before: Identity,
    mode: u32,
) -> Result<Digest, StoreError> {
    let tmp = TmpFile::create(store.layout())?;
    let shared = store.options().link != LinkMode::Copy && ioctl_ficlone(&tmp.file, source).is_ok();
    let read = if shared {
        // The clone cannot change any more; what is hashed is what is kept.
        pass(&tmp.file, before.size, None)
    } else {
        pass(source, before.size, Some(&tmp.file))
    };
    let (digest, size) = read.map_err(|error| match error {
        PassError::Write(source) => StoreError::io("write", tmp.path())(source),
        PassError::Read(source) => StoreError::io("read", path)(source),
    })?;
    let after = source.metadata().map_err(StoreError::io("examine", path))?;
    if Identity::of(&after) != before || size != before.size {
        return Err(StoreError::SourceChanged { path: path.to_owned() });
    }
    place(store, tmp, digest, size, mode)?;
    Ok(digest)
}

/// Makes an object of bytes.
pub(super) fn add_bytes(store: &Store, bytes: &[u8], mode: u32) -> Result<Digest, StoreError> {
    let size = bytes.len() as u64;
    let digest = digest_of_bytes(bytes);
    if !keep(&store.layout().object(digest, mode), size) {
        place(store, TmpFile::of(store.layout(), bytes)?, digest, size, mode)?;
    }
    Ok(digest)
}

/// Whether the object is there already. Its time becomes the present then.
fn keep(path: &Path, size: u64) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| there.is_file() && there.len() == size)
        && touch(path).is_ok()
}

fn place(store: &Store, tmp: TmpFile, digest: Digest, size: u64, mode: u32) -> Result<(), StoreError> {
    let destination = store.layout().object(digest, mode);
    if keep(&destination, size) {
        return Ok(());
    }
    let permissions = Permissions::from_mode(mode & 0o555);
    tmp.file.set_permissions(permissions).map_err(StoreError::io("set the mode of", tmp.path()))?;
    tmp.place(&destination)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;
    use crate::store::testing::Cache;

    #[test]
    fn a_source_that_changes_while_it_is_read_makes_no_object() {
        let cache = Cache::new();
        let path = cache.path("source");
        fs::write(&path, vec![1; 100_000]).unwrap();
        let source = File::open(&path).unwrap();
        let before = Identity::of(&source.metadata().unwrap());
        for changed in [vec![2; 100_001], vec![2; 99_999]] {
            fs::write(&path, changed).unwrap();
            let error = add_file(&cache.store, &File::open(&path).unwrap(), &path, before, 0o644);
            assert!(matches!(error, Err(StoreError::SourceChanged { .. })));
        }
        assert_eq!(cache.store.usage().unwrap().objects, 0);
        assert_eq!(fs::read_dir(cache.store.layout().tmp()).unwrap().count(), 0);
    }
}
