//! What a caller declares.

use super::content::{Copy, Write};
use super::native::Native;
use super::passing::Passing;
use super::spawn::Spawn;
use std::fmt;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

/// An operation with the files that it reads and writes, as its caller declares them: no plugin is asked.
///
/// A read that is a directory stands for all that is below it. Standard input, redirected output, and what is copied or
/// written by the host need not be declared once more. All paths are absolute, without `..`.
///
/// Without a manifest each write is one file or link, and the number of writes is part of the key while their paths are not.
/// With one, writes are kept by their paths relative to its root, whole directories with all that is below them, and the
/// same operation below another root revives them there.
///
/// ```
/// use reviver::reviver::declared::{Copy, Declared, Passing, Spawn};
/// use std::path::Path;
///
/// let compile = Spawn::new("/usr/bin/cc", "/src").arguments(["-c", "a.c"]);
/// let compile = Declared::new(compile).reads(["/src/a.c", "/src/a.h"]).writes(["/src/a.o"]);
/// assert_eq!(compile.read_paths(), [Path::new("/src/a.c"), Path::new("/src/a.h")]);
///
/// let copy = Declared::new(Copy::new("/src/a", "/out/sub/a")).below("/out");
/// assert_eq!(copy.write_paths(), [Path::new("/out/sub/a")]);
/// let clean = Declared::new(Passing::Delete("/out".into()));
/// assert!(clean.write_paths().is_empty());
/// ```
#[derive(Debug)]
pub struct Declared<'a> {
    /// What it does.
    pub kind: Kind<'a>,
    /// What it reads, in an order that counts.
    pub reads: Vec<PathBuf>,
    /// What it writes.
    pub writes: Vec<PathBuf>,
    /// The root of its manifest, if it has one.
    pub manifest: Option<PathBuf>,
}

/// What an operation does.
#[derive(Debug)]
pub enum Kind<'a> {
    /// Runs a command.
    Spawn(Spawn),
    /// Writes a file.
    Write(Write<'a>),
    /// Copies a file.
    Copy(Copy),
    /// Calls a function.
    Native(Native<'a>),
    /// Something that is never cached.
    Passing(Passing),
}

/// What is wrong with a declaration.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Misdeclared {
    /// A path is relative, or has `..` in it.
    Path(PathBuf),
    /// A path is written twice.
    Twice(PathBuf),
    /// A write is not strictly below the manifest's root.
    Outside {
        /// The write.
        write: PathBuf,
        /// The root.
        root: PathBuf,
    },
    /// What is read is also written, so the operation is no function of what it reads.
    Cycle {
        /// What is read.
        read: PathBuf,
        /// What is written.
        write: PathBuf,
    },
    /// The program's name is not UTF-8.
    Program(PathBuf),
}

impl fmt::Display for Misdeclared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(path) => write!(f, "{} is no absolute path without `..`", path.display()),
            Self::Twice(path) => write!(f, "{} is written twice", path.display()),
            Self::Outside { write, root } => {
                write!(f, "{} is not below {}", write.display(), root.display())
            }
            Self::Cycle { read, write } => {
                write!(f, "it reads {} and writes {}", read.display(), write.display())
            }
            Self::Program(name) => write!(f, "the program {} is not UTF-8", name.display()),
        }
    }
}

impl std::error::Error for Misdeclared {}

/// Something that decides about an operation and is looked at.
#[derive(Clone, Copy, Debug)]
pub(super) enum Input<'d> {
    Program(&'d str),
    Path(&'d Path),
}

impl<'a> Declared<'a> {
    /// This, without declared reads and writes.
    pub fn new(kind: impl Into<Kind<'a>>) -> Self {
        Self { kind: kind.into(), reads: Vec::new(), writes: Vec::new(), manifest: None }
    }

    /// Adds reads.
    #[must_use]
    pub fn reads<T: Into<PathBuf>>(mut self, reads: impl IntoIterator<Item = T>) -> Self {
        self.reads.extend(reads.into_iter().map(Into::into));
        self
    }

    /// Adds writes.
    #[must_use]
    pub fn writes<T: Into<PathBuf>>(mut self, writes: impl IntoIterator<Item = T>) -> Self {
        self.writes.extend(writes.into_iter().map(Into::into));
        self
    }

    /// Gives it a manifest: what it writes lies below this root.
    #[must_use]
    pub fn below(mut self, root: impl Into<PathBuf>) -> Self {
        self.manifest = Some(root.into());
        self
    }

    /// All that it reads: what its kind implies, then what was declared.
    #[must_use]
    pub fn read_paths(&self) -> Vec<&Path> {
        let own = match &self.kind {
            Kind::Spawn(spawn) => spawn.stdin.as_deref(),
            Kind::Copy(copy) => Some(copy.source.as_path()),
            Kind::Write(_) | Kind::Native(_) | Kind::Passing(_) => None,
        };
        own.into_iter().chain(self.reads.iter().map(PathBuf::as_path)).collect()
    }

    /// All that it writes: what its kind implies, then what was declared.
    #[must_use]
    pub fn write_paths(&self) -> Vec<&Path> {
        let mut paths: Vec<&Path> = match &self.kind {
            Kind::Spawn(spawn) => {
                [&spawn.stdout, &spawn.stderr].into_iter().filter_map(|s| s.path()).collect()
            }
            Kind::Write(write) => vec![&write.file],
            Kind::Copy(copy) => vec![&copy.destination],
            Kind::Native(_) | Kind::Passing(_) => Vec::new(),
        };
        // Both streams may go into one file.
        paths.dedup();
        let own = paths.len();
        for write in &self.writes {
            if !paths[..own].contains(&write.as_path()) {
                paths.push(write);
            }
        }
        paths
    }

    /// All that decides and is looked at, in the order in which it enters the key.
    pub(super) fn inputs(&self) -> Vec<Input<'_>> {
        let program = match &self.kind {
            Kind::Spawn(spawn) => spawn.program.to_str().map(Input::Program),
            _ => None,
        };
        program.into_iter().chain(self.read_paths().into_iter().map(Input::Path)).collect()
    }

    /// The path of a write relative to the manifest's root; empty without one.
    pub(super) fn label<'p>(&self, write: &'p Path) -> &'p [u8] {
        let root = self.manifest.as_deref();
        root.and_then(|root| write.strip_prefix(root).ok()).map_or(b"", |below| below.as_os_str().as_bytes())
    }

    /// Looks for what is wrong in it.
    pub(super) fn check(&self) -> Result<(), Misdeclared> {
        if let Kind::Spawn(spawn) = &self.kind {
            plain(&spawn.directory)?;
            spawn.program.to_str().ok_or_else(|| Misdeclared::Program(spawn.program.clone()))?;
        }
        let (reads, writes) = (self.read_paths(), self.write_paths());
        reads.iter().chain(&writes).copied().chain(self.manifest.as_deref()).try_for_each(plain)?;
        for (at, &write) in writes.iter().enumerate() {
            if writes[..at].contains(&write) {
                return Err(Misdeclared::Twice(write.to_owned()));
            }
            if let Some(root) = self.manifest.as_deref()
                && (write == root || !write.starts_with(root))
            {
                return Err(Misdeclared::Outside { write: write.to_owned(), root: root.to_owned() });
            }
            if let Some(read) = reads.iter().find(|read| read.starts_with(write) || write.starts_with(read)) {
                return Err(Misdeclared::Cycle { read: (*read).to_owned(), write: write.to_owned() });
            }
        }
        Ok(())
    }
}

fn plain(path: &Path) -> Result<(), Misdeclared> {
    let climbs = path.components().any(|part| part == Component::ParentDir);
    if path.is_absolute() && !climbs { Ok(()) } else { Err(Misdeclared::Path(path.to_owned())) }
}

impl From<Spawn> for Kind<'_> {
    fn from(spawn: Spawn) -> Self {
        Self::Spawn(spawn)
    }
}

impl<'a> From<Write<'a>> for Kind<'a> {
    fn from(write: Write<'a>) -> Self {
        Self::Write(write)
    }
}

impl From<Copy> for Kind<'_> {
    fn from(copy: Copy) -> Self {
        Self::Copy(copy)
    }
}

impl<'a> From<Native<'a>> for Kind<'a> {
    fn from(native: Native<'a>) -> Self {
        Self::Native(native)
    }
}

impl From<Passing> for Kind<'_> {
    fn from(passing: Passing) -> Self {
        Self::Passing(passing)
    }
}
