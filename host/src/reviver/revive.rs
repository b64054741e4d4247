//! Reviving: an entry becomes what a run wrote.
//!
//! | state | outcome | the file system afterwards |
//! |---|---|---|
//! | all contents verified, all destinations writable | revived | every write as recorded, with the present as its time; in a directory, what an earlier run or revival made there and this one did not is gone, what is foreign stays and is named |
//! | the entry is damaged, or not one of this derivation; a link lies where a file belongs, and the command may write through it | `None` | untouched |
//! | a destination refuses | error | untouched: those already renamed were put back |

use super::files::Files;
use super::outputs::{self, Made};
use super::record::revived_mode;
use super::tree::{Node, walk};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::operation::{Derivation, WriteKind};
use crate::store::{Entry, Item, ItemKind, Partition, StageError, Staging, Store, may_touch, set_modes};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Where things are revived.
#[derive(Debug)]
pub struct Reviving<'a> {
    /// The cache.
    pub store: &'a Store,
    /// The repository's partition.
    pub partition: &'a Partition,
    /// The file system as it is now.
    pub files: &'a Files,
    /// The bits that new files lack.
    pub umask: u32,
}

/// What was revived.
#[derive(Debug, Default)]
pub struct Revived {
    /// Paths in output directories that neither this nor an earlier revival made.
    pub foreign: Vec<PathBuf>,
}

impl Reviving<'_> {
    /// Makes what the entry holds, at these places of the derivation's writes.
    pub fn revive(
        &self,
        entry: &Entry,
        derivation: &Derivation,
        places: &[PathBuf],
    ) -> Result<Option<Revived>, StageError> {
        let Some(targets) = targets(entry, derivation, places) else { return Ok(None) };
        let destinations: Vec<_> = targets.iter().map(|(top, relative)| join(top, relative)).collect();
        let there: Vec<_> = destinations.iter().map(|path| fs::symlink_metadata(path).ok()).collect();
        let mut each = entry.items().iter().zip(&there);
        if each.any(|(item, there)| {
            item.kind == ItemKind::File && there.as_ref().is_some_and(Metadata::is_symlink)
        }) {
            return Ok(None);
        }
        let mut staging = Staging::new(self.store);
        let mut revived = Revived::default();
        let directories = directories(entry, &targets);
        // Before anything of ours is staged there.
        for (directory, made) in &directories {
            self.clear(&mut staging, directory, made, &mut revived);
        }
        self.put(staging, entry, &destinations, &there)?;
        for (directory, made) in &directories {
            outputs::keep(self.store, self.partition, directory, made);
        }
        Ok(Some(revived))
    }

    /// Stages each content of the entry at its destination, where this is, and puts all that is staged in place.
    pub(super) fn put(
        &self,
        mut staging: Staging<'_>,
        entry: &Entry,
        destinations: &[PathBuf],
        there: &[Option<Metadata>],
    ) -> Result<(), StageError> {
        let (mut created, mut files) = (Vec::new(), Vec::new());
        for (index, (item, destination)) in entry.items().iter().zip(destinations).enumerate() {
            match item.kind {
                ItemKind::Directory => {
                    if !there[index].as_ref().is_some_and(Metadata::is_dir) {
                        staging.directory(destination)?;
                        created.push((destination.clone(), revived_mode(item.mode, self.umask)));
                    }
                }
                ItemKind::Link => {
                    let target = entry.bytes(index)?;
                    let same =
                        fs::read_link(destination).is_ok_and(|now| now.as_os_str().as_bytes() == &*target);
                    if !same {
                        staging.link(destination, &target)?;
                    }
                }
                ItemKind::File => {
                    let mode = revived_mode(item.mode, self.umask);
                    if self.is_right(item, destination, there[index].as_ref(), mode) {
                        staging.touch(destination);
                    } else {
                        files.push((index, destination.as_path(), mode));
                    }
                }
            }
        }
        staging.files(entry, &files)?;
        staging.commit()?;
        // Only now: one that may not be written to has been filled.
        set_modes(&created);
        Ok(())
    }

    /// Whether the right file is there: then it only gets the present time.
    fn is_right(&self, item: &Item, destination: &Path, there: Option<&Metadata>, mode: u32) -> bool {
        let Some(metadata) = there else { return false };
        let there = Identity::of(metadata);
        let alike = there.is_file() && there.size == item.size && there.mode & 0o7777 == mode;
        let alike = alike && may_touch(metadata);
        alike && self.files.content(destination, &there).is_ok_and(|content| content == item.digest)
    }

    /// Stages the removal of what an earlier run or revival made in a directory, is unchanged, and is no longer made.
    fn clear(&self, staging: &mut Staging<'_>, directory: &Path, made: &Made, revived: &mut Revived) {
        // What cannot be looked at is neither removed nor named; what is to be made there will tell.
        let Ok(Some(nodes)) = walk(directory) else { return };
        let earlier = outputs::load(self.store, self.partition, directory);
        // Deepest first, so that a directory is empty when its turn comes.
        for (name, node) in nodes.iter().rev().filter(|(name, _)| !made.contains_key(name)) {
            let path = directory.join(name);
            let ours =
                earlier.get(name).is_some_and(|made| outputs::unchanged(self.files, &path, node, *made));
            if ours {
                staging.remove(&path);
            } else if *node != Node::Directory {
                revived.foreign.push(path);
            }
        }
    }
}

/// The output directories, with what is made in each.
pub(super) fn directories(entry: &Entry, targets: &[(PathBuf, PathBuf)]) -> BTreeMap<PathBuf, Made> {
    let mut directories: BTreeMap<PathBuf, Made> = BTreeMap::new();
    for ((top, relative), item) in targets.iter().zip(entry.items()) {
        if relative.as_os_str().is_empty() {
            if item.kind == ItemKind::Directory {
                directories.entry(top.clone()).or_default();
            }
        } else {
            directories.entry(top.clone()).or_default().insert(relative.clone(), item.digest);
        }
    }
    directories
}

pub(super) fn join(top: &Path, relative: &Path) -> PathBuf {
    if relative.as_os_str().is_empty() { top.to_owned() } else { top.join(relative) }
}

/// For each item the place of its write and the path below it; `None` where the entry is not one of this derivation.
pub(super) fn targets(
    entry: &Entry,
    derivation: &Derivation,
    places: &[PathBuf],
) -> Option<Vec<(PathBuf, PathBuf)>> {
    let mut seen = vec![false; places.len()];
    let mut targets = Vec::with_capacity(entry.items().len());
    for item in entry.items() {
        let mut parts = item.path.splitn(2, |byte| *byte == b'/');
        let (label, rest) = (parts.next()?, parts.next().unwrap_or_default());
        let write = derivation.writes.iter().position(|write| write.label.as_bytes() == label)?;
        let directory = item.kind == ItemKind::Directory || !rest.is_empty();
        let wrong = if directory { WriteKind::File } else { WriteKind::Directory };
        if derivation.writes[write].kind == wrong {
            return None;
        }
        seen[write] = true;
        targets.push((places[write].clone(), PathBuf::from(OsStr::from_bytes(rest))));
    }
    let complete = derivation.writes.iter().zip(seen).all(|(write, seen)| seen || write.optional);
    complete.then_some(targets)
}

/// What a run made in its output directories, for later revivals.
pub fn keep_made(store: &Store, partition: &Partition, tops: &[PathBuf], parts: &[(PathBuf, Digest)]) {
    for top in tops {
        let below = parts.iter().filter_map(|(place, digest)| {
            let name = place.strip_prefix(top).ok()?;
            (!name.as_os_str().is_empty()).then(|| (name.to_owned(), *digest))
        });
        outputs::keep(store, partition, top, &below.collect());
    }
}
