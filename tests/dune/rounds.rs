//! How often something random is tried, and from which seed on.

use anyhow::{Context as _, Result};
use std::io::Write as _;
use std::ops::Range;
use std::time::{SystemTime, UNIX_EPOCH};

/// The seeds of so many rounds, or of as many as were asked for. The first is printed, and a failure names that of its round.
pub(crate) fn rounds(usual: u64) -> Result<Range<u64>> {
    let seed = match asked("REVIVER_DUNE_SEED")? {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64 % 1_000_000,
    };
    writeln!(std::io::stderr(), "REVIVER_DUNE_SEED={seed}").ok();
    Ok(seed..seed + asked("REVIVER_DUNE_ROUNDS")?.unwrap_or(usual))
}

fn asked(variable: &str) -> Result<Option<u64>> {
    std::env::var(variable).ok().map(|text| text.parse().context(variable.to_owned())).transpose()
}
