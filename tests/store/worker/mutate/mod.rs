//! Giving readers what nobody wrote. Each round makes its bytes from a number of its own, the seed plus the round, so that one
//! round can be repeated: `REVIVER_STORE_SEED=<number> REVIVER_STORE_ROUNDS=1`.
//!
//! The process may only take as much memory as its parent lets it: an allocation far beyond that is the end of it.

mod entry;
mod index;
mod manifest;
mod mutator;

use anyhow::{Context as _, Result, anyhow, bail};
use std::io::Write as _;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use tests::dice::Dice;

/// What one round does with its dice; whether its mutant was accepted.
type Round = Box<dyn FnMut(&mut Dice) -> Result<bool>>;

/// Mutates for one of the readers, and tells how many mutants were accepted and refused.
pub(crate) fn mutate(reader: &str, directory: &Path, seed: u64, rounds: u64) -> Result<()> {
    let mut round = match reader {
        "entry" => entry::rounds(directory)?,
        "index" => index::rounds(directory)?,
        "manifest" => manifest::rounds(directory)?,
        _ => bail!("there is no reader `{reader}`"),
    };
    let mut accepted = 0;
    for number in seed..seed + rounds {
        let mut dice = Dice::new(number);
        let result = catch_unwind(AssertUnwindSafe(|| round(&mut dice)));
        let result = result.unwrap_or_else(|_| Err(anyhow!("it panicked")));
        accepted += u64::from(result.with_context(|| format!("REVIVER_STORE_SEED={number}"))?);
    }
    writeln!(std::io::stdout(), "{reader}: {accepted} accepted, {} refused", rounds - accepted)?;
    // What is never accepted tests nothing behind the first check, and what always is was hardly changed.
    if rounds >= 300 && (accepted < rounds / 50 || accepted == rounds) {
        bail!("{accepted} of {rounds} mutants were accepted");
    }
    Ok(())
}
