//! Record locks of whole files: who works here, and in which process.
//!
//! These are the locks of POSIX, not those of `flock`, for Dune's clients ask for the process that holds one. They have a trap:
//! whoever closes *any* descriptor of a file drops the locks of the process on it. So a file is opened here once, and what holds
//! the lock is the only one that has it open. But clients have any file read that they name, and what holds the cache may lie in what
//! they build: so a lock is [renewed](renew) whenever the daemon wakes up.

use rustix::fs::{FlockOperation, OFlags, fcntl_lock};
use rustix::process::{Flock, FlockType, Pid, fcntl_getlk};
use std::fmt;
use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

/// Who holds a lock.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Holder {
    /// The process; `None` for one that cannot be named from here, as one outside of a container.
    pub pid: Option<Pid>,
}

/// `pid 4711`.
impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.pid {
            Some(pid) => write!(f, "pid {pid}"),
            None => f.write_str("a process that cannot be named from here"),
        }
    }
}

/// What came of asking for a lock.
#[derive(Debug)]
pub enum Taken {
    /// It is ours, for writing, as long as this file is open.
    Ours(File),
    /// Somebody else has it.
    Theirs(Holder),
}

/// Opens a file, which is made where it is absent, and takes its lock without waiting.
pub fn take(path: &Path) -> io::Result<Taken> {
    loop {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        let file = plain(&mut options, path)?;
        match fcntl_lock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => return Ok(Taken::Ours(file)),
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::ACCESS) => {}
            Err(error) => return Err(error.into()),
        }
        // Whoever had it may have gone in between.
        if let Some(holder) = asked(&file)? {
            return Ok(Taken::Theirs(holder));
        }
    }
}

/// Who holds the lock of a file, in another process. Nobody does where the file is absent.
pub fn holder(path: &Path) -> io::Result<Option<Holder>> {
    match plain(OpenOptions::new().read(true), path) {
        Ok(file) => asked(&file),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Opens a file that is none through a link: in a directory that others may write to, what is emptied or locked here could
/// else be any file of the user's. And nobody waits for a pipe.
fn plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    let flags = OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    let file = options.custom_flags(flags.bits().cast_signed()).open(path)?;
    if file.metadata()?.is_file() {
        return Ok(file);
    }
    Err(io::Error::new(io::ErrorKind::AlreadyExists, "something else than a file is there"))
}

fn asked(file: &File) -> io::Result<Option<Holder>> {
    let lock = fcntl_getlk(file, &Flock::from(FlockType::WriteLock))?;
    // A lock of another kind has no process, and says -1, which a signal takes for everybody.
    Ok(lock.map(|lock| Holder { pid: lock.pid.filter(|pid| pid.as_raw_nonzero().get() > 0) }))
}

/// Lets others read beside us: the lock stays, and is never without somebody in between.
pub fn share(file: &File) -> io::Result<()> {
    Ok(fcntl_lock(file, FlockOperation::LockShared)?)
}

/// Takes the lock again, of the same kind, where it may have been dropped: whoever has this process read the file, and that
/// may be any client who names its path, drops it. Whether it is still, or again, ours.
#[must_use]
pub fn renew(file: &File, kind: FlockOperation) -> bool {
    fcntl_lock(file, kind).is_ok()
}

/// Whether this very file is still at its path. Somebody may have cleared the directory, as systems do with that of a user who has
/// logged out: nobody finds the lock any more, and the next daemon takes another one.
#[must_use]
pub fn is_at(file: &File, path: &Path) -> bool {
    let place = |metadata: Metadata| (metadata.dev(), metadata.ino());
    match (std::fs::symlink_metadata(path), file.metadata()) {
        (Ok(there), Ok(ours)) => place(there) == place(ours),
        (Err(error), _) => !matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory),
        // Nothing says that it is not.
        (_, Err(_)) => true,
    }
}

/// Takes the lock for writing again.
pub fn unshare(file: &File) -> io::Result<()> {
    Ok(fcntl_lock(file, FlockOperation::NonBlockingLockExclusive)?)
}

/// Makes the directories above a file that are not there, for their user alone.
pub fn make_above(path: &Path) -> io::Result<()> {
    let above = path.parent().filter(|above| !above.as_os_str().is_empty());
    above.map_or(Ok(()), |above| std::fs::DirBuilder::new().recursive(true).mode(0o700).create(above))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_absent_is_held_by_nobody_and_made_by_who_takes_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a/b/lock");
        assert_eq!(holder(&path).unwrap(), None);
        make_above(&path).unwrap();
        let Taken::Ours(file) = take(&path).unwrap() else { panic!("nobody else has it") };
        share(&file).unwrap();
        unshare(&file).unwrap();
    }
}
