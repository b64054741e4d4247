//! The known digests of files in one process, across its operations, with what it cost to find them.
//!
//! * A digest counts only for the [`Identity`] that it was found under, and is kept only if that one was settled when the
//!   content was read: a file that changes later has another identity. So a process may live as long as it likes.
//! * A path has one digest, the latest. What was asked for and is gone stays known until it is [forgotten](Hashes::forget).

use crate::digest::Digest;
use crate::identity::Identity;
use rustc_hash::FxHashMap;
use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Digests of files by path and identity.
#[derive(Default, Debug)]
pub struct Hashes {
    known: RefCell<FxHashMap<Vec<u8>, (Identity, Digest)>>,
    read: Cell<u64>,
    spent: Cell<u64>,
}

impl Hashes {
    /// How many files have a known digest.
    #[must_use]
    pub fn len(&self) -> usize {
        self.known.borrow().len()
    }

    /// Whether no file has one.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.known.borrow().is_empty()
    }

    /// How often a content was read to be hashed; a known digest costs no reading.
    #[must_use]
    pub fn read(&self) -> u64 {
        self.read.get()
    }

    /// How long that took, by the clock that was given.
    #[must_use]
    pub fn spent(&self) -> Duration {
        Duration::from_nanos(self.spent.get())
    }

    /// All that is known, by path. A file may have changed since: its digest is not used then.
    #[must_use]
    pub fn known(&self) -> BTreeMap<PathBuf, Digest> {
        let known = self.known.borrow();
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        known.iter().map(|(bytes, (_, digest))| (path(bytes), *digest)).collect()
    }

    /// Forgets all digests, not what they cost.
    pub fn forget(&self) {
        self.known.borrow_mut().clear();
    }

    /// The digest of what has this identity at this path.
    pub(super) fn get(&self, path: &Path, identity: &Identity) -> Option<Digest> {
        let known = self.known.borrow();
        let (then, digest) = known.get(path.as_os_str().as_bytes())?;
        (then == identity).then_some(*digest)
    }

    /// Keeps the digest of what is settled.
    pub(super) fn put(&self, path: &Path, identity: Identity, digest: Digest) {
        self.known.borrow_mut().insert(path.as_os_str().as_bytes().to_vec(), (identity, digest));
    }

    /// Notes that a content was read, and how long that took in nanoseconds.
    pub(super) fn spend(&self, nanoseconds: u64) {
        self.read.set(self.read.get() + 1);
        self.spent.set(self.spent.get().saturating_add(nanoseconds));
    }
}
