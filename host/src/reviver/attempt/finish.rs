//! The last step: a run that the caller did is judged, and recorded if nothing about it is doubtful.
//!
//! | the caller says | it is believed |
//! |---|---|
//! | how the command ended, what it said | yes; more than a run keeps is not recorded |
//! | how long it took | yes |
//! | that it ended later than now | no: both times are set back |
//! | that it started before the attempt began | yes: more is too young then |
//! | that it started later | no input is older for it |
//!
//! Where our own clock was set back since the attempt began nothing is recorded: what changed since may look older.

use super::super::examine::{ONCE_MORE, SET_BACK, left};
use super::super::execute::{Executed, MOST_KEPT};
use super::super::guard::Guard;
use super::super::run::{Report, Reviver};
use super::begin::Ready;
use super::pending::Pending;
use crate::outcome::Exit;
use crate::time::Timestamp;

/// A run that the caller did, and what came of it.
#[derive(Debug)]
pub struct Finished {
    /// What there is to tell: the key it was recorded under, or the reason why it was not.
    pub report: Report,
    /// That the command must run once more.
    pub again: Option<Again>,
}

/// A command that has to run once more as the task says it, whatever it prints: it ran with other arguments, and a file that
/// the user's would have made is not there. Others take the writes for held until this is dropped.
#[derive(Debug)]
pub struct Again {
    _guard: Guard,
}

impl Reviver<'_> {
    /// Judges what the caller did, puts in place what the plugin makes itself, and records it; see the [module](super) for
    /// the outcomes.
    #[must_use]
    pub fn finish(&self, pending: Pending, told: Executed) -> Finished {
        let Pending { task, ready, mut report, origin } = pending;
        let Ready { prepared, watched, guard, launch, before, since } = ready;
        // At once: what changes from here on is not the command's work.
        let left = left(&watched);
        let now = self.clock.now();
        if now < since {
            report.unrecorded(SET_BACK);
        }
        let mut executed = set_back(told, now);
        let since = since.min(executed.started);
        executed.cut |= executed.output.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() > MOST_KEPT;
        let is_short = if origin == self.origin() {
            let (_, is_short) = task.ask(|request| {
                let executed = (executed, since);
                let performed =
                    self.examine(request, &prepared, &watched, &launch, executed, left, &mut report);
                self.conclude(request, &before, &prepared, &watched, &performed, &guard, &mut report);
                performed.is_short
            });
            is_short
        } else {
            report.unrecorded("another plugin names this repository's operations now");
            // What the one before would have made nobody makes.
            let is_short = prepared.derivation.arguments.is_some() && executed.exit == Exit::Code(0);
            is_short.then(|| report.unrecorded(ONCE_MORE)).is_some()
        };
        self.note(&mut report);
        Finished { report, again: is_short.then_some(Again { _guard: guard }) }
    }
}

/// Both times of a clock that is ahead, as far back as they must be.
fn set_back(executed: Executed, now: Timestamp) -> Executed {
    let ahead = executed.ended.0.saturating_sub(now.0);
    let started = Timestamp(executed.started.0.saturating_sub(ahead));
    Executed { started, ended: executed.ended.min(now), ..executed }
}
