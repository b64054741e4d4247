//! The first step: the operation is named and looked up, and made ready to be run where nothing is bound.

use super::super::files::Seen;
use super::super::guard::Guard;
use super::super::launch::Launch;
use super::super::prepare::{Prepared, Uncached};
use super::super::program;
use super::super::run::{Report, Request, Reviver};
use super::super::unchanged::Snapshot;
use super::super::writes::Watched;
use super::found::Found;
use super::pending::Pending;
use super::task::Task;
use crate::store::Entry;
use crate::time::Timestamp;

/// What there is to do about a task.
#[derive(Debug)]
pub enum Begun {
    /// An entry is bound, which can be revived.
    Found(Box<Found>),
    /// Nothing is bound: the caller runs the command that this tells.
    Open(Box<Pending>),
    /// The caller runs the command as it is, and nothing comes of it.
    Bare(Box<Report>),
}

/// What a task came to.
enum Step {
    Found(Prepared, Entry, Snapshot),
    Open(Ready),
}

/// All that is to be known of a run after it.
#[derive(Debug)]
pub(super) struct Ready {
    pub(super) prepared: Prepared,
    pub(super) watched: Vec<Watched>,
    pub(super) guard: Guard,
    pub(super) launch: Launch,
    /// What was seen of files before.
    pub(super) before: Seen,
    /// A moment before the command can have been told to anybody.
    pub(super) since: Timestamp,
}

impl Reviver<'_> {
    /// Looks up what the caller is about to run; see the [module](super) for the outcomes.
    #[must_use]
    pub fn begin(&self, task: Task) -> Begun {
        let report = self.report();
        self.begin_with(task, report, true)
    }

    /// The same, with what there is to tell already, and whether what is found can be used.
    pub(super) fn begin_with(&self, task: Task, mut report: Report, is_usable: bool) -> Begun {
        let (task, step) = task.ask(|request| self.step(request, &mut report, is_usable));
        match step {
            Ok(Step::Found(prepared, entry, seen)) => {
                Begun::Found(Box::new(Found { task, prepared, entry, report, seen }))
            }
            Ok(Step::Open(ready)) => {
                Begun::Open(Box::new(Pending { task, ready, report, origin: self.origin() }))
            }
            Err(uncached) => {
                self.uncached(&mut report, uncached);
                Begun::Bare(Box::new(report))
            }
        }
    }

    fn step(&self, request: &Request<'_>, report: &mut Report, is_usable: bool) -> Result<Step, Uncached> {
        let (resolver, prepared, mut search) = self.look(request, report)?;
        // A run of our own could not start it. Callers search elsewhere perhaps, and what they find is in no key.
        let program = &request.operation.argv[0];
        let found =
            program::find(&resolver, program).map_err(|doubt| Uncached::because(doubt.to_string()))?;
        if found.is_none() {
            return Err(Uncached::because(format!("{program}: command not found")));
        }
        let found = search.found.take().filter(|_| is_usable);
        if let Some((_, entry, list)) = found {
            // Now, while what was seen and what it resolved to belong together.
            self.see_anew(request, &resolver, &prepared, &search, list);
            return Ok(Step::Found(prepared, entry, Snapshot::of(&resolver.files)));
        }
        let watched = self.watch(request, &prepared, &search, report)?;
        let guard = self.guard(&prepared, report);
        let launch = self.launch(request, &prepared, &watched, report).map_err(Uncached::unrecordable)?;
        let (before, since) = (resolver.files.seen(), self.clock.now());
        Ok(Step::Open(Ready { prepared, watched, guard, launch, before, since }))
    }
}
