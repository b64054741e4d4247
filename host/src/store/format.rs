//! The bytes of an entry's file, version 1.
//!
//! Numbers are little-endian; *bytes* are a length of four bytes and that many bytes.
//!
//! ```text
//!    0  magic "RVENTRY1"                          8
//!    8  H, where the header ends                  4
//!   12  1 for a manifest, else 0                  4
//!   16  size of the whole file                    8
//!   24  key                                      32
//!   56  created, nanoseconds since the epoch      8
//!   64  cost, nanoseconds                         8
//!   72  size of the companion                     8
//!   80  name                                  bytes   empty for none
//!    .  metadata hunk                         bytes
//!    .  remembered decoding                   bytes
//!    .  companion                          1 or 33   0, or 1 and a digest
//!    .  number of items                           4
//!    .  for each item:
//!         path                                bytes
//!         kind                                    1   0 file here, 1 file in an object, 2 directory, 3 link
//!         mode                                    4
//!         size                                    8
//!         BLAKE3 digest of the content           32
//!    H  BLAKE3 digest of bytes 0 to H            32
//! H+32  contents of the items of kind 0 and 3, in order, without gaps, up to the end
//! ```
//!
//! The header's digest covers the contents' digests, so the whole file is proved once both are checked: the header when an
//! entry is found, a content when it is used.

use super::draft::check_path;
use super::error::StoreError;
use super::layout::object_mode;
use super::manifest::check_manifest;
use crate::bytes::{Malformed, Reader, Writer};
use crate::digest::Digest;
use crate::key::{Key, Name};
use crate::time::Timestamp;
use std::ops::Range;

/// How many bytes an entry's objects may have at most: more than file systems hold, and few enough to be added up.
pub(super) const LARGEST: u64 = 1 << 48;

const MAGIC: &[u8; 8] = b"RVENTRY1";

/// What a content is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ItemKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link; its content is its target.
    Link,
}

impl ItemKind {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::File, Self::Directory, Self::Link];

    /// What it is called, for people and on the wire.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Link => "link",
        }
    }
}

/// One content of an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Where it belongs, relative; empty for a plain content.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: ItemKind,
    /// Its permissions, at most `0o777`.
    pub mode: u32,
    /// How many bytes it has.
    pub size: u64,
    /// The digest of its bytes.
    pub digest: Digest,
    pub(super) place: Place,
}

impl Item {
    /// Whether its bytes are in an object.
    pub(super) const fn is_object(&self) -> bool {
        matches!(self.place, Place::Object)
    }
}

/// Where the bytes of a content are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// In the entry's file, from this offset on.
    Here(usize),
    /// In an object.
    Object,
}

/// All of an entry but its contents.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Header {
    pub(super) key: Key,
    pub(super) created: Timestamp,
    pub(super) cost: u64,
    pub(super) companion: Option<Digest>,
    pub(super) companion_size: u64,
    pub(super) name: Option<Name>,
    /// Whether the items are those of a manifest.
    pub(super) manifest: bool,
    /// Where in the file the metadata hunk is.
    pub(super) metadata: Range<usize>,
    /// Where in the file the remembered decoding is.
    pub(super) remembered: Range<usize>,
    pub(super) items: Vec<Item>,
    /// The size of the whole file.
    pub(super) size: u64,
}

impl Header {
    /// The objects that hold contents, each once, with their sizes.
    pub(super) fn objects(&self) -> Vec<(Digest, u32, u64)> {
        objects(&self.items)
    }
}

/// The objects that these items need, each once, with their sizes.
pub(super) fn objects(items: &[Item]) -> Vec<(Digest, u32, u64)> {
    let in_objects = items.iter().filter(|item| item.place == Place::Object);
    let mut objects: Vec<_> =
        in_objects.map(|item| (item.digest, object_mode(item.mode), item.size)).collect();
    objects.sort_unstable();
    objects.dedup();
    objects
}

/// What the bytes of a new entry are made from.
pub(super) struct Parts<'a> {
    pub(super) key: Key,
    pub(super) created: Timestamp,
    pub(super) draft: &'a super::draft::Draft<'a>,
    /// Items in order; their places say whether their bytes are among the contents.
    pub(super) items: &'a [Item],
    /// The contents that lie in the file, in order.
    pub(super) contents: &'a [u8],
}

/// The bytes of an entry's file.
pub(super) fn encode(parts: &Parts<'_>) -> Result<Vec<u8>, StoreError> {
    let Parts { key, created, draft, items, contents } = parts;
    let fits = |bytes: &[u8]| u32::try_from(bytes.len()).is_ok();
    if !fits(draft.metadata) || !fits(draft.remembered) || u32::try_from(items.len()).is_err() {
        return Err(StoreError::TooLarge);
    }
    let mut out = Writer::default();
    out.raw(MAGIC);
    // The two lengths are known at the end.
    out.raw(&[0; 16]);
    out.raw(key.digest().as_bytes());
    out.u64(created.0);
    out.u64(draft.cost);
    out.u64(draft.companion_size);
    out.text(draft.name.map_or("", Name::as_str));
    out.bytes(draft.metadata);
    out.bytes(draft.remembered);
    out.option(draft.companion.as_ref());
    out.u32(items.len() as u32);
    for item in *items {
        out.bytes(&item.path);
        out.u8(match (item.kind, item.place) {
            (ItemKind::File, Place::Here(_)) => 0,
            (ItemKind::File, Place::Object) => 1,
            (ItemKind::Directory, _) => 2,
            (ItemKind::Link, _) => 3,
        });
        out.u32(item.mode);
        out.u64(item.size);
        out.raw(item.digest.as_bytes());
    }
    let mut file = out.into_bytes();
    let end = file.len();
    let size = (end + Digest::SIZE + contents.len()) as u64;
    file[8..12].copy_from_slice(&u32::try_from(end).map_err(|_| StoreError::TooLarge)?.to_le_bytes());
    file[12] = u8::from(draft.manifest);
    file[16..24].copy_from_slice(&size.to_le_bytes());
    let check = Digest::of(&file);
    file.extend_from_slice(check.as_bytes());
    file.extend_from_slice(contents);
    Ok(file)
}

/// How many bytes from the start of a file prove its header, as its first twelve bytes tell.
pub(super) fn header_length(prefix: &[u8]) -> Result<usize, Malformed> {
    let mut from = Reader::new(prefix);
    if from.raw(MAGIC.len())? != MAGIC {
        return Err(Malformed { expected: "an entry of version 1" });
    }
    Ok(from.u32()? as usize + Digest::SIZE)
}

/// The header that a file starts with. `file` may end right behind it; `size` is that of the whole file.
pub(super) fn decode(file: &[u8], size: u64) -> Result<Header, Malformed> {
    let proved = header_length(file)?;
    let end = proved - Digest::SIZE;
    let (header, check) = file.get(..proved).ok_or(Malformed { expected: "the whole header" })?.split_at(end);
    if Digest::of(header).as_bytes() != check {
        return Err(Malformed { expected: "the digest of the header" });
    }
    let mut from = Reader::new(header);
    from.raw(12)?;
    let manifest = match from.u32()? {
        0 => false,
        1 => true,
        _ => return Err(Malformed { expected: "a plain entry or a manifest" }),
    };
    if from.u64()? != size {
        return Err(Malformed { expected: "a file as long as it says" });
    }
    let key = Key::new(Digest::new(from.array()?));
    let (created, cost, companion_size) = (Timestamp(from.u64()?), from.u64()?, from.u64()?);
    let name = match from.text()? {
        "" => None,
        name => Some(Name::new(name).map_err(|_| Malformed { expected: "a name" })?),
    };
    let metadata = range(&mut from, end)?;
    let remembered = range(&mut from, end)?;
    let companion = from.option()?;
    let number = from.u32()? as usize;
    let mut items = Vec::with_capacity(number.min(from.left() / 49));
    let mut offset = proved;
    for _ in 0..number {
        items.push(item(&mut from, &mut offset)?);
    }
    from.end()?;
    if offset as u64 != size {
        return Err(Malformed { expected: "contents as long as they say" });
    }
    let objects = objects(&items).iter().try_fold(0, |sum: u64, object| sum.checked_add(object.2));
    if objects.is_none_or(|objects| objects > LARGEST) {
        return Err(Malformed { expected: "objects that a file system can hold" });
    }
    if manifest && check_manifest(items.iter().map(|item| (item.path.as_slice(), item.kind))).is_err() {
        return Err(Malformed { expected: "the paths of a manifest" });
    }
    Ok(Header {
        key,
        created,
        cost,
        companion,
        companion_size,
        name,
        manifest,
        metadata,
        remembered,
        items,
        size,
    })
}

fn range(from: &mut Reader<'_>, end: usize) -> Result<Range<usize>, Malformed> {
    let length = from.bytes()?.len();
    let after = end - from.left();
    Ok(after - length..after)
}

fn item(from: &mut Reader<'_>, offset: &mut usize) -> Result<Item, Malformed> {
    let path = from.bytes()?.to_vec();
    check_path(&path).map_err(|_| Malformed { expected: "a relative path" })?;
    let kind = from.u8()?;
    let mode = from.u32()?;
    let size = from.u64()?;
    let digest = Digest::new(from.array()?);
    if mode > 0o777 {
        return Err(Malformed { expected: "permissions" });
    }
    let (kind, place) = match kind {
        0 => (ItemKind::File, Place::Here(*offset)),
        1 => (ItemKind::File, Place::Object),
        2 if size == 0 => (ItemKind::Directory, Place::Here(*offset)),
        3 => (ItemKind::Link, Place::Here(*offset)),
        _ => return Err(Malformed { expected: "a kind of content" }),
    };
    if place != Place::Object {
        let length = usize::try_from(size).ok();
        *offset = length
            .and_then(|length| offset.checked_add(length))
            .ok_or(Malformed { expected: "the size of a content" })?;
    }
    Ok(Item { path, kind, mode, size, digest, place })
}
