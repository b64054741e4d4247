//! Looking at everything: are entries and objects what was added?
//!
//! Every byte of every entry and object is read. Damage is found by the digests, as it would be by whoever used the
//! entry next; here it is found before, and told.
//!
//! | found | [`Remedy::Tell`] | [`Remedy::SetAside`] | [`Remedy::Repair`] |
//! |---|---|---|---|
//! | an entry that is damaged, or whose object is missing or damaged | told | in quarantine | in quarantine |
//! | a damaged object | told | in quarantine | in quarantine |
//! | an object whose permissions were changed | told | told | given back |
//! | something in an entry's or object's place that is none | told | told | in quarantine |
//! | an index that is damaged, or disagrees with the entries | told | told | made anew |
//! | objects that no entry needs | | | gone |
//!
//! Others may work meanwhile: what they remove or replace is not damage. Memory that proves itself when it is read –
//! derivations, tables, journals – is not looked at.

use super::error::StoreError;
use super::file::{self, if_there};
use super::fold::Fold;
use super::format::{self, Header, ItemKind, Place};
use super::hash::{PassError, pass};
use super::layout::{PartitionId, object_mode, unsharded};
use super::ledger::ObjectId;
use super::{Partition, Store};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::key::Key;
use std::collections::HashSet;
use std::fmt;
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// What to do about what is found.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Remedy {
    /// Nothing.
    Tell,
    /// What is damaged goes into quarantine.
    SetAside,
    /// And everything else is put right too.
    Repair,
}

/// What was found.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Verified {
    /// How many entries were read.
    pub entries: u64,
    /// How many objects were read.
    pub objects: u64,
    /// How many bytes were read.
    pub bytes: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// The bytes of objects that no entry needed, which are gone.
    pub freed: u64,
    /// How many damaged files are in quarantine, from before too.
    pub quarantined: u64,
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub path: PathBuf,
    /// The key whose entry this is.
    pub key: Option<Key>,
    /// What.
    pub kind: FindingKind,
    /// Whether it was put right, damage by being set aside.
    pub remedied: bool,
}

/// What is wrong with something.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FindingKind {
    /// An entry's header is not what was written, or that of another key.
    Header,
    /// This content in an entry's file is not what was added.
    Content(usize),
    /// The object of this content is missing, or damaged.
    Object(usize),
    /// An object is not what was added.
    Differs,
    /// An object's permissions were changed.
    Mode,
    /// It is nothing of the cache.
    Foreign,
    /// An index is damaged.
    Index,
    /// An index disagrees with the entries.
    Disagrees {
        /// Entries that it does not know.
        unknown: u64,
        /// Entries that it knows and that are not there.
        gone: u64,
    },
}

impl FindingKind {
    /// Whether contents are lost: what was recorded will be run again.
    #[must_use]
    pub const fn is_damage(self) -> bool {
        matches!(self, Self::Header | Self::Content(_) | Self::Object(_) | Self::Differs)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header => f.write_str("the entry's header is not what was written"),
            Self::Content(index) => write!(f, "content {index} of the entry is not what was added"),
            Self::Object(index) => write!(f, "the object of content {index} is missing or damaged"),
            Self::Differs => f.write_str("the object is not what was added"),
            Self::Mode => f.write_str("the object's permissions were changed"),
            Self::Foreign => f.write_str("it is nothing of the cache"),
            Self::Index => f.write_str("the index is damaged"),
            Self::Disagrees { unknown, gone } => {
                write!(f, "the index does not know {unknown} entries, and knows {gone} that are not there")
            }
        }
    }
}

impl Store {
    /// Looks at everything; see the [module](self) for the outcomes. `progress` is told after each file how many bytes
    /// were read so far.
    ///
    /// Errors: the system refuses to read; nothing is set aside for that.
    pub fn verify(&self, remedy: Remedy, progress: &mut dyn FnMut(u64)) -> Result<Verified, StoreError> {
        let mut verifier =
            Verifier { store: self, remedy, progress, bad: HashSet::new(), verified: Verified::default() };
        // Objects first: the entries that need a damaged one are damaged too.
        verifier.objects()?;
        for id in self.partitions()? {
            verifier.partition(id)?;
        }
        let mut verified = verifier.verified;
        if remedy == Remedy::Repair {
            verified.freed = self.sweep_objects()?;
        }
        verified.quarantined = file::list(&self.layout().quarantine())?.len() as u64;
        Ok(verified)
    }
}

struct Verifier<'a> {
    store: &'a Store,
    remedy: Remedy,
    progress: &'a mut dyn FnMut(u64),
    /// Objects that proved damaged.
    bad: HashSet<ObjectId>,
    verified: Verified,
}

impl Verifier<'_> {
    fn objects(&mut self) -> Result<(), StoreError> {
        let directory = self.store.layout().objects();
        for (shard, is_directory) in file::list(&directory)? {
            let path = directory.join(&shard);
            if !is_directory {
                self.foreign(path)?;
                continue;
            }
            for (name, _) in file::list(&path)? {
                let path = path.join(&name);
                let named = name.split_once('-').and_then(|(hex, mode)| {
                    Some((unsharded(&shard, hex)?, u32::from_str_radix(mode, 8).ok()?))
                });
                match named.filter(|(digest, mode)| self.store.layout().object(*digest, *mode) == path) {
                    Some(id) => self.object(id, path)?,
                    None => self.foreign(path)?,
                }
            }
        }
        Ok(())
    }

    fn object(&mut self, id: ObjectId, path: PathBuf) -> Result<(), StoreError> {
        let examined = if_there(fs::symlink_metadata(&path)).map_err(StoreError::io("examine", &path))?;
        let Some(there) = examined else { return Ok(()) };
        if !there.is_file() {
            self.bad.insert(id);
            return self.damage(path, FindingKind::Differs, Identity::of(&there));
        }
        let opened = match if_there(file::open(&path)) {
            Ok(Some(opened)) => opened,
            Ok(None) => return Ok(()),
            // Somebody took its owner's permission to read it, through another link perhaps.
            Err(error) if error.kind() == ErrorKind::PermissionDenied && self.remedy == Remedy::Repair => {
                let made = fs::set_permissions(&path, Permissions::from_mode(id.1));
                made.map_err(StoreError::io("set the mode of", &path))?;
                self.find(path.clone(), None, FindingKind::Mode, true);
                file::open(&path).map_err(StoreError::io("open", &path))?
            }
            Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                self.find(path, None, FindingKind::Mode, false);
                return Ok(());
            }
            Err(error) => return Err(StoreError::io("open", path)(error)),
        };
        let metadata = opened.metadata().map_err(StoreError::io("examine", &path))?;
        let (digest, size) = match pass(&opened, metadata.len(), None) {
            Ok(read) => read,
            Err(PassError::Read(source) | PassError::Write(source)) => {
                return Err(StoreError::io("read", path)(source));
            }
        };
        self.verified.objects += 1;
        self.read(size);
        if digest != id.0 {
            self.bad.insert(id);
            return self.damage(path, FindingKind::Differs, Identity::of(&metadata));
        }
        if metadata.permissions().mode() & 0o7777 != id.1 {
            let remedied =
                self.remedy == Remedy::Repair && opened.set_permissions(Permissions::from_mode(id.1)).is_ok();
            self.find(path, None, FindingKind::Mode, remedied);
        }
        Ok(())
    }

    fn partition(&mut self, id: PartitionId) -> Result<(), StoreError> {
        let partition = self.store.partition(id);
        let directory = self.store.layout().entries(id);
        for (shard, is_directory) in file::list(&directory)? {
            let path = directory.join(&shard);
            if !is_directory {
                self.foreign(path)?;
                continue;
            }
            for (name, _) in file::list(&path)? {
                match unsharded(&shard, &name) {
                    Some(digest) => self.entry(&partition, Key::new(digest))?,
                    None => self.foreign(path.join(name))?,
                }
            }
        }
        self.index(&partition)
    }

    fn entry(&mut self, partition: &Partition, key: Key) -> Result<(), StoreError> {
        let path = self.store.layout().entry(partition.id(), key);
        let examined = if_there(fs::symlink_metadata(&path)).map_err(StoreError::io("examine", &path))?;
        let Some(there) = examined else { return Ok(()) };
        let (kind, identity) = if there.is_file() {
            let read = match if_there(file::read_whole(&path)) {
                // It was replaced by a shorter one while it was read, or is damaged: whoever looks next will know.
                Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(()),
                Err(error) if error.kind() == ErrorKind::PermissionDenied => {
                    Some((Vec::new(), Identity::of(&there)))
                }
                read => read.map_err(StoreError::io("read", &path))?,
            };
            let Some((bytes, identity)) = read else { return Ok(()) };
            self.verified.entries += 1;
            self.read(bytes.len() as u64);
            match format::decode(&bytes, bytes.len() as u64).ok().filter(|header| header.key == key) {
                Some(header) => (self.contents(&header, &bytes), identity),
                None => (Some(FindingKind::Header), identity),
            }
        } else {
            (Some(FindingKind::Header), Identity::of(&there))
        };
        let Some(kind) = kind else { return Ok(()) };
        // What was replaced or removed meanwhile is somebody's work, and no damage.
        let now = if_there(fs::symlink_metadata(&path)).map_err(StoreError::io("examine", &path))?;
        if now.is_none_or(|now| Identity::of(&now) != identity) {
            return Ok(());
        }
        let remedied = self.remedy >= Remedy::SetAside;
        if remedied {
            partition.quarantine(key, Some(identity))?;
        }
        self.find(path, Some(key), kind, remedied);
        Ok(())
    }

    /// What is wrong with an entry's contents.
    fn contents(&self, header: &Header, bytes: &[u8]) -> Option<FindingKind> {
        header.items.iter().enumerate().find_map(|(index, item)| match item.place {
            Place::Here(_) if item.kind == ItemKind::Directory => None,
            Place::Here(offset) => {
                let content = &bytes[offset..offset + item.size as usize];
                (Digest::of(content) != item.digest).then_some(FindingKind::Content(index))
            }
            Place::Object => {
                let id = (item.digest, object_mode(item.mode));
                let there = fs::symlink_metadata(self.store.layout().object(id.0, id.1));
                let right = there.is_ok_and(|there| there.is_file() && there.len() == item.size);
                (!right || self.bad.contains(&id)).then_some(FindingKind::Object(index))
            }
        })
    }

    fn index(&mut self, partition: &Partition) -> Result<(), StoreError> {
        let path = self.store.layout().index(partition.id());
        // Alone, so that no record is half written and no entry on its way.
        let alone = super::index::Index::open(partition, rustix::fs::FlockOperation::LockExclusive)?;
        let listed = partition.listed()?;
        let fold = Fold::read(&path)?.unwrap_or_default();
        drop(alone);
        let known = listed.iter().filter(|&&key| fold.get(key).is_some()).count() as u64;
        let (unknown, gone) = (listed.len() as u64 - known, fold.iter().count() as u64 - known);
        let kind = if fold.damaged {
            FindingKind::Index
        } else if unknown + gone > 0 {
            FindingKind::Disagrees { unknown, gone }
        } else {
            return Ok(());
        };
        let remedied = self.remedy == Remedy::Repair;
        if remedied {
            partition.reindex()?;
        }
        self.find(path, None, kind, remedied);
        Ok(())
    }

    fn damage(&mut self, path: PathBuf, kind: FindingKind, identity: Identity) -> Result<(), StoreError> {
        let remedied = self.remedy >= Remedy::SetAside;
        if remedied && is_still(&path, identity) {
            self.store.set_aside(&path)?;
        }
        self.find(path, None, kind, remedied);
        Ok(())
    }

    fn foreign(&mut self, path: PathBuf) -> Result<(), StoreError> {
        let remedied = self.remedy == Remedy::Repair;
        if remedied {
            self.store.set_aside(&path)?;
        }
        self.find(path, None, FindingKind::Foreign, remedied);
        Ok(())
    }

    fn find(&mut self, path: PathBuf, key: Option<Key>, kind: FindingKind, remedied: bool) {
        self.verified.findings.push(Finding { path, key, kind, remedied });
    }

    fn read(&mut self, bytes: u64) {
        self.verified.bytes += bytes;
        (self.progress)(self.verified.bytes);
    }
}

fn is_still(path: &Path, identity: Identity) -> bool {
    fs::symlink_metadata(path).is_ok_and(|there| Identity::of(&there) == identity)
}
