//! What was seen when ingredients were last resolved: with it, an unchanged ingredient costs one `stat`, and hundreds of
//! absences cost one `stat` for each directory that they were missed in.
//!
//! A hint holds only while the identity in it is the present one, and is made only where that identity was settled. A
//! directory's identity changes with every name that comes or goes, so an unchanged directory gained no name. Build trees
//! that write beside their sources change their directories all the time: there the names are read, once, and looked
//! through.

use super::files::Files;
use super::value::Value;
use crate::bytes::{Layout, Malformed, Reader, Writer};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::time::Timestamp;
use std::ffi::OsStr;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// From so many names on, a changed directory is read instead of asked for each of them.
pub(super) const MANY: u32 = 4;

/// What was seen of one ingredient.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Hint {
    /// Nothing that helps.
    None,
    /// A file or directory with this identity.
    Seen(Identity),
    /// Nothing, and this is the nearest directory there was, by its position in [`Hints::directories`].
    Missed(u32),
    /// A program: what says where it and its libraries are searched, all files that were looked at for it, and what was
    /// there.
    Program(Digest, Vec<Look>),
}

/// A path and what was there.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Look {
    /// The absolute path.
    pub path: String,
    /// What was there; `None` for nothing.
    pub identity: Option<Identity>,
}

/// What was seen of a list of ingredients.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Hints {
    /// Directories that names were missed in. One that was not settled has no identity.
    pub directories: Vec<Look>,
    /// One hint for each ingredient.
    pub each: Vec<Hint>,
}

impl Hints {
    /// How many names were missed in each directory.
    #[must_use]
    pub fn missed(&self) -> Vec<u32> {
        let mut missed = vec![0; self.directories.len()];
        for hint in &self.each {
            if let Hint::Missed(directory) = hint
                && let Some(number) = missed.get_mut(*directory as usize)
            {
                *number += 1;
            }
        }
        missed
    }

    /// Adds the hint for a file that resolved to `value`.
    pub fn add_file(&mut self, files: &Files, path: &Path, value: &Value, now: Timestamp) {
        let hint = match value {
            Value::Absent => self.miss(files, path, now),
            _ => match files.identity(path) {
                Ok(Some(identity)) if identity.settled(now) => Hint::Seen(identity),
                _ => Hint::None,
            },
        };
        self.each.push(hint);
    }

    /// Adds the hint for a program, unless something that was looked at is too young.
    pub fn add_program(&mut self, searched: Digest, looks: Vec<Look>, now: Timestamp) {
        let settled = looks.iter().all(|look| look.identity.is_none_or(|identity| identity.settled(now)));
        self.each.push(if settled { Hint::Program(searched, looks) } else { Hint::None });
    }

    fn miss(&mut self, files: &Files, path: &Path, now: Timestamp) -> Hint {
        let Some(directory) = nearest(files, path) else { return Hint::None };
        let Some(text) = directory.to_str() else { return Hint::None };
        let known = self.directories.iter().position(|look| look.path == text);
        let position = known.unwrap_or_else(|| {
            let identity = files.identity(&directory).ok().flatten().filter(|identity| identity.settled(now));
            self.directories.push(Look { path: text.to_owned(), identity });
            self.directories.len() - 1
        });
        Hint::Missed(position as u32)
    }
}

/// The nearest directory above `path` that exists, if the next name on the way is absent in it. A dangling link is a name
/// that is there: its target may appear without the directory noticing.
fn nearest(files: &Files, path: &Path) -> Option<PathBuf> {
    let mut missing = path;
    loop {
        let directory = missing.parent()?;
        match files.identity(directory) {
            Ok(Some(identity)) if identity.is_directory() => {
                let absent =
                    fs::symlink_metadata(missing).is_err_and(|error| error.kind() == io::ErrorKind::NotFound);
                return absent.then(|| directory.to_owned());
            }
            Ok(None) => missing = directory,
            _ => return None,
        }
    }
}

/// Whether `path` is surely absent because the name that leads to it is not in `directory`.
pub fn lacks(files: &Files, directory: &Path, path: &Path) -> io::Result<bool> {
    let (bytes, path) = (directory.as_os_str().as_bytes(), path.as_os_str().as_bytes());
    Ok(match step(bytes, path) {
        Some(name) => files.names(directory)?.is_none_or(|names| !names.contains(name)),
        None => false,
    })
}

/// The name in `directory` that leads to `path`; `None` for what is written another way, and looked at by itself.
pub(super) fn step<'p>(directory: &[u8], path: &'p [u8]) -> Option<&'p OsStr> {
    let rest = path.strip_prefix(directory)?.strip_prefix(b"/")?;
    // A faster search would first ask the processor what it can do, which takes longer in a virtual machine.
    let name = &rest[..rest.iter().position(|byte| *byte == b'/').unwrap_or(rest.len())];
    (!matches!(name, b"" | b"." | b"..")).then(|| OsStr::from_bytes(name))
}

impl Layout for Look {
    fn put(&self, out: &mut Writer) {
        out.text(&self.path);
        out.option(self.identity.as_ref());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { path: String::take(from)?, identity: from.option()? })
    }
}

impl Layout for Hint {
    fn put(&self, out: &mut Writer) {
        match self {
            Self::None => out.u8(0),
            Self::Seen(identity) => {
                out.u8(1);
                identity.put(out);
            }
            Self::Missed(directory) => {
                out.u8(2);
                out.u32(*directory);
            }
            Self::Program(searched, looks) => {
                out.u8(4);
                searched.put(out);
                out.list(looks);
            }
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.u8()? {
            0 => Self::None,
            1 => Self::Seen(Identity::take(from)?),
            2 => Self::Missed(from.u32()?),
            4 => Self::Program(Digest::take(from)?, from.list()?),
            _ => return Err(Malformed { expected: "a kind of hint" }),
        })
    }
}
