//! Files on their way into the store.
//!
//! A file is opened in the build tree, linked or copied into a private directory below the store's root, and read *there*: what is
//! kept is what was read, whatever happens to the build tree meanwhile. A linked file is still the builder's: it is read again
//! where its identity changed during the reading, and refused where that does not end. A copy is digested as it is written.
//!
//! Where a link cannot be made – another file system, one without links, a file with too many – the file is copied. A staged file
//! that is not kept is removed when it is dropped; the directory, when its session ends.

use super::digest::{self, Content, Reading};
use super::layout::PROMOTING;
use super::note::Refusal;
use crate::identity::Identity;
use crate::protocol::dune::Duplication;
use rustix::fs::{AtFlags, CWD, linkat};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::AsRawFd as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// How often a file that changes is read before it is refused.
const READINGS: usize = 4;

/// What is left of a mode in the store: nobody may write.
pub(super) const KEPT: u32 = 0o555;

/// The private directory of one session.
#[derive(Debug)]
pub(super) struct Staging {
    directory: TempDir,
    number: u64,
    buffer: Box<[u8]>,
}

/// A file in it. It is removed when this is dropped, unless it was moved away. It is not kept open: one promotion may have more
/// files than a process may.
#[derive(Debug)]
pub(super) struct Staged {
    /// Where it is, unless it was moved away.
    path: Option<PathBuf>,
    /// As it was when it was read.
    pub(super) identity: Identity,
    /// What was read.
    pub(super) content: Content,
}

impl Staging {
    /// A directory below the root for the process with this number.
    pub(super) fn new(root: &Path, process: u32) -> io::Result<Self> {
        fs::create_dir_all(root)?;
        let directory = tempfile::Builder::new()
            .prefix(PROMOTING)
            .rand_bytes(6)
            .suffix(&format!(".{process}"))
            .permissions(Permissions::from_mode(0o700))
            .tempdir_in(root)?;
        Ok(Self { directory, number: 0, buffer: vec![0; 64 << 10].into() })
    }

    /// Whether it is still there: somebody may have cleared the whole cache.
    pub(super) fn is_there(&self) -> bool {
        self.directory.path().exists()
    }

    pub(super) fn buffer(&mut self) -> &mut [u8] {
        &mut self.buffer
    }

    fn name(&mut self) -> PathBuf {
        self.number += 1;
        self.directory.path().join(self.number.to_string())
    }

    /// Stages an open file of the build tree, which errors call `named`.
    pub(super) fn file(&mut self, file: File, named: &Path, how: Duplication) -> Result<Staged, Refusal> {
        let path = self.name();
        if how == Duplication::Hardlink {
            match link(&file, &path) {
                Ok(()) => {
                    let unread = Unread(Some(path));
                    let (identity, content) = read_whole(&file, named, &mut self.buffer)?;
                    return Ok(Staged { path: unread.read(), identity, content });
                }
                Err(Errno::NOENT) if file.metadata().is_ok_and(|metadata| metadata.nlink() == 0) => {
                    return Err(Refusal::Missing(named.to_owned()));
                }
                // A directory cannot be linked either; the copy tells what it is.
                Err(_) => {}
            }
        }
        self.copy(&file, named, path)
    }

    fn copy(&mut self, from: &File, named: &Path, path: PathBuf) -> Result<Staged, Refusal> {
        for _ in 0..READINGS {
            let before = identity(from, named)?;
            let to = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            let to = to.map_err(Refusal::io("make", &path))?;
            let unread = Unread(Some(path.clone()));
            let (mut reading, mut at) = (Reading::default(), 0);
            while at < before.size {
                match from.read_at(&mut self.buffer, at).map_err(Refusal::io("read", named))? {
                    0 => break,
                    some => {
                        reading.take(&self.buffer[..some]);
                        (&to).write_all(&self.buffer[..some]).map_err(Refusal::io("write", &path))?;
                        at += some as u64;
                    }
                }
            }
            if identity(from, named)? == before {
                let content = reading.content(before.mode);
                let kept = Permissions::from_mode(before.mode & KEPT);
                to.set_permissions(kept).map_err(Refusal::io("give permissions to", &path))?;
                let identity = identity(&to, &path)?;
                return Ok(Staged { path: unread.read(), identity, content });
            }
        }
        Err(Refusal::Changing(named.to_owned()))
    }

    /// Writes a file of these bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<Unread, Refusal> {
        let path = self.name();
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = file.map_err(Refusal::io("make", &path))?;
        let unread = Unread(Some(path));
        file.write_all(bytes).map_err(|error| Refusal::io("write", unread.path())(error))?;
        Ok(unread)
    }
}

impl Staged {
    /// Where it is on its way.
    pub(super) fn path(&self) -> Option<&Path> {
        self.path.as_deref()
    }

    /// Says that it was moved away.
    pub(super) fn moved(&mut self) {
        self.path = None;
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        drop(Unread(self.path.take()));
    }
}

/// A path in the private directory that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct Unread(Option<PathBuf>);

impl Unread {
    pub(super) fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// It is somebody else's now, who removes it.
    pub(super) fn read(mut self) -> Option<PathBuf> {
        self.0.take()
    }
}

impl Drop for Unread {
    fn drop(&mut self) {
        // What cannot be removed now goes with the directory.
        self.0.take().map(fs::remove_file);
    }
}

/// Links the very inode that is open.
fn link(file: &File, path: &Path) -> Result<(), Errno> {
    let mut from = *b"/proc/self/fd/\0\0\0\0\0\0\0\0\0\0\0\0";
    let written = write!(&mut from[14..], "{}", file.as_raw_fd());
    debug_assert!(written.is_ok(), "a descriptor has at most ten digits");
    let end = from.iter().position(|byte| *byte == 0).unwrap_or(from.len());
    linkat(CWD, &from[..end], CWD, path, AtFlags::SYMLINK_FOLLOW)
}

fn identity(file: &File, named: &Path) -> Result<Identity, Refusal> {
    let metadata = file.metadata().map_err(Refusal::io("look at", named))?;
    if !metadata.is_file() {
        return Err(Refusal::Kind(named.to_owned()));
    }
    Ok(Identity::of(&metadata))
}

/// Reads a file that stays as it is meanwhile. A change of its inode alone may be anybody's link to it: then it counts as it was
/// read twice alike.
fn read_whole(file: &File, named: &Path, buffer: &mut [u8]) -> Result<(Identity, Content), Refusal> {
    let mut before = identity(file, named)?;
    let mut earlier = None;
    for _ in 0..READINGS {
        let content = digest::content(file, before.size, before.mode, buffer);
        let content = content.map_err(Refusal::io("read", named))?;
        let after = identity(file, named)?;
        let but_the_inode = Identity { ctime: before.ctime, ..after };
        if after == before || but_the_inode == before && earlier == Some(content) {
            return Ok((after, content));
        }
        (before, earlier) = (after, Some(content));
    }
    Err(Refusal::Changing(named.to_owned()))
}

/// The content of a file of the store, and its identity, if that stayed the same.
pub(super) fn read_stored(
    file: &File,
    path: &Path,
    buffer: &mut [u8],
) -> Result<(Identity, Content), Refusal> {
    read_whole(file, path, buffer)
}

/// Whether an error says that something is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
