//! Large contents, and those of entries that would become large with them: one read-only file per digest and mode, shared by all entries of all partitions.
//!
//! An object is written and hashed in [one pass](super::hash) and appears by rename. Whoever adds one holds `locks/objects` together with
//! other adders until the entry that names it is published; the sweep holds it alone, so it never takes an object whose entry
//! is about to appear.

use super::LinkMode;
use super::Store;
use super::error::StoreError;
use super::file::TmpFile;
use super::hash::{BUFFER, PassError, digest_of_bytes, fill, pass, with_buffer};
use super::layout::object_mode;
use crate::digest::Digest;
use crate::identity::Identity;
use rustix::fs::{AtFlags, CWD, Timespec, Timestamps, UTIME_NOW, ioctl_ficlone, utimensat};
use std::fs::{self, File, Metadata, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

/// From this size on a content is an object.
pub(super) const THRESHOLD: u64 = 64 * 1024;
/// Beyond so many bytes in an entry's own file every content is an object: an entry is read into memory as a whole.
pub(super) const INLINE: u64 = 64 * 1024 * 1024;

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
    if before.size < BUFFER as u64 {
        return with_buffer(|buffer| add_small(store, (source, path), before, mode, buffer));
    }
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

/// The same for a file that the buffer has room for: nothing is written if the object is there already.
fn add_small(
    store: &Store,
    (source, path): (&File, &Path),
    before: Identity,
    mode: u32,
    buffer: &mut [u8],
) -> Result<Digest, StoreError> {
    let changed = || StoreError::SourceChanged { path: path.to_owned() };
    let read = fill(source, buffer, 0, before.size).map_err(|error| match error {
        PassError::Read(source) | PassError::Write(source) => StoreError::io("read", path)(source),
    })?;
    let after = source.metadata().map_err(StoreError::io("examine", path))?;
    if Identity::of(&after) != before || read as u64 != before.size {
        return Err(changed());
    }
    let bytes = &buffer[..read];
    let digest = Digest::of(bytes);
    let destination = store.layout().object(digest, mode);
    if keep(&destination, before.size) {
        return Ok(digest);
    }
    let tmp = TmpFile::create(store.layout())?;
    if store.options().link != LinkMode::Copy && ioctl_ficlone(&tmp.file, source).is_ok() {
        // What was cloned may be later than what was read.
        let mut cloned = vec![0; read];
        tmp.file.read_exact_at(&mut cloned, 0).map_err(StoreError::io("read", tmp.path()))?;
        if cloned != bytes {
            return Err(changed());
        }
    } else {
        (&tmp.file).write_all(bytes).map_err(StoreError::io("write", tmp.path()))?;
    }
    finish(tmp, &destination, mode)?;
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

/// Whether the object is there already, with its permissions. Its time becomes the present then.
fn keep(path: &Path, size: u64) -> bool {
    // The name ends with the permissions.
    let mode = path.to_str().and_then(|path| u32::from_str_radix(path.rsplit_once('-')?.1, 8).ok());
    let right = |there: Metadata| {
        there.is_file() && there.len() == size && Some(there.permissions().mode() & 0o7777) == mode
    };
    fs::symlink_metadata(path).is_ok_and(right) && touch(path).is_ok()
}

fn place(store: &Store, tmp: TmpFile, digest: Digest, size: u64, mode: u32) -> Result<(), StoreError> {
    let destination = store.layout().object(digest, mode);
    if keep(&destination, size) {
        return Ok(());
    }
    finish(tmp, &destination, mode)
}

fn finish(tmp: TmpFile, destination: &Path, mode: u32) -> Result<(), StoreError> {
    let permissions = Permissions::from_mode(object_mode(mode));
    tmp.file.set_permissions(permissions).map_err(StoreError::io("set the mode of", tmp.path()))?;
    tmp.place(destination)
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
        for size in [100_000, 1_000_000, 5_000_000] {
            fs::write(&path, vec![1; size]).unwrap();
            let before = Identity::of(&fs::metadata(&path).unwrap());
            for changed in [vec![2; size + 1], vec![2; size - 1]] {
                fs::write(&path, changed).unwrap();
                let error = add_file(&cache.store, &File::open(&path).unwrap(), &path, before, 0o644);
                assert!(matches!(error, Err(StoreError::SourceChanged { .. })));
            }
        }
        assert_eq!(cache.store.usage().unwrap().objects, 0);
        assert_eq!(cache.unfinished(), 0);
    }
}
