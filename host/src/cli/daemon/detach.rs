//! Starting the daemon in the background: this command again, as a process of its own.
//!
//! The daemon says on its standard output where it is once it is there, and then closes that; what is on its standard error until
//! then is why it is not.

use super::args::StartArgs;
use super::places::Places;
use crate::cli::exit::Exit;
use anyhow::{Context as _, anyhow};
use std::io::{Read as _, Write};
use std::process::{Command, Stdio};

pub(super) fn start(places: &Places, args: &StartArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let ourselves = std::env::current_exe().context("cannot tell which program this is")?;
    let mut command = Command::new(ourselves);
    command.arg("--cache-dir").arg(&places.cache).args(["daemon", "start", "--foreground", "--detached"]);
    command.arg("--socket").arg(places.socket(args.socket.as_deref())?);
    command.arg("--log").arg(places.log(args.log.as_deref())?);
    command.args(args.dune.then_some("--dune")).args(args.exit_no_client.then_some("--exit-no-client"));
    if let Some(period) = args.trim_period {
        command.arg("--trim-period").arg(humantime::format_duration(period).to_string());
    }
    if let Some(size) = args.trim_size {
        command.arg("--trim-size").arg(size.0.to_string());
    }
    std::fs::create_dir_all(&places.cache)
        .with_context(|| format!("cannot make the cache directory {}", places.cache.display()))?;
    // No file system is kept from being unmounted but the one that is needed anyway.
    command.current_dir(&places.cache).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot start the daemon")?;
    let (mut said, mut why) = (Vec::new(), String::new());
    if let Some(mut pipe) = child.stdout.take() {
        pipe.read_to_end(&mut said).context("cannot hear the daemon")?;
    }
    if !said.is_empty() {
        out.write_all(&said)?;
        return Ok(Exit::Done);
    }
    if let Some(mut pipe) = child.stderr.take() {
        pipe.read_to_string(&mut why).ok();
    }
    let status = child.wait().context("cannot wait for the daemon")?;
    let why = why.trim().trim_start_matches("reviver: ").to_owned();
    Err(if why.is_empty() { anyhow!("the daemon ended at once: {status}") } else { anyhow!(why) })
}
