//! A command that its caller runs, between its beginning and its end.

use super::super::run::Report;
use super::super::writes::Watched;
use super::begin::Ready;
use super::origin::Origin;
use super::task::Task;
use crate::digest::Digest;
use crate::time::Timestamp;
use std::fmt;
use std::path::PathBuf;

/// A run that the caller has to do, and all that it will be judged by. It holds the locks of its writes and the private
/// directory of its report; both go with it.
#[derive(Debug)]
pub struct Pending {
    pub(super) task: Task,
    pub(super) ready: Ready,
    pub(super) report: Report,
    pub(super) origin: Origin,
}

impl Pending {
    /// What the operation is called.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.ready.prepared.derivation.label
    }

    /// The base key.
    #[must_use]
    pub const fn base(&self) -> Digest {
        self.ready.prepared.base
    }

    /// What is to be run: the program as it was invoked, then the arguments, which may be others than the task's.
    #[must_use]
    pub fn arguments(&self) -> &[String] {
        &self.ready.launch.argv
    }

    /// The file that the command leaves its report in, where the plugin wants one.
    #[must_use]
    pub fn report(&self) -> Option<PathBuf> {
        self.ready.launch.report(&self.ready.prepared)
    }

    /// What it writes, and where.
    #[must_use]
    pub fn writes(&self) -> &[Watched] {
        &self.ready.watched
    }

    /// When it began: a moment before the command, for a caller who does not know when that started.
    #[must_use]
    pub const fn began(&self) -> Timestamp {
        self.ready.since
    }

    /// Says that it is not to be recorded however it went, and why.
    pub fn doubt(&mut self, reason: impl fmt::Display) {
        self.report.unrecorded(reason);
    }

    /// Why it will not be recorded, where that is known already.
    #[must_use]
    pub fn unrecorded(&self) -> Option<&str> {
        let reason = self.report.record.reason.as_str();
        (!reason.is_empty()).then_some(reason)
    }
}
