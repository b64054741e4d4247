//! Our own socket: a file in a directory that is its user's alone, beside a lock that says who listens, and a file of how it goes.
//!
//! ```text
//! DIRECTORY/           0700, the user's own
//!   socket             0600
//!   socket.lock        locked by the daemon as long as it lives, and never removed
//!   socket.json        how it goes: see [`super::status`]
//! ```
//!
//! | there is | [`Place::bind`] |
//! |---|---|
//! | nothing, or what a daemon left that was killed | listens |
//! | a daemon | [`StartError::Running`] |
//! | a directory of somebody else, or one that others may enter | [`StartError::Open`]: whoever may enter may ask |
//! | a path of more than [`LONGEST`] bytes | [`StartError::Long`] |

use super::lock::{self, Holder, Taken};
use super::start::StartError;
use rustix::fs::FlockOperation;
use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

/// What the path of a socket has at most: 108 bytes with the one that ends it.
pub const LONGEST: usize = 107;

/// Where a daemon listens, or would.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Place {
    socket: PathBuf,
}

/// A socket that is listened on, and the lock that says so.
#[derive(Debug)]
pub struct Bound {
    /// The socket.
    pub listener: UnixListener,
    place: Place,
    /// Open as long as the daemon lives.
    lock: File,
}

impl Place {
    /// At an absolute path.
    #[must_use]
    pub fn at(socket: PathBuf) -> Self {
        Self { socket }
    }

    /// The socket's path.
    #[must_use]
    pub fn socket(&self) -> &Path {
        &self.socket
    }

    /// Where the daemon says how it goes.
    #[must_use]
    pub fn status(&self) -> PathBuf {
        self.beside(".json")
    }

    /// What is locked.
    #[must_use]
    pub fn lock(&self) -> PathBuf {
        self.beside(".lock")
    }

    fn beside(&self, ending: &str) -> PathBuf {
        let mut path = self.socket.clone().into_os_string();
        path.push(ending);
        path.into()
    }

    /// The daemon that runs here, in another process.
    pub fn holder(&self) -> Result<Option<Holder>, StartError> {
        lock::holder(&self.lock()).map_err(StartError::system("look at", &self.lock()))
    }

    /// Listens here, as the user with this number.
    pub fn bind(self, user: u32) -> Result<Bound, StartError> {
        let socket = &self.socket;
        if socket.as_os_str().as_bytes().len() > LONGEST {
            return Err(StartError::Long { path: self.socket, longest: LONGEST });
        }
        let directory = socket.parent().unwrap_or(Path::new("/"));
        lock::make_above(socket).map_err(StartError::system("make", directory))?;
        let metadata = fs::symlink_metadata(directory).map_err(StartError::system("look at", directory))?;
        let wrong = [
            (!metadata.is_dir(), "is no directory"),
            (metadata.uid() != user, "belongs to another user"),
            (metadata.mode() & 0o077 != 0, "others may enter"),
        ];
        if let Some((_, why)) = wrong.into_iter().find(|(is, _)| *is) {
            return Err(StartError::Open { directory: directory.to_owned(), why });
        }
        let path = self.lock();
        let lock = match lock::take(&path).map_err(StartError::system("lock", &path))? {
            Taken::Ours(file) => file,
            Taken::Theirs(holder) => return Err(StartError::Running { socket: self.socket, holder }),
        };
        // What is there was left by one that was killed: the lock would tell of a living one.
        match fs::symlink_metadata(socket) {
            Ok(there) if there.file_type().is_socket() => {
                fs::remove_file(socket).map_err(StartError::system("remove", socket))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Ok(_) => {
                let exists = io::Error::new(io::ErrorKind::AlreadyExists, "something else is there");
                return Err(StartError::system("listen on", socket)(exists));
            }
            Err(error) => return Err(StartError::system("look at", socket)(error)),
        }
        let listener = UnixListener::bind(socket).map_err(StartError::system("listen on", socket))?;
        let only_ours = Permissions::from_mode(0o600);
        fs::set_permissions(socket, only_ours).map_err(StartError::system("protect", socket))?;
        Ok(Bound { listener, place: self, lock })
    }
}

impl Bound {
    /// Where it is.
    #[must_use]
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// Takes the lock once more, which clients may have made us drop. Whether it is still ours and where others look for it: if not,
    /// the socket's path is not ours either.
    #[must_use]
    pub fn renew(&self) -> bool {
        lock::renew(&self.lock, FlockOperation::NonBlockingLockExclusive)
            && lock::is_at(&self.lock, &self.place.lock())
    }

    /// Takes the socket away. Who is connected stays so, and the lock is kept.
    pub fn withdraw(&self) -> io::Result<()> {
        fs::remove_file(&self.place.socket)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user() -> u32 {
        rustix::process::geteuid().as_raw()
    }

    #[test]
    fn a_socket_is_its_users_alone_and_replaces_what_a_killed_daemon_left() {
        let top = tempfile::tempdir().unwrap();
        let path = top.path().join("new/socket");
        fs::create_dir(top.path().join("new")).unwrap();
        fs::set_permissions(top.path().join("new"), Permissions::from_mode(0o700)).unwrap();
        drop(UnixListener::bind(&path).unwrap());
        let bound = Place::at(path.clone()).bind(user()).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o777, 0o600);
        std::os::unix::net::UnixStream::connect(&path).unwrap();
        bound.withdraw().unwrap();
        assert!(!path.exists() && bound.place().lock().exists());
    }

    #[test]
    fn where_others_may_enter_or_something_else_is_there_is_no_socket() {
        let top = tempfile::tempdir().unwrap();
        let directory = top.path().join("d");
        let place = || Place::at(directory.join("socket"));
        fs::create_dir(&directory).unwrap();
        fs::set_permissions(&directory, Permissions::from_mode(0o711)).unwrap();
        let error = place().bind(user()).unwrap_err();
        assert!(matches!(error, StartError::Open { .. }), "{error}");
        fs::set_permissions(&directory, Permissions::from_mode(0o700)).unwrap();
        let error = place().bind(user() + 1).unwrap_err();
        assert!(error.to_string().contains("belongs to another user"), "{error}");
        fs::write(directory.join("socket"), "precious").unwrap();
        let error = place().bind(user()).unwrap_err();
        assert!(error.to_string().contains("something else is there"), "{error}");
        assert_eq!(fs::read(directory.join("socket")).unwrap(), b"precious");
        let long = Place::at(directory.join("s".repeat(LONGEST))).bind(user()).unwrap_err();
        assert!(long.to_string().contains("--socket"), "{long}");
    }
}
