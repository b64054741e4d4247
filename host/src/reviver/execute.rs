//! Running a command: its output goes on as it comes, and is kept.
//!
//! Where standard output and standard error are one file the command gets one pipe for both, so that the order of what it
//! says is kept. A command that leaves the pipes to somebody who outlives it is finished all the same; its output is then
//! not all known ([`Executed::held`]).
//!
//! Where nobody takes a stream any more the command's end of it is closed as well, so that it ends as it would by itself.
//!
//! `SIGTERM` and `SIGHUP` are passed on to the command. `SIGINT` and `SIGQUIT` reach it by themselves, since a terminal
//! sends them to the whole group; they only keep us waiting for it. Those that we were started to ignore stay ignored, by
//! the command too.

use super::start::{NoStart, start};
use super::topology::Topology;
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::time::{Clock, Timestamp};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::{Pid, Signal};
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::fs::File;
use std::io::{self, PipeReader, Read as _, Write};
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};

/// What a command's standard input is.
#[derive(Debug)]
pub enum ChildInput {
    /// Ours.
    Inherit,
    /// Nothing.
    Null,
    /// This file, from where it stands.
    File(File),
}

/// A command to be run.
#[derive(Debug)]
pub struct Spawn<'a> {
    /// The program's path.
    pub program: &'a Path,
    /// What it is called, then its arguments.
    pub argv: &'a [&'a OsStr],
    /// The working directory, where it is not our own.
    pub directory: Option<&'a Path>,
    /// Its environment variables, where they are not our own.
    pub variables: Option<&'a BTreeMap<OsString, OsString>>,
    /// Variables that it gets besides.
    pub told: &'a [(OsString, OsString)],
    /// Its standard input.
    pub input: ChildInput,
    /// Where its output goes.
    pub output: Topology,
}

/// Why it is not known for sure what a command did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unsure {
    /// A process that it left behind still holds its output.
    Held,
    /// It said more than is kept or listened to.
    Cut,
    /// A signal told us to end.
    Interrupted,
}

impl fmt::Display for Unsure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Held => "a process that it left behind still holds its output",
            Self::Cut => "it said more than is kept or listened to",
            Self::Interrupted => "interrupted",
        })
    }
}

/// Where output goes as it comes.
pub struct Outputs<'a> {
    /// Standard output.
    pub stdout: &'a mut dyn Write,
    /// Standard error.
    pub stderr: &'a mut dyn Write,
}

impl std::fmt::Debug for Outputs<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Outputs")
    }
}

impl Outputs<'_> {
    /// Passes a piece on; whether somebody took it.
    pub fn say(&mut self, stream: Stream, bytes: &[u8]) -> bool {
        let to = if stream == Stream::Stderr { &mut self.stderr } else { &mut self.stdout };
        to.write_all(bytes).and_then(|()| to.flush()).is_ok()
    }
}

/// How a command went.
#[derive(Debug)]
pub struct Executed {
    /// How it ended.
    pub exit: Exit,
    /// What it said, in order.
    pub output: Vec<Chunk>,
    /// When it was started.
    pub started: Timestamp,
    /// When it had ended.
    pub ended: Timestamp,
    /// Whether somebody still held a pipe when it ended.
    pub held: bool,
    /// Whether it said more than is kept, or than anybody listened to.
    pub cut: bool,
    /// Whether a signal told us to end.
    pub interrupted: bool,
}

impl Executed {
    /// Why it is not known for sure what the command did.
    #[must_use]
    pub const fn unsure(&self) -> Option<Unsure> {
        if self.held {
            Some(Unsure::Held)
        } else if self.cut {
            Some(Unsure::Cut)
        } else if self.interrupted {
            Some(Unsure::Interrupted)
        } else {
            None
        }
    }

    /// What an entry keeps of how it went.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        Outcome {
            exit: self.exit,
            output: self.output.clone(),
            started: self.started.0,
            duration: self.ended.0.saturating_sub(self.started.0),
            notes: vec![("reviver".to_owned(), env!("CARGO_PKG_VERSION").to_owned())],
        }
    }
}

/// So much of what a command says is kept, in bytes. More is passed on all the same.
pub(super) const MOST_KEPT: usize = 8 << 20;
/// What a pipe can hold at most; after the command's end nobody but those that it left behind can fill it again.
const MOST_LEFT: usize = 1 << 20;
/// So often others that start commands are waited for, a moment each: one of them may never come to an end.
const MOST_MOMENTS: u32 = 40;

/// Runs a command to its end. An error means that it was not started.
pub fn execute(spawn: Spawn<'_>, clock: &dyn Clock, outputs: &mut Outputs<'_>) -> io::Result<Executed> {
    let mut command = Command::new(spawn.program);
    command.arg0(spawn.argv[0]).args(&spawn.argv[1..]);
    if let Some(directory) = spawn.directory {
        command.current_dir(directory);
    }
    command.stdin(match spawn.input {
        ChildInput::Inherit => Stdio::inherit(),
        ChildInput::Null => Stdio::null(),
        ChildInput::File(file) => file.into(),
    });
    if let Some(variables) = spawn.variables {
        command.env_clear().envs(variables);
    }
    command.envs(spawn.told.iter().map(|(name, value)| (name, value)));
    let pipes = spawn.output.connect(&mut command)?;
    let signals = Signals::new()?;
    let started = clock.now();
    let child = start(&mut command)?;
    // The command holds our ends of the pipes until it is dropped.
    drop(command);
    let mut run = Run { child, pipes, signals, output: Vec::new(), kept: 0, cut: false };
    let status = if let Ok(status) = run.follow(outputs) {
        status
    } else {
        // It runs, and cannot be listened to: what it says from here on is lost, its end is not.
        run.cut = true;
        run.pipes.clear();
        run.child.wait()?
    };
    let ended = clock.now();
    let held = run.drain(outputs);
    let exit = status.code().map_or_else(|| Exit::Signal(status.signal().unwrap_or_default()), Exit::Code);
    Ok(Executed {
        exit,
        output: run.output,
        started,
        ended,
        held,
        cut: run.cut,
        interrupted: run.signals.any,
    })
}

struct Run {
    child: Child,
    pipes: Vec<(PipeReader, Stream)>,
    signals: Signals,
    output: Vec<Chunk>,
    kept: usize,
    cut: bool,
}

impl Run {
    /// Passes output on until the command has ended.
    fn follow(&mut self, outputs: &mut Outputs<'_>) -> io::Result<ExitStatus> {
        let pid = Pid::from_child(&self.child);
        loop {
            let signals = [&self.signals.child, &self.signals.end];
            let mut ready: Vec<_> = signals
                .into_iter()
                .map(|socket| socket.as_fd())
                .chain(self.pipes.iter().map(|(pipe, _)| pipe.as_fd()))
                .map(|descriptor| PollFd::from_borrowed_fd(descriptor, PollFlags::IN))
                .collect();
            // Should we have been started with that signal blocked, the end is noticed a little late.
            let patience = Timespec { tv_sec: 1, tv_nsec: 0 };
            match poll(&mut ready, Some(&patience)) {
                Ok(_) => {}
                Err(rustix::io::Errno::INTR) => continue,
                Err(error) => return Err(error.into()),
            }
            let ready: Vec<bool> = ready.iter().map(|descriptor| !descriptor.revents().is_empty()).collect();
            if ready[1] {
                self.signals.pass_on(pid);
            }
            // From the back, so that a pipe that ended can be taken out.
            for pipe in (0..self.pipes.len()).rev().filter(|pipe| ready[2 + pipe]) {
                if self.read(pipe, outputs)? == Some(0) {
                    self.pipes.remove(pipe);
                }
            }
            let waited = ready.iter().all(|ready| !ready);
            if ready[0] || waited {
                drain(&self.signals.child);
                if let Some(status) = self.child.try_wait()? {
                    return Ok(status);
                }
            }
        }
    }

    /// Passes on what is left in the pipes, without waiting; whether somebody still holds one.
    fn drain(&mut self, outputs: &mut Outputs<'_>) -> bool {
        let mut held = false;
        for pipe in (0..self.pipes.len()).rev() {
            let mut left = MOST_LEFT;
            held |= rustix::io::ioctl_fionbio(&self.pipes[pipe].0, true).is_err();
            held |= loop {
                match self.read(pipe, outputs) {
                    Ok(Some(0)) => break false,
                    Ok(Some(read)) if read < left => left -= read,
                    Ok(None) if !self.is_quiet(pipe) => {}
                    _ => break true,
                }
            };
        }
        held
    }

    /// Whether a pipe stays open and empty for a moment in which nothing is started: a command that another thread just
    /// starts holds every pipe until it has begun. Who starts commands past this library has the same moment for it.
    fn is_quiet(&self, pipe: usize) -> bool {
        let moment = Timespec { tv_sec: 0, tv_nsec: 50_000_000 };
        for _ in 0..MOST_MOMENTS {
            let alone = NoStart::now();
            let mut ready = [PollFd::new(&self.pipes[pipe].0, PollFlags::IN)];
            if !matches!(poll(&mut ready, Some(&moment)), Ok(0)) {
                return false;
            }
            if alone.is_some() {
                break;
            }
        }
        true
    }

    /// Reads once from a pipe; `None` where nothing is there now.
    fn read(&mut self, pipe: usize, outputs: &mut Outputs<'_>) -> io::Result<Option<usize>> {
        let mut buffer = [0; 16384];
        let (reader, stream) = &mut self.pipes[pipe];
        let read = loop {
            match reader.read(&mut buffer) {
                Ok(read) => break read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(None),
                Err(error) => return Err(error),
            }
        };
        let bytes = &buffer[..read];
        if read == 0 {
            return Ok(Some(0));
        }
        self.kept += read;
        self.cut |= self.kept > MOST_KEPT;
        if self.cut {
            self.output.clear();
        } else {
            match self.output.last_mut() {
                Some(last) if last.stream == *stream => last.bytes.extend_from_slice(bytes),
                _ => self.output.push(Chunk { stream: *stream, bytes: bytes.to_vec() }),
            }
        }
        if outputs.say(*stream, bytes) {
            return Ok(Some(read));
        }
        self.cut = true;
        Ok(Some(0))
    }
}

/// Signals as bytes in sockets, so that they can be waited for beside the pipes. The end of the command is one of them:
/// descriptors of processes are not to be had on every system that Linux programs run on.
struct Signals {
    /// A child ended.
    child: UnixStream,
    /// We are told to end.
    end: UnixStream,
    /// We are told to end by this signal, and the command is not by itself.
    to_pass: [(Signal, UnixStream); 2],
    any: bool,
    registered: Vec<signal_hook::SigId>,
}

impl Signals {
    fn new() -> io::Result<Self> {
        use signal_hook::consts::{SIGCHLD, SIGHUP, SIGINT, SIGQUIT, SIGTERM};
        let mut registered = Vec::new();
        let ignored = ignored();
        let mut socket = |signals: &[i32]| -> io::Result<UnixStream> {
            let (reader, writer) = UnixStream::pair()?;
            reader.set_nonblocking(true)?;
            // A handler would go with the start of the command, and with it that the signal is ignored.
            for signal in signals.iter().filter(|signal| ignored & (1 << (**signal - 1)) == 0) {
                registered.push(signal_hook::low_level::pipe::register(*signal, writer.try_clone()?)?);
            }
            Ok(reader)
        };
        // Where nobody wants to know the ends of children, neither do we hear of them. That one has to be changed.
        let child = socket(&[SIGCHLD])?;
        let end = socket(&[SIGHUP, SIGINT, SIGQUIT, SIGTERM])?;
        let to_pass = [(Signal::HUP, socket(&[SIGHUP])?), (Signal::TERM, socket(&[SIGTERM])?)];
        Ok(Self { child, end, to_pass, any: false, registered })
    }

    fn pass_on(&mut self, child: Pid) {
        self.any |= drain(&self.end);
        for (signal, socket) in &self.to_pass {
            if drain(socket) {
                // The child may just have ended by itself.
                rustix::process::kill_process(child, *signal).ok();
            }
        }
    }
}

/// The signals that this process ignores, but for the one that ends of children need; none where the system does not tell.
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let mask = mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default();
    mask & !(1 << (signal_hook::consts::SIGCHLD - 1))
}

/// Whether this process ignores a signal: who started it wants that, as `nohup` does.
#[must_use]
pub fn is_ignored(signal: i32) -> bool {
    ignored() & (1 << (signal - 1)) != 0
}

/// Empties a socket; whether anything was in it.
fn drain(mut socket: &UnixStream) -> bool {
    let mut buffer = [0; 64];
    let mut any = false;
    while matches!(socket.read(&mut buffer), Ok(read) if read > 0) {
        any = true;
    }
    any
}

impl Drop for Signals {
    fn drop(&mut self) {
        for id in self.registered.drain(..) {
            signal_hook::low_level::unregister(id);
        }
    }
}
