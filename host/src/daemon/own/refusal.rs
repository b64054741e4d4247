//! Why there is no answer: errors of all layers become codes of the protocol.

use crate::protocol::own::Code;
use crate::repository::choose::ChooseError;
use crate::reviver::journal;
use crate::reviver::run::Report;
use crate::store::{ReviveError, StageError, Store, StoreError};
use std::fmt::Display;

/// Why there is no answer.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: Code,
    pub(super) words: String,
}

impl Refused {
    pub(super) fn because(code: Code, words: impl Display) -> Self {
        Self { code, words: words.to_string() }
    }

    /// For an error of the store: some are of the cache, and some of the client's paths.
    pub(super) fn of_store(store: &Store, error: &StoreError) -> Self {
        let code = match error {
            StoreError::ReadOnly { .. } => Code::ReadOnly,
            StoreError::Io { path, .. } if !path.starts_with(store.layout().root()) => Code::Io,
            StoreError::SourceKind { .. }
            | StoreError::SourceChanged { .. }
            | StoreError::InvalidItem { .. }
            | StoreError::TooLarge => Code::Io,
            _ => Code::Store,
        };
        Self::because(code, error)
    }

    /// For an error of a revival.
    pub(super) fn of_revival(store: &Store, error: &ReviveError) -> Self {
        match error {
            ReviveError::Store(error) => Self::of_store(store, error),
            ReviveError::Stage(StageError::Destination { path, .. })
                if path.starts_with(store.layout().root()) =>
            {
                Self::because(Code::Store, error)
            }
            ReviveError::Stage(_) => Self::because(Code::Io, error),
        }
    }

    /// For an operation that has no key, or could not be recorded.
    pub(super) fn of_report(report: &Report, read_only: bool) -> Self {
        let record = &report.record;
        let code = if report.unusable {
            Code::Store
        } else if report.is_off || !record.fault.is_empty() {
            Code::Plugin
        } else if read_only && record.result == journal::Result::Miss {
            Code::ReadOnly
        } else {
            Code::Refused
        };
        Self::because(code, &record.reason)
    }
}

impl From<ChooseError> for Refused {
    fn from(error: ChooseError) -> Self {
        Self::because(Code::Plugin, error)
    }
}
