//! Files on their way into the store.
//!
//! A file is opened in the build tree and read through that descriptor; what is kept later is that inode, whatever is at its path by
//! then. It is still the builder's: it is read again where its identity changed during the reading, and refused where that does not
//! end. A link to it is made in its place in the store and nowhere before, which on a disk is half the cost of a promotion.
//!
//! Two kinds of files have a name on their way, in a private directory below the store's root: copies, which are digested as they
//! are written, and those beyond the first few of a large rule, since each file without a name needs a descriptor. Copied is what the client
//! wants to have copied, what is another user's, who could write to it ever after, and what cannot be linked: on another file system, on one without links, with too many, or removed meanwhile.
//! What is not kept is removed when it is dropped; the directory, when its session ends.

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
    /// The file system that it is on, while files of that have been linked without a refusal.
    links: Option<u64>,
    number: u64,
    buffer: Box<[u8]>,
}

/// How many files of one promotion are held by their descriptors alone. Few rules have more, and many clients may be there.
pub(super) const OPEN: usize = 8;

/// A file that was read.
#[derive(Debug)]
pub(super) struct Staged {
    /// The inode that is to be kept.
    held: Held,
    /// As it was when it was read.
    pub(super) identity: Identity,
    /// What was read.
    pub(super) content: Content,
}

/// By what a file is held until it is kept.
#[derive(Debug)]
pub(super) enum Held {
    /// It is open.
    Open(File),
    /// It has a name in the private directory, which is removed when this is dropped.
    Named(OnItsWay),
    /// It is in its place.
    Moved,
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

    /// Reads an open file of the build tree, which errors call `named`. It is the one with this number of its promotion.
    pub(super) fn file(
        &mut self,
        file: File,
        named: &Path,
        how: Duplication,
        number: usize,
    ) -> Result<Staged, Refusal> {
        if how == Duplication::Copy || self.links.is_none() || !is_ours(&file, named)? {
            return self.copy(&file, named);
        }
        let link = if number < OPEN { None } else { self.link(&file)? };
        let (identity, content) = read_whole(&file, named, &mut self.buffer)?;
        let held = match link {
            Some(link) => Held::Named(link),
            None if number < OPEN && Some(identity.device) == self.links => Held::Open(file),
            None => return self.copy(&file, named),
        };
        Ok(Staged { held, identity, content })
    }

    /// Links to a file in the private directory, unless that cannot be done.
    fn link(&mut self, file: &File) -> Result<Option<OnItsWay>, Refusal> {
        let path = self.name();
        match link(file, &path) {
            Ok(()) => Ok(Some(OnItsWay(Some(path)))),
            Err(error) if is_fatal(error) => Err(Refusal::io("make", &path)(error.into())),
            Err(_) => Ok(None),
        }
    }

    /// Copies a file that was read and cannot be linked, as all later ones will be where that is not this file's own fault.
    pub(super) fn copy_instead(&mut self, staged: &mut Staged, why: Errno) -> Result<(), Refusal> {
        let Held::Open(file) = &staged.held else { return Ok(()) };
        if !matches!(why, Errno::MLINK | Errno::NOENT) {
            self.links = None;
        }
        let named = Path::new("what was promoted");
        let copy = self.copy(file, named)?;
        if copy.content != staged.content {
            return Err(Refusal::Changing(named.to_owned()));
        }
        *staged = copy;
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
                return Ok(Staged { held: Held::Named(on_its_way), identity, content });
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
    /// By what it is held.
    pub(super) const fn held(&self) -> &Held {
        &self.held
    }

    /// Says that it was moved to its place, and needs no name on its way any more.
    pub(super) fn moved(&mut self) {
        if let Held::Named(name) = std::mem::replace(&mut self.held, Held::Moved) {
            name.moved();
        }
    }
}

/// Whether an error of a link would be one of a copy as well.
pub(super) const fn is_fatal(error: Errno) -> bool {
    matches!(error, Errno::NOSPC | Errno::DQUOT | Errno::ROFS | Errno::ACCESS | Errno::IO)
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

/// Whether nobody else may allow himself to write to a file.
fn is_ours(file: &File, named: &Path) -> Result<bool, Refusal> {
    let owner = file.metadata().map_err(Refusal::io("look at", named))?.uid();
    Ok(owner == rustix::process::geteuid().as_raw())
}

fn identity(file: &File, named: &Path) -> Result<Identity, Refusal> {
    let metadata = file.metadata().map_err(Refusal::io("look at", named))?;
    if !metadata.is_file() {
        return Err(Refusal::Kind(named.to_owned()));
    }
    Ok(Identity::of(&metadata))
}

/// Reads a file that stays as it is meanwhile: its identity, and its content. A change of its inode alone may be anybody's link to it: then it counts as it was
/// read twice alike.
pub(super) fn read_whole(
    file: &File,
    named: &Path,
    buffer: &mut [u8],
) -> Result<(Identity, Content), Refusal> {
    read_as(file, named, buffer, Reading::default)
}

/// The same in some way of reading.
pub(super) fn read_as(
    file: &File,
    named: &Path,
    buffer: &mut [u8],
    reading: fn() -> Reading,
) -> Result<(Identity, Content), Refusal> {
    let mut before = identity(file, named)?;
    let mut earlier = None;
    for _ in 0..READINGS {
        let content = digest::content(file, before.size, before.mode, buffer, reading());
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

/// Whether an error says that something is not there.
pub(super) fn is_absent(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory)
}
