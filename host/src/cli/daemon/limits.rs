//! How large Dune's caches may become, and how often that is looked at: flags, else the variables of Dune's own daemon, else
//! `[dune]` in config.toml, where what Dune's own daemon does is usual.

use super::args::StartArgs;
use crate::repository::dune::DuneSettings;
use crate::repository::size::ByteSize;
use std::time::Duration;

pub(super) struct Limits {
    pub(super) period: Duration,
    pub(super) size: ByteSize,
    /// Variables that say what cannot be understood, and are passed over.
    pub(super) strange: Vec<String>,
}

impl Limits {
    pub(super) fn of(args: &StartArgs, user: &DuneSettings) -> Self {
        let mut strange = Vec::new();
        let period = variable("DUNE_CACHE_TRIM_PERIOD", &mut strange, |text| {
            let seconds = text.parse().ok().map(Duration::from_secs);
            seconds.or_else(|| humantime::parse_duration(text).ok()).filter(|period| !period.is_zero())
        });
        let size = variable("DUNE_CACHE_TRIM_SIZE", &mut strange, ByteSize::parse);
        Self {
            period: args.trim_period.or(period).unwrap_or(user.period),
            size: args.trim_size.or(size).unwrap_or(user.size),
            strange,
        }
    }
}

fn variable<T>(name: &str, strange: &mut Vec<String>, read: impl Fn(&str) -> Option<T>) -> Option<T> {
    let text = std::env::var_os(name).filter(|text| !text.is_empty())?;
    let value = text.to_str().and_then(read);
    if value.is_none() {
        strange.push(format!("{name} is `{}`, which is passed over", text.display()));
    }
    value
}
