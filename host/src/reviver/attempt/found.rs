//! An entry that was found for a task, and its revival.

use super::super::files::Files;
use super::super::prepare::Prepared;
use super::super::run::{Report, Reviver};
use super::super::unchanged::Snapshot;
use super::begin::Begun;
use super::task::Task;
use crate::key::Key;
use crate::outcome::Outcome;
use crate::store::Entry;
use std::path::PathBuf;
use std::rc::Rc;

/// An entry that is bound to what a task's inputs were when it began.
#[derive(Debug)]
pub struct Found {
    pub(super) task: Task,
    pub(super) prepared: Prepared,
    pub(super) entry: Entry,
    pub(super) report: Report,
    /// What was seen of files when it was found.
    pub(super) seen: Snapshot,
}

/// A task that was revived.
#[derive(Debug)]
pub struct Revived {
    /// The key of the entry.
    pub key: Key,
    /// How the recorded run ended, and what it said, which is for the caller to pass on.
    pub outcome: Outcome,
    /// What there is to tell.
    pub report: Report,
}

impl Found {
    /// The key of the entry.
    #[must_use]
    pub const fn key(&self) -> Key {
        self.entry.key()
    }

    /// What the operation is called.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.prepared.derivation.label
    }

    /// Where it writes.
    #[must_use]
    pub fn writes(&self) -> &[PathBuf] {
        &self.prepared.places
    }
}

impl Reviver<'_> {
    /// Puts in place what was found, as a hit of a run does. Where it proves to be no hit, that is how the attempt goes on:
    /// open, or bare. Where something that it was found by has changed since, it is looked up anew: what it was bound to then
    /// would be taken for the work of what is there now.
    pub fn revive_found(&self, found: Found) -> Result<Revived, Begun> {
        let files = Files::new(Rc::clone(&self.table), Rc::clone(&self.clock));
        if found.seen.holds(&files, &found.prepared.places) {
            return self.put_found(found, &files);
        }
        let Found { task, report, .. } = found;
        match self.begin_with(task, report, true) {
            Begun::Found(found) => {
                self.put_found(*found, &Files::new(Rc::clone(&self.table), Rc::clone(&self.clock)))
            }
            no_hit => Err(no_hit),
        }
    }

    fn put_found(&self, found: Found, files: &Files) -> Result<Revived, Begun> {
        let Found { task, prepared, entry, mut report, .. } = found;
        let umask = task.environment.umask;
        match self.put_in_place(umask, files, &prepared, &entry, &mut report) {
            Some(outcome) => {
                self.note_use(&entry, &outcome, &mut report);
                self.note(&mut report);
                Ok(Revived { key: entry.key(), outcome, report })
            }
            None => Err(self.begin_with(task, report, false)),
        }
    }
}
