//! Opening what a client names, and nothing else.
//!
//! The paths of a promotion are anybody's. They are opened below the build root's descriptor, without following a link anywhere:
//! a directory that is exchanged for a link between any two moments leads nowhere. What is opened is then worked with through its
//! descriptor alone.
//!
//! | path | [`BuildRoot::open`] |
//! |---|---|
//! | absolute, empty, with a NUL, or with a part that is empty, `.` or `..` | [`Refusal::Path`] |
//! | a link, or behind one | [`Refusal::Link`] |
//! | nothing, or behind something that is no directory | [`Refusal::Missing`] |
//! | a socket | [`Refusal::Kind`]; other things that are no file are told by whoever looks at what was opened |
//! | a file | it, to be read |

use super::note::Refusal;
use crate::protocol::Limits;
use rustix::fd::{AsFd as _, BorrowedFd, OwnedFd};
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, open, openat, openat2, statat};
use rustix::io::Errno;
use std::fs::File;
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A client's build root.
#[derive(Debug)]
pub(super) struct BuildRoot {
    path: PathBuf,
    /// It need not be there yet when it is named.
    directory: Option<OwnedFd>,
}

// A pipe must not be waited for.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::CLOEXEC)
    .union(OFlags::NOCTTY);
const DIRECTORY: OFlags = OFlags::PATH.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl BuildRoot {
    /// The one at an absolute path.
    pub(super) const fn new(path: PathBuf) -> Self {
        Self { path, directory: None }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Opens what is at a path below the root.
    pub(super) fn open(&mut self, path: &Path) -> Result<File, Refusal> {
        if !is_plain(path) {
            return Err(Refusal::Path(path.to_owned()));
        }
        if let Some(directory) = &self.directory {
            match beneath(directory.as_fd(), path) {
                // The root may have been removed and made anew meanwhile.
                Err(Errno::NOENT | Errno::NOTDIR) => {}
                opened => return opened.map(File::from).map_err(|error| refusal(path, error)),
            }
        }
        let root = open(&self.path, DIRECTORY, Mode::empty());
        let root = root.map_err(|error| Refusal::io("open the build root", &self.path)(error.into()))?;
        let opened = beneath(root.as_fd(), path);
        self.directory = Some(root);
        opened.map(File::from).map_err(|error| refusal(path, error))
    }
}

/// Whether a path can only lead downward.
fn is_plain(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    !bytes.contains(&0) && bytes.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."))
}

fn refusal(path: &Path, error: Errno) -> Refusal {
    let path = path.to_owned();
    match error {
        Errno::LOOP => Refusal::Link(path),
        Errno::NOENT | Errno::NOTDIR => Refusal::Missing(path),
        Errno::NXIO => Refusal::Kind(path),
        error => Refusal::io("open", &path)(error.into()),
    }
}

fn beneath(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_SYMLINKS;
    // The system cannot tell for sure while something is renamed on the way.
    for _ in 0..8 {
        match openat2(root, path, FILE, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            // An older system, or a sandbox that does not know the call.
            Err(Errno::NOSYS | Errno::PERM) => return by_steps(root, path),
            opened => return opened,
        }
    }
    by_steps(root, path)
}

/// The same in one step for each part of the path.
fn by_steps(root: BorrowedFd<'_>, path: &Path) -> Result<OwnedFd, Errno> {
    let mut at: Option<OwnedFd> = None;
    let parent = path.parent().into_iter().flat_map(Path::iter);
    for part in parent {
        let from = at.as_ref().map_or(root, |at| at.as_fd());
        let step = match openat(from, part, DIRECTORY | OFlags::NOFOLLOW, Mode::empty()) {
            Err(Errno::NOTDIR) => {
                let is = statat(from, part, AtFlags::SYMLINK_NOFOLLOW)?;
                let link = FileType::from_raw_mode(is.st_mode) == FileType::Symlink;
                return Err(if link { Errno::LOOP } else { Errno::NOTDIR });
            }
            step => step?,
        };
        at = Some(step);
    }
    let name = path.file_name().ok_or(Errno::INVAL)?;
    openat(at.as_ref().map_or(root, |at| at.as_fd()), name, FILE, Mode::empty())
}

/// Opens a file of the store itself, if it is one.
pub(super) fn open_stored(path: &Path) -> std::io::Result<File> {
    Ok(File::from(openat(CWD, path, FILE, Mode::empty())?))
}

/// What is in the place of a rule.
#[derive(Debug)]
pub(super) enum Stored {
    /// The bytes of a file; of one that no client reads, as many as show it.
    Bytes(Vec<u8>),
    /// No file: a link, a pipe that nobody writes to, a directory.
    NoFile,
}

/// Reads the file of a rule, and waits for nothing else that may be in its place.
pub(super) fn read_rule(path: &Path) -> std::io::Result<Stored> {
    let file = match open_stored(path) {
        Ok(file) if file.metadata()?.is_file() => file,
        Ok(_) => return Ok(Stored::NoFile),
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::LOOP | Errno::NXIO)) => {
            return Ok(Stored::NoFile);
        }
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(Limits::SESSION.value as u64 + 1).read_to_end(&mut bytes)?;
    Ok(Stored::Bytes(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::ffi::OsStr;
    use std::fs;
    use std::os::unix::fs::symlink;

    fn told(result: Result<File, Refusal>) -> String {
        result.err().map(|refusal| refusal.to_string()).unwrap_or_default()
    }

    #[test]
    fn only_what_lies_plainly_below_the_root_is_opened() {
        let all = tempfile::tempdir().unwrap();
        let root = all.path().join("_build");
        fs::create_dir_all(root.join("default/dir")).unwrap();
        fs::write(root.join("default/a"), "a").unwrap();
        fs::write(all.path().join("secret"), "s").unwrap();
        symlink("a", root.join("default/link")).unwrap();
        symlink("..", root.join("default/up")).unwrap();
        symlink(all.path(), root.join("out")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(root.join("default/socket")).unwrap();
        let mut build = BuildRoot::new(root.clone());
        assert!(build.open(Path::new("default/a")).is_ok());
        let absolute = root.join("default/a");
        for path in [
            "",
            "/",
            ".",
            "..",
            "./default/a",
            "default/../default/a",
            "default//a",
            "default/a/",
            "../secret",
        ] {
            assert!(told(build.open(Path::new(path))).contains("no path below"), "{path}");
        }
        assert!(told(build.open(&absolute)).contains("no path below"));
        assert!(told(build.open(Path::new(OsStr::from_bytes(b"default/a\0")))).contains("no path below"));
        let root = open(&root, DIRECTORY, Mode::empty()).unwrap();
        for (path, error) in [
            ("default/link", Errno::LOOP),
            ("default/up/default/a", Errno::LOOP),
            ("out/secret", Errno::LOOP),
            ("default/none", Errno::NOENT),
            ("none/a", Errno::NOENT),
            ("default/a/b", Errno::NOTDIR),
            ("default/socket", Errno::NXIO),
        ] {
            assert_eq!(by_steps(root.as_fd(), Path::new(path)).err(), Some(error), "{path}");
            assert_eq!(beneath(root.as_fd(), Path::new(path)).err(), Some(error), "{path}");
        }
        assert!(by_steps(root.as_fd(), Path::new("default/a")).is_ok());
    }

    #[test]
    fn a_root_that_comes_later_or_anew_is_found() {
        let all = tempfile::tempdir().unwrap();
        let root = all.path().join("_build");
        let mut build = BuildRoot::new(root.clone());
        assert!(told(build.open(Path::new("a"))).contains("cannot open the build root"));
        for _ in 0..2 {
            fs::create_dir(&root).unwrap();
            fs::write(root.join("a"), "a").unwrap();
            assert!(build.open(Path::new("a")).is_ok());
            fs::remove_dir_all(&root).unwrap();
        }
    }
}
