//! `reviver plugin`: the plugins of this repository, and tools for their authors.

mod build;
mod inspect;
mod list;
mod pin;

use super::Global;
use super::context::Context;
use super::exit::Exit;
use clap::Subcommand;
use std::io::Write;

/// The commands below `plugin`.
#[derive(Subcommand, Debug)]
pub(super) enum PluginCommand {
    /// List the plugins that this repository can use
    List(list::ListArgs),
    /// Show what a component is: role, contract, digest, imports
    Inspect(inspect::InspectArgs),
    /// Pin plugin files, so that builds use them as they are now
    Pin(pin::PinArgs),
    /// Build a plugin's crate into a component
    Build(build::BuildArgs),
}

/// Does what is below `plugin`.
pub(super) fn plugin(global: &Global, command: &PluginCommand, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::List(args) => list::list(&Context::here(global)?, args, out),
        PluginCommand::Inspect(args) => inspect::inspect(&Context::here(global)?, args, out),
        PluginCommand::Pin(args) => pin::pin(&Context::here(global)?, args, out),
        PluginCommand::Build(args) => build::build(args, out),
    }
}
