//! The command line: all that prints, reads the environment and knows the time.
//!
//! One file per command. Exit codes are in [`exit`]; messages of ours go to standard error.
#![allow(clippy::print_stderr, reason = "the command line is what speaks to people")]

mod cache;
mod completions;
mod context;
mod daemon;
mod doctor;
mod dune;
mod exit;
mod explain;
mod init;
mod masquerade;
mod operation;
mod plugin;
mod progress;
mod run;
mod show;
mod stats;
mod switch;
mod trim;
mod what;

use crate::repository::rule::is_compiler;
use clap::{Args, Parser, Subcommand};
use exit::Exit;
use masquerade::Nothing;
use run::RunArgs;
use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;

/// Remembers what build operations did, and revives it instead of running them again.
#[derive(Parser, Debug)]
#[command(name = "reviver", version, after_help = after_help())]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

// `run` alone: a hit must not pay for the arguments of all other commands.
/// Run a command, or revive what it did
#[derive(Parser, Debug)]
#[command(name = "reviver run", bin_name = "reviver run", version, after_help = switch::HELP)]
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
    /// What the environment says: all that there is where the command line is a compiler's.
    fn of_environment() -> Self {
        Self { cache_dir: std::env::var_os("REVIVER_CACHE_DIR") }
    }

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
    /// Look after the caches of Dune itself
    #[command(subcommand)]
    Dune(dune::DuneCommand),
    /// A process that serves other build systems
    #[command(subcommand)]
    Daemon(daemon::DaemonCommand),
    /// Write a commented reviver.toml
    Init(init::InitArgs),
    /// Look for what keeps Reviver from its work, and tell what cures it
    Doctor(doctor::DoctorArgs),
    /// Write the completions of a shell
    Completions(completions::CompletionsArgs),
}

const COMPILERS: &str = "Compilers: before one `run --` may be left out, as in `make CC=\"reviver gcc\"`, \
`cmake -DCMAKE_C_COMPILER_LAUNCHER=reviver`, or `reviver ./tools/cc`, where a slash tells that it is a command. A link to \
reviver with a compiler's name, in a directory that goes first in PATH, stands in for the next program of that name there.";

/// What the help says of compilers, variables and exit codes.
fn after_help() -> String {
    [COMPILERS, switch::HELP, exit::HELP].join("\n\n")
}

/// Does what the arguments of this process say.
#[must_use]
pub fn main() -> ExitCode {
    let arguments: Vec<OsString> = std::env::args_os().collect();
    if let Some(name) = masquerade::name(arguments.first()) {
        return stand_in(name, &arguments[1..]).into();
    }
    if arguments.get(1).is_some_and(|command| command == "run") {
        // What most builds say needs no reading: that would take a tenth of a hit.
        if arguments.get(2).is_some_and(|word| word == "--") && arguments.len() > 3 {
            return run::run(&Global::of_environment(), &mut RunArgs::of(arguments[3..].to_vec())).into();
        }
        let alone = arguments.iter().take(1).chain(arguments.iter().skip(2));
        return match RunAlone::try_parse_from(alone) {
            Ok(RunAlone { global, mut run }) => run::run(&global, &mut run).into(),
            Err(error) => usage(&error, Exit::Failed),
        };
    }
    if arguments.get(1).is_some_and(|word| is_launched(word)) {
        return run::run(&Global::of_environment(), &mut RunArgs::of(arguments[1..].to_vec())).into();
    }
    let Cli { global, command } = match Cli::try_parse_from(&arguments) {
        Ok(cli) => cli,
        Err(error) => return usage(&error, Exit::Usage),
    };
    let mut out = Vec::new();
    let done = match command {
        Command::Run(mut args) => return run::run(&global, &mut args).into(),
        Command::Explain(args) => explain::explain(&global, &args, &mut out),
        Command::Stats(args) => stats::stats(&global, &args, &mut out),
        Command::Cache(command) => cache::cache(&global, &command, &mut out),
        Command::Plugin(command) => plugin::plugin(&global, &command, &mut out),
        Command::Dune(command) => dune::dune(&global, &command, &mut out),
        Command::Daemon(command) => daemon::daemon(&global, &command, &mut out),
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

/// Whether the first word is a command to run, and none of ours: a path, or a compiler by its name. A slip of ours stays one.
fn is_launched(word: &OsStr) -> bool {
    let bytes = word.as_encoded_bytes();
    !bytes.starts_with(b"-") && (bytes.contains(&b'/') || word.to_str().is_some_and(is_compiler))
}

/// Does what the next program of this name in `PATH` would.
fn stand_in(name: &OsStr, arguments: &[OsString]) -> Exit {
    let (path, within) = (std::env::var_os("PATH"), std::env::var_os(masquerade::WITHIN));
    let why = match masquerade::behind(name, path.as_deref(), within.as_deref()) {
        Ok(behind) => {
            let command = std::iter::once(behind.program.into_os_string()).chain(arguments.iter().cloned());
            let mut args = RunArgs::of(command.collect());
            args.stand_in(behind.within, behind.is_nested);
            return run::run(&Global::of_environment(), &mut args);
        }
        Err(Nothing::NotFound) => "there is no other program of this name in PATH".to_owned(),
        Err(Nothing::Endless(program)) => {
            format!("{} starts itself through reviver without an end", program.display())
        }
    };
    eprintln!("reviver: {}: {why}", name.display());
    Exit::NotFound
}

/// An error with its causes, each told once: our own errors tell theirs themselves.
fn told(error: &anyhow::Error) -> String {
    let mut told = error.to_string();
    for cause in error.chain().skip(1).map(ToString::to_string) {
        if !told.contains(&cause) {
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
