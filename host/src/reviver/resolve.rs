//! Ingredients to values: the host's half of a key.
//!
//! | source | value |
//! |---|---|
//! | text, bytes | their digest |
//! | file | content and executable bit; absent; a directory, whatever it holds |
//! | tree, listing | a digest over sorted relative paths, kinds, contents, executable bits and link targets; over names |
//! | variable | a digest of its value; absent |
//! | program | a digest over what it needs to run ([`program`]); absent |
//! | umask | a digest of the number |
//! | terminal | a digest of 1 or 0 |
//!
//! What cannot be seen (no permission, a loop of links, a device, a name that is not UTF-8) is a [`Doubt`]: the operation
//! runs uncached. Nothing is ever resolved to a value that stands for "unknown".

use super::environment::Environment;
use super::files::Files;
use super::hints::{Hint, Hints, Look, MANY, lacks};
use super::program::{self, Programs};
use super::table::Table;
use super::tree;
use super::value::Value;
use crate::digest::Digest;
use crate::identity::Identity;
use crate::operation::{Ingredient, Source};
use crate::store::{Partition, Store};
use crate::time::{Clock, Timestamp};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Something that keeps an operation from having a key.
#[derive(Debug)]
#[non_exhaustive]
pub enum Doubt {
    /// A path cannot be looked at.
    Unseen {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A path is neither a file nor a directory.
    Special(PathBuf),
    /// A path or variable is not UTF-8.
    NotText(PathBuf),
    /// A program is a shim whose content does not tell what it runs.
    Shim(PathBuf),
    /// A program that is ourselves under another name.
    Ourselves(PathBuf),
    /// A program whose shared libraries cannot be told.
    Untold(PathBuf),
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unseen { path, source } => write!(f, "cannot look at {}: {source}", path.display()),
            Self::Special(path) => write!(f, "{} is neither a file nor a directory", path.display()),
            Self::NotText(path) => write!(f, "{} is not UTF-8", path.display()),
            Self::Untold(path) => write!(f, "{} does not tell which libraries it needs", path.display()),
            Self::Ourselves(path) => write!(
                f,
                "{} is reviver, which stands in for another program and takes over from here",
                path.display()
            ),
            Self::Shim(path) => write!(
                f,
                "{} is a shim of a version manager, which runs another program; name that program itself",
                path.display()
            ),
        }
    }
}

impl std::error::Error for Doubt {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unseen { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Adds the path to an error of the system.
pub fn unseen(path: &Path) -> impl FnOnce(io::Error) -> Doubt + '_ {
    move |source| Doubt::Unseen { path: path.to_owned(), source }
}

/// Resolves the sources of one operation.
#[derive(Clone, Debug)]
pub struct Resolver {
    /// What surrounds the operation.
    pub environment: Rc<Environment>,
    /// The file system as it is now.
    pub files: Rc<Files>,
    /// What programs resolved to.
    pub programs: Rc<Programs>,
}

impl Resolver {
    /// A fresh look at the file system, with what `table` and the partition remember.
    #[must_use]
    pub fn fresh(
        environment: Rc<Environment>,
        table: Rc<Table>,
        clock: Rc<dyn Clock>,
        store: &Store,
        partition: &Partition,
    ) -> Self {
        let files = Rc::new(Files::new(table, clock));
        let programs = Rc::new(Programs::kept_in(store.clone(), partition.id()));
        Self { environment, files, programs }
    }

    /// The values of a list of ingredients. `known` is what the same list resolved to earlier, with what was seen then.
    pub fn values(
        &self,
        ingredients: &[Ingredient],
        known: Option<(&[Value], &Hints)>,
    ) -> Result<Vec<Value>, Doubt> {
        let known = known
            .filter(|(values, hints)| values.len() == ingredients.len() && hints.each.len() == values.len());
        let missed = known.map(|(_, hints)| hints.missed()).unwrap_or_default();
        ingredients
            .iter()
            .enumerate()
            .map(|(position, ingredient)| {
                if let Some((values, hints)) = known
                    && let Some(value) = self.hinted(
                        &ingredient.source,
                        &values[position],
                        &hints.each[position],
                        (hints, &missed),
                    )?
                {
                    return Ok(value);
                }
                self.value(&ingredient.source)
            })
            .collect()
    }

    /// What one source resolves to.
    pub fn value(&self, source: &Source) -> Result<Value, Doubt> {
        match source {
            Source::Text(text) => Ok(Value::of(text.as_bytes())),
            Source::Bytes(bytes) => Ok(Value::of(bytes)),
            Source::File(path) => self.file(&self.environment.absolute(path)),
            Source::Tree(path) => tree::tree(&self.files, &self.environment.absolute(path)),
            Source::Listing(path) => tree::listing(&self.files, &self.environment.absolute(path)),
            Source::Variable(name) => {
                Ok(self.environment.variable(name).map_or(Value::Absent, |value| Value::of(value.as_bytes())))
            }
            Source::Program(name) => program::resolve(self, name).map(|found| found.value),
            Source::Umask => Ok(Value::of(&self.environment.umask.to_le_bytes())),
            Source::Terminal => Ok(Value::of(&[u8::from(self.environment.terminal)])),
        }
    }

    /// The value of the file at an absolute path.
    pub fn file(&self, path: &Path) -> Result<Value, Doubt> {
        match self.files.identity(path).map_err(unseen(path))? {
            None => Ok(Value::Absent),
            Some(identity) => self.present(path, &identity),
        }
    }

    /// What was seen while these values were resolved, for the next time.
    #[must_use]
    pub fn hints(&self, ingredients: &[Ingredient], values: &[Value], now: Timestamp) -> Hints {
        let mut hints = Hints::default();
        // What was read before it was settled may be read otherwise now, under the same identity.
        let now = now.min(self.files.since());
        for (ingredient, value) in ingredients.iter().zip(values) {
            match &ingredient.source {
                Source::File(path) => {
                    hints.add_file(&self.files, &self.environment.absolute(path), value, now);
                }
                Source::Program(name) if *value != Value::Absent => {
                    hints.add_program(
                        self.programs.searched(&self.environment),
                        program::resolve(self, name).map_or_else(|_| Vec::new(), |found| found.looks),
                        now,
                    );
                }
                _ => hints.each.push(Hint::None),
            }
        }
        hints
    }

    fn present(&self, path: &Path, identity: &Identity) -> Result<Value, Doubt> {
        if identity.is_directory() {
            Ok(Value::Directory)
        } else if identity.is_file() {
            let content = self.files.content(path, identity).map_err(unseen(path))?;
            Ok(Value::File { content, executable: identity.is_executable() })
        } else if path == Path::new("/dev/null") {
            Ok(Value::File { content: Digest::of(b""), executable: false })
        } else {
            Err(Doubt::Special(path.to_owned()))
        }
    }

    /// The earlier value, where what was seen then is still what is there.
    fn hinted(
        &self,
        source: &Source,
        value: &Value,
        hint: &Hint,
        (hints, missed): (&Hints, &[u32]),
    ) -> Result<Option<Value>, Doubt> {
        match (source, hint) {
            (Source::File(path), Hint::Seen(identity)) => {
                let path = self.environment.absolute(path);
                if self.files.identity(&path).map_err(unseen(&path))? != Some(*identity) {
                    return Ok(None);
                }
                Ok(Some(*value))
            }
            (Source::File(path), Hint::Missed(position)) => {
                let Some(directory) = hints.directories.get(*position as usize) else { return Ok(None) };
                let place = Path::new(&directory.path);
                if directory.identity.is_some() && self.same(directory)? {
                    return Ok(Some(Value::Absent));
                }
                let path = self.environment.absolute(path);
                let many = missed.get(*position as usize).is_some_and(|missed| *missed >= MANY);
                let gone = many && lacks(&self.files, place, &path).map_err(unseen(place))?;
                Ok(gone.then_some(Value::Absent))
            }
            _ => self.hinted_program(source, value, hint),
        }
    }

    /// The same for a program.
    pub(super) fn hinted_program(
        &self,
        source: &Source,
        value: &Value,
        hint: &Hint,
    ) -> Result<Option<Value>, Doubt> {
        let (Source::Program(_), Hint::Program(searched, looks)) = (source, hint) else { return Ok(None) };
        // Elsewhere another program may lie, or other libraries of it, although nothing changed where these are.
        if *searched != self.programs.searched(&self.environment) {
            return Ok(None);
        }
        for look in looks {
            if !self.same(look)? {
                return Ok(None);
            }
        }
        Ok((!looks.is_empty()).then_some(*value))
    }

    fn same(&self, look: &Look) -> Result<bool, Doubt> {
        let path = Path::new(&look.path);
        Ok(self.files.identity(path).map_err(unseen(path))? == look.identity)
    }
}
