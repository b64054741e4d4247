//! The command line: all that prints, reads the environment and knows the time.
//!
//! One file per command. Exit codes are in [`exit`]; messages of ours go to standard error.
#![allow(clippy::print_stderr, reason = "the command line is what speaks to people")]

mod cache;
mod completions;
mod context;
mod doctor;
mod exit;
mod explain;
mod init;
mod operation;
mod plugin;
mod progress;
mod run;
mod show;
mod stats;
mod trim;
mod what;

use clap::{Args, Parser, Subcommand};
use exit::Exit;
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Remembers what build operations did, and revives it instead of running them again.
#[derive(Parser, Debug)]
#[command(name = "reviver", version, after_help = exit::HELP)]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

// `run` alone: a hit must not pay for the arguments of all other commands.
/// Run a command, or revive what it did
#[derive(Parser, Debug)]
#[command(name = "reviver run", bin_name = "reviver run", version)]
struct RunAlone {
    #[command(flatten)]
    global: Global,
    #[command(flatten)]
    run: run::RunArgs,
}

#[derive(Args, Clone, Debug, Default)]
struct Global {
    #[arg(help = "The cache directory [default: $XDG_CACHE_HOME/reviver, or what config.toml says]")]
    #[arg(long, global = true, value_name = "DIR", env = "REVIVER_CACHE_DIR")]
    cache_dir: Option<OsString>,
}

impl Global {
    /// The cache directory that was asked for. An empty variable is none.
    fn cache_dir(&self) -> Option<PathBuf> {
        self.cache_dir.clone().filter(|path| !path.is_empty()).map(PathBuf::from)
    }
}

#[derive(Subcommand, Debug)]
enum Command {
    /// Run a command, or revive what it did
    Run(run::RunArgs),
    /// Tell what became of the last operations, and why
    Explain(explain::ExplainArgs),
    /// Tell how often what happened here
    Stats(stats::StatsArgs),
    /// Look into the cache, and take things out of it
    #[command(subcommand)]
    Cache(cache::CacheCommand),
    /// The plugins of this repository, and tools for their authors
    #[command(subcommand)]
    Plugin(plugin::PluginCommand),
    /// Write a commented reviver.toml
    Init(init::InitArgs),
    /// Look for what keeps Reviver from its work, and tell what cures it
    Doctor(doctor::DoctorArgs),
    /// Write the completions of a shell
    Completions(completions::CompletionsArgs),
}

/// Does what the arguments of this process say.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if arguments.get(1).is_some_and(|command| command == "run") {
        let alone = arguments.iter().take(1).chain(arguments.iter().skip(2));
        return match RunAlone::try_parse_from(alone) {
            Ok(RunAlone { global, run }) => run::run(&global, &run).into(),
            Err(error) => usage(&error, Exit::Failed),
        };
    }
    let Cli { global, command } = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, Exit::Usage),
    };
    let mut out = Vec::new();
    let done = match command {
        Command::Run(args) => return run::run(&global, &args).into(),
        Command::Explain(args) => explain::explain(&global, &args, &mut out),
        Command::Stats(args) => stats::stats(&global, &args, &mut out),
        Command::Cache(command) => cache::cache(&global, &command, &mut out),
        Command::Plugin(command) => plugin::plugin(&global, &command, &mut out),
        Command::Init(args) => init::init(&args, &mut out),
        Command::Doctor(args) => doctor::doctor(&global, &args, &mut out),
        Command::Completions(args) => completions::completions(&args, &mut out),
    };
    // Whoever closed the other end of a pipe has seen enough.
    let told_all = match io::stdout().write_all(&out).and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(error),
        _ => Ok(()),
    };
    if let (Ok(_), Err(error)) = (&done, told_all) {
        eprintln!("reviver: cannot write to standard output: {error}");
        return Exit::Store.into();
    }
    match done {
        Ok(exit) => exit.into(),
        Err(error) => {
            eprintln!("reviver: {}", told(&error));
            Exit::of(&error).into()
        }
    }
}

/// An error with its causes, each told once: our own errors tell theirs themselves.
fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// What clap has to say: help and version are no errors.
fn usage(error: &clap::Error, wrong: Exit) -> ExitCode {
    error.print().ok();
    if error.use_stderr() { wrong.into() } else { Exit::Done.into() }
}
