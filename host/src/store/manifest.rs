//! Manifests: contents with the places where they belong under a root.
//!
//! What is at each given path is gathered: a regular file with its content, a symbolic link as a link, a directory with all
//! that is below it, in order, empty directories too. The paths of a manifest are relative, each is named once, and is below
//! directories only; so whatever is revived from one stays under its root.
//!
//! | outcome of [`Partition::manifest_add`] | when | the cache afterwards |
//! |---|---|---|
//! | [`Added::Stored`] | all paths are there | the key is bound to them, entirely |
//! | [`Added::SourceMissing`] | a path, or something below a directory, is absent | as before |
//! | error | a path is not strictly below the root, or climbs; something is neither file, directory nor link; the system refuses | as before |

use super::Partition;
use super::draft::{Added, Content, Draft, DraftItem};
use super::error::StoreError;
use super::file::if_there;
use super::format::ItemKind;
use crate::key::Key;
use crate::time::Timestamp;
use std::collections::{HashMap, HashSet};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Component, Path, PathBuf};

/// What is at some paths under a root.
#[derive(Debug)]
pub struct Manifest {
    parts: Vec<Part>,
}

/// What came of gathering a manifest.
#[derive(Debug)]
pub enum Gathered {
    /// All of it is there.
    All(Manifest),
    /// This path is absent.
    Missing(PathBuf),
}

/// One thing under a root.
#[derive(Debug)]
struct Part {
    path: Vec<u8>,
    place: PathBuf,
    mode: u32,
    what: What,
}

#[derive(Debug)]
enum What {
    File,
    Directory,
    Link(Vec<u8>),
}

/// What is gathered, until something is missing.
#[derive(Default)]
struct Gathering {
    parts: Vec<Part>,
    seen: HashSet<Vec<u8>>,
    missing: Option<PathBuf>,
}

impl Partition {
    /// Binds `key` to what is at `paths`, each strictly below `root`; see the [module](self) for the outcomes. A path that is
    /// named again below a directory counts once.
    pub fn manifest_add(
        &self,
        key: Key,
        metadata: &[u8],
        root: &Path,
        paths: &[&Path],
        now: Timestamp,
    ) -> Result<Added, StoreError> {
        match Manifest::gather(root, paths)? {
            Gathered::All(manifest) => self.add(key, &manifest.draft(metadata), now),
            Gathered::Missing(path) => Ok(Added::SourceMissing(path)),
        }
    }
}

impl Manifest {
    /// Looks at what is at `paths`, each strictly below `root`. Contents are not read yet.
    pub fn gather(root: &Path, paths: &[&Path]) -> Result<Gathered, StoreError> {
        // All paths first: nothing is looked at for a list that is wrong.
        let relative = paths.iter().map(|path| below(root, path)).collect::<Result<Vec<_>, _>>()?;
        let mut gathering = Gathering::default();
        for path in relative {
            gathering.gather(root, path)?;
        }
        Ok(match gathering.missing {
            None => Gathered::All(Self { parts: gathering.parts }),
            Some(path) => Gathered::Missing(path),
        })
    }

    /// The draft of an entry of all this.
    #[must_use]
    pub fn draft<'a>(&'a self, metadata: &'a [u8]) -> Draft<'a> {
        let items = self.parts.iter().map(Part::item).collect();
        Draft { metadata, manifest: true, items, ..Draft::default() }
    }
}

impl Part {
    fn item(&self) -> DraftItem<'_> {
        let content = match &self.what {
            What::File => Content::Path(&self.place),
            What::Directory => Content::Directory,
            What::Link(target) => Content::Link(target),
        };
        // A file's permissions are those of what is read.
        let mode = (!matches!(self.what, What::File)).then_some(self.mode);
        DraftItem { path: self.path.clone(), content, mode }
    }
}

impl Gathering {
    fn gather(&mut self, root: &Path, path: &Path) -> Result<(), StoreError> {
        let place = root.join(path);
        let examined = if_there(fs::symlink_metadata(&place)).map_err(StoreError::io("examine", &place))?;
        let Some(there) = examined else {
            self.missing.get_or_insert(place);
            return Ok(());
        };
        let what = if there.is_dir() {
            What::Directory
        } else if there.is_symlink() {
            let target = fs::read_link(&place).map_err(StoreError::io("read the link", &place))?;
            What::Link(target.as_os_str().as_bytes().to_vec())
        } else {
            What::File
        };
        let directory = matches!(what, What::Directory);
        let bytes = path.as_os_str().as_bytes().to_vec();
        if self.seen.insert(bytes.clone()) {
            let mode = there.permissions().mode();
            self.parts.push(Part { path: bytes, place: place.clone(), mode, what });
        }
        if directory {
            let listed = fs::read_dir(&place).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            let mut names: Vec<_> = listed
                .map_err(StoreError::io("list", &place))?
                .into_iter()
                .map(|entry| entry.file_name())
                .collect();
            names.sort_unstable();
            for name in names {
                self.gather(root, &path.join(name))?;
            }
        }
        Ok(())
    }
}

/// The part of a path that is strictly below `root`, by their texts.
fn below<'p>(root: &Path, path: &'p Path) -> Result<&'p Path, StoreError> {
    let invalid = |why| StoreError::InvalidItem { path: path.display().to_string(), why };
    let relative = path.strip_prefix(root).map_err(|_| invalid("it is not below the root"))?;
    if relative.as_os_str().is_empty() {
        return Err(invalid("it is the root itself"));
    }
    if relative.components().any(|part| !matches!(part, Component::Normal(_))) {
        return Err(invalid("it climbs"));
    }
    Ok(relative)
}

/// Refuses paths that together are no manifest.
pub(super) fn check_manifest<'i>(
    items: impl Iterator<Item = (&'i [u8], ItemKind)>,
) -> Result<(), StoreError> {
    let invalid = |path: &[u8], why| {
        Err(StoreError::InvalidItem { path: String::from_utf8_lossy(path).into_owned(), why })
    };
    let mut kinds = HashMap::new();
    for (path, kind) in items {
        if path.is_empty() {
            return invalid(path, "it is the root itself");
        }
        if kinds.insert(path, kind).is_some() {
            return invalid(path, "it is named twice");
        }
    }
    for path in kinds.keys() {
        let slashes = path.iter().enumerate().filter(|(_, byte)| **byte == b'/');
        for (at, _) in slashes {
            if kinds.get(&path[..at]).is_some_and(|kind| *kind != ItemKind::Directory) {
                return invalid(path, "it is below a file or a link");
            }
        }
    }
    Ok(())
}
