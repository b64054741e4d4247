//! Exit codes.

use crate::dune::DuneError;
use crate::policy::Fault;
use crate::repository::choose::ChooseError;
use crate::repository::pin::PinError;
use crate::store::{ReviveError, StageError, StoreError};
use std::process::ExitCode;

/// What the help says of exit codes.
pub(super) const HELP: &str = "Exit codes: `run` exits as the command does, with 125 where reviver itself fails before it, \
126 and 127 where the command cannot be run or found. Other commands: 0 done or found, 1 absent, or a problem that `doctor` found, 2 usage or \
configuration, 3 plugin, 4 store.";

/// How the process ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Exit {
    /// Done, or found.
    Done,
    /// What was asked for is absent.
    Absent,
    /// `doctor` found a problem.
    Ill,
    /// Wrong usage or configuration.
    Usage,
    /// A plugin is at fault.
    Plugin,
    /// The store is.
    Store,
    /// `run` failed before the command ran.
    Failed,
    /// `run`: the command cannot be run.
    CannotRun,
    /// `run`: the command is not found.
    NotFound,
    /// `run`: as the command.
    As(u8),
    /// `run`: the command was ended by this signal, which shells show as 128 + n.
    Killed(i32),
}

impl Exit {
    /// The code of an error that ends another command than `run`.
    pub(super) fn of(error: &anyhow::Error) -> Self {
        let any = |is: fn(&(dyn std::error::Error + 'static)) -> bool| error.chain().any(is);
        let misused = error
            .chain()
            .filter_map(|cause| cause.downcast_ref::<StoreError>())
            .any(|error| matches!(error, StoreError::InvalidItem { .. } | StoreError::SourceKind { .. }));
        if misused {
            Self::Usage
        } else if any(|cause| {
            cause.is::<StoreError>()
                || cause.is::<StageError>()
                || cause.is::<ReviveError>()
                || cause.is::<DuneError>()
        }) {
            Self::Store
        } else if any(|cause| cause.is::<Fault>() || cause.is::<ChooseError>() || cause.is::<PinError>()) {
            Self::Plugin
        } else {
            Self::Usage
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(match exit {
            Exit::Done => 0,
            Exit::Absent | Exit::Ill => 1,
            Exit::Usage => 2,
            Exit::Plugin => 3,
            Exit::Store => 4,
            Exit::Failed => 125,
            Exit::CannotRun => 126,
            Exit::NotFound => 127,
            Exit::As(code) => code,
            Exit::Killed(signal) => crate::outcome::Exit::Signal(signal).status(),
        })
    }
}
