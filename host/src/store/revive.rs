//! Reviving an entry as files, for whoever holds its key.
//!
//! | outcome | when | the file system afterwards |
//! |---|---|---|
//! | `Some` | the key is bound and intact | every file has the content and the permissions that were added, and the present time; a directory that was there keeps its own; missing ones above are made as the umask has it |
//! | `None` | it is unbound, is bound to another number of contents, or is damaged – and in quarantine then | untouched |
//! | error | a destination is a directory, lies below something else, or refuses | untouched, but for [`StageError::NotPutBack`] |
//!
//! A destination that is a symbolic link is replaced, not followed. Where two files have one destination the later is
//! there in the end.

use super::Partition;
use super::entry::Entry;
use super::error::StoreError;
use super::format::ItemKind;
use super::hash::digest_of;
use super::stage_error::StageError;
use super::staging::Staging;
use crate::key::Key;
use crate::time::Timestamp;
use std::collections::HashSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File, Metadata, Permissions};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf, absolute};

/// What was revived.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revived {
    /// The metadata hunk.
    pub metadata: Vec<u8>,
    /// The destinations, in the order of the entry's contents.
    pub paths: Vec<PathBuf>,
}

/// Nothing could be revived, though the key may be bound.
#[derive(Debug)]
#[non_exhaustive]
pub enum ReviveError {
    /// The cache could not be read.
    Store(StoreError),
    /// A destination could not be written.
    Stage(StageError),
}

impl Partition {
    /// Makes each content of an entry the file at the destination in the same place of the list; see the [module](self) for
    /// the outcomes.
    pub fn revive(
        &self,
        key: Key,
        destinations: &[&Path],
        now: Timestamp,
    ) -> Result<Option<Revived>, ReviveError> {
        let Some(entry) = self.find(key)? else { return Ok(None) };
        if entry.items().len() != destinations.len() {
            return Ok(None);
        }
        self.revive_entry(&entry, destinations, 0, now)
    }

    /// Makes everything that a manifest names, under `root`; `None` for a plain entry too. See the [module](self) for
    /// the outcomes.
    ///
    /// A link below `root` on the way to a destination is an error: nothing is written outside of the root.
    pub fn manifest_revive(
        &self,
        key: Key,
        root: &Path,
        now: Timestamp,
    ) -> Result<Option<Revived>, ReviveError> {
        let Some(entry) = self.find(key)?.filter(Entry::is_manifest) else { return Ok(None) };
        let places: Vec<PathBuf> =
            entry.items().iter().map(|item| root.join(OsStr::from_bytes(&item.path))).collect();
        refuse_detours(root, &entry, &places)?;
        let destinations: Vec<&Path> = places.iter().map(PathBuf::as_path).collect();
        self.revive_entry(&entry, &destinations, 0, now)
    }

    /// Does the same with an entry that was found, whose contents are as many as the destinations. `umask` is taken off
    /// the permissions, as a run's are recorded without it; 0 leaves them as they were added.
    pub fn revive_entry(
        &self,
        entry: &Entry,
        destinations: &[&Path],
        umask: u32,
        now: Timestamp,
    ) -> Result<Option<Revived>, ReviveError> {
        let mut staging = Staging::new(self.store());
        let created = match stage(&mut staging, entry, destinations, umask) {
            Err(error) if error.is_damage() => return Ok(None),
            created => created?,
        };
        // Whoever runs a command that writes there must not take this for what that command wrote.
        let disturb =
            |path: &&Path| self.store().disturb_path(&absolute(path).unwrap_or_else(|_| path.to_path_buf()));
        let disturbances: Vec<_> = destinations.iter().map(disturb).collect();
        staging.commit()?;
        drop(disturbances);
        set_modes(&created);
        // A use that cannot be noted makes the entry look older, and costs a miss at worst.
        drop(self.used(entry.key(), now));
        let paths = destinations.iter().map(|path| path.to_path_buf()).collect();
        Ok(Some(Revived { metadata: entry.metadata().to_vec(), paths }))
    }
}

/// Stages all contents, and gives the directories that are made for it, with their permissions.
fn stage(
    staging: &mut Staging<'_>,
    entry: &Entry,
    destinations: &[&Path],
    umask: u32,
) -> Result<Vec<(PathBuf, u32)>, StageError> {
    let (mut created, mut files) = (Vec::new(), Vec::new());
    let there: Vec<_> = destinations.iter().map(|path| fs::symlink_metadata(path).ok()).collect();
    // What is there for one of two contents is not there any more once the other has come, by whatever path.
    let mut files_there = HashSet::new();
    let distinct = there.iter().flatten().all(|there| files_there.insert((there.dev(), there.ino())));
    for (index, (item, &destination)) in entry.items().iter().zip(destinations).enumerate() {
        let mode = item.mode & !umask;
        match item.kind {
            ItemKind::File
                if distinct && is_right(entry, index, destination, there[index].as_ref(), mode)? =>
            {
                staging.touch(destination);
            }
            ItemKind::File => files.push((index, destination, mode)),
            ItemKind::Link => staging.link(destination, &entry.bytes(index)?)?,
            ItemKind::Directory => {
                if there[index].is_none() {
                    created.push((destination.to_owned(), mode));
                }
                staging.directory(destination)?;
            }
        }
    }
    staging.files(entry, &files)?;
    Ok(created)
}

/// Whether what is at a destination is right already: then it only gets the present time, which is sooner done than to make
/// it anew.
fn is_right(
    entry: &Entry,
    index: usize,
    destination: &Path,
    there: Option<&Metadata>,
    mode: u32,
) -> Result<bool, StageError> {
    let item = &entry.items()[index];
    let alike = |there: &Metadata| {
        there.is_file()
            && there.len() == item.size
            && there.permissions().mode() & 0o7777 == mode
            // Another name of it may be in the cache, or be meant to keep what it has.
            && there.nlink() == 1
            && may_touch(there)
    };
    // Whatever cannot be looked at is made anew, or tells then what is wrong with it.
    if !there.is_some_and(alike) {
        return Ok(false);
    }
    let Ok(file) = File::open(destination) else { return Ok(false) };
    Ok(match entry.here(index)? {
        Some(bytes) => {
            let mut there = vec![0; bytes.len()];
            file.read_exact_at(&mut there, 0).is_ok() && there == bytes
        }
        None => digest_of(&file, item.size).is_ok_and(|digest| digest == item.digest),
    })
}

/// Whether this process can give a file the present time, which is its owner's right: another's can only be replaced.
pub(crate) fn may_touch(there: &Metadata) -> bool {
    let user = rustix::process::geteuid();
    user.is_root() || user.as_raw() == there.uid()
}

/// Gives directories that were just made and filled their permissions, the deepest first for those that may not be entered.
/// What is in them is right, whoever may see it: one that refuses stays as it is.
pub(crate) fn set_modes(created: &[(PathBuf, u32)]) {
    for (directory, mode) in created.iter().rev() {
        let right =
            fs::symlink_metadata(directory).is_ok_and(|there| there.permissions().mode() & 0o777 == *mode);
        if !right {
            drop(fs::set_permissions(directory, Permissions::from_mode(*mode)));
        }
    }
}

/// Refuses a root in which a link leads elsewhere where a directory is to be.
fn refuse_detours(root: &Path, entry: &Entry, places: &[PathBuf]) -> Result<(), StageError> {
    let mut known = HashSet::new();
    for (item, place) in entry.items().iter().zip(places) {
        let itself = (item.kind == ItemKind::Directory).then_some(place.as_path());
        let above = place.ancestors().skip(1).take_while(|above| *above != root);
        for directory in itself.into_iter().chain(above) {
            if known.insert(directory.to_owned()) && directory.is_symlink() {
                return Err(StageError::NotADirectory { path: directory.to_owned() });
            }
        }
    }
    Ok(())
}

impl From<StoreError> for ReviveError {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

impl From<StageError> for ReviveError {
    fn from(error: StageError) -> Self {
        Self::Stage(error)
    }
}

impl fmt::Display for ReviveError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Store(error) => error.fmt(f),
            Self::Stage(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ReviveError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Store(error) => error.source(),
            Self::Stage(error) => error.source(),
        }
    }
}
