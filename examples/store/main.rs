//! What the file cache costs, held against a plain cache that copies into a directory per key, against `cp` and `b3sum`:
//! `cargo bench --bench store -- [--quick] [tmpfs | disk]`.
//!
//! The contenders take turns and times are medians, as in `hit`. Whatever Reviver revives is compared with what was added,
//! outside the measured time. Nothing here fails for being slow; it fails where something is wrong. What is compared with
//! and is not installed is skipped, visibly. Everything is removed again.
#![allow(clippy::print_stdout, reason = "it shows something to people")]

mod cache;
mod hashing;
mod plain;
mod table;
mod trees;
mod workload;

use anyhow::{Result, ensure};
use hashing::hashing;
use plain::{after_deletion, against_plain};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::available_parallelism;
use trees::{against_cp, against_links};
use workload::Workload;

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    // A medium may be named.
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let rounds = if quick { 3 } else { 5 };
    let scale = if quick { 20 } else { 1 };
    let cores = available_parallelism()?.get();
    println!("{cores} cores; medians of {rounds} rounds");
    for (medium, parent) in
        [("tmpfs", Path::new("/dev/shm")), ("disk", Path::new(env!("CARGO_TARGET_TMPDIR")))]
    {
        if named.as_deref().is_some_and(|named| named != medium) {
            continue;
        }
        if !parent.is_dir() {
            println!("\n{medium}: SKIPPED: there is no {}", parent.display());
            continue;
        }
        let place = tempfile::Builder::new().prefix("reviver-").tempdir_in(parent)?;
        for (entries, files, size) in [(10_000 / scale, 1, 4096), (2_000 / scale, 3, 65_536)] {
            let workload = Workload::new(place.path(), entries, files, size)?;
            against_plain(medium, place.path(), &workload, rounds.min(3))?;
            after_deletion(medium, place.path(), &workload, rounds.min(3))?;
            fs::remove_dir_all(&workload.sources)?;
        }
        against_cp(medium, place.path(), 10_000 / scale, rounds, cores)?;
        let objects = 10_000 / scale;
        against_links(medium, place.path(), objects, rounds)?;
        hashing(medium, place, if quick { 1 << 28 } else { 1 << 30 }, rounds)?;
    }
    Ok(())
}

/// Lets the disk finish what it was given, so that nobody pays for another.
fn settle(place: &Path) -> Result<()> {
    run(Command::new("sync").arg("-f").arg(place))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
