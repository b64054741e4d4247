//! A miss: the command runs, and becomes an entry if nothing about it is doubtful.
//!
//! Races are lost, not won: an input that changed while the command ran, one that a report names and that is too young to
//! be sure of, another process that writes the same file, a pipe that somebody still holds – each leaves the run
//! unrecorded, with that reason.

use super::age;
use super::execute::{ChildInput, Executed, Outputs, Spawn, Unsure, execute};
use super::guard::{Guard, unlink_shared};
use super::input::Standing;
use super::prepare::Prepared;
use super::program;
use super::resolve::Resolver;
use super::run::{Report, Request, Reviver, RunError};
use super::topology::Topology;
use super::unchanged::same_identities;
use super::value::Value;
use super::writes::{State, Watched, state};
use crate::operation::{Discovery, Ingredient, REPORT, Source};
use crate::outcome::Exit;
use crate::store::{Staging, Temporary};
use crate::time::Timestamp;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::path::PathBuf;

/// A command that ran, and what there is to judge it by.
#[derive(Debug)]
pub(super) struct Performed {
    pub(super) executed: Executed,
    /// What the plugin found in the report; `None` where it found none, or could not tell.
    pub(super) discovery: Option<Discovery>,
    /// What was at the path of each write when the command had ended.
    pub(super) left: Vec<Option<State>>,
    /// The file system after it.
    pub(super) after: Resolver,
}

impl Reviver<'_> {
    /// Runs the command, and records it if it may be.
    pub(super) fn miss(
        &self,
        request: &Request<'_>,
        before: &Resolver,
        mut prepared: Prepared,
        watched: &[Watched],
        outputs: &mut Outputs<'_>,
        report: &mut Report,
    ) -> Result<Exit, RunError> {
        let guard = self.guard(&prepared, report);
        let performed = match self.perform(request, before, &mut prepared, watched, outputs, report)? {
            Ok(performed) => performed,
            Err(exit) => return Ok(exit),
        };
        let Performed { executed, discovery, left, after } = performed;
        if let Some(discovery) = discovery.filter(|_| report.record.reason.is_empty()) {
            let recorded = unchanged(before, &after, &prepared, executed.started)
                .and_then(|()| older(before, &after, &discovery.ingredients, executed.started))
                .and_then(|values| {
                    self.record(
                        request,
                        &after,
                        &prepared,
                        watched,
                        &discovery,
                        &values,
                        &executed,
                        (&left, &guard),
                        report,
                    )
                });
            if let Err(reason) = recorded {
                report.unrecorded(reason);
            }
        }
        Ok(executed.exit)
    }

    /// Runs the command to be recorded or compared, and puts in place what the plugin makes itself. The inner error is the exit
    /// of a command that had to run as it is; why, and what speaks against recording it, is in the report.
    pub(super) fn perform(
        &self,
        request: &Request<'_>,
        before: &Resolver,
        prepared: &mut Prepared,
        watched: &[Watched],
        outputs: &mut Outputs<'_>,
        report: &mut Report,
    ) -> Result<Result<Performed, Exit>, RunError> {
        unlink_shared(self.store, watched);
        let private = match homeless(prepared).map_or_else(|| self.private_report(prepared, report), Err) {
            Ok(private) => private,
            Err(reason) => {
                let input = std::mem::replace(&mut prepared.child_input, ChildInput::Inherit);
                return self.plain(request, before, input, reason, outputs, report).map(Err);
            }
        };
        let argv = arguments(request, prepared, private.as_ref().map(|(_, path)| path.as_str()));
        let input = std::mem::replace(&mut prepared.child_input, ChildInput::Inherit);
        let standing = match (&input, prepared.input) {
            (ChildInput::Inherit, Value::Other(_)) => Standing::of(request.stdin),
            _ => None,
        };
        let executed = self.execute(request, before, &argv, input, outputs)?;
        // At once: what changes from here on is not the command's work.
        let left = watched.iter().map(|watched| state(&watched.path).ok()).collect();
        if standing.is_some_and(|standing| !standing.holds(request.stdin, prepared.input)) {
            report.unrecorded("standard input changed while the command ran");
        }
        report.record.duration = executed.ended.0.saturating_sub(executed.started.0);

        let after = self.look_around(request);
        let path = private.as_ref().map(|(_, path)| PathBuf::from(path));
        if let Err(reason) = judge(prepared, request, &executed) {
            report.unrecorded(reason);
        }
        let discovery = self.discover(request, &after, prepared, path, report);
        self.complete(request, before, prepared, watched, discovery.as_ref(), &executed, report);
        Ok(Ok(Performed { executed, discovery, left, after }))
    }

    /// Takes the lock of every write. Where another process has one the run is not recorded.
    fn guard(&self, prepared: &Prepared, report: &mut Report) -> Guard {
        let guard = Guard::of(self.store, prepared.places.iter().map(PathBuf::as_path));
        for place in &guard.contended {
            report.unrecorded(format!("another process writes {} too", place.display()));
        }
        for error in &guard.refused {
            let reason = report.refused(error);
            report.unrecorded(reason);
        }
        guard
    }

    /// A private place for the report, where the derivation wants one.
    fn private_report(
        &self,
        prepared: &Prepared,
        report: &mut Report,
    ) -> Result<Option<(Temporary, String)>, String> {
        if prepared.derivation.report.as_deref() != Some(REPORT) {
            return Ok(None);
        }
        let directory = self.store.temporary().map_err(|error| report.refused(&error))?;
        let path = directory.path().join("report");
        let path = path.to_str().ok_or("the path of the cache is not UTF-8")?.to_owned();
        Ok(Some((directory, path)))
    }

    /// Runs the command as it is, not to be recorded.
    fn plain(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        input: ChildInput,
        reason: String,
        outputs: &mut Outputs<'_>,
        report: &mut Report,
    ) -> Result<Exit, RunError> {
        report.unrecorded(reason);
        self.execute(request, resolver, &request.operation.argv, input, outputs).map(|executed| executed.exit)
    }

    fn execute(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        argv: &[String],
        input: ChildInput,
        outputs: &mut Outputs<'_>,
    ) -> Result<Executed, RunError> {
        let name = &argv[0];
        let program = program::find(resolver, name).ok().flatten();
        let program = program.ok_or_else(|| RunError::NotFound(name.clone()))?;
        let environment = &request.environment;
        // Where a directory on the way to ours may not be entered any more, we are in it all the same.
        let here = request.here;
        let program = if here { program::started_as(environment, &program, name) } else { program };
        let directory = (!here).then_some(&*environment.directory);
        let argv: Vec<&OsStr> = argv.iter().map(OsStr::new).collect();
        let spawn = Spawn {
            program: &program,
            argv: &argv,
            directory,
            variables: None,
            told: request.told,
            input,
            output: Topology::Piped { joined: request.joined },
        };
        execute(spawn, &*self.clock, outputs)
            .map_err(|source| RunError::Spawn { program: name.clone(), source })
    }

    /// What the plugin finds in the report. Without a report, nothing; with a report that is not there or not
    /// understood, `None`.
    fn discover(
        &self,
        request: &Request<'_>,
        after: &Resolver,
        prepared: &Prepared,
        private: Option<PathBuf>,
        report: &mut Report,
    ) -> Option<Discovery> {
        let Some(name) = &prepared.derivation.report else { return Some(Discovery::default()) };
        let written = || prepared.derivation.writes.iter().position(|write| write.label == *name);
        let path = private.or_else(|| written().map(|write| prepared.places[write].clone()))?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            Err(error) => {
                // A command that failed owes no report.
                report.unrecorded(format!("the command left no report: {error}"));
                return None;
            }
        };
        let looks = self.looks(request, after, Some(bytes.clone()));
        match self.key_policy.discover(&request.operation, &bytes, looks.inputs()) {
            Ok(Ok(discovery)) => {
                if let Some(reason) = &discovery.uncacheable {
                    report.unrecorded(reason);
                }
                Some(discovery)
            }
            Ok(Err(refusal)) => {
                report.is_refusal = true;
                report.unrecorded(refusal.reason());
                None
            }
            Err(fault) => {
                report.fault(&fault);
                report.unrecorded(fault.reason());
                None
            }
        }
    }

    /// Puts in place what the plugin makes itself. Where the command ran with replaced arguments and something that it
    /// was to write is still not there, it runs once more as the user wrote it, silently: no build fails for want of a
    /// file that only the cache left out.
    #[expect(clippy::too_many_arguments, reason = "one step of one miss, with all that the miss is about")]
    fn complete(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        prepared: &Prepared,
        watched: &[Watched],
        discovery: Option<&Discovery>,
        executed: &Executed,
        report: &mut Report,
    ) {
        let mut staging = Staging::new(self.store);
        let mut problem = None;
        for (label, bytes) in discovery.iter().flat_map(|discovery| &discovery.produced) {
            let Some(watched) = watched.iter().find(|watched| watched.write.label == *label) else {
                problem = Some(format!("the plugin produced `{label}`, which is no write"));
                continue;
            };
            let staged = staging.bytes(&watched.path, bytes, 0o666 & !request.environment.umask);
            problem = problem.or(staged.err().map(|error| error.to_string()));
        }
        problem = problem.or(staging.commit().err().map(|error| error.to_string()));
        if let Some(problem) = problem {
            report.unrecorded(problem);
        }
        if prepared.derivation.arguments.is_none() {
            return;
        }
        let left_alone = |watched: &&Watched| state(&watched.path).is_ok_and(|now| now == watched.before);
        if executed.exit != Exit::Code(0) {
            // A compiler that takes its object away when it fails takes its depfile away too.
            let gone = |watched: &Watched| {
                watched.before != State::Absent && state(&watched.path).is_ok_and(|now| now == State::Absent)
            };
            if watched.iter().any(gone) {
                for Watched { path, .. } in watched.iter().filter(left_alone) {
                    // Where it cannot be removed it stays, as it was before.
                    fs::remove_file(path).ok();
                }
            }
        } else if watched.iter().any(|watched| left_alone(&watched)) {
            let (mut nowhere, mut either) = (io::sink(), io::sink());
            let mut silent = Outputs { stdout: &mut nowhere, stderr: &mut either };
            let again =
                self.execute(request, resolver, &request.operation.argv, ChildInput::Null, &mut silent);
            report.unrecorded("the command ran once more for a file that the plugin could not make");
            if let Err(error) = again {
                report.warnings.push(error.to_string());
            }
        }
    }
}

/// Why a command must run as the user wrote it: with arguments replaced, what the plugin makes would come with its
/// directory, and the command would succeed where it fails by itself.
fn homeless(prepared: &Prepared) -> Option<String> {
    prepared.derivation.arguments.as_ref()?;
    let missing =
        prepared.places.iter().find(|place| place.parent().is_some_and(|parent| !parent.is_dir()))?;
    Some(format!("there is no directory for {}", missing.display()))
}

/// The argument list that runs.
fn arguments(request: &Request<'_>, prepared: &Prepared, report: Option<&str>) -> Vec<String> {
    let argv = &request.operation.argv;
    let Some(replaced) = &prepared.derivation.arguments else { return argv.clone() };
    let filled = replaced.iter().map(|argument| match report {
        Some(path) => argument.replace(REPORT, path),
        None => argument.clone(),
    });
    argv.iter().take(1).cloned().chain(filled).collect()
}

/// Whether a run may be recorded for how it went.
fn judge(prepared: &Prepared, request: &Request<'_>, executed: &Executed) -> Result<(), String> {
    let accepted = |code: i32| u8::try_from(code).is_ok_and(|code| request.accepted.contains(&code));
    match executed.exit {
        Exit::Code(code) if accepted(code) => {}
        Exit::Code(code) => return Err(format!("exit status {code}")),
        Exit::Signal(signal) => return Err(format!("ended by signal {signal}")),
    }
    match executed.unsure() {
        Some(Unsure::Held) => {
            Err(format!("a process that {} left behind still holds its output", prepared.derivation.label))
        }
        Some(unsure) => Err(unsure.to_string()),
        None => Ok(()),
    }
}

/// Whether all that was known before the run is still so: by identity, and by value, since an identity that was not
/// settled proves nothing.
pub(super) fn unchanged(
    before: &Resolver,
    after: &Resolver,
    prepared: &Prepared,
    started: Timestamp,
) -> Result<(), String> {
    age::all_older(after, &prepared.derivation.ingredients, started).map_err(|young| young.to_string())?;
    same_identities(&before.files, &after.files, &prepared.places).map_err(|changed| changed.to_string())?;
    let known = prepared.derivation.ingredients.iter().zip(&prepared.values);
    for (ingredient, then) in known.map(|(ingredient, value)| (ingredient, *value)) {
        let now = after.value(&ingredient.source).map_err(|doubt| doubt.to_string())?;
        if now != then {
            return Err(format!("{} changed while the command ran", ingredient.label));
        }
    }
    Ok(())
}

/// The values of what was discovered, if all of it is surely older than the run.
fn older(
    before: &Resolver,
    after: &Resolver,
    ingredients: &[Ingredient],
    started: Timestamp,
) -> Result<Vec<Value>, String> {
    age::all_older(after, ingredients, started).map_err(|young| young.to_string())?;
    let values = after.values(ingredients, None).map_err(|doubt| doubt.to_string())?;
    let known = before.files.seen();
    for (Ingredient { source, .. }, value) in ingredients.iter().zip(&values) {
        let (Source::File(path), Value::File { .. }) = (source, value) else { continue };
        let path = after.environment.absolute(path);
        let identity = after.files.identity(&path).ok().flatten();
        // What was known before the run was proved by its value already.
        let proved = known.get(&*path).is_some_and(|then| *then == identity);
        if !proved && !identity.is_some_and(|identity| identity.unchanged_since(started)) {
            return Err(format!("{} is too young to be sure of", path.display()));
        }
    }
    Ok(values)
}
