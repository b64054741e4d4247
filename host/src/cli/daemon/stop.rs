//! `reviver daemon stop`.

use super::places::Places;
use crate::cli::Global;
use crate::cli::exit::Exit;
use crate::daemon::socket::Place;
use anyhow::{Context as _, bail};
use clap::Args;
use rustix::process::{Pid, Signal, kill_process};
use std::io::Write;
use std::path::PathBuf;
use std::time::{Duration, Instant};

/// How long the daemon has to end: five times as long as it takes at most.
const PATIENCE: Duration = Duration::from_secs(10);

/// What `daemon stop` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct StopArgs {
    /// The daemon that listens here, instead of in the usual place
    #[arg(long, value_name = "PATH")]
    socket: Option<PathBuf>,
    /// Kill it if it has not ended after ten seconds
    #[arg(long)]
    kill: bool,
}

/// Ends the daemon. Where none runs that is said, and all is as it was to be.
pub(super) fn stop(global: &Global, args: &StopArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let place = Place::at(Places::asked(global, args.socket.as_deref())?);
    let Some(holder) = place.holder()? else {
        writeln!(out, "No daemon runs on {}.", place.socket().display())?;
        return Ok(Exit::Done);
    };
    let Some(pid) = holder.pid else {
        bail!("the daemon on {} runs where it cannot be named from here", place.socket().display());
    };
    if ends(&place, pid, Signal::TERM)? {
        writeln!(out, "The daemon ended (pid {pid}).")?;
        return Ok(Exit::Done);
    }
    if args.kill && ends(&place, pid, Signal::KILL)? {
        writeln!(out, "The daemon was killed (pid {pid}).")?;
        return Ok(Exit::Done);
    }
    let advice = if args.kill { "" } else { "; `reviver daemon stop --kill` would kill it" };
    bail!("the daemon has not ended in {} s (pid {pid}){advice}", PATIENCE.as_secs());
}

/// Sends a signal, and waits for the end. Whether it came.
fn ends(place: &Place, pid: Pid, signal: Signal) -> anyhow::Result<bool> {
    match kill_process(pid, signal) {
        // It went by itself.
        Ok(()) | Err(rustix::io::Errno::SRCH) => {}
        Err(error) => return Err(error).with_context(|| format!("cannot signal pid {pid}")),
    }
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        // Another one may have been started since.
        if place.holder()?.is_none_or(|holder| holder.pid != Some(pid)) {
            return Ok(true);
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    Ok(false)
}
