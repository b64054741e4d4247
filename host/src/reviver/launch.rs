//! Before a command runs that is to be recorded: what it writes is watched and held, and its arguments are filled in.
//!
//! | state | outcome |
//! |---|---|
//! | the cache is only read; a plugin is switched off; a write cannot be looked at | no run that could be recorded, with that reason |
//! | something else writes there too | a run that is not recorded |
//! | with replaced arguments, a directory of a write is missing; no private directory is to be had | the command runs as the user wrote it, and is not recorded |
//! | anything else | a run that is recorded if nothing about it is doubtful |

use super::guard::{Guard, unlink_shared};
use super::prepare::{Prepared, Uncached};
use super::run::{Report, Request, Reviver, Search};
use super::writes::{Watched, watch};
use crate::operation::REPORT;
use crate::store::Temporary;
use std::path::{Path, PathBuf};

/// What runs, and where its report goes.
#[derive(Debug)]
pub(super) struct Launch {
    /// The program, then its arguments.
    pub(super) argv: Vec<String>,
    /// The private directory, with the path of the report in it; it goes when this is dropped.
    private: Option<(Temporary, String)>,
}

impl Launch {
    /// Where the report is to be, if the derivation wants one.
    pub(super) fn report(&self, prepared: &Prepared) -> Option<PathBuf> {
        let name = prepared.derivation.report.as_ref()?;
        let private = self.private.as_ref().map(|(_, path)| PathBuf::from(path));
        let written = || prepared.derivation.writes.iter().position(|write| write.label == *name);
        private.or_else(|| written().map(|write| prepared.places[write].clone()))
    }
}

impl Reviver<'_> {
    /// What is at each write's path before a run that is to be recorded, or why there can be none.
    pub(super) fn watch(
        &self,
        request: &Request<'_>,
        prepared: &Prepared,
        search: &Search,
        report: &mut Report,
    ) -> Result<Vec<Watched>, Uncached> {
        if self.store.options().read_only {
            return Err(Uncached::unrecordable("the cache is only read"));
        }
        report.record.differences = self.differences(request, prepared, search);
        // With a plugin that is switched off nothing would be recorded, and what it makes itself would be missing.
        self.key_policy.ready().and_then(|()| self.codec.ready()).map_err(|fault| {
            let reason = fault.reason();
            Uncached { fault: Some(fault), ..Uncached::because(reason) }
        })?;
        watch(&prepared.derivation, &prepared.places).map_err(|doubt| Uncached::because(doubt.to_string()))
    }

    /// Takes the lock of every write. Where another process has one the run is not recorded.
    pub(super) fn guard(&self, prepared: &Prepared, report: &mut Report) -> Guard {
        let guard = Guard::of(self.store, prepared.places.iter().map(PathBuf::as_path));
        for place in &guard.contended {
            report.unrecorded(format!("another operation writes {} too", place.display()));
        }
        for error in &guard.refused {
            let reason = report.refused(error);
            report.unrecorded(reason);
        }
        guard
    }

    /// What is to run, or why the command must run as the user wrote it.
    pub(super) fn launch(
        &self,
        request: &Request<'_>,
        prepared: &Prepared,
        watched: &[Watched],
        report: &mut Report,
    ) -> Result<Launch, String> {
        unlink_shared(self.store, watched);
        let private = homeless(prepared).map_or_else(|| self.private_report(prepared, report), Err)?;
        let argv = arguments(request, prepared, private.as_ref().map(|(_, path)| path.as_str()));
        Ok(Launch { argv, private })
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
}

/// Why a command must run as the user wrote it: with arguments replaced, what the plugin makes would come with its
/// directory, and the command would succeed where it fails by itself.
fn homeless(prepared: &Prepared) -> Option<String> {
    prepared.derivation.arguments.as_ref()?;
    let is_homeless = |place: &&PathBuf| place.parent().is_some_and(|parent: &Path| !parent.is_dir());
    let missing = prepared.places.iter().find(is_homeless)?;
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
