//! What the daemon's protocols cost, held against what they stand for: `cargo bench --bench protocol -- [--quick]`.
//!
//! The daemon is started here, on tmpfs, and ended again. Contenders take turns and times are medians, as in `hit`. Nothing here
//! fails for being slow; it fails where something is wrong: every file that is revived is compared with what was recorded, outside
//! of the measured time.
//!
//! | part | holds against each other |
//! |---|---|
//! | `own` | entries found and revived: our own protocol, the library without a socket, a process for each |
//! | `compile` | compilations derived and revived: our own protocol, a process for each |
#![allow(clippy::print_stdout, reason = "it shows something to people")]

mod compile;
mod daemon;
mod own;

use anyhow::{Result, ensure};
use daemon::Daemon;
use std::path::Path;

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let tmpfs = Path::new("/dev/shm");
    if !tmpfs.is_dir() {
        println!("SKIPPED: there is no {}", tmpfs.display());
        return Ok(());
    }
    let place = tempfile::Builder::new().prefix("reviver-").tempdir_in(tmpfs)?;
    let place = place.path().canonicalize()?;
    ensure!(place.is_absolute());
    let binary = examples::reviver()?;
    let cores = std::thread::available_parallelism()?.get();
    println!("{cores} cores; medians of {} rounds, on tmpfs", own::ROUNDS);
    std::fs::create_dir(place.join("repository"))?;
    let daemon = Daemon::start(&binary, &place)?;
    own::measure(&place, &binary, &daemon, if quick { 500 } else { 10_000 }, if quick { 20 } else { 200 })?;
    compile::measure(&place, &binary, &daemon, if quick { 20 } else { 200 })
}
