//! A command.

use crate::outcome::Exit;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// A command with all that it is given. It inherits nothing: variables that are not here it has not, and what it reads on
/// standard input where there is no file for it is nothing.
///
/// The program is looked up in `PATH` of these variables, unless it has a slash; it is what runs when it is started: its
/// content, its interpreters, its libraries. The stamp is for what else decides: bytes of the caller's choice.
///
/// ```
/// use reviver::reviver::declared::{Sink, Spawn};
///
/// let cc = Spawn::new("/usr/bin/cc", "/src")
///     .arguments(["-c", "a.c", "-o", "/out/a.o"])
///     .unstamped("-fdiagnostics-color=always")
///     .variable("LC_ALL", "C")
///     .stderr(Sink::Tee("/out/a.log".into()));
/// assert_eq!(cc.stamped().count(), 4);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Spawn {
    /// The program: a path, or a name for `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub arguments: Vec<Word>,
    /// Its environment variables.
    pub variables: BTreeMap<OsString, Word>,
    /// Its absolute working directory.
    pub directory: PathBuf,
    /// The file that it gets as standard input; its content counts.
    pub stdin: Option<PathBuf>,
    /// Where its standard output goes.
    pub stdout: Sink,
    /// Where its standard error goes.
    pub stderr: Sink,
    /// Where both are shown: whether they are one pipe, which keeps the order of what is said in both.
    pub joined: bool,
    /// How it may end.
    pub accepted: Accepted,
    /// What else identifies it.
    pub stamp: Vec<u8>,
}

/// An argument, or the value of a variable.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word {
    /// The text.
    pub text: OsString,
    /// Whether it enters the key. What does not must not decide about the result.
    pub stamped: bool,
}

/// Where a stream goes. The path of a file does not enter the key, so a result may be revived under another one.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub enum Sink {
    /// Into the outcome, and to who runs it.
    #[default]
    Shown,
    /// Into this file, which is a write then. Directories above it are made.
    File(PathBuf),
    /// Both.
    Tee(PathBuf),
}

impl Sink {
    /// The file that it goes into.
    #[must_use]
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Shown => None,
            Self::File(path) | Self::Tee(path) => Some(path),
        }
    }
}

/// How a command may end. Any other end is a failure, and is never recorded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Accepted {
    /// By itself, with any status.
    AnyStatus,
    /// So. A signal may be among them; what it left undone is recorded then too.
    These(BTreeSet<Exit>),
}

impl Accepted {
    /// Whether a command may end so.
    #[must_use]
    pub fn accepts(&self, exit: Exit) -> bool {
        match self {
            Self::AnyStatus => matches!(exit, Exit::Code(_)),
            Self::These(exits) => exits.contains(&exit),
        }
    }
}

impl Default for Accepted {
    fn default() -> Self {
        Self::These(BTreeSet::from([Exit::Code(0)]))
    }
}

impl Spawn {
    /// This program in this directory, with nothing else.
    #[must_use]
    pub fn new(program: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            variables: BTreeMap::new(),
            directory: directory.into(),
            stdin: None,
            stdout: Sink::Shown,
            stderr: Sink::Shown,
            joined: false,
            accepted: Accepted::default(),
            stamp: Vec::new(),
        }
    }

    /// Adds arguments that count.
    #[must_use]
    pub fn arguments<T: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = T>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|text| Word { text: text.into(), stamped: true }));
        self
    }

    /// Adds an argument that does not count.
    #[must_use]
    pub fn unstamped(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(Word { text: argument.into(), stamped: false });
        self
    }

    /// Sets a variable that counts.
    #[must_use]
    pub fn variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), Word { text: value.into(), stamped: true });
        self
    }

    /// Sets a variable that does not count.
    #[must_use]
    pub fn unstamped_variable(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.variables.insert(name.into(), Word { text: value.into(), stamped: false });
        self
    }

    /// Gives it a file as standard input.
    #[must_use]
    pub fn stdin(mut self, file: impl Into<PathBuf>) -> Self {
        self.stdin = Some(file.into());
        self
    }

    /// Says where standard output goes.
    #[must_use]
    pub fn stdout(mut self, sink: Sink) -> Self {
        self.stdout = sink;
        self
    }

    /// Says where standard error goes.
    #[must_use]
    pub fn stderr(mut self, sink: Sink) -> Self {
        self.stderr = sink;
        self
    }

    /// Keeps the order of what is said in both streams, where both are shown.
    #[must_use]
    pub const fn joined(mut self) -> Self {
        self.joined = true;
        self
    }

    /// Says how it may end.
    #[must_use]
    pub fn accepted(mut self, accepted: Accepted) -> Self {
        self.accepted = accepted;
        self
    }

    /// Says what else identifies it.
    #[must_use]
    pub fn stamp(mut self, stamp: impl Into<Vec<u8>>) -> Self {
        self.stamp = stamp.into();
        self
    }

    /// The arguments that count.
    pub fn stamped(&self) -> impl Iterator<Item = &OsStr> {
        self.arguments.iter().filter(|word| word.stamped).map(|word| word.text.as_os_str())
    }

    /// Whether both streams are one pipe.
    pub(super) fn is_joined(&self) -> bool {
        self.joined && self.stdout == Sink::Shown && self.stderr == Sink::Shown
    }
}
