//! Reviving: an entry becomes what the operation wrote.
//!
//! | state | outcome | the file system afterwards |
//! |---|---|---|
//! | an intact entry that fits the declaration | [`Revival::Revived`] | every write as recorded, with the present as its time; a link in the place of a file is replaced and not followed |
//! | nothing is bound to the key, or nothing that can be used | [`Revival::Absent`], which says why | unchanged |
//! | the cache cannot be read, or a destination refuses | [`ReviveError`] | unchanged: destinations already renamed were put back |

use super::super::hunk::{self, HunkError};
use super::super::revive::Reviving;
use super::declare::Declared;
use super::hash::Hashed;
use super::record::accepts;
use super::reviver::DeclaredReviver;
use crate::key::Key;
use crate::outcome::{Exit, Outcome};
use crate::store::{Entry, ItemKind, ReviveError, StageError, Staging, StoreError};
use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fmt;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// What came of reviving.
#[derive(Debug)]
pub enum Revival {
    /// It is as if the operation had been done.
    Revived(Revived),
    /// It must be done.
    Absent(Absence),
}

/// An operation that was revived.
#[derive(Debug)]
pub struct Revived {
    /// What it was found by.
    pub key: Key,
    /// How it went when it was recorded.
    pub outcome: Outcome,
    /// What was written: the paths of the writes, and with a manifest all that is below them.
    pub writes: Vec<PathBuf>,
    /// Why the cache could not note that the entry was used, which a trim goes by.
    pub unnoted: Option<StoreError>,
}

/// Why there is nothing to revive.
#[derive(Debug)]
#[non_exhaustive]
pub enum Absence {
    /// It is of a kind that is never cached.
    Passing,
    /// Nothing is bound to its key.
    Unbound,
    /// What is bound to its key has another number of writes, or others.
    Shape,
    /// The codec cannot read the outcome.
    Hunk(HunkError),
    /// The operation may not end as the entry says.
    Exit(Exit),
    /// A content is damaged. The entry is in quarantine.
    Damaged,
    /// A link is where a directory belongs: what lies below would be written to somewhere else.
    Link(PathBuf),
}

impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Passing => f.write_str("it is never cached"),
            Self::Unbound => f.write_str("nothing is known of it"),
            Self::Shape => f.write_str("what is known of it has other writes"),
            Self::Hunk(error) => error.fmt(f),
            Self::Exit(exit) => write!(f, "it may not end with status {}", exit.status()),
            Self::Damaged => f.write_str("its entry is damaged and was set aside"),
            Self::Link(path) => write!(f, "{} is a link where a directory belongs", path.display()),
        }
    }
}

impl DeclaredReviver<'_> {
    /// Revives an operation; see the [module](self) for the outcomes.
    pub fn revive(&self, hashed: &Hashed<'_>) -> Result<Revival, ReviveError> {
        let declared = hashed.declared;
        let Some(key) = hashed.key else { return Ok(Revival::Absent(Absence::Passing)) };
        let Some(entry) = self.partition.find(key).map_err(ReviveError::Store)? else {
            return Ok(Revival::Absent(Absence::Unbound));
        };
        let outcome = match hunk::decode(self.codec, &entry) {
            Ok(outcome) if accepts(declared, outcome.exit) => outcome,
            Ok(outcome) => return Ok(Revival::Absent(Absence::Exit(outcome.exit))),
            Err(error) => return Ok(Revival::Absent(Absence::Hunk(error))),
        };
        let Some(writes) = destinations(&entry, declared) else {
            return Ok(Revival::Absent(Absence::Shape));
        };
        if let Some(link) = link_above(&entry, declared, &writes) {
            return Ok(Revival::Absent(Absence::Link(link)));
        }
        let store = self.partition.store();
        // A fresh look: what is at the destinations may have changed since the hash.
        let now = self.look_around(declared);
        let reviving = Reviving { store, partition: self.partition, files: &now.files, umask: self.umask };
        let there: Vec<_> = writes.iter().map(|path| fs::symlink_metadata(path).ok()).collect();
        // Whoever runs a command that writes there must not take this for what that command wrote.
        let _told: Vec<_> =
            declared.write_paths().into_iter().map(|place| store.disturb_path(place)).collect();
        match reviving.put(Staging::new(store), &entry, &writes, &there) {
            Ok(()) => {}
            Err(StageError::Damaged { .. }) => return Ok(Revival::Absent(Absence::Damaged)),
            Err(error) => return Err(ReviveError::Stage(error)),
        }
        let unnoted = self.partition.used(key, self.clock.now()).err();
        Ok(Revival::Revived(Revived { key, outcome, writes, unnoted }))
    }
}

/// Where each content of the entry belongs; `None` where it is not one of this declaration.
fn destinations(entry: &Entry, declared: &Declared<'_>) -> Option<Vec<PathBuf>> {
    let (items, writes) = (entry.items(), declared.write_paths());
    let Some(root) = &declared.manifest else {
        let plain = items.iter().all(|item| item.path.is_empty() && item.kind != ItemKind::Directory);
        return (plain && items.len() == writes.len())
            .then(|| writes.into_iter().map(Path::to_owned).collect());
    };
    if !entry.is_manifest() {
        return None;
    }
    let mut seen = vec![false; writes.len()];
    let mut destinations = Vec::with_capacity(items.len());
    for item in items {
        let destination = root.join(OsStr::from_bytes(&item.path));
        // The deepest, where one write is declared below another.
        let owner = (0..writes.len()).filter(|write| destination.starts_with(writes[*write]));
        let owner = owner.max_by_key(|write| writes[*write].as_os_str().len())?;
        seen[owner] |= destination == writes[owner];
        destinations.push(destination);
    }
    seen.into_iter().all(|seen| seen).then_some(destinations)
}

/// A link below the manifest's root where a directory is to be.
fn link_above(entry: &Entry, declared: &Declared<'_>, destinations: &[PathBuf]) -> Option<PathBuf> {
    let root = declared.manifest.as_deref()?;
    let mut directories = BTreeSet::new();
    for (item, destination) in entry.items().iter().zip(destinations) {
        let itself = (item.kind == ItemKind::Directory).then_some(destination.as_path());
        let above = destination.ancestors().skip(1).take_while(|above| *above != root);
        directories.extend(itself.into_iter().chain(above));
    }
    directories.into_iter().find(|directory| directory.is_symlink()).map(Path::to_owned)
}
