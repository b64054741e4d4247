//! An operation from its command line to its exit status: revived if it can be, run if it must be.
//!
//! | what happens | result | exit status | recorded |
//! |---|---|---|---|
//! | a bound key, an intact entry | hit | as recorded | |
//! | the same, and the [recheck](super::recheck)'s turn | rechecked, or differs | the command's | no |
//! | no entry, a cache that is only read | miss | the caller runs the command | no |
//! | no entry | miss | the command's | if the exit is accepted, the writes are proved and no input changed |
//! | no key: refused, doubtful, a plugin's fault | uncached | the caller runs the command | no |
//!
//! Nothing in here makes a command fail that works without a cache.

use super::environment::Environment;
use super::execute::{ChildInput, Outputs};
use super::input::InputRule;
use super::journal::{self, Record};
use super::list::Lists;
use super::matched::Anew;
use super::prepare::{Cause, Prepared, Uncached};
use super::recheck::Share;
use super::remember::Resolved;
use super::resolve::Resolver;
use super::table::Table;
use crate::digest::Digest;
use crate::key::Key;
use crate::operation::Operation;
use crate::outcome::Exit;
use crate::policy::{Codec, Fault, FaultKind, KeyPolicy};
use crate::store::{Partition, Store, StoreError};
use crate::time::Clock;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::fs::File;
use std::io;
use std::os::fd::BorrowedFd;
use std::rc::Rc;

/// Records and revives the operations of one repository.
pub struct Reviver<'a> {
    /// The cache.
    pub store: &'a Store,
    /// The repository's partition.
    pub partition: &'a Partition,
    /// The known digests of files.
    pub table: Rc<Table>,
    /// Where the time comes from.
    pub clock: Rc<dyn Clock>,
    /// What names the operation.
    pub key_policy: &'a dyn KeyPolicy,
    /// What bounds that policy, digested: with other limits or capabilities it may answer otherwise.
    pub limits: Digest,
    /// What writes its outcome down.
    pub codec: &'a dyn Codec,
}

impl fmt::Debug for Reviver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reviver").field("key_policy", self.key_policy.id()).finish_non_exhaustive()
    }
}

/// An operation to be done.
#[derive(Debug)]
pub struct Request<'a> {
    /// What it is.
    pub operation: Rc<Operation>,
    /// What surrounds it.
    pub environment: Rc<Environment>,
    /// The exit statuses that are recorded.
    pub accepted: &'a BTreeSet<u8>,
    /// What the user says of standard input.
    pub input: InputRule,
    /// Standard input; `None` for nothing.
    pub stdin: Option<BorrowedFd<'a>>,
    /// Whether standard output and standard error are one file.
    pub joined: bool,
    /// Whether this process stands in the operation's directory.
    pub here: bool,
    /// Variables that the command gets besides its own. They are ours to it, and no part of the operation.
    pub told: &'a [(OsString, OsString)],
    /// The share of hits that run again, to be compared.
    pub recheck: Share,
    /// Makes it once more after it ran, where globs are among what it reads.
    pub anew: Option<Anew<'a>>,
}

/// What became of an operation.
#[derive(Debug)]
pub enum Ran {
    /// It was revived or run.
    Done {
        /// How it ended.
        exit: Exit,
        /// What there is to tell.
        report: Report,
    },
    /// It has no key: the caller runs the command as it is.
    Bare {
        /// What was read of standard input, which the command gets in its place.
        input: Option<File>,
        /// What there is to tell.
        report: Report,
    },
}

/// What there is to tell of a run.
#[derive(Debug)]
pub struct Report {
    /// What the journal got.
    pub record: Record,
    /// What the user should know even without asking.
    pub warnings: Vec<String>,
    /// The approximate size of the cache, where it grew.
    pub size: Option<u64>,
    /// Whether the cache could not be used, which is warned of once.
    pub unusable: bool,
    /// Whether it was the key plugin that refused, and not the host that doubts.
    pub is_refusal: bool,
    /// Whether a plugin was not asked, being switched off.
    pub is_off: bool,
}

/// A command that could not be started, as it could not without a cache.
#[derive(Debug)]
pub enum RunError {
    /// There is no such program.
    NotFound(String),
    /// The system refused to start it.
    Spawn {
        /// The program as it was invoked.
        program: String,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for RunError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotFound(program) => write!(f, "{program}: command not found"),
            Self::Spawn { program, source } => write!(f, "cannot run {program}: {source}"),
        }
    }
}

impl std::error::Error for RunError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::NotFound(_) => None,
            Self::Spawn { source, .. } => Some(source),
        }
    }
}

impl Reviver<'_> {
    /// Does an operation.
    pub fn run(&self, request: &Request<'_>, outputs: &mut Outputs<'_>) -> Result<Ran, RunError> {
        let mut report = self.report();
        let (resolver, mut prepared, found) = match self.look(request, &mut report) {
            Ok(looked) => looked,
            Err(uncached) => return Ok(self.bare(report, uncached, None)),
        };
        if request.recheck != Share::NONE
            && let Some(exit) =
                self.recheck(request, &resolver, &mut prepared, &found, outputs, &mut report)?
        {
            self.note(&mut report);
            return Ok(Ran::Done { exit, report });
        }
        if let Some(exit) = self.hit(request, &resolver, &prepared, &found, outputs, &mut report) {
            self.note(&mut report);
            return Ok(Ran::Done { exit, report });
        }
        let watched = match self.watch(request, &prepared, &found, &mut report) {
            Ok(watched) => watched,
            Err(uncached) => return Ok(self.bare(report, uncached, Some(prepared.child_input))),
        };
        let spare = match &prepared.child_input {
            ChildInput::File(file) => file.try_clone().ok(),
            _ => None,
        };
        let exit = match self.miss(request, &resolver, prepared, &watched, outputs, &mut report) {
            // Its arguments may be too long with ours among them, or there are no more pipes for us.
            Err(RunError::Spawn { source, .. }) => {
                let input = spare.map(ChildInput::File);
                return Ok(self.bare(report, Uncached::because(format!("cannot start it: {source}")), input));
            }
            exit => exit?,
        };
        self.note(&mut report);
        Ok(Ran::Done { exit, report })
    }

    /// The base key of an operation, or why it has none: all that a run does before it looks for what it knows.
    pub fn base(&self, request: &Request<'_>) -> Result<Digest, String> {
        let resolver = self.look_around(request);
        let prepared = self.prepare(request, &resolver, &mut self.report());
        prepared.map(|prepared| prepared.base).map_err(|uncached| uncached.reason)
    }

    /// All that is known of an operation before it runs, and what is found for it.
    pub(super) fn look(
        &self,
        request: &Request<'_>,
        report: &mut Report,
    ) -> Result<(Resolver, Prepared, Search), Uncached> {
        let resolver = self.look_around(request);
        let prepared = self.prepare(request, &resolver, report)?;
        let search = self.lookup(request, &resolver, &prepared);
        report.record.base = search.base.to_hex();
        Ok((resolver, prepared, search))
    }

    /// A fresh look at the file system.
    pub(super) fn look_around(&self, request: &Request<'_>) -> Resolver {
        let environment = Rc::clone(&request.environment);
        let (table, clock) = (Rc::clone(&self.table), Rc::clone(&self.clock));
        Resolver::fresh(environment, table, clock, self.store, self.partition)
    }

    /// Nothing to tell so far.
    pub(super) fn report(&self) -> Report {
        let record = Record {
            time: self.clock.now(),
            result: journal::Result::Miss,
            label: String::new(),
            plugin: self.key_policy.id().name.clone(),
            key: String::new(),
            base: String::new(),
            reason: String::new(),
            fault: String::new(),
            duration: 0,
            differences: None,
        };
        Report { record, warnings: Vec::new(), size: None, unusable: false, is_refusal: false, is_off: false }
    }

    fn bare(&self, mut report: Report, why: Uncached, input: Option<ChildInput>) -> Ran {
        self.uncached(&mut report, why);
        let input = match input {
            Some(ChildInput::File(file)) => Some(file),
            _ => None,
        };
        Ran::Bare { input, report }
    }

    /// Tells, and notes, why a command runs as it is.
    pub(super) fn uncached(&self, report: &mut Report, why: Uncached) {
        if why.cause == Cause::Unrecordable {
            report.unrecorded(why.reason);
            return self.note(report);
        }
        report.record.result = journal::Result::Uncached;
        if why.cause == Cause::Unusable {
            report.warn_unusable(why.reason.clone());
        }
        if why.cause == Cause::Malformed {
            // Nothing would ever be cached, and nobody would know.
            let plugin = &report.record.plugin;
            report.warnings.push(format!("plugin `{plugin}`: {}; the command runs uncached", why.reason));
        }
        report.record.reason = why.reason;
        report.is_refusal = matches!(why.cause, Cause::Refused | Cause::Malformed);
        if let Some(fault) = why.fault {
            report.fault(&fault);
        }
        self.note(report);
    }

    /// Adds what became of an operation to the journal.
    pub(super) fn note(&self, report: &mut Report) {
        if self.store.options().read_only {
            return;
        }
        if let Err(error) = journal::append(self.store, self.partition, &report.record) {
            let path = self.store.layout().journal(self.partition.id());
            report.warn_unusable(unusable(format!("cannot write {}: {error}", path.display())));
        }
    }
}

impl Report {
    /// Takes up a plugin's fault.
    pub fn fault(&mut self, fault: &Fault) {
        if fault.is_off() {
            // What switched it off was warned of, and counted.
            self.is_off = true;
            return;
        }
        if matches!(fault.kind, FaultKind::Uncompiled) {
            return;
        }
        fault.kind.code().clone_into(&mut self.record.fault);
        self.warnings.push(fault.to_string());
    }

    /// The reason that an error of the store gives. What the system refuses is worth a warning.
    pub fn refused(&mut self, error: &StoreError) -> String {
        if !matches!(error, StoreError::Io { .. }) {
            return error.to_string();
        }
        let reason = unusable(error);
        self.warn_unusable(reason.clone());
        reason
    }

    fn warn_unusable(&mut self, reason: String) {
        if !self.unusable {
            self.unusable = true;
            self.warnings.push(reason);
        }
    }

    /// Says why a run was not recorded; the first reason counts.
    pub fn unrecorded(&mut self, reason: impl fmt::Display) {
        if self.record.reason.is_empty() {
            self.record.reason = reason.to_string();
        }
    }
}

/// The reason that a cache gives which cannot be used.
pub(super) fn unusable(error: impl fmt::Display) -> String {
    format!("cannot use the cache: {error}")
}

/// A key that is bound, with what was found under it.
pub(super) type Found = (Key, crate::store::Entry, Option<usize>);

/// What is found for a derivation, and what its lists resolve to now.
#[derive(Debug)]
pub(super) struct Search {
    /// The entry, its key, and the list that led to it.
    pub(super) found: Option<Found>,
    /// The base key.
    pub(super) base: Digest,
    /// The file with its lists.
    pub(super) lists: Vec<u8>,
    /// What each list that was resolved resolved to.
    pub(super) now: Vec<Option<super::kept::Now>>,
}

impl Search {
    /// One of the lists, taken apart.
    pub(super) fn list(&self, position: usize, root: &str) -> Option<Resolved> {
        let lists = Lists::from_bytes(&self.lists, root).ok()?.lists;
        lists.into_iter().nth(position)
    }
}
