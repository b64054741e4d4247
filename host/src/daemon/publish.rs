//! Telling Dune's clients where the daemon listens, in the way that they look for it (`src/stdune/daemonize.ml`).
//!
//! A client looks at a *port file*. It asks who holds its lock, and then reads it:
//!
//! | lock | the client |
//! |---|---|
//! | nobody's | starts a daemon of its own |
//! | somebody's, for writing | asks again in a tenth of a second, for ten seconds |
//! | somebody's, for reading | reads `127.0.0.1:PORT`, and fails its build where that is not what it finds, or nobody listens |
//!
//! So a file is written, and emptied, only while it is locked for writing, after we listen and before we stop. It is emptied first
//! since Dune's own daemon writes over what is there: what is longer than its own address stays, and makes another port.
//!
//! Whoever clears Dune's cache clears these files with it, where there is no other place for them. They are made again when the daemon
//! wakes up; who comes before has started a daemon of his own, and then it is made after that has gone.
//!
//! `dune cache stop` sends its signal to the lock's holder, and waits for the lock to go: that is when the daemon has gone. A client
//! that comes before waits as well, so no other daemon begins beside sessions that still end.

use super::lock::{self, Taken};
use super::start::StartError;
use rustix::fs::FlockOperation;
use std::fs::{self, File};
use std::io::{self, Write as _};
use std::net::SocketAddr;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// Port files that are locked for writing, and empty.
#[derive(Debug)]
pub struct Claimed(Vec<(PathBuf, File)>);

/// Port files that clients read.
#[derive(Debug)]
pub struct Published(Vec<(PathBuf, File)>);

/// Port files that say nothing any more. Clients wait until this is dropped, and start a daemon of their own then.
#[derive(Debug)]
pub struct Withdrawn(#[expect(dead_code, reason = "it is kept open")] Vec<(PathBuf, File)>);

impl Claimed {
    /// Claims all of these files, or none.
    pub fn all(paths: &[PathBuf]) -> Result<Self, StartError> {
        let claim = |path: &PathBuf| Ok((path.clone(), claim(path)?));
        paths.iter().map(claim).collect::<Result<_, _>>().map(Self)
    }

    /// Lets clients read where the daemon listens, which it does already.
    pub fn publish(self, address: SocketAddr) -> Result<Published, StartError> {
        self.0.iter().try_for_each(|(path, file)| write(path, file, address))?;
        Ok(Published(self.0))
    }
}

fn claim(path: &Path) -> Result<File, StartError> {
    lock::make_above(path).map_err(StartError::system("make what is above", path))?;
    let above = path.parent().unwrap_or(Path::new("/"));
    let owner = fs::metadata(above).map_err(StartError::system("look at", above))?.uid();
    if owner != rustix::process::geteuid().as_raw() {
        return Err(StartError::PortOpen(above.to_owned()));
    }
    let file = match lock::take(path).map_err(StartError::system("lock", path))? {
        Taken::Ours(file) => file,
        Taken::Theirs(holder) => return Err(StartError::DuneRunning { port: path.to_owned(), holder }),
    };
    file.set_len(0).map_err(StartError::system("empty", path))?;
    Ok(file)
}

fn write(path: &Path, mut file: &File, address: SocketAddr) -> Result<(), StartError> {
    // Nothing else: a newline is an error to clients.
    let written = file.write_all(address.to_string().as_bytes());
    written.and_then(|()| lock::share(file)).map_err(StartError::system("write", path))
}

impl Published {
    /// Where clients read.
    pub fn paths(&self) -> impl Iterator<Item = &Path> {
        self.0.iter().map(|(path, _)| path.as_path())
    }

    /// Takes the locks once more, which clients may have made us drop. Whether all are still ours.
    #[must_use]
    pub fn renew(&self) -> bool {
        self.0.iter().all(|(_, file)| lock::renew(file, FlockOperation::NonBlockingLockShared))
    }

    /// Makes those files anew that somebody has cleared away. What hinders it hinders it until the next time.
    pub fn restore(&mut self, address: SocketAddr) -> Result<(), StartError> {
        for (path, file) in self.0.iter_mut().filter(|(path, file)| !lock::is_at(file, path)) {
            let new = claim(path)?;
            write(path, &new, address)?;
            *file = new;
        }
        Ok(())
    }

    /// Sends no more clients. What could not be emptied is told; the lock on it goes all the same in the end.
    pub fn withdraw(self) -> (Withdrawn, io::Result<()>) {
        let mut done = Ok(());
        for (_, file) in &self.0 {
            // Nobody but us has any lock on it, unless it was taken over: then it says where somebody else listens.
            if lock::unshare(file).is_ok() {
                done = done.and(file.set_len(0));
            }
        }
        (Withdrawn(self.0), done)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn all_files_say_the_address_and_nothing_else_and_are_empty_in_the_end() {
        let directory = tempfile::tempdir().unwrap();
        let paths = ["runtime/port", "v2/runtime/port"].map(|path| directory.path().join(path));
        fs::create_dir(directory.path().join("runtime")).unwrap();
        fs::write(&paths[0], "127.0.0.1:1234567890").unwrap();
        let claimed = Claimed::all(&paths).unwrap();
        assert_eq!(fs::metadata(&paths[0]).unwrap().len(), 0);
        let published = claimed.publish("127.0.0.1:5689".parse().unwrap()).unwrap();
        for path in &paths {
            // Only here, where the lock does not matter: reading drops it.
            assert_eq!(fs::read(path).unwrap(), b"127.0.0.1:5689");
        }
        published.withdraw().1.unwrap();
        assert!(paths.iter().all(|path| fs::read(path).unwrap().is_empty()));
    }

    /// Where the runtime directory was one that others may write to, another user's link sent the address over any file of
    /// this user's, which was emptied first.
    #[test]
    fn what_a_link_leads_to_is_not_written() {
        let directory = tempfile::tempdir().unwrap();
        let (precious, port) = (directory.path().join("precious"), directory.path().join("port"));
        fs::write(&precious, "precious").unwrap();
        symlink(&precious, &port).unwrap();
        assert!(Claimed::all(std::slice::from_ref(&port)).is_err());
        assert_eq!(fs::read(&precious).unwrap(), b"precious");
        assert!(lock::holder(&port).is_err());
    }

    /// A pipe in the place of a lock was waited for by whoever asked for its holder.
    #[test]
    fn what_is_no_file_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert!(lock::holder(&pipe).is_err() && lock::take(&pipe).is_err());
    }

    #[test]
    fn a_directory_of_another_user_gets_no_port_file() {
        let directory = tempfile::tempdir().unwrap();
        if std::os::unix::fs::chown(directory.path(), Some(12345), None).is_err() {
            std::io::stderr().write_all(b"SKIPPED: only root can give directories away\n").ok();
            return;
        }
        let claimed = Claimed::all(&[directory.path().join("port")]);
        assert!(matches!(claimed, Err(StartError::PortOpen(_))), "{claimed:?}");
    }
}
