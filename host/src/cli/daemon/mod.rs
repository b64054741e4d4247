//! `reviver daemon`: starting, stopping and asking after the daemon.

mod args;
mod detach;
mod limits;
mod log;
mod places;
mod start;
mod status;
mod stop;

pub(super) use places::below_home;

use super::Global;
use super::exit::Exit;
use clap::Subcommand;
use std::io::Write;

/// The commands below `daemon`.
#[derive(Subcommand, Debug)]
pub(super) enum DaemonCommand {
    /// Serve other build systems over sockets, in the background
    Start(args::StartArgs),
    /// End the daemon
    Stop(stop::StopArgs),
    /// Tell whether a daemon runs, and what it did
    Status(status::StatusArgs),
}

/// Does what is below `daemon`.
pub(super) fn daemon(global: &Global, command: &DaemonCommand, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        DaemonCommand::Start(args) => start::start(global, args, out),
        DaemonCommand::Stop(args) => stop::stop(global, args, out),
        DaemonCommand::Status(args) => status::status(global, args, out),
    }
}
