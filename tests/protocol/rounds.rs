//! How often something random is tried, and from which seed on.

use anyhow::{Context as _, Result};
use std::time::{SystemTime, UNIX_EPOCH};
use tests::dice::Dice;

/// Tries a law with the dice of each round. A failure names the seed that begins with its round.
pub(crate) fn rounds(usual: u64, law: impl Fn(&mut Dice) -> Result<()>) -> Result<()> {
    let seed = match asked("REVIVER_PROTOCOL_SEED")? {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64 % 1_000_000,
    };
    eprintln!("REVIVER_PROTOCOL_SEED={seed}");
    for round in seed..seed + asked("REVIVER_PROTOCOL_ROUNDS")?.unwrap_or(usual) {
        law(&mut Dice::new(round)).with_context(|| format!("REVIVER_PROTOCOL_SEED={round}"))?;
    }
    Ok(())
}

fn asked(variable: &str) -> Result<Option<u64>> {
    std::env::var(variable).ok().map(|text| text.parse().context(variable.to_owned())).transpose()
}
