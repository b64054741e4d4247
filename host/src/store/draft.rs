//! What is given to be added, and what came of it.

use super::error::StoreError;
use super::format::ItemKind;
use crate::digest::Digest;
use crate::identity::Identity;
use crate::key::Name;
use std::path::{Path, PathBuf};

/// An entry to be added.
#[derive(Clone, Default, Debug)]
pub struct Draft<'a> {
    /// The name that a person gave to the entry.
    pub name: Option<&'a Name>,
    /// The metadata hunk.
    pub metadata: &'a [u8],
    /// The host's own remembered decoding of the hunk; it can be made again from it.
    pub remembered: &'a [u8],
    /// The companion that goes with the entry.
    pub companion: Option<Digest>,
    /// How many bytes the companion takes.
    pub companion_size: u64,
    /// How long the recorded run took, in nanoseconds.
    pub cost: u64,
    /// Whether the paths of the items tell where they belong under a root. Each is then named once, and is below
    /// directories only.
    pub manifest: bool,
    /// The contents, in order.
    pub items: Vec<DraftItem<'a>>,
}

/// A content to be added.
#[derive(Clone, Debug)]
pub struct DraftItem<'a> {
    /// Where it belongs, relative to the place that it is revived in; empty for a plain content.
    pub path: Vec<u8>,
    /// Where it is.
    pub content: Content<'a>,
    /// Permissions; `None` for those of the file that it is read from, `0o644` for bytes and `0o755` for a directory. Only
    /// `0o777` of them are kept: what comes from a cache never gains another's rights.
    pub mode: Option<u32>,
}

impl<'a> Draft<'a> {
    /// A draft of regular files in order, with their own permissions; symbolic links to them are followed.
    #[must_use]
    pub fn of_files(metadata: &'a [u8], sources: &[&'a Path]) -> Self {
        let item =
            |source: &&'a Path| DraftItem { path: Vec::new(), content: Content::Path(source), mode: None };
        Self { metadata, items: sources.iter().map(item).collect(), ..Self::default() }
    }
}

/// Where a content is.
#[derive(Clone, Copy, Debug)]
pub enum Content<'a> {
    /// In a regular file; symbolic links are followed.
    Path(&'a Path),
    /// Here.
    Bytes(&'a [u8]),
    /// It is a directory and has none.
    Directory,
    /// It is a symbolic link with this target.
    Link(&'a [u8]),
}

impl Content<'_> {
    /// What it is.
    #[must_use]
    pub const fn kind(&self) -> ItemKind {
        match self {
            Content::Path(_) | Content::Bytes(_) => ItemKind::File,
            Content::Directory => ItemKind::Directory,
            Content::Link(_) => ItemKind::Link,
        }
    }
}

/// What came of adding.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Added {
    /// The entry is there.
    Stored {
        /// How many bytes the cache grew by at most: contents that it had already are counted too.
        bytes: u64,
        /// What was read, in the order of the draft's items.
        items: Vec<ItemInfo>,
    },
    /// This source is absent; nothing was added and an older binding stays.
    SourceMissing(PathBuf),
}

/// A content that was added.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ItemInfo {
    /// The digest of its bytes; that of no bytes for a directory.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
    /// The identity of the file that it was read from, which it still had afterwards.
    pub identity: Option<Identity>,
}

/// Refuses whatever would lead out of the directory that a path is joined to.
pub(super) fn check_path(path: &[u8]) -> Result<(), StoreError> {
    let why = if path.is_empty() {
        return Ok(());
    } else if path.contains(&0) {
        "it holds a NUL"
    } else if path.starts_with(b"/") {
        "it is absolute"
    } else if path.split(|&byte| byte == b'/').any(|part| matches!(part, b"" | b"." | b"..")) {
        "it has an empty part, `.` or `..`"
    } else {
        return Ok(());
    };
    Err(StoreError::InvalidItem { path: String::from_utf8_lossy(path).into_owned(), why })
}
