//! Recording: an operation that was done becomes an entry.
//!
//! | what was done | outcome | the cache afterwards |
//! |---|---|---|
//! | it ended as accepted, nothing that it read changed, every write is proved | [`Recorded`] | the key is bound to the new entry, entirely |
//! | anything else | [`Unrecorded`], which says why | as before, an older binding included |
//! | what it wrote changed while it was recorded | [`Unrecorded::Disturbed`] | the key is unbound |
//!
//! No file that the operation read or wrote is changed by it.

use super::super::age;
use super::super::guard::Guard;
use super::super::hunk;
use super::super::record::{Part, item, parts};
use super::super::tree::Node;
use super::super::unchanged::{Changed, same_identities};
use super::super::writes::{State, prove, state};
use super::declare::{Declared, Input, Kind};
use super::hash::{Hashed, values};
use super::reviver::DeclaredReviver;
use super::spawn::{Sink, Spawn};
use super::unrecorded::Unrecorded;
use crate::key::Key;
use crate::outcome::{Exit, Outcome};
use crate::store::{Added, Draft, DraftItem};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// An operation that was recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Recorded {
    /// What it is found by.
    pub key: Key,
    /// The approximate size of the cache, where it grew: what tells that a trim is due.
    pub size: Option<u64>,
}

/// What the run itself knows beside the outcome.
#[derive(Debug)]
pub(super) struct Witness {
    /// When it had ended.
    pub(super) ended: Timestamp,
    /// What was at the paths of the writes then.
    pub(super) left: Vec<Option<State>>,
    /// What it held meanwhile.
    pub(super) guard: Guard,
}

impl DeclaredReviver<'_> {
    /// Records an operation that the caller has done since it was hashed; see the [module](self) for the outcomes.
    pub fn record(&self, hashed: &Hashed<'_>, outcome: &Outcome) -> Result<Recorded, Unrecorded> {
        self.witnessed(hashed, outcome, None)
    }

    /// The same, for an operation that was watched as it ran.
    pub(super) fn witnessed(
        &self,
        hashed: &Hashed<'_>,
        outcome: &Outcome,
        witness: Option<&Witness>,
    ) -> Result<Recorded, Unrecorded> {
        let key = hashed.key.ok_or(Unrecorded::Passing)?;
        if !accepts(hashed.declared, outcome.exit) {
            return Err(Unrecorded::Failed(outcome.exit));
        }
        let missing = missing_writes(hashed.declared);
        if !missing.is_empty() {
            return Err(Unrecorded::MissingWrites(missing));
        }
        self.unchanged(hashed)?;
        let states = hashed.watched.iter().map(prove).collect::<Result<Vec<_>, _>>();
        let states = states.map_err(Unrecorded::Unproved)?;
        if let Some(witness) = witness {
            undisturbed(hashed, witness)?;
        }
        let hunk = hunk::encode(self.codec, outcome)?;
        let mut parts: Vec<Part> = hashed
            .watched
            .iter()
            .zip(&states)
            .flat_map(|(watched, state)| parts(hashed.declared.label(&watched.path), &watched.path, state))
            .collect();
        // A write that is declared once more below another counts once.
        let mut seen = HashSet::new();
        parts.retain(|part| hashed.declared.manifest.is_none() || seen.insert(part.path.clone()));
        let draft = Draft {
            metadata: &hunk.metadata,
            remembered: &hunk.remembered,
            cost: outcome.duration,
            manifest: hashed.declared.manifest.is_some(),
            items: parts.iter().map(|part| self.item(hashed.declared, part)).collect(),
            ..Draft::default()
        };
        let now = self.clock.now();
        let (bytes, items) = match self.partition.add(key, &draft, now)? {
            Added::Stored { bytes, items } => (bytes, items),
            Added::SourceMissing(path) => return Err(Unrecorded::Disturbed(path)),
        };
        // What was read must be what was proved: somebody else may have written in between.
        let proved = |(part, item): &(&Part, &crate::store::ItemInfo)| match &part.node {
            Node::File(identity) => item.identity == Some(*identity),
            Node::Directory | Node::Link(_) => true,
        };
        let foreign = parts.iter().zip(&items).find(|read| !proved(read)).map(|(part, _)| part.place.clone());
        let disturbed = witness.is_some_and(|witness| witness.guard.is_disturbed());
        if let Some(path) = foreign.or_else(|| disturbed.then(|| first_write(hashed))) {
            self.partition.remove(key, now)?;
            return Err(Unrecorded::Disturbed(path));
        }
        Ok(Recorded { key, size: self.partition.store().grown(bytes).ok() })
    }

    /// Whether all inputs are what they were: by identity, by value, since an identity that was not settled proves nothing,
    /// and by the ways to them.
    fn unchanged(&self, hashed: &Hashed<'_>) -> Result<(), Unrecorded> {
        let after = self.look_around(hashed.declared);
        let places: Vec<PathBuf> = hashed.watched.iter().map(|watched| watched.path.clone()).collect();
        let now = values(&after, hashed.declared)?;
        same_identities(&hashed.before.files.seen(), &after.files, &places)?;
        let since = hashed.before.files.since();
        let mut known = HashSet::new();
        for read in hashed.declared.read_paths() {
            age::older(&after, read, since, &mut known)?;
        }
        let mut compared = hashed.declared.inputs().into_iter().zip(hashed.values.iter().zip(&now));
        match compared.find(|(_, (then, now))| then != now) {
            None => Ok(()),
            Some((Input::Program(path), _)) => Err(Changed::Differs(path.into()).into()),
            Some((Input::Path(path), _)) => Err(Changed::Differs(path.to_owned()).into()),
        }
    }

    fn item<'p>(&self, declared: &Declared<'_>, part: &'p Part) -> DraftItem<'p> {
        let item = item(part, self.umask);
        match (&declared.kind, &part.node) {
            // What was declared, not what this umask made of it.
            (Kind::Write(write), Node::File(_)) if part.place == write.file => {
                DraftItem { mode: Some(write.mode), ..item }
            }
            (Kind::Copy(copy), Node::File(_)) => DraftItem { mode: Some(copy.mode), ..item },
            _ => item,
        }
    }
}

/// Whether an operation may end so. What is no command ends well or not at all.
pub(super) fn accepts(declared: &Declared<'_>, exit: Exit) -> bool {
    match &declared.kind {
        Kind::Spawn(spawn) => spawn.accepted.accepts(exit),
        _ => exit == Exit::Code(0),
    }
}

/// The writes that are not there, sorted.
pub(super) fn missing_writes(declared: &Declared<'_>) -> Vec<PathBuf> {
    let mut writes = declared.write_paths();
    writes.retain(|write| !is_there(write));
    writes.sort_unstable();
    writes.into_iter().map(Path::to_owned).collect()
}

/// A link is there whether or not it leads anywhere.
fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Whether what the run left is what is there.
fn undisturbed(hashed: &Hashed<'_>, witness: &Witness) -> Result<(), Unrecorded> {
    let declared = hashed.declared;
    for (watched, left) in hashed.watched.iter().zip(&witness.left) {
        let now = state(&watched.path).ok();
        let late = matches!(&now, Some(State::File(identity)) if identity.changed_after(witness.ended));
        // What was still in a pipe at the end is written by us, after it.
        let late = late && !tees(declared, &watched.path);
        if late || now != *left {
            return Err(Unrecorded::Disturbed(watched.path.clone()));
        }
    }
    Ok(())
}

/// Whether a stream goes into this file through our hands.
fn tees(declared: &Declared<'_>, path: &Path) -> bool {
    let Kind::Spawn(Spawn { stdout, stderr, .. }) = &declared.kind else { return false };
    [stdout, stderr].into_iter().any(|sink| matches!(sink, Sink::Tee(to) if to == path))
}

fn first_write(hashed: &Hashed<'_>) -> PathBuf {
    hashed.watched.first().map(|watched| watched.path.clone()).unwrap_or_default()
}
