//! The file cache: keys bound to entries, on one machine, for many processes at once.
//!
//! An entry holds a metadata hunk and contents in order, each optionally with a relative path. Small contents lie inside the
//! entry's one file, large ones are objects that all entries share. A repository has a partition of its own. Everything is
//! where [`layout`] draws it.
//!
//! * **Complete or absent.** Entries and objects appear by rename. Whenever a process is killed, readers see the old or
//!   the new entry; what it leaves under `tmp/` is removed an hour later.
//! * **Verified or a miss.** An entry's header is proved when it is found, each content before its destination is touched.
//!   Damage makes a miss, and what is damaged goes into `quarantine/`.
//! * **Nothing for readers to wait for.** Finding takes no lock. Only removals, for the time of a few system calls, and the
//!   rare rewriting of an index make a use wait that is to be noted.
//! * **Times are told.** Last use, number of uses and cost are the cache's own records; the access times of the system
//!   mean nothing.
//!
//! | question | answered by |
//! |---|---|
//! | what is bound to this key? | [`Partition::find`] |
//! | bind it | [`Partition::add`] |
//! | bind it to what is under a root | [`Partition::manifest_add`] |
//! | put its contents in place | [`Partition::revive`], [`Partition::manifest_revive`]; step by step, [`Staging`] |
//! | is it bound, and to how much? | [`Partition::contains`], [`Partition::keys`], [`Partition::key_stats`] |
//! | unbind it | [`Partition::remove`], [`Partition::remove_unused`], [`Store::clear`] |
//! | what may go? | [`Store::plan`], [`Store::trim`] |
//! | how much is there? | [`Store::usage`], [`Partition::stats`] |
//! | is all of it what was added? | [`Store::verify`] |

mod add;
mod auxiliary;
mod commit;
mod draft;
mod entry;
mod error;
mod file;
mod fold;
pub mod format;
mod hash;
mod index;
pub mod layout;
mod ledger;
mod lock;
mod manifest;
mod note;
mod object;
mod partition;
mod plan;
mod rank;
mod reindex;
mod remove;
mod revive;
mod share;
mod stage_error;
mod staging;
mod sweep;
mod temporary;
mod total;
mod trim;
mod usage;
mod verify;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod testing;
#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

pub use crate::policy::score::PolicyFaultKind;
pub use draft::{Added, Content, Draft, DraftItem, ItemInfo};
pub use entry::Entry;
pub use error::StoreError;
pub use format::{Item, ItemKind};
pub use hash::digest_of;
pub use layout::{Layout, PartitionId};
pub use lock::{Intrusion, PathLock};
pub use manifest::{Gathered, Manifest};
pub use partition::{KeyInfo, Partition, PartitionStats};
pub use plan::{Plan, TrimRequest, Victim, budget};
pub use rank::PolicyFault;
pub use revive::{ReviveError, Revived};
pub use stage_error::{Damage, StageError};
pub use staging::Staging;
pub use temporary::Temporary;
pub use trim::{TrimReport, Trimmed};
pub use usage::Usage;
pub use verify::{Finding, FindingKind, Remedy, Verified};

pub(crate) use revive::{may_touch, set_modes};

use file::TmpFile;
use std::fs;
use std::io;
use std::path::{Component, Path};
use std::sync::Arc;

/// How contents get from objects to their destinations.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum LinkMode {
    /// Blocks are shared where the file system can, else copied.
    #[default]
    Auto,
    /// Always copied.
    Copy,
    /// As `Auto`; said by someone who expects it.
    Reflink,
    /// Linked, so the destination is read-only whatever its mode was; copied where links are impossible.
    Hardlink,
}

/// How a store works.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options {
    /// How contents get from objects to their destinations.
    pub link: LinkMode,
    /// Whether contents are verified before they are revived. Headers always are.
    pub verify: bool,
    /// Whether nothing is written: no file of the cache is made or removed, uses are not noted, and what is damaged stays where it
    /// is. Whatever would add, remove or lock is an error. The one exception is the lock that another process holds on a path:
    /// that something is put there is told to it ([`Store::disturb_path`]), or it would record what it did not make.
    pub read_only: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self { link: LinkMode::Auto, verify: true, read_only: false }
    }
}

/// One cache directory. Clones are the same store.
#[derive(Clone, Debug)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    layout: Layout,
    options: Options,
}

impl Store {
    /// The store in the directory `root`. Nothing is made before something is put into it.
    ///
    /// Errors: `root` is something else than a directory.
    pub fn open(root: &Path, options: Options) -> Result<Self, StoreError> {
        let there = file::if_there(fs::metadata(root)).map_err(StoreError::io("open", root))?;
        if there.is_some_and(|there| !there.is_dir()) {
            return Err(StoreError::NotADirectory { path: root.to_owned() });
        }
        Ok(Self { inner: Arc::new(Inner { layout: Layout::new(root), options }) })
    }

    /// Where everything is.
    #[must_use]
    pub fn layout(&self) -> &Layout {
        &self.inner.layout
    }

    /// How it works.
    #[must_use]
    pub fn options(&self) -> Options {
        self.inner.options
    }

    /// One repository's part. Nothing is read.
    #[must_use]
    pub fn partition(&self, id: PartitionId) -> Partition {
        Partition::new(self.clone(), id)
    }

    /// The partitions that are there, in order.
    pub fn partitions(&self) -> Result<Vec<PartitionId>, StoreError> {
        let names = file::list(&self.layout().partitions())?;
        let mut ids: Vec<_> = names.iter().filter_map(|(name, _)| PartitionId::from_hex(name)).collect();
        ids.sort_unstable();
        Ok(ids)
    }

    /// Makes `destination`, a path of the [`Layout`], a file of these bytes, with mode 0600. It appears by rename, over what
    /// was there; after an error it is as it was.
    pub fn publish(&self, destination: &Path, bytes: &[u8]) -> Result<(), StoreError> {
        let climbs = destination.components().any(|part| part == Component::ParentDir);
        self.writable(destination)?;
        if climbs || !destination.starts_with(self.layout().root()) {
            return Err(StoreError::Outside { path: destination.to_owned() });
        }
        TmpFile::of(self.layout(), bytes)?.place(destination)
    }

    /// The bytes of a published file, with as few calls of the system as that takes. Errors are those of the system.
    pub fn read(&self, path: &Path) -> io::Result<Vec<u8>> {
        file::read_whole(path).map(|(bytes, _)| bytes)
    }

    /// Refuses what would write to `path` where nothing is to be written.
    fn writable(&self, path: &Path) -> Result<(), StoreError> {
        let refused = || StoreError::ReadOnly { path: path.to_owned() };
        if self.options().read_only { Err(refused()) } else { Ok(()) }
    }

    /// Moves a file of the cache into quarantine; one that is gone is fine.
    fn set_aside(&self, path: &Path) -> Result<(), StoreError> {
        if self.options().read_only {
            return Ok(());
        }
        let kind = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        let to = self.layout().quarantine().join(format!("{kind}.{}-{}", std::process::id(), file::serial()));
        let moved = file::with_parent("quarantine", &to, || fs::rename(path, &to));
        match moved {
            Err(StoreError::Io { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => Ok(()),
            moved => moved,
        }
    }
}
