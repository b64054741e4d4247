//! A miss: the command runs, and becomes an entry if nothing about it is doubtful.

use super::examine::{Performed, SET_BACK, left};
use super::execute::{ChildInput, Executed, Outputs, Spawn, execute};
use super::input::Standing;
use super::prepare::Prepared;
use super::program;
use super::resolve::Resolver;
use super::run::{Report, Request, Reviver, RunError};
use super::topology::Topology;
use super::value::Value;
use super::writes::Watched;
use crate::outcome::Exit;
use std::ffi::OsStr;
use std::io;

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
        match self.perform(request, before, &mut prepared, watched, outputs, report)? {
            Ok(performed) => {
                let before = before.files.seen();
                self.conclude(request, &before, &prepared, watched, &performed, &guard, report);
                Ok(performed.executed.exit)
            }
            Err(exit) => Ok(exit),
        }
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
        let launch = match self.launch(request, prepared, watched, report) {
            Ok(launch) => launch,
            Err(reason) => {
                let input = std::mem::replace(&mut prepared.child_input, ChildInput::Inherit);
                return self.plain(request, before, input, reason, outputs, report).map(Err);
            }
        };
        let input = std::mem::replace(&mut prepared.child_input, ChildInput::Inherit);
        let standing = match (&input, prepared.input, request.stdin) {
            (ChildInput::Inherit, Value::Other(_), Some(stdin)) => {
                Standing::of(stdin).map(|standing| (stdin, standing))
            }
            _ => None,
        };
        let executed = self.execute(request, before, &launch.argv, input, outputs)?;
        // At once: what changes from here on is not the command's work.
        let left = left(watched);
        if standing.is_some_and(|(stdin, standing)| !standing.holds(stdin, prepared.input)) {
            report.unrecorded("standard input changed while the command ran");
        }
        if executed.ended < executed.started {
            report.unrecorded(SET_BACK);
        }
        let since = executed.started;
        let performed = self.examine(request, prepared, watched, &launch, (executed, since), left, report);
        if performed.is_short {
            let (mut nowhere, mut either) = (io::sink(), io::sink());
            let mut silent = Outputs { stdout: &mut nowhere, stderr: &mut either };
            let argv = &request.operation.argv;
            if let Err(error) = self.execute(request, before, argv, ChildInput::Null, &mut silent) {
                report.warnings.push(error.to_string());
            }
        }
        Ok(Ok(performed))
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
}
