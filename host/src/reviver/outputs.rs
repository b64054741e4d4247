//! What was made in an output directory, by a recorded run or by a revival: only that may a later revival remove.
//!
//! The file, one for each directory: `"RVOUTPUT" | digest of the rest | (relative path, digest of the content)…`. The
//! digest of a directory is that of nothing, the digest of a link that of its target.

use super::files::Files;
use super::remember::{check, checked};
use super::tree::Node;
use crate::bytes::{Reader, Writer};
use crate::digest::{Digest, Framer};
use crate::store::{Partition, Store, digest_of};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

const MAGIC: &[u8; 8] = b"RVOUTPUT";

/// Relative paths with the digests of what was made there.
pub type Made = BTreeMap<PathBuf, Digest>;

fn name(directory: &Path) -> Digest {
    Framer::new("reviver.output").bytes(directory.as_os_str().as_bytes()).finish()
}

/// What is known to have been made in a directory; nothing where nothing is known.
#[must_use]
pub fn load(store: &Store, partition: &Partition, directory: &Path) -> Made {
    let path = store.layout().output(partition.id(), name(directory));
    let read = || {
        let bytes = fs::read(path).ok()?;
        let mut from = Reader::new(check(MAGIC, &bytes).ok()?);
        let mut made = Made::new();
        while from.left() > 0 {
            let path = PathBuf::from(OsStr::from_bytes(from.bytes().ok()?));
            made.insert(path, Digest::new(from.array().ok()?));
        }
        Some(made)
    };
    read().unwrap_or_default()
}

/// Keeps what was made in a directory. Where that fails, a later revival removes less and warns of more.
pub fn keep(store: &Store, partition: &Partition, directory: &Path, made: &Made) {
    let mut out = Writer::default();
    for (path, digest) in made {
        out.bytes(path.as_os_str().as_bytes());
        out.raw(digest.as_bytes());
    }
    let path = store.layout().output(partition.id(), name(directory));
    store.publish(&path, &checked(MAGIC, &out.into_bytes())).ok();
}

/// Whether what is in a directory now is still what was made there.
#[must_use]
pub fn unchanged(files: &Files, path: &Path, node: &Node, made: Digest) -> bool {
    match node {
        Node::Directory => made == Digest::of(b""),
        Node::Link(target) => made == Digest::of(target.as_os_str().as_bytes()),
        Node::File(identity) => files
            .content(path, identity)
            .or_else(|_| File::open(path).and_then(|file| digest_of(&file, identity.size)))
            .is_ok_and(|digest| digest == made),
    }
}
