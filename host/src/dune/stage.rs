//! Files on their way into the store.
//!
//! A file is opened in the build tree and read through that descriptor; what is kept later is that inode, whatever is at its path by
//! then. It is still the builder's: it is read again where its identity changed during the reading, and refused where that does not
//! end. A link to it is made in its place in the store and nowhere before, which on a disk is half the cost of a promotion. Only in
//! a promotion of more than [`OPEN`] files do the others get a link in the private directory instead of a descriptor, or a rule
//! of many files would need more of these than a process may have.
//!
//! A copy is made in a private directory below the store's root and digested as it is written. Copied is what the client wants to
//! have copied, and what cannot be linked: on another file system, on one without links, with too many, or removed meanwhile. What
//! is not kept is removed when it is dropped; the directory, when its session ends.

use super::digest::{self, Content, Reading};
use super::layout::PROMOTING;
use super::note::Refusal;
use super::source::open_stored;
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

/// So many files of one promotion are kept open.
pub(super) const OPEN: usize = 32;

/// What is left of a mode in the store: nobody may write.
pub(super) const KEPT: u32 = 0o555;

/// The private directory of one session.
#[derive(Debug)]
pub(super) struct Staging {
    directory: TempDir,
    /// The file system that it is on, while files of that have been linked without a refusal.
    links: Option<u64>,
    number: u64,
    buffer: Box<[u8]>,
}

/// A file that was read. Its copy or link on its way is removed when this is dropped, unless it was moved away.
#[derive(Debug)]
pub(super) struct Staged {
    /// Where its copy is, or a link to it.
    copy: Option<OnItsWay>,
    /// The inode that is to be kept, open unless it has a name.
    file: Option<File>,
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
        let links = Some(fs::metadata(directory.path())?.dev());
        Ok(Self { directory, links, number: 0, buffer: vec![0; 64 << 10].into() })
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

    /// Reads an open file of the build tree, which errors call `named`.
    pub(super) fn file(&mut self, file: File, named: &Path, how: Duplication) -> Result<Staged, Refusal> {
        if how == Duplication::Hardlink && self.links.is_some() {
            let (identity, content) = read_whole(&file, named, &mut self.buffer)?;
            if Some(identity.device) == self.links {
                return Ok(Staged { copy: None, file: Some(file), identity, content });
            }
        }
        self.copy(&file, named)
    }

    /// Copies a file that was read and cannot be linked, as all later ones will be where that is not this file's own fault.
    pub(super) fn copy_instead(&mut self, staged: &mut Staged, why: Errno) -> Result<(), Refusal> {
        if !matches!(why, Errno::MLINK | Errno::NOENT) {
            self.links = None;
        }
        let named = Path::new("what was promoted");
        let file = staged.open().map_err(Refusal::io("open", named))?;
        let copy = self.copy(&file, named)?;
        if copy.content != staged.content {
            return Err(Refusal::Changing(named.to_owned()));
        }
        *staged = copy;
        Ok(())
    }

    /// Lets go of a file's descriptor. It gets a name on its way instead, if it has none yet.
    pub(super) fn close(&mut self, staged: &mut Staged) -> Result<(), Refusal> {
        if let (None, Some(file)) = (&staged.copy, &staged.file) {
            let path = self.name();
            match link(file, &path) {
                Ok(()) => staged.copy = Some(OnItsWay(Some(path))),
                Err(why) => self.copy_instead(staged, why)?,
            }
        }
        staged.file = None;
        Ok(())
    }

    fn copy(&mut self, from: &File, named: &Path) -> Result<Staged, Refusal> {
        let path = self.name();
        for _ in 0..READINGS {
            let before = identity(from, named)?;
            let to = OpenOptions::new().read(true).write(true).create_new(true).mode(0o600).open(&path);
            let to = to.map_err(Refusal::io("make", &path))?;
            let on_its_way = OnItsWay(Some(path.clone()));
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
                return Ok(Staged { copy: Some(on_its_way), file: Some(to), identity, content });
            }
        }
        Err(Refusal::Changing(named.to_owned()))
    }

    /// Writes a file of these bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<OnItsWay, Refusal> {
        let path = self.name();
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let mut file = file.map_err(Refusal::io("make", &path))?;
        let on_its_way = OnItsWay(Some(path));
        file.write_all(bytes).map_err(|error| Refusal::io("write", on_its_way.path())(error))?;
        Ok(on_its_way)
    }
}

impl Staged {
    /// The inode that is to be kept, if it is open.
    pub(super) fn file(&self) -> Option<&File> {
        self.file.as_ref()
    }

    /// The inode that is to be kept. Somebody may have cleared away what is on its way.
    pub(super) fn open(&self) -> io::Result<File> {
        match (&self.file, self.copy()) {
            (Some(file), _) => file.try_clone(),
            (None, Some(copy)) => open_stored(copy),
            (None, None) => Err(ErrorKind::NotFound.into()),
        }
    }

    /// Where its copy or link on its way is, if it has one.
    pub(super) fn copy(&self) -> Option<&Path> {
        self.copy.as_ref().map(OnItsWay::path)
    }

    /// Says that its copy was moved away.
    pub(super) fn moved(&mut self) {
        if let Some(copy) = self.copy.take() {
            copy.moved();
        }
    }
}

/// A path in the private directory that is removed when this is dropped.
#[derive(Debug)]
pub(super) struct OnItsWay(Option<PathBuf>);

impl OnItsWay {
    pub(super) fn path(&self) -> &Path {
        self.0.as_deref().unwrap_or(Path::new(""))
    }

    /// It was moved away.
    pub(super) fn moved(mut self) {
        self.0 = None;
    }
}

impl Drop for OnItsWay {
    fn drop(&mut self) {
        // What cannot be removed now goes with the directory.
        self.0.take().map(fs::remove_file);
    }
}

/// Links the very inode that is open.
pub(super) fn link(file: &File, path: &Path) -> Result<(), Errno> {
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
