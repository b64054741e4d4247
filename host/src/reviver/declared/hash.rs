//! From a declaration to its key.
//!
//! | declaration | outcome | the file system afterwards |
//! |---|---|---|
//! | of a kind that is cached | a [`Hashed`] with a key | unchanged |
//! | of another kind | a [`Hashed`] without one | unchanged |
//! | wrong; of reads that are absent; of something that nobody can be sure of | [`HashError`] | unchanged |

use super::super::files::Files;
use super::super::program;
use super::super::resolve::{Doubt, Resolver, unseen};
use super::super::tree;
use super::super::value::{self, Value};
use super::super::writes::Watched;
use super::declare::{Declared, Input, Misdeclared};
use super::frame::frame;
use super::reviver::DeclaredReviver;
use crate::digest::Framer;
use crate::key::Key;
use crate::operation::{Write, WriteKind};
use std::fmt;
use std::path::{Path, PathBuf};

/// A declaration with its key, and what was seen when that was made: it is recorded only if all of it still holds.
#[derive(Debug)]
pub struct Hashed<'d> {
    pub(super) declared: &'d Declared<'d>,
    pub(super) key: Option<Key>,
    /// The file system as it was.
    pub(super) before: Resolver,
    /// What the inputs resolved to.
    pub(super) values: Vec<Value>,
    /// What was at the paths of the writes.
    pub(super) watched: Vec<Watched>,
}

impl Hashed<'_> {
    /// The key; `None` for what is never cached.
    #[must_use]
    pub const fn key(&self) -> Option<Key> {
        self.key
    }
}

/// Why a declaration has no key.
#[derive(Debug)]
#[non_exhaustive]
pub enum HashError {
    /// It is wrong in itself.
    Misdeclared(Misdeclared),
    /// These reads are absent; they are sorted.
    MissingReads(Vec<PathBuf>),
    /// There is no such program.
    NoProgram(PathBuf),
    /// Something cannot be looked at, or does not tell what it is.
    Doubt(Doubt),
}

impl fmt::Display for HashError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Misdeclared(wrong) => wrong.fmt(f),
            Self::MissingReads(missing) => write!(f, "no such file to read: {}", list(missing)),
            Self::NoProgram(program) => write!(f, "no such program: {}", program.display()),
            Self::Doubt(doubt) => doubt.fmt(f),
        }
    }
}

/// Paths, for people.
pub(super) fn list(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

impl std::error::Error for HashError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Misdeclared(wrong) => Some(wrong),
            Self::Doubt(doubt) => Some(doubt),
            Self::MissingReads(_) | Self::NoProgram(_) => None,
        }
    }
}

impl From<Misdeclared> for HashError {
    fn from(wrong: Misdeclared) -> Self {
        Self::Misdeclared(wrong)
    }
}

impl From<Doubt> for HashError {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

impl DeclaredReviver<'_> {
    /// The key of an operation, with what it rests on; see the [module](self) for the outcomes.
    ///
    /// A key holds the partition, the codec, the kind with all that the declaration says of it, and in order the program and
    /// the reads, as they are now: content and executable bit of a file, all that is below a directory.
    pub fn hash<'d>(&self, declared: &'d Declared<'d>) -> Result<Hashed<'d>, HashError> {
        declared.check()?;
        let before = self.look_around(declared);
        let missing = missing(&before.files, &declared.read_paths())?;
        if !missing.is_empty() {
            return Err(HashError::MissingReads(missing));
        }
        let mut framer = Framer::new("reviver.declared");
        framer.bytes(self.partition.id().as_bytes()).digest(self.codec.id().digest());
        if !frame(&mut framer, declared) {
            return Ok(Hashed { declared, key: None, before, values: Vec::new(), watched: Vec::new() });
        }
        let values = values(&before, declared)?;
        if let (Some(Input::Program(program)), Some(Value::Absent)) =
            (declared.inputs().first(), values.first())
        {
            return Err(HashError::NoProgram(program.into()));
        }
        value::frame(&mut framer, &values);
        let watched = watch(declared)?;
        Ok(Hashed { declared, key: Some(Key::new(framer.finish())), before, values, watched })
    }
}

/// Which reads are absent, sorted.
pub(super) fn missing(files: &Files, reads: &[&Path]) -> Result<Vec<PathBuf>, Doubt> {
    let mut missing = Vec::new();
    for &read in reads {
        if files.identity(read).map_err(unseen(read))?.is_none() {
            missing.push(read.to_owned());
        }
    }
    missing.sort_unstable();
    missing.dedup();
    Ok(missing)
}

/// What all inputs resolve to now, in order.
pub(super) fn values(resolver: &Resolver, declared: &Declared<'_>) -> Result<Vec<Value>, Doubt> {
    let value = |input: Input<'_>| match input {
        Input::Program(name) => program::resolve(resolver, name).map(|found| found.value),
        Input::Path(path) => match resolver.file(path)? {
            Value::Directory => tree::tree(&resolver.files, path),
            value => Ok(value),
        },
    };
    declared.inputs().into_iter().map(value).collect()
}

/// What is at the paths of the writes now.
pub(super) fn watch(declared: &Declared<'_>) -> Result<Vec<Watched>, Doubt> {
    let kind = if declared.manifest.is_some() { WriteKind::Either } else { WriteKind::File };
    let watched = |path: &Path| {
        let write = Write { label: String::new(), path: String::new(), kind, optional: false };
        Watched::before(write, path.to_owned())
    };
    declared.write_paths().into_iter().map(watched).collect()
}
