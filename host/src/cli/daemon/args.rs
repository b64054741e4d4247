//! What `reviver daemon start` takes: once on the command line, and once more where it starts itself in the background.

use crate::cli::trim;
use crate::repository::size::ByteSize;
use clap::Args;
use std::path::PathBuf;
use std::time::Duration;

/// What `daemon start` takes.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(in crate::cli) struct StartArgs {
    #[arg(
        help = "Serve the clients of Dune 2.0 to 2.9 too, which find the daemon by themselves: run them with DUNE_CACHE=enabled"
    )]
    #[arg(long)]
    pub(super) dune: bool,
    /// Stay in the foreground, until told to end by SIGTERM, SIGINT or SIGHUP
    #[arg(long)]
    pub(super) foreground: bool,
    /// End when the last client has left, or if none comes in a minute
    #[arg(long)]
    pub(super) exit_no_client: bool,
    #[arg(
        help = "Listen here, in a directory that nobody else may enter [default: $XDG_RUNTIME_DIR/reviver/socket, else daemon/socket in the cache directory]"
    )]
    #[arg(long, value_name = "PATH")]
    pub(super) socket: Option<PathBuf>,
    #[arg(
        help = "Look for what is to be trimmed so often [default: what DUNE_CACHE_TRIM_PERIOD says in seconds, else config.toml, else 10m]"
    )]
    #[arg(long, value_name = "TIME", value_parser = parse_period)]
    pub(super) trim_period: Option<Duration>,
    #[arg(
        help = "Keep so much in Dune's cache that no build tree links to [default: what DUNE_CACHE_TRIM_SIZE says in bytes, else config.toml, else 10 GB]"
    )]
    #[arg(long, value_name = "SIZE", value_parser = trim::parse_size)]
    pub(super) trim_size: Option<ByteSize>,
    /// Write the log here; what exceeds 4 MiB goes to FILE.old [default: daemon/log in the cache directory]
    #[arg(long, value_name = "FILE")]
    pub(super) log: Option<PathBuf>,
    /// The process that `daemon start` leaves behind
    #[arg(long, hide = true)]
    pub(super) detached: bool,
}

fn parse_period(text: &str) -> Result<Duration, String> {
    let period = humantime::parse_duration(text).ok().filter(|period| !period.is_zero());
    period.ok_or_else(|| "write it as `10m` or `30s`".to_owned())
}
