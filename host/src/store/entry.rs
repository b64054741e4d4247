//! An entry that was found: its header is proved, its contents are proved when they are asked for. The bytes are drawn in
//! [`super::format`].

use super::Partition;
use super::error::StoreError;
use super::file;
use super::format::{Header, Item, Place};
use super::hash::{PassError, digest_of_bytes, pass};
use super::stage_error::{Damage, StageError};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::key::{Key, Name};
use crate::time::Timestamp;
use std::borrow::Cow;
use std::fs::File;
use std::io::{Cursor, Read};
use std::path::{Path, PathBuf};

/// An entry in memory: all but the contents that are objects. What becomes of its file later does not concern it.
#[derive(Debug)]
pub struct Entry {
    partition: Partition,
    header: Header,
    file: Vec<u8>,
    identity: Identity,
}

impl Entry {
    pub(super) const fn new(partition: Partition, header: Header, file: Vec<u8>, identity: Identity) -> Self {
        Self { partition, header, file, identity }
    }

    /// The key that it was found by.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.header.key
    }

    /// The name that a person gave to it.
    #[must_use]
    pub const fn name(&self) -> Option<&Name> {
        self.header.name.as_ref()
    }

    /// Whether the paths of its contents tell where they belong under a root.
    #[must_use]
    pub const fn is_manifest(&self) -> bool {
        self.header.manifest
    }

    /// The metadata hunk.
    #[must_use]
    pub fn metadata(&self) -> &[u8] {
        &self.file[self.header.metadata.clone()]
    }

    /// The host's remembered decoding of the hunk.
    #[must_use]
    pub fn remembered(&self) -> &[u8] {
        &self.file[self.header.remembered.clone()]
    }

    /// The companion that goes with it.
    #[must_use]
    pub const fn companion(&self) -> Option<Digest> {
        self.header.companion
    }

    /// How many bytes the companion was said to take.
    #[must_use]
    pub const fn companion_size(&self) -> u64 {
        self.header.companion_size
    }

    /// When it was added.
    #[must_use]
    pub const fn created(&self) -> Timestamp {
        self.header.created
    }

    /// How long the recorded run took, in nanoseconds.
    #[must_use]
    pub const fn cost(&self) -> u64 {
        self.header.cost
    }

    /// The contents, in the order in which they were added.
    #[must_use]
    pub fn items(&self) -> &[Item] {
        &self.header.items
    }

    /// The bytes of a content, verified. Those of a link are its target; a directory has none.
    ///
    /// A content that is missing or not what was added is [`StageError::Damaged`], and the entry is in quarantine then. An
    /// index that is not one of [`items`](Self::items) is the caller's mistake, and panics.
    pub fn bytes(&self, index: usize) -> Result<Cow<'_, [u8]>, StageError> {
        if let Some(here) = self.here(index)? {
            return Ok(Cow::Borrowed(here));
        }
        let (mut file, path) = self.open(index)?;
        let mut bytes = Vec::new();
        let read = file.read_to_end(&mut bytes).map_err(PassError::Read);
        self.judge(index, &path, read.map(|length| (digest_of_bytes(&bytes), length as u64)))?;
        Ok(Cow::Owned(bytes))
    }

    /// A reader of a content, all of which was verified first. Errors are those of [`bytes`](Self::bytes).
    pub fn reader(&self, index: usize) -> Result<Box<dyn Read + '_>, StageError> {
        if let Some(here) = self.here(index)? {
            return Ok(Box::new(Cursor::new(here)));
        }
        let (file, path) = self.open(index)?;
        self.judge(index, &path, pass(&file, self.header.items[index].size, None))?;
        Ok(Box::new(file))
    }

    /// The verified bytes of a content that lies in the entry's own file; `None` for one in an object.
    pub(super) fn here(&self, index: usize) -> Result<Option<&[u8]>, StageError> {
        let item = &self.header.items[index];
        let Place::Here(offset) = item.place else { return Ok(None) };
        let bytes = &self.file[offset..offset + item.size as usize];
        if self.partition.store().options().verify && Digest::of(bytes) != item.digest {
            return Err(self.damaged(Some(index), Damage::Differs, None));
        }
        Ok(Some(bytes))
    }

    /// The path of a content that is an object.
    pub(super) fn object(&self, index: usize) -> PathBuf {
        let item = &self.header.items[index];
        self.partition.store().layout().object(item.digest, item.mode)
    }

    /// Opens a content that is an object.
    pub(super) fn open(&self, index: usize) -> Result<(File, PathBuf), StageError> {
        let path = self.object(index);
        match file::if_there(file::open(&path)) {
            Ok(Some(file)) => Ok((file, path)),
            Ok(None) => Err(self.damaged(Some(index), Damage::Missing, None)),
            Err(error) if file::is_spoilt(&error) => {
                Err(self.damaged(Some(index), Damage::Differs, Some(&path)))
            }
            Err(source) => Err(StageError::destination("open", &path)(source)),
        }
    }

    /// Whether what was read of the object at `path` is what was added.
    pub(super) fn judge(
        &self,
        index: usize,
        path: &Path,
        read: Result<(Digest, u64), PassError>,
    ) -> Result<(), StageError> {
        let (digest, length) = match read {
            Ok(read) => read,
            Err(PassError::Read(source) | PassError::Write(source)) => {
                return Err(StageError::destination("read", path)(source));
            }
        };
        let item = &self.header.items[index];
        if (digest, length) == (item.digest, item.size) {
            return Ok(());
        }
        // An object that is what its name says is right, whatever an entry says of its size.
        let object = (digest != item.digest).then_some(path);
        Err(self.damaged(Some(index), Damage::Differs, object))
    }

    /// Takes this entry out of sight: no later lookup finds it, and its file is in `quarantine/`. What is bound to its key by now
    /// stays, if it is another one.
    pub fn set_aside(&self) -> Result<(), StoreError> {
        self.partition.quarantine(self.header.key, Some(self.identity))
    }

    /// Takes this entry, and the object that proved damaged, out of sight.
    pub(super) fn damaged(&self, item: Option<usize>, damage: Damage, object: Option<&Path>) -> StageError {
        // A quarantine that fails leaves a miss where it is; the next one who finds it tries again.
        drop(self.partition.quarantine(self.header.key, Some(self.identity)));
        if let Some(object) = object {
            drop(self.partition.set_aside(object));
        }
        StageError::Damaged { key: self.header.key, item, damage }
    }
}
