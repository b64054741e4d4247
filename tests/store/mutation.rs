//! Bytes that nobody wrote, for the readers of entries, manifests and indexes.
//!
//! Seeds – the golden entry of version 1, entries of each kind of content, manifests of names that go together well and badly,
//! an index with a history – are changed by turned bits, numbers where arithmetic goes wrong, splices, shifts, shorter and
//! longer; and most are *signed* anew, so that more than their digest is looked at.
//!
//! * No reader panics, and none takes memory that its bytes do not need: workers may take 512 MiB.
//! * What is accepted has the contents of its digests, and can be written again as it was read.
//! * Nothing is written outside of a root. A miss or an error changes nothing at all.
//! * An index may lie; entries stay right, and a new index tells the truth.
//!
//! More rounds: `REVIVER_STORE_ROUNDS=100000 cargo test -p tests --test store mutation -- --nocapture`. A failure names the
//! seed of its round.

use crate::support::{WORKER, fast_directory, seed, told};
use anyhow::{Context as _, Result};
use std::process::Command;

#[test]
fn a_mutated_entry_is_refused_or_right() -> Result<()> {
    mutate("entry", 1_500)
}

#[test]
fn a_mutated_manifest_stays_within_its_root() -> Result<()> {
    mutate("manifest", 1_500)
}

#[test]
fn a_mutated_index_changes_no_entry() -> Result<()> {
    mutate("index", 300)
}

/// Gives a reader that many mutants, or as many as were asked for.
fn mutate(reader: &str, rounds: u64) -> Result<()> {
    let rounds = match std::env::var("REVIVER_STORE_ROUNDS") {
        Ok(rounds) => rounds.parse().context("REVIVER_STORE_ROUNDS")?,
        Err(_) => rounds,
    };
    let directory = fast_directory()?;
    let mut shell = Command::new("sh");
    shell.args(["-c", "ulimit -v 524288; exec \"$@\"", "sh", WORKER, "mutate", reader]);
    let output =
        shell.arg(directory.path()).args([seed()?, rounds].map(|number| number.to_string())).output()?;
    eprint!("{}", told(output)?);
    Ok(())
}
