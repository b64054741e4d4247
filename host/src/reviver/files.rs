//! What lies in the file system, asked for once in an operation and hashed once in a file's life.
//!
//! A content's digest is kept across runs under the file's path and [`Identity`], and only if that identity was settled
//! when the content was read: otherwise a change within the same tick of the kernel's clock could hide behind it.
//!
//! | asked | answer | error |
//! |---|---|---|
//! | [`Files::identity`] | what is there, links followed; `None` if nothing is (`ENOENT`, `ENOTDIR`) | anything else |
//! | [`Files::content`] | the digest of a regular file | unreadable, or changed while it was read |
//! | [`Files::names`] | the names in a directory; `None` if there is none | unreadable |

use super::hashes::Hashes;
use super::table::Table;
use crate::digest::{Digest, Framer};
use crate::identity::Identity;
use crate::store::digest_of;
use crate::time::{Clock, Timestamp};
use rustc_hash::{FxBuildHasher, FxHashMap, FxHashSet};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The names in a directory.
pub type Names = FxHashSet<OsString>;

/// What was at each path that was looked at.
pub type Seen = BTreeMap<PathBuf, Option<Identity>>;

/// The file system as one operation sees it, at one moment: every path is looked at once and the answer kept.
pub struct Files {
    table: Rc<Table>,
    hashes: Rc<Hashes>,
    clock: Rc<dyn Clock>,
    /// When the first look was possible: what was not settled then may have been read before it changed once more.
    since: Timestamp,
    // By the bytes of the path: comparing paths part by part costs more than all else in a hit.
    identities: RefCell<FxHashMap<Vec<u8>, Option<Identity>>>,
    contents: RefCell<FxHashMap<Vec<u8>, Digest>>,
    names: RefCell<FxHashMap<Vec<u8>, Option<Rc<Names>>>>,
    /// What was at each path that was only [noted](Files::note).
    noted: RefCell<Seen>,
    /// The directories that were [walked](Files::walks) through.
    walked: RefCell<FxHashSet<PathBuf>>,
}

impl std::fmt::Debug for Files {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Files").field("identities", &self.identities.borrow().len()).finish_non_exhaustive()
    }
}

impl Files {
    /// A fresh look at the file system, with the digests that `table` remembers.
    #[must_use]
    pub fn new(table: Rc<Table>, clock: Rc<dyn Clock>) -> Self {
        Self::counted(table, Rc::default(), clock)
    }

    /// A fresh look, with the digests that a process keeps across its operations too.
    #[must_use]
    pub fn counted(table: Rc<Table>, hashes: Rc<Hashes>, clock: Rc<dyn Clock>) -> Self {
        let (contents, names, noted, walked) = Default::default();
        // As many as a usual compilation looks at: growing would move them several times.
        let identities = RefCell::new(FxHashMap::with_capacity_and_hasher(200, FxBuildHasher));
        let since = clock.now();
        Self { table, hashes, clock, since, identities, contents, names, noted, walked }
    }

    /// A moment before all looks.
    #[must_use]
    pub const fn since(&self) -> Timestamp {
        self.since
    }

    /// What is at `path`, links followed.
    pub fn identity(&self, path: &Path) -> io::Result<Option<Identity>> {
        if let Some(known) = self.identities.borrow().get(bytes(path)) {
            return Ok(*known);
        }
        let identity = absent_is_none(fs::metadata(path))?.map(|metadata| Identity::of(&metadata));
        self.identities.borrow_mut().insert(bytes(path).to_vec(), identity);
        Ok(identity)
    }

    /// The digest of the regular file at `path`, which has this identity.
    pub fn content(&self, path: &Path, identity: &Identity) -> io::Result<Digest> {
        if let Some(known) = self.contents.borrow().get(bytes(path)) {
            return Ok(*known);
        }
        let digest = match self.hashes.get(path, identity) {
            Some(digest) => digest,
            None => self.look_up(path, identity)?,
        };
        self.contents.borrow_mut().insert(bytes(path).to_vec(), digest);
        Ok(digest)
    }

    /// The names in the directory at `path`.
    pub fn names(&self, path: &Path) -> io::Result<Option<Rc<Names>>> {
        if let Some(known) = self.names.borrow().get(bytes(path)) {
            return Ok(known.clone());
        }
        self.note(path);
        let names = match absent_is_none(fs::read_dir(path))? {
            None => None,
            Some(entries) => {
                Some(Rc::new(entries.map(|entry| Ok(entry?.file_name())).collect::<io::Result<Names>>()?))
            }
        };
        self.names.borrow_mut().insert(bytes(path).to_vec(), names.clone());
        Ok(names)
    }

    /// Notes what is at a path, before what hangs on it is read: the names in a directory, what a link leads to.
    pub fn note(&self, path: &Path) {
        if self.identities.borrow().contains_key(bytes(path)) {
            return;
        }
        // What cannot be looked at is not looked at then.
        if let Ok(there) = absent_is_none(fs::metadata(path)) {
            let identity = there.map(|metadata| Identity::of(&metadata));
            self.noted.borrow_mut().entry(path.to_owned()).or_insert(identity);
        }
    }

    /// Says that all that is in a directory is about to be looked at.
    pub fn walks(&self, directory: &Path) {
        self.identity(directory).ok();
        self.walked.borrow_mut().insert(directory.to_owned());
    }

    /// Whether all that is in a directory was looked at.
    #[must_use]
    pub fn has_walked(&self, directory: &Path) -> bool {
        self.walked.borrow().contains(directory)
    }

    /// The time now.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// All that was looked at so far.
    #[must_use]
    pub fn seen(&self) -> Seen {
        let identities = self.identities.borrow();
        identities.iter().map(|(path, seen)| (PathBuf::from(OsStr::from_bytes(path)), *seen)).collect()
    }

    /// The same, and what was noted: a name that comes or goes changes its directory.
    #[must_use]
    pub fn seen_and_noted(&self) -> Seen {
        let mut seen = self.noted.borrow().clone();
        seen.extend(self.seen());
        seen
    }

    /// The digest as other processes found it, else as it is now.
    fn look_up(&self, path: &Path, identity: &Identity) -> io::Result<Digest> {
        let question = question(path, identity);
        let Some(digest) = self.table.get(question) else { return self.hash(path, identity, question) };
        // What is in the table was settled when it was put there.
        self.hashes.put(path, *identity, digest);
        Ok(digest)
    }

    /// Reads and hashes a file through one descriptor, and keeps the digest if the file surely was what it is now.
    fn hash(&self, path: &Path, identity: &Identity, question: Digest) -> io::Result<Digest> {
        let file = File::open(path)?;
        let before = self.clock.now();
        let digest = digest_of(&file, identity.size)?;
        self.hashes.spend(self.clock.now().0.saturating_sub(before.0));
        let after = Identity::of(&file.metadata()?);
        if after != *identity {
            return Err(io::Error::new(io::ErrorKind::ResourceBusy, "the file changed while it was read"));
        }
        if after.settled(before) {
            self.table.put(question, digest, before);
            self.hashes.put(path, after, digest);
        }
        Ok(digest)
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// An answer whose subject is absent is no error.
pub fn absent_is_none<T>(answer: io::Result<T>) -> io::Result<Option<T>> {
    match answer {
        Ok(value) => Ok(Some(value)),
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

fn question(path: &Path, identity: &Identity) -> Digest {
    let mut framer = Framer::new("reviver.file");
    framer.bytes(path.as_os_str().as_bytes());
    framer.number(identity.device).number(identity.inode).number(identity.mode.into()).number(identity.size);
    framer.number(identity.mtime.cast_unsigned()).number(identity.ctime.cast_unsigned());
    framer.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::SystemTime;

    fn now() -> Timestamp {
        Timestamp::of(SystemTime::now())
    }

    fn content(table: &Rc<Table>, clock: fn() -> Timestamp, path: &Path) -> Digest {
        let files = Files::new(Rc::clone(table), Rc::new(clock));
        let identity = files.identity(path).unwrap().unwrap();
        files.content(path, &identity).unwrap()
    }

    /// A file of equal size written within one tick of the kernel's clock has an equal identity; a digest that was kept
    /// for the first content would be wrong for the second, for ever.
    #[test]
    fn quick_rewrites_of_equal_size_are_never_hidden() {
        let directory = tempfile::tempdir().unwrap();
        let (path, table) = (directory.path().join("f"), Rc::new(Table::new(directory.path().join("t"))));
        for round in 0..500_u32 {
            fs::write(&path, round.to_le_bytes()).unwrap();
            assert_eq!(content(&table, now, &path), Digest::of(&round.to_le_bytes()), "round {round}");
        }
    }

    #[test]
    fn a_settled_file_is_read_once() {
        let directory = tempfile::tempdir().unwrap();
        let (path, table) = (directory.path().join("f"), Rc::new(Table::new(directory.path().join("t"))));
        fs::write(&path, "x").unwrap();
        let later = || Timestamp(now().0 + 1_000_000_000);
        assert_eq!(content(&table, later, &path), Digest::of(b"x"));
        let identity = Identity::of(&fs::metadata(&path).unwrap());
        assert_eq!(table.get(question(&path, &identity)), Some(Digest::of(b"x")));
    }

    #[test]
    fn what_is_not_there_is_absent_and_what_cannot_be_seen_is_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let table = Rc::new(Table::new(directory.path().join("t")));
        fs::write(directory.path().join("f"), "x").unwrap();
        let files = Files::new(table, Rc::new(now));
        for absent in ["g", "f/x", "d/e/f"] {
            assert_eq!(files.identity(&directory.path().join(absent)).unwrap(), None, "{absent}");
            assert!(files.names(&directory.path().join(absent)).unwrap().is_none(), "{absent}");
        }
        assert!(files.identity(Path::new("/nul\0")).is_err());
    }
}
