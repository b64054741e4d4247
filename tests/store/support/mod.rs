//! Starting workers, and saying what is not tested.

use anyhow::{Context as _, Result, ensure};
use std::ffi::OsStr;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};
use std::time::{SystemTime, UNIX_EPOCH};
use tempfile::TempDir;

/// The program that plays all parts.
pub(crate) const WORKER: &str = env!("CARGO_BIN_EXE_store-worker");

/// A worker in this part.
pub(crate) fn worker(arguments: &[impl AsRef<OsStr>]) -> Command {
    let mut command = Command::new(WORKER);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a worker that ended well has told; else what it complained of is the error.
pub(crate) fn told(output: Output) -> Result<String> {
    let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
    ensure!(output.status.success(), "a worker ended with {}: {complaint}", output.status);
    String::from_utf8(output.stdout).context("a worker tells texts")
}

/// The seed that was asked for, or one of this moment. It is printed, and seen where the test fails.
pub(crate) fn seed() -> Result<u64> {
    let seed = match std::env::var("REVIVER_STORE_SEED") {
        Ok(seed) => seed.parse().context("REVIVER_STORE_SEED")?,
        Err(_) => SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64 % 1_000_000,
    };
    eprintln!("REVIVER_STORE_SEED={seed}");
    Ok(seed)
}

/// A directory in memory where there is such a place, so that more happens in the same time; else on the disk.
pub(crate) fn fast_directory() -> Result<TempDir> {
    Ok(tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir())?)
}

/// Says that something is not tested. Not by a macro: the test runner would keep that to itself, since the test passes.
pub(crate) fn skipped(why: &str) {
    // A standard error that is closed has nobody to tell.
    std::io::stderr().write_all(format!("SKIPPED: {why}\n").as_bytes()).ok();
}

/// Whether the test runs as root, which some of them need; says so where it does not.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let root = std::fs::metadata("/proc/self").is_ok_and(|metadata| metadata.uid() == 0);
    if !root {
        skipped("only root can arrange this");
    }
    root
}
