//! How files of the cache come to be: written under `tmp/`, then renamed to their place, complete or not at all.
//!
//! Directories are made only after the system said that they are missing, so the common case pays nothing for them.

use super::error::StoreError;
use super::layout::{Layout, PARTS};
use crate::identity::Identity;
use rustix::buffer::spare_capacity;
use rustix::fs::{FlockOperation, IFlags, OFlags, flock, ioctl_getflags, ioctl_setflags};
use rustix::io::{Errno, retry_on_intr};
use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// Makes a directory of the cache with those above it.
pub(super) fn make_directory(path: &Path) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(path)
        .map_err(StoreError::io("create the directory", path))
}

/// Does something that needs the directory of `path`, and makes that directory if it proves to be missing.
pub(super) fn with_parent<T>(
    action: &'static str,
    path: &Path,
    mut act: impl FnMut() -> io::Result<T>,
) -> Result<T, StoreError> {
    let mut result = act();
    if let (Err(error), Some(parent)) = (&result, path.parent())
        && error.kind() == ErrorKind::NotFound
    {
        make_directory(parent)?;
        result = act();
    }
    result.map_err(StoreError::io(action, path))
}

/// `None` for what is absent.
pub(super) fn if_there<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a regular file of the cache to read it. Something else in its place is [`ErrorKind::IsADirectory`], and is not
/// waited for, as a named pipe would have us do.
pub(super) fn open(path: &Path) -> io::Result<File> {
    Ok(open_known(path)?.0)
}

fn open_known(path: &Path) -> io::Result<(File, Metadata)> {
    let file =
        OpenOptions::new().read(true).custom_flags(OFlags::NONBLOCK.bits().cast_signed()).open(path)?;
    let metadata = file.metadata()?;
    if metadata.is_file() { Ok((file, metadata)) } else { Err(io::Error::from(ErrorKind::IsADirectory)) }
}

/// Whether an error of [`open`] tells that what is there is nothing that the cache has put there. What its owner may not
/// read is not either: somebody changed its permissions, by another link perhaps.
pub(super) fn is_spoilt(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::IsADirectory | ErrorKind::PermissionDenied)
}

/// All bytes of a file, by one read of the size that it says it has, and its identity.
pub(super) fn read_whole(path: &Path) -> io::Result<(Vec<u8>, Identity)> {
    let (file, metadata) = open_known(path)?;
    let size = metadata.len() as usize;
    let mut bytes = Vec::with_capacity(size);
    while bytes.len() < size {
        if retry_on_intr(|| rustix::io::read(&file, spare_capacity(&mut bytes)))? == 0 {
            return Err(io::Error::from(ErrorKind::UnexpectedEof));
        }
    }
    bytes.truncate(size);
    Ok((bytes, Identity::of(&metadata)))
}

/// A number that this process gives out once.
pub(super) fn serial() -> u64 {
    static SERIAL: AtomicU64 = AtomicU64::new(0);
    SERIAL.fetch_add(1, Ordering::Relaxed)
}

/// A file under `tmp/` that is removed unless it is placed.
#[derive(Debug)]
pub(super) struct TmpFile {
    pub(super) file: File,
    path: PathBuf,
    placed: bool,
}

impl TmpFile {
    /// A new empty file, in a part of `tmp/`. A killed process of the same number may have left one of the same name; then
    /// the next is taken.
    pub(super) fn create(layout: &Layout) -> Result<Self, StoreError> {
        loop {
            let (process, serial) = (std::process::id(), serial());
            let part = (u64::from(process).wrapping_add(serial) % u64::from(PARTS)) as u8;
            let directory = layout.tmp_part(part);
            let path = directory.join(format!("{process}-{serial}"));
            let mut opened = create_new(&path);
            if opened.as_ref().is_err_and(|error| error.kind() == ErrorKind::NotFound) {
                make_part(layout, &directory)?;
                opened = create_new(&path);
            }
            if let Some(file) = opened.map_err(StoreError::io("create", &path))? {
                return Ok(Self { file, path, placed: false });
            }
        }
    }

    /// A new empty file in `tmp/` itself, with a name that starts so.
    pub(super) fn named(layout: &Layout, prefix: &str) -> Result<Self, StoreError> {
        loop {
            let path = layout.tmp().join(format!("{prefix}{}-{}", std::process::id(), serial()));
            if let Some(file) = with_parent("create", &path, || create_new(&path))? {
                return Ok(Self { file, path, placed: false });
            }
        }
    }

    /// A new file of these bytes.
    pub(super) fn of(layout: &Layout, bytes: &[u8]) -> Result<Self, StoreError> {
        let mut tmp = Self::create(layout)?;
        tmp.file.write_all(bytes).map_err(StoreError::io("write", &tmp.path))?;
        Ok(tmp)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Renames the file to its place, over what is there.
    pub(super) fn place(mut self, destination: &Path) -> Result<(), StoreError> {
        with_parent("publish", destination, || fs::rename(&self.path, destination))?;
        self.placed = true;
        Ok(())
    }
}

impl Drop for TmpFile {
    fn drop(&mut self) {
        if !self.placed {
            // What cannot be removed now is removed as a leftover later.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// A new file; `None` where the name is taken.
fn create_new(path: &Path) -> io::Result<Option<File>> {
    match OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(None),
        result => result.map(Some),
    }
}

/// Makes a part of `tmp/`, far from the others where the file system heeds that: ext4 puts the directories of a directory with
/// this flag into block groups of their own, and files into that of their directory. Without a journal it looks at each file that was
/// deleted in a group during the last half minute before it makes one there, which is a thousand times slower than all else
/// after the deletion of a build tree.
fn make_part(layout: &Layout, part: &Path) -> Result<(), StoreError> {
    let tmp = layout.tmp();
    make_directory(&tmp)?;
    let spread = || {
        let directory = File::open(&tmp).ok()?;
        let flags = ioctl_getflags(&directory).ok()?;
        ioctl_setflags(&directory, flags | IFlags::TOPDIR).ok()
    };
    // Other file systems have no such flag, and need none.
    spread();
    make_directory(part)
}

/// How long a lock is waited for. Each is held for milliseconds; whoever holds one for longer is stopped or gone wrong, and a
/// build must not wait for that.
const PATIENCE: Duration = Duration::from_secs(10);

/// Locks an open file and waits for it, but not for ever: then the error is [`ErrorKind::TimedOut`].
pub(super) fn lock(file: &File, operation: FlockOperation) -> io::Result<()> {
    lock_within(file, operation, PATIENCE)
}

/// The same, with another patience.
pub(super) fn lock_within(file: &File, operation: FlockOperation, patience: Duration) -> io::Result<()> {
    const LONGEST: Duration = Duration::from_millis(2);
    let operation = match operation {
        FlockOperation::LockShared => FlockOperation::NonBlockingLockShared,
        _ => FlockOperation::NonBlockingLockExclusive,
    };
    let (mut waited, mut pause) = (Duration::ZERO, Duration::from_micros(20));
    loop {
        match retry_on_intr(|| flock(file, operation)) {
            Ok(()) => return Ok(()),
            Err(Errno::WOULDBLOCK) if waited < patience => {
                std::thread::sleep(pause);
                waited += pause;
                pause = (pause * 2).min(LONGEST);
            }
            Err(Errno::WOULDBLOCK) => return Err(io::Error::from(ErrorKind::TimedOut)),
            Err(error) => return Err(error.into()),
        }
    }
}

/// Locks an open file for this process alone unless another one has it.
pub(super) fn try_lock(file: &File) -> io::Result<bool> {
    match retry_on_intr(|| flock(file, FlockOperation::NonBlockingLockExclusive)) {
        Ok(()) => Ok(true),
        Err(Errno::WOULDBLOCK) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// Whether an open file has lost its name: it was replaced or removed between opening and locking it.
pub(super) fn is_nameless(file: &File) -> io::Result<bool> {
    Ok(file.metadata()?.nlink() == 0)
}

/// The names in a directory, and whether each is a directory; none where it is absent. Names that are not UTF-8 are none
/// of the cache's and left out.
pub(super) fn list(directory: &Path) -> Result<Vec<(String, bool)>, StoreError> {
    let Some(entries) = if_there(fs::read_dir(directory)).map_err(StoreError::io("list", directory))? else {
        return Ok(Vec::new());
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry.map_err(StoreError::io("list", directory))?;
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if let Ok(name) = entry.file_name().into_string() {
            names.push((name, is_directory));
        }
    }
    Ok(names)
}
