//! `reviver completions`: what a shell needs to complete our commands and options.

use super::Cli;
use super::exit::Exit;
use clap::{Args, CommandFactory as _};
use clap_complete::Shell;
use std::io::Write;

/// What `completions` takes.
#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// The shell that reads it
    shell: Shell,
}

/// Writes the script for a shell.
pub(super) fn completions(args: &CompletionsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    // It is written whole: the generator ends the process where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "reviver", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Done)
}
