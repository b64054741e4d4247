//! Which entries: those that were used lately, or those that were not.

use crate::cli::context::now;
use crate::time::Timestamp;
use clap::Args;
use std::time::Duration;

/// A choice of entries by their last use. Being added counts as a use.
#[derive(Args, Debug)]
pub(super) struct Age {
    /// Only those that were used in the last AGE, such as `7d` or `2h 30min`
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, conflicts_with = "unused")]
    used: Option<Duration>,
    /// Only those that were not used in the last AGE
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    unused: Option<Duration>,
}

impl Age {
    /// Whether an age was given.
    pub(super) const fn is_given(&self) -> bool {
        self.used.is_some() || self.unused.is_some()
    }

    /// Whether an entry with this last use is one of them.
    pub(super) fn holds(&self, last_use: Timestamp) -> bool {
        let since = |age: Duration| last_use >= now().before(age);
        self.used.is_none_or(since) && self.unused.is_none_or(|age| !since(age))
    }
}
