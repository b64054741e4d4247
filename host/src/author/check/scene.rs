//! Operations on copies of what they read, so that a check can change it.
//!
//! What is copied is what the plugin looks at and names in the repository, found by asking it until it asks for nothing
//! more; what lies outside of the repository is looked at where it is, and never changed.

use super::copies::{Copies, replaced};
use crate::digest::Digest;
use crate::operation::{Ingredient, Operation, Source};
use crate::policy::{Fault, KeyPolicy as _};
use crate::reviver::rehearse::{Rehearsal, Rehearsed};
use crate::reviver::table::Table;
use crate::reviver::writes::normal;
use crate::runtime::WasmKey;
use crate::store::{Options, Partition, PartitionId, Store, StoreError};
use crate::time::Clock;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// How often a plugin is asked for what else it wants to see.
const ROUNDS: usize = 8;

/// The variables of an operation.
pub(super) type Variables = BTreeMap<OsString, OsString>;

/// What operations are tried in: a directory of their own, and what surrounds the caller.
pub struct Scenes {
    scratch: PathBuf,
    pub(super) variables: Variables,
    umask: u32,
    clock: Rc<dyn Clock>,
    store: Store,
    partition: Partition,
    table: Rc<Table>,
}

impl fmt::Debug for Scenes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Scenes").field("scratch", &self.scratch).finish_non_exhaustive()
    }
}

/// Why nothing can be tried.
#[derive(Debug)]
#[non_exhaustive]
pub enum ScenesError {
    /// A file or directory of the check cannot be made.
    Io {
        /// Which.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Nor can its cache.
    Store(StoreError),
}

impl fmt::Display for ScenesError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io { path, source } => write!(f, "cannot write {}: {source}", path.display()),
            Self::Store(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for ScenesError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::Store(error) => Some(error),
        }
    }
}

impl Scenes {
    /// Scenes in an empty directory, which the caller removes in the end.
    pub fn new(
        scratch: &Path,
        variables: BTreeMap<OsString, OsString>,
        umask: u32,
        clock: Rc<dyn Clock>,
    ) -> Result<Self, ScenesError> {
        let place = |source| ScenesError::Io { path: scratch.to_owned(), source };
        // Paths of the operations are compared with what links lead to.
        let scratch = fs::canonicalize(scratch).map_err(place)?;
        let store = Store::open(&scratch.join("cache"), Options::default()).map_err(ScenesError::Store)?;
        let partition = store.partition(PartitionId::of(Digest::of(b"check")));
        let table = Rc::new(Table::new(store.layout().hashes()));
        Ok(Self { scratch, variables, umask, clock, store, partition, table })
    }

    /// The cache of the scenes.
    pub(super) const fn store(&self) -> &Store {
        &self.store
    }

    /// A directory of this name in the scratch directory.
    pub(super) fn directory(&self, name: &str) -> PathBuf {
        self.scratch.join(name)
    }

    /// An operation in a place, with these variables around it.
    pub(super) fn rehearsal(&self, operation: &Rc<Operation>, variables: &Variables) -> Rehearsal {
        let cache = (&self.store, &self.partition);
        Rehearsal::new(operation, (variables, self.umask), cache, &self.table, &self.clock)
    }

    /// A copy of the operation and of what the plugin looks at, below `name`; the error says why it cannot be made.
    pub(super) fn copy(
        &self,
        operation: &Operation,
        plugin: &WasmKey,
        name: &str,
    ) -> Result<Rc<Operation>, String> {
        let from = PathBuf::from(&operation.root);
        if !from.is_absolute() || from.parent().is_none() {
            return Err(format!("the root `{}` of an operation cannot be copied", operation.root));
        }
        let to = self.directory(name);
        let root = to.to_str().ok_or("the scratch directory is not UTF-8")?;
        let moved =
            |texts: &[String]| texts.iter().map(|text| replaced(text, &operation.root, root)).collect();
        let there = Rc::new(Operation {
            argv: moved(&operation.argv),
            root: root.to_owned(),
            directory: operation.directory.clone(),
            reads: moved(&operation.reads),
            writes: moved(&operation.writes),
            variables: operation.variables.clone(),
        });
        let mut copies = Copies::new(from, to, self.scratch.clone());
        let directory = Path::new(&there.root).join(&there.directory);
        fs::create_dir_all(&directory)
            .map_err(|error| format!("cannot make {}: {error}", directory.display()))?;
        let mut wanted: Vec<String> = there.reads.clone();
        wanted.extend(there.argv.first().filter(|program| program.contains('/')).cloned());
        for _ in 0..ROUNDS {
            let mut new = false;
            for path in &wanted {
                new |= copies.bring(&normal(&directory.join(path)))?;
            }
            wanted = self.wanted(&there, plugin);
            if !new && wanted.iter().all(|path| !copies.lacks(&normal(&directory.join(path)))) {
                break;
            }
        }
        Ok(there)
    }

    /// The paths that a plugin looks at or names. A fault is found again where it counts.
    fn wanted(&self, operation: &Rc<Operation>, plugin: &WasmKey) -> Vec<String> {
        let rehearsal = self.rehearsal(operation, &self.variables);
        let looks = rehearsal.looks(None);
        let answer = plugin.derive(operation, looks.inputs());
        let looked = looks.conditions().into_iter().map(|(looked, _)| looked);
        let named = answer.ok().and_then(Result::ok).map(|derivation| derivation.ingredients);
        looked.chain(named.into_iter().flatten()).filter_map(path).collect()
    }

    /// Asks a fresh instance; what came of it, and the fuel that it took.
    pub(super) fn ask(
        &self,
        operation: &Rc<Operation>,
        variables: &Variables,
        plugin: &WasmKey,
    ) -> (Rehearsed, u64) {
        let rehearsed = self.rehearsal(operation, variables).ask(plugin);
        (rehearsed, plugin.usage().fuel)
    }

    /// Asks one instance about each of these in turn, and makes of the answers what a run would.
    pub(super) fn ask_in_turn(
        &self,
        operations: &[Rc<Operation>],
        plugin: &WasmKey,
    ) -> Result<Vec<Rehearsed>, Box<Fault>> {
        let each = |operation| {
            let rehearsal = self.rehearsal(operation, &self.variables);
            let looks = rehearsal.looks(None);
            (rehearsal, looks)
        };
        let turns: Vec<_> = operations.iter().map(each).collect();
        let questions: Vec<_> =
            turns.iter().map(|(rehearsal, looks)| (&*rehearsal.operation, looks.inputs())).collect();
        let answers = plugin.derive_in_turn(&questions)?;
        drop(questions);
        Ok(turns
            .iter()
            .zip(answers)
            .map(|((rehearsal, looks), answer)| rehearsal.answered(answer, looks))
            .collect())
    }
}

/// The path in an ingredient; of a program only where it is one.
fn path(ingredient: Ingredient) -> Option<String> {
    match ingredient.source {
        Source::File(path) | Source::Tree(path) | Source::Listing(path) => Some(path),
        Source::Program(path) => path.contains('/').then_some(path),
        _ => None,
    }
}
