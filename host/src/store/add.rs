//! Adding an entry.
//!
//! | outcome | the cache afterwards |
//! |---|---|
//! | [`Added::Stored`] | the key is bound to the new entry, entirely |
//! | [`Added::SourceMissing`], error | as before, an older binding included; objects without an entry go with the next sweep |
//!
//! Nothing is synchronised to the disk: what a power failure tears is found by its digests and is absent then.

use super::Partition;
use super::draft::{Added, Content, Draft, DraftItem, ItemInfo, check_path};
use super::error::StoreError;
use super::file::{self, TmpFile};
use super::format::{self, Item, ItemKind, Parts, Place};
use super::index::{Index, Record};
use super::lock::Held;
use super::manifest::check_manifest;
use super::object;
use crate::digest::Digest;
use crate::identity::Identity;
use crate::key::Key;
use crate::time::Timestamp;
use rustix::fs::FlockOperation;
use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// What is gathered while the items of a draft are read.
#[derive(Default)]
struct Gathered {
    items: Vec<Item>,
    infos: Vec<ItemInfo>,
    contents: Vec<u8>,
    objects_held: Option<Held>,
}

impl Partition {
    /// Binds `key` to an entry made of `draft`, over what it was bound to; see the [module](self) for the outcomes.
    ///
    /// Errors: a source is no regular file, or changed while it was read; an item's path leads out of where it belongs; the
    /// system refuses, as with a full disk.
    pub fn add(&self, key: Key, draft: &Draft<'_>, now: Timestamp) -> Result<Added, StoreError> {
        self.store().writable(&self.store().layout().entry(self.id(), key))?;
        if draft.manifest {
            check_manifest(draft.items.iter().map(|item| (item.path.as_slice(), item.content.kind())))?;
        }
        let mut gathered = Gathered::default();
        for item in &draft.items {
            check_path(&item.path)?;
            if let Some(missing) = self.gather(item, &mut gathered)? {
                return Ok(Added::SourceMissing(missing));
            }
        }
        let Gathered { items, infos, contents, objects_held } = gathered;
        let bytes = format::encode(&Parts { key, created: now, draft, items: &items, contents: &contents })?;
        let tmp = TmpFile::of(self.store().layout(), &bytes)?;
        let record = Record::of_draft(key, draft, &items, bytes.len() as u64, now);

        // The record first: an entry that the index does not know would never be trimmed, whereas a record without an
        // entry is found out. Removals hold the index alone, so none comes between the two.
        let mut index = Index::create(self)?;
        index.append(&record)?;
        tmp.place(&self.store().layout().entry(self.id(), key))?;
        drop(objects_held);
        index.release(self);
        Ok(Added::Stored { bytes: record.size().saturating_add(draft.companion_size), items: infos })
    }

    /// Reads one item; the path of its source where that is absent.
    fn gather(&self, draft: &DraftItem<'_>, into: &mut Gathered) -> Result<Option<PathBuf>, StoreError> {
        let offset = into.contents.len();
        let is_small = |size: u64| size < object::THRESHOLD && offset as u64 + size <= object::INLINE;
        let usual = match draft.content {
            Content::Directory => 0o755,
            Content::Link(_) => 0o777,
            Content::Bytes(_) | Content::Path(_) => 0o644,
        };
        let mut mode = draft.mode.unwrap_or(usual) & 0o777;
        let mut identity = None;
        let (kind, place, digest, size) = match draft.content {
            Content::Directory => (ItemKind::Directory, Place::Here(offset), Digest::of(&[]), 0),
            Content::Link(target) => {
                into.contents.extend_from_slice(target);
                (ItemKind::Link, Place::Here(offset), Digest::of(target), target.len() as u64)
            }
            Content::Bytes(bytes) if is_small(bytes.len() as u64) => {
                into.contents.extend_from_slice(bytes);
                (ItemKind::File, Place::Here(offset), Digest::of(bytes), bytes.len() as u64)
            }
            Content::Bytes(bytes) => {
                self.hold_objects(into)?;
                let digest = object::add_bytes(self.store(), bytes, mode)?;
                (ItemKind::File, Place::Object, digest, bytes.len() as u64)
            }
            Content::Path(path) => {
                let Some((source, before)) = open_source(path)? else { return Ok(Some(path.to_owned())) };
                identity = Some(before);
                mode = draft.mode.unwrap_or(before.mode) & 0o777;
                if is_small(before.size) {
                    read_small(&source, path, before, &mut into.contents)?;
                    let digest = Digest::of(&into.contents[offset..]);
                    (ItemKind::File, Place::Here(offset), digest, before.size)
                } else {
                    self.hold_objects(into)?;
                    let digest = object::add_file(self.store(), &source, path, before, mode)?;
                    (ItemKind::File, Place::Object, digest, before.size)
                }
            }
        };
        into.items.push(Item { path: draft.path.clone(), kind, mode, size, digest, place });
        into.infos.push(ItemInfo { digest, size, identity });
        Ok(None)
    }

    fn hold_objects(&self, gathered: &mut Gathered) -> Result<(), StoreError> {
        if gathered.objects_held.is_none() {
            gathered.objects_held = Some(self.store().hold("objects", FlockOperation::LockShared)?);
        }
        Ok(())
    }
}

fn open_source(path: &Path) -> Result<Option<(File, Identity)>, StoreError> {
    // Without blocking, because a named pipe would keep us waiting for a writer before we could see what it is.
    let flags = rustix::fs::OFlags::RDONLY | rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::CLOEXEC;
    let opened = rustix::fs::open(path, flags, rustix::fs::Mode::empty()).map_err(std::io::Error::from);
    let Some(source) = file::if_there(opened).map_err(|error| match error.raw_os_error() {
        // So the system says of a socket.
        Some(code) if code == rustix::io::Errno::NXIO.raw_os_error() => {
            StoreError::SourceKind { path: path.to_owned() }
        }
        _ => StoreError::io("open", path)(error),
    })?
    else {
        return Ok(None);
    };
    let source = File::from(source);
    let identity = Identity::of(&source.metadata().map_err(StoreError::io("examine", path))?);
    if !identity.is_file() {
        return Err(StoreError::SourceKind { path: path.to_owned() });
    }
    Ok(Some((source, identity)))
}

/// Appends a small content, which must be the same file of the same size afterwards, and as long as that size says: what the
/// kernel makes up for `/proc` is not.
fn read_small(
    mut source: &File,
    path: &Path,
    before: Identity,
    contents: &mut Vec<u8>,
) -> Result<(), StoreError> {
    let start = contents.len();
    // One byte more than there should be, to see that there is none.
    contents.reserve(before.size as usize + 1);
    let read = source.by_ref().take(before.size + 1).read_to_end(contents);
    read.map_err(StoreError::io("read", path))?;
    let after = source.metadata().map_err(StoreError::io("examine", path))?;
    if Identity::of(&after) == before && (contents.len() - start) as u64 == before.size {
        Ok(())
    } else {
        Err(StoreError::SourceChanged { path: path.to_owned() })
    }
}
