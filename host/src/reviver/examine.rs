//! After a command ran, by whomever: how it went is judged, its report read, what the plugin makes put in place, and the run
//! recorded if nothing about it is doubtful.
//!
//! Races are lost, not won: an input that changed while the command ran, one that a report names and that is too young to
//! be sure of, another process that writes the same file, a pipe that somebody still holds – each leaves the run
//! unrecorded, with that reason.

use super::execute::{Executed, Unsure};
use super::files::Seen;
use super::guard::Guard;
use super::launch::Launch;
use super::matched::{Anew, Matched, OTHERS_MATCH};
use super::prepare::Prepared;
use super::resolve::Resolver;
use super::run::{Report, Request, Reviver};
use super::unchanged::{older, unchanged};
use super::writes::{State, Watched, state};
use crate::operation::Discovery;
use crate::outcome::Exit;
use crate::store::Staging;
use crate::time::Timestamp;
use rustix::fs::{Mode, OFlags};
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

/// A command that ran, and what there is to judge it by.
#[derive(Debug)]
pub(super) struct Performed {
    pub(super) executed: Executed,
    /// A moment before it was started.
    pub(super) since: Timestamp,
    /// What the plugin found in the report; `None` where it found none, or could not tell.
    pub(super) discovery: Option<Discovery>,
    /// What was at the path of each write when the command had ended.
    pub(super) left: Vec<Option<State>>,
    /// Whether something that the command was to write is not there for want of the user's own arguments.
    pub(super) is_short: bool,
    /// The file system after it.
    pub(super) after: Resolver,
}

/// What is at the path of each write.
pub(super) fn left(watched: &[Watched]) -> Vec<Option<State>> {
    watched.iter().map(|watched| state(&watched.path).ok()).collect()
}

impl Reviver<'_> {
    /// Looks at what a command did, and puts in place what the plugin makes itself. What speaks against recording it is in
    /// the report.
    #[expect(clippy::too_many_arguments, reason = "one step of one miss, with all that the miss is about")]
    pub(super) fn examine(
        &self,
        request: &Request<'_>,
        prepared: &Prepared,
        watched: &[Watched],
        launch: &Launch,
        (executed, since): (Executed, Timestamp),
        left: Vec<Option<State>>,
        report: &mut Report,
    ) -> Performed {
        report.record.duration = executed.ended.0.saturating_sub(executed.started.0);
        let after = self.look_around(request);
        if let Err(reason) = judge(prepared, request, &executed) {
            report.unrecorded(reason);
        }
        let discovery = self.discover(request, &after, prepared, launch, report);
        let is_short = self.complete(request, prepared, watched, discovery.as_ref(), executed.exit, report);
        Performed { executed, since, discovery, left, is_short, after }
    }

    /// Records a run, or says in the report why it is not recorded.
    #[expect(clippy::too_many_arguments, reason = "one step of one miss, with all that the miss is about")]
    pub(super) fn conclude(
        &self,
        request: &Request<'_>,
        before: &Seen,
        prepared: &Prepared,
        watched: &[Watched],
        performed: &Performed,
        guard: &Guard,
        report: &mut Report,
    ) {
        let Performed { executed, since, discovery, left, after, .. } = performed;
        if let Some(Anew(again)) = request.anew.filter(|_| report.record.reason.is_empty()) {
            let directory = &request.environment.directory;
            let then = Matched::of(&request.operation, directory);
            let places = || prepared.places.iter().map(PathBuf::as_path);
            if !again().is_some_and(|now| then.holds(&Matched::of(&now, directory), places())) {
                report.unrecorded(OTHERS_MATCH);
            }
        }
        let Some(discovery) = discovery.as_ref().filter(|_| report.record.reason.is_empty()) else { return };
        let recorded = unchanged(before, after, prepared, *since)
            .and_then(|()| older(before, after, &discovery.ingredients, *since))
            .and_then(|values| {
                let by = (&left[..], guard);
                self.record(request, after, prepared, watched, discovery, &values, executed, by, report)
            });
        if let Err(reason) = recorded {
            report.unrecorded(reason);
        }
    }

    /// What the plugin finds in the report. Without a report, nothing; with a report that is not there or not
    /// understood, `None`.
    fn discover(
        &self,
        request: &Request<'_>,
        after: &Resolver,
        prepared: &Prepared,
        launch: &Launch,
        report: &mut Report,
    ) -> Option<Discovery> {
        if prepared.derivation.report.is_none() {
            return Some(Discovery::default());
        }
        let bytes = match read_report(&launch.report(prepared)?) {
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

    /// Puts in place what the plugin makes itself; whether something that the command was to write is still not there,
    /// since it ran with replaced arguments. Then it has to run once more as the user wrote it: no build fails for want of
    /// a file that only the cache left out.
    fn complete(
        &self,
        request: &Request<'_>,
        prepared: &Prepared,
        watched: &[Watched],
        discovery: Option<&Discovery>,
        exit: Exit,
        report: &mut Report,
    ) -> bool {
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
            return false;
        }
        let left_alone = |watched: &&Watched| state(&watched.path).is_ok_and(|now| now == watched.before);
        if exit != Exit::Code(0) {
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
            return false;
        }
        let is_short = watched.iter().any(|watched| left_alone(&watched));
        if is_short {
            report.unrecorded(ONCE_MORE);
        }
        is_short
    }
}

/// More than any tool reports.
const REPORT_LIMIT: u64 = 64 << 20;

/// The bytes of a report. A pipe in its place would be waited for, for ever.
fn read_report(path: &Path) -> io::Result<Vec<u8>> {
    let flags = OFlags::RDONLY | OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let file = File::from(rustix::fs::open(path, flags, Mode::empty())?);
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "it is no file"));
    }
    let mut bytes = Vec::new();
    file.take(REPORT_LIMIT + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > REPORT_LIMIT {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, "it is too large"));
    }
    Ok(bytes)
}

/// Why a command is not recorded while which the time was set back: what changed after its start may look older.
pub(super) const SET_BACK: &str = "the clock was set back while the command ran";

/// Why a command that ran with arguments that were not the user's is not recorded.
pub(super) const ONCE_MORE: &str = "the command ran once more for a file that the plugin could not make";

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
