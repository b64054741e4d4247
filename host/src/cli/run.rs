//! `reviver run`: transparent for the command, quiet about ourselves.

use super::Global;
use super::context::{Context, Place, now};
use super::exit::Exit;
use super::masquerade;
use super::operation::{Declared, has_globs, operation, texts};
use super::switch;
use super::trim;
use crate::operation::Operation;
use crate::outcome;
use crate::policy::Role;
use crate::repository::choose::{Trusted, key_plugin, word};
use crate::repository::document::SettingError;
use crate::repository::operation::NoOperation;
use crate::repository::rule::is_compiler;
use crate::reviver::breaker::Guarded;
use crate::reviver::environment::Environment;
use crate::reviver::execute::Outputs;
use crate::reviver::input::InputRule;
use crate::reviver::journal;
use crate::reviver::matched::Anew;
use crate::reviver::recheck::Share;
use crate::reviver::run::{Ran, Report, Request, Reviver, RunError};
use crate::runtime::{Capabilities, WasmCodec, WasmKey};
use clap::{Args, ValueEnum};
use rustix::event::{PollFd, PollFlags, poll};
use rustix::fs::{Mode, fstat};
use rustix::io::Errno;
use signal_hook::consts::{SIGHUP, SIGINT, SIGPIPE, SIGTERM};
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, IsTerminal as _};
use std::os::fd::{AsFd as _, BorrowedFd};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::rc::Rc;
use std::sync::Arc;

/// What `run` takes.
#[derive(Args, Default, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct RunArgs {
    #[command(flatten)]
    declared: Declared,
    /// What standard input is to the command
    #[arg(long, value_enum)]
    stdin: Option<Stdin>,
    /// Take the repository around this directory instead of the one around the working directory
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// Another exit status than 0 to record; may be given again
    #[arg(long, value_name = "STATUS")]
    ok_exit: Vec<u8>,
    /// Fail where a plugin or the cache does, instead of running uncached
    #[arg(long)]
    strict: bool,
    /// Write nothing to the cache, its journal neither: revive what is there, run everything else as it is
    #[arg(long)]
    read_only: bool,
    /// Run again what is there, compare, and set aside what differs
    #[arg(long)]
    recheck: bool,
    /// Say in one line what became of the operation
    #[arg(short, long)]
    verbose: bool,
    /// The command
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
    /// What the command is told besides, where it might start us again
    #[arg(skip)]
    told: Vec<(OsString, OsString)>,
    /// Whether the command is to run as if we were not there
    #[arg(skip)]
    plain: bool,
}

impl RunArgs {
    /// A command alone: all options are those of the environment.
    pub(super) fn of(command: Vec<OsString>) -> Self {
        Self { command, ..Self::default() }
    }

    /// We stand in for the command, which is to be told so; one within another one of its name runs as it is.
    pub(super) fn stand_in(&mut self, within: OsString, is_nested: bool) {
        self.told.push((masquerade::WITHIN.into(), within));
        self.plain = is_nested;
    }

    /// Takes up what the environment asks for.
    fn switched(&self) -> Result<Switches, Plain> {
        let share = switch::recheck().map_err(Plain::Stop)?;
        Ok(Switches {
            verbose: self.verbose || switch::is_on("REVIVER_VERBOSE"),
            strict: self.strict || switch::is_on("REVIVER_STRICT"),
            read_only: self.read_only || switch::is_on("REVIVER_READ_ONLY"),
            recheck: if self.recheck { Some(Share::ALL) } else { share },
        })
    }
}

/// Options that the environment can set too.
#[derive(Clone, Copy, Debug)]
struct Switches {
    verbose: bool,
    strict: bool,
    read_only: bool,
    /// The share of hits that the caller wants to be rechecked.
    recheck: Option<Share>,
}

#[derive(Clone, Copy, ValueEnum, Debug)]
enum Stdin {
    /// What it is decides: a pipe or a terminal makes the run uncached
    Auto,
    /// The command gets none
    None,
    /// All of it is read and identifies the operation
    Read,
}

/// Why the command runs as if we were not there.
enum Plain {
    /// The settings are wrong: the one thing that stops before anything ran.
    Stop(anyhow::Error),
    /// The cache or a plugin cannot be used.
    Unusable(anyhow::Error),
    /// This operation cannot be named.
    Uncached(String),
}

/// Whether the environment says that commands run as if we were not there.
pub(super) fn is_disabled() -> bool {
    switch::is_on("REVIVER_DISABLE")
}

impl From<NoOperation> for Plain {
    fn from(problem: NoOperation) -> Self {
        match problem {
            // A slip, and yet no reason to stop a build that works without us.
            NoOperation::Slip(error) => Self::Unusable(error.into()),
            NoOperation::NotText(_) => Self::Uncached(problem.to_string()),
        }
    }
}

/// Runs or revives a command.
pub(super) fn run(global: &Global, args: &mut RunArgs) -> Exit {
    if args.told.is_empty() && args.command[0].to_str().is_some_and(is_compiler) {
        let depth = masquerade::depth(std::env::var_os(masquerade::DEPTH).as_deref());
        if depth > masquerade::ROUNDS {
            eprintln!("reviver: {} starts itself through reviver without an end", args.command[0].display());
            return Exit::NotFound;
        }
        args.told.push((masquerade::DEPTH.into(), depth.to_string().into()));
    }
    if args.plain || is_disabled() {
        return exec(args, None);
    }
    let switches = match args.switched() {
        Ok(switches) => switches,
        Err(problem) => return fall_back(args, problem, false, false),
    };
    match attempt(global, args, switches) {
        Ok(Exit::Killed(signal)) => {
            // A shell that sees its command end by the user's own signal ends its script: it has to see ours do so.
            if [SIGHUP, SIGINT, SIGPIPE, SIGTERM].contains(&signal) {
                // Where this fails there is still the status.
                signal_hook::low_level::emulate_default_handler(signal).ok();
            }
            Exit::Killed(signal)
        }
        Ok(exit) => exit,
        Err(problem) => fall_back(args, problem, switches.strict, switches.verbose),
    }
}

/// Does without us, or stops.
fn fall_back(args: &RunArgs, problem: Plain, strict: bool, verbose: bool) -> Exit {
    match problem {
        Plain::Stop(error) => {
            eprintln!("reviver: {}", super::told(&error));
            Exit::Failed
        }
        Plain::Unusable(error) if strict => {
            eprintln!("reviver: {}", super::told(&error));
            Exit::Failed
        }
        Plain::Unusable(error) => {
            eprintln!("reviver: warning: {}; the command runs uncached", super::told(&error));
            exec(args, None)
        }
        Plain::Uncached(reason) => {
            if verbose {
                eprintln!("reviver: uncached: {reason}");
            }
            exec(args, None)
        }
    }
}

fn attempt(global: &Global, args: &RunArgs, switches: Switches) -> Result<Exit, Plain> {
    let place =
        Place::about(args.root.as_deref()).map_err(|error| match error.downcast_ref::<SettingError>() {
            Some(_) => Plain::Stop(error),
            None => Plain::Unusable(error),
        })?;
    if let Some(foreign) = &place.root.foreign {
        eprintln!("reviver: warning: {} belongs to another user and is passed over", foreign.display());
    }
    let argv = texts(&args.command, "argument")?;
    let (rule, name) = key_plugin(&place.settings, &argv);
    let (rule, name) = (rule.cloned(), name.to_owned());
    let operation = Rc::new(operation(&args.declared, argv, &place, rule.as_ref())?);
    if switches.verbose {
        tell_absent(&operation, &place);
    }
    let read_only = switches.read_only || place.user.read_only || place.settings.read_only;
    let recheck = switches.recheck.unwrap_or(place.user.recheck).max(place.settings.recheck);
    let context = Context::of(global, place, read_only).map_err(|error| Plain::Unusable(error.into()))?;

    let unusable = |error| Plain::Unusable(anyhow::Error::new(error));
    let Trusted { source: key, withheld } = context.trusted(&name, Role::Key).map_err(unusable)?;
    let codec = context.trusted(&context.place.settings.metadata, Role::Metadata).map_err(unusable)?.source;
    let limits = key.bounds();
    let (store, partition) = (&context.store, &context.partition);
    let key = WasmKey::new(Arc::clone(&context.runtime), key);
    let key = Guarded::new(key, store, partition, Rc::new(now));
    let codec = WasmCodec::new(Arc::clone(&context.runtime), codec);
    let codec = Guarded::new(codec, store, partition, Rc::new(now));
    let reviver = Reviver {
        store: &context.store,
        partition: &context.partition,
        table: Rc::clone(&context.table),
        clock: Rc::new(now),
        key_policy: &key,
        limits,
        codec: &codec,
    };
    let (stdin, stdout, stderr) = (io::stdin(), io::stdout(), io::stderr());
    let anew = || self::operation(&args.declared, operation.argv.clone(), &context.place, rule.as_ref()).ok();
    let input = match args.stdin {
        Some(Stdin::Auto) => InputRule::Auto,
        Some(Stdin::None) => InputRule::None,
        Some(Stdin::Read) => InputRule::Read,
        None => rule.as_ref().map_or(InputRule::Auto, |rule| rule.input),
    };
    let request = Request {
        operation: Rc::clone(&operation),
        environment: Rc::new(Environment {
            variables: std::env::vars_os().collect(),
            directory: context.place.directory.clone(),
            umask: umask(),
            terminal: stderr.is_terminal(),
        }),
        accepted: &args.ok_exit.iter().copied().chain([0]).collect::<BTreeSet<u8>>(),
        input,
        stdin: Some(stdin.as_fd()),
        here: true,
        joined: one_file(&stdout, &stderr),
        told: &args.told,
        // What differs could not be set aside.
        recheck: if read_only { Share::NONE } else { recheck },
        anew: has_globs(&args.declared, rule.as_ref()).then_some(Anew(&anew)),
    };
    let (mut out, mut err) = (Direct(stdout.as_fd()), Direct(stderr.as_fd()));
    let mut ran = reviver.run(&request, &mut Outputs { stdout: &mut out, stderr: &mut err });
    if let Ok(Ran::Done { report, .. } | Ran::Bare { report, .. }) = &mut ran
        && report.is_refusal
        && !withheld.is_empty()
    {
        report.warnings.push(ungranted(&name, withheld, &report.record.reason));
    }
    Ok(match ran {
        Ok(Ran::Done { exit, report }) => {
            tell(&context, switches, &report);
            if let Some(size) = report.size {
                context.note_place();
                trim::when_due(&context, size);
            }
            match exit {
                outcome::Exit::Signal(signal) => Exit::Killed(signal),
                outcome::Exit::Code(_) => Exit::As(exit.status()),
            }
        }
        Ok(Ran::Bare { input, report }) => {
            tell(&context, switches, &report);
            if switches.strict && (report.unusable || report.is_off || !report.record.fault.is_empty()) {
                return Ok(Exit::Failed);
            }
            exec(args, input)
        }
        Err(error) => {
            eprintln!("reviver: {error}");
            match error {
                RunError::NotFound(_) => Exit::NotFound,
                RunError::Spawn { .. } => Exit::CannotRun,
            }
        }
    })
}

/// What a plugin that refuses for want of a grant is to be told of.
fn ungranted(plugin: &str, withheld: Capabilities, reason: &str) -> String {
    format!(
        "plugin `{plugin}` asks for {withheld}, which is not granted on this machine, and refuses: {reason}; look at it, then \
         run `reviver plugin pin {} --grant`",
        word(plugin)
    )
}

/// An input that does not exist may be a slip.
fn tell_absent(operation: &Operation, place: &Place) {
    for read in operation.reads.iter().filter(|read| !place.directory.join(read).exists()) {
        eprintln!(
            "reviver: note: `{read}` is declared and does not exist; that it does not is part of the key"
        );
    }
}

/// The system tells a mask only to those who set one.
pub(super) fn umask() -> u32 {
    let mask = rustix::process::umask(Mode::empty());
    rustix::process::umask(mask);
    mask.bits()
}

/// A descriptor as it is: what a command says goes on at once, also where the other side asked not to be waited for.
struct Direct<'a>(BorrowedFd<'a>);

impl io::Write for Direct<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        loop {
            match rustix::io::write(self.0, bytes) {
                Err(Errno::AGAIN) => {
                    poll(&mut [PollFd::new(&self.0, PollFlags::OUT)], None)?;
                }
                written => return Ok(written?),
            }
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Whether both outputs are one file, whose order of pieces is then worth keeping.
fn one_file(stdout: &io::Stdout, stderr: &io::Stderr) -> bool {
    match (fstat(stdout), fstat(stderr)) {
        (Ok(out), Ok(err)) => (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino),
        _ => false,
    }
}

/// Becomes the command: whatever it does, nobody stands in between.
fn exec(args: &RunArgs, input: Option<File>) -> Exit {
    let command = &args.command;
    let mut process = Command::new(&command[0]);
    process.args(&command[1..]).envs(args.told.iter().map(|(name, value)| (name, value)));
    if let Some(input) = input {
        process.stdin(input);
    } else if matches!(args.stdin, Some(Stdin::None)) {
        process.stdin(Stdio::null());
    }
    let error = process.exec();
    eprintln!("reviver: {}: {error}", command[0].display());
    if error.kind() == io::ErrorKind::NotFound { Exit::NotFound } else { Exit::CannotRun }
}

fn tell(context: &Context, switches: Switches, report: &Report) {
    for warning in &report.warnings {
        eprintln!("reviver: warning: {warning}");
    }
    for line in context.runtime.take_log() {
        if switches.verbose || line.level == crate::runtime::Level::Warning {
            eprintln!("reviver: {}: {}", line.plugin, line.message);
        }
    }
    if !switches.verbose {
        return;
    }
    let record = &report.record;
    let (result, label) = (record.result.word(), record.label.as_str());
    let label = if label.is_empty() { "" } else { &format!(" {label}") };
    let key = record.key.get(..12).map(|key| format!(" {key}")).unwrap_or_default();
    let reason = match (record.result, record.reason.as_str()) {
        (_, "") => String::new(),
        (journal::Result::Miss, reason) => format!(", not recorded: {reason}"),
        (_, reason) => format!(": {reason}"),
    };
    eprintln!("reviver: {result}{label}{key}{reason}");
}
