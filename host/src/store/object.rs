//! Contents of 64 KiB and more: one read-only file per digest and mode, shared by all entries of all partitions.
//!
//! An object is written and hashed in one pass and appears by rename. Whoever adds one holds `locks/objects` together with
//! other adders until the entry that names it is published; the sweep holds it alone, so it never takes an object whose entry
//! is about to appear.

use super::LinkMode;
use super::Store;
use super::error::StoreError;
use super::file::TmpFile;
use super::layout::object_mode;
use crate::digest::Digest;
use crate::identity::Identity;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, ioctl_ficlone, utimensat};
use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// From this size on a content is an object.
pub(super) const THRESHOLD: u64 = 64 * 1024;

const CHUNK: usize = 1024 * 1024;
/// From this size on a content is hashed by several threads: below, waking them costs more than they save.
const PARALLEL: u64 = 4 * 1024 * 1024;

/// Reads all of a file, hashes it, and passes it on. `size` is only a hint.
pub(super) fn hash_through(
    mut from: impl Read,
    size: u64,
    mut to: impl FnMut(&[u8]) -> io::Result<()>,
) -> io::Result<(Digest, u64)> {
    let mut hasher = blake3::Hasher::new();
    let mut buffer = vec![0; CHUNK.min(size as usize + 1).max(64 * 1024)];
    loop {
        let mut filled = 0;
        // Whole buffers, so that there is enough for several threads to share.
        while filled < buffer.len() {
            match from.read(&mut buffer[filled..]) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if filled == 0 {
            return Ok((Digest::new(*hasher.finalize().as_bytes()), hasher.count()));
        }
        let chunk = &buffer[..filled];
        if size >= PARALLEL {
            hasher.update_rayon(chunk);
        } else {
            hasher.update(chunk);
        }
        to(chunk)?;
    }
}

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
    let (digest, size) = if shared {
        // The clone cannot change any more; what is hashed is what is kept.
        hash_through(&tmp.file, before.size, |_| Ok(())).map_err(StoreError::io("read", tmp.path()))?
    } else {
        let mut failed_write = false;
        let result = hash_through(source, before.size, |chunk| {
            (&tmp.file).write_all(chunk).inspect_err(|_| failed_write = true)
        });
        result.map_err(|source| {
            if failed_write {
                StoreError::io("write", tmp.path())(source)
            } else {
                StoreError::io("read", path)(source)
            }
        })?
    };
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
    let (digest, _) = hash_through(bytes, size, |_| Ok(())).expect("invariant: reading memory does not fail");
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
    let permissions = Permissions::from_mode(object_mode(mode));
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

    #[test]
    fn the_digest_is_the_same_however_many_threads_make_it() {
        for size in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 7] {
            let bytes = vec![3; size];
            for hint in [0, size as u64] {
                let mut passed = Vec::new();
                let (digest, length) = hash_through(bytes.as_slice(), hint, |chunk| {
                    passed.extend_from_slice(chunk);
                    Ok(())
                })
                .unwrap();
                assert_eq!((digest, length), (Digest::of(&bytes), size as u64));
                assert!(passed == bytes);
            }
        }
    }
}
