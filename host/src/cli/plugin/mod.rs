//! `reviver plugin`: the plugins of this repository, and tools for their authors.

mod answer;
mod bench;
mod build;
mod check;
mod diff;
mod inspect;
mod list;
mod new;
mod pin;
mod run;
mod subject;
mod test;

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
    /// Show what a component is: role, contract, digest, imports, settings
    Inspect(inspect::InspectArgs),
    /// Pin plugin files, so that builds use them as they are now
    Pin(pin::PinArgs),
    /// Build a plugin's crate into a component
    Build(build::BuildArgs),
    /// Put a plugin to the test of its role's laws
    Check(check::CheckArgs),
    /// Tell what another version of a plugin changes for what ran here
    Diff(diff::DiffArgs),
    /// Make the crate of a new plugin, with the SDK beside it
    New(new::NewArgs),
    /// Test a plugin's crate natively, then its component by the same tests
    Test(test::TestArgs),
    /// Ask a plugin one question, and show its answer and what that took
    Run(run::RunArgs),
    /// Compare what calls of a plugin cost with the shipped one of its role
    Bench(bench::BenchArgs),
}

/// Does what is below `plugin`.
pub(super) fn plugin(global: &Global, command: &PluginCommand, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        PluginCommand::List(args) => list::list(&Context::here(global)?, args, out),
        PluginCommand::Inspect(args) => inspect::inspect(&Context::here(global)?, args, out),
        PluginCommand::Pin(args) => pin::pin(&Context::here(global)?, args, out),
        PluginCommand::Build(args) => build::build(args, out),
        PluginCommand::Check(args) => check::check(&Context::here(global)?, args, out),
        PluginCommand::Diff(args) => diff::diff(&Context::here(global)?, args, out),
        PluginCommand::New(args) => new::new(args, out),
        PluginCommand::Test(args) => test::test(args),
        PluginCommand::Run(args) => run::run(&Context::here(global)?, args, out),
        PluginCommand::Bench(args) => bench::bench(&Context::here(global)?, args, out),
    }
}
