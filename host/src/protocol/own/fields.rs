//! Named fields, in any order, each there at most once: taken one by one, and what is left in the end is not known.

use crate::digest::Digest;
use crate::key::Key;
use crate::protocol::Sexp;
use std::collections::{BTreeMap, HashSet};
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::path::{Path, PathBuf};

/// A message that has not the form that it should have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Malformed(String);

impl Malformed {
    /// With these words.
    pub fn because(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Malformed {}

/// The fields of a message.
#[derive(Debug)]
pub struct Fields(BTreeMap<String, Vec<Sexp>>);

impl Fields {
    /// The fields that these values are.
    pub fn of(values: Vec<Sexp>) -> Result<Self, Malformed> {
        let mut fields = BTreeMap::new();
        for value in values {
            let none = || Malformed::because("a field is a list that begins with its name");
            let Sexp::List(mut values) = value else { return Err(none()) };
            if values.is_empty() {
                return Err(none());
            }
            let name = values.remove(0).as_text().ok_or_else(none)?.to_owned();
            if fields.contains_key(&name) {
                return Err(Malformed(format!("the field `{}` is there twice", name.escape_debug())));
            }
            fields.insert(name, values);
        }
        Ok(Self(fields))
    }

    /// Says that all fields that are known were taken.
    pub fn end(self) -> Result<(), Malformed> {
        match self.0.into_keys().next() {
            Some(name) => Err(Malformed(format!("there is no field `{}` here", name.escape_debug()))),
            None => Ok(()),
        }
    }

    /// The values of a field, where it is there.
    pub fn take(&mut self, name: &str) -> Option<Vec<Sexp>> {
        self.0.remove(name)
    }

    /// What a field means by its one atom, where it is there.
    fn atom<T>(
        &mut self,
        name: &str,
        what: &str,
        means: impl FnOnce(Vec<u8>) -> Option<T>,
    ) -> Result<Option<T>, Malformed> {
        let Some(mut values) = self.take(name) else { return Ok(None) };
        let only = if values.len() == 1 { values.pop() } else { None };
        let atom = only.and_then(|value| if let Sexp::Atom(bytes) = value { Some(bytes) } else { None });
        let wrong = || Malformed(format!("the field `{name}` is {what}"));
        atom.and_then(means).ok_or_else(wrong).map(Some)
    }

    /// What a field means by its atoms; nothing where it is not there.
    fn atoms<T>(
        &mut self,
        name: &str,
        what: &str,
        means: impl Fn(Vec<u8>) -> Option<T>,
    ) -> Result<Option<Vec<T>>, Malformed> {
        let Some(values) = self.take(name) else { return Ok(None) };
        let each =
            values.into_iter().map(|value| if let Sexp::Atom(bytes) = value { means(bytes) } else { None });
        let wrong = || Malformed(format!("the field `{name}` is {what}"));
        each.collect::<Option<Vec<_>>>().ok_or_else(wrong).map(Some)
    }

    /// Bytes.
    pub fn bytes(&mut self, name: &str) -> Result<Option<Vec<u8>>, Malformed> {
        self.atom(name, "one atom", Some)
    }

    /// Text.
    pub fn text(&mut self, name: &str) -> Result<Option<String>, Malformed> {
        self.atom(name, "one text in UTF-8", text)
    }

    /// Texts.
    pub fn texts(&mut self, name: &str) -> Result<Option<Vec<String>>, Malformed> {
        self.atoms(name, "texts in UTF-8", text)
    }

    /// A number in decimal digits.
    pub fn number(&mut self, name: &str) -> Result<Option<u64>, Malformed> {
        self.atom(name, "a number in decimal digits", |bytes| Sexp::Atom(bytes).as_number())
    }

    /// Exit statuses.
    pub fn statuses(&mut self, name: &str) -> Result<Option<Vec<u8>>, Malformed> {
        self.atoms(name, "numbers from 0 to 255", |bytes| Sexp::Atom(bytes).as_number()?.try_into().ok())
    }

    /// A number that an exit status or a signal can be.
    pub fn small(&mut self, name: &str) -> Result<Option<i32>, Malformed> {
        let small =
            |bytes| Sexp::Atom(bytes).as_number().filter(|number| *number < 256).map(|number| number as i32);
        self.atom(name, "a number from 0 to 255", small)
    }

    /// Permissions, in octal digits.
    pub fn octal(&mut self, name: &str) -> Result<Option<u32>, Malformed> {
        self.atom(name, "permissions in octal digits", |bytes| octal(&bytes))
    }

    /// `yes` or `no`.
    pub fn yes(&mut self, name: &str) -> Result<Option<bool>, Malformed> {
        self.atom(name, "`yes` or `no`", |bytes| match &bytes[..] {
            b"yes" => Some(true),
            b"no" => Some(false),
            _ => None,
        })
    }

    /// A path.
    pub fn path(&mut self, name: &str) -> Result<Option<PathBuf>, Malformed> {
        self.atom(name, "a path", path)
    }

    /// Paths.
    pub fn paths(&mut self, name: &str) -> Result<Option<Vec<PathBuf>>, Malformed> {
        self.atoms(name, "paths", path)
    }

    /// A key.
    pub fn key(&mut self, name: &str) -> Result<Option<Key>, Malformed> {
        Ok(self.digest(name)?.map(Key::new))
    }

    /// A digest.
    pub fn digest(&mut self, name: &str) -> Result<Option<Digest>, Malformed> {
        self.atom(name, "64 hexadecimal digits", |bytes| Digest::from_hex(std::str::from_utf8(&bytes).ok()?))
    }

    /// Variables with their values, each there at most once: of two with one name some programs see the first, others the last.
    pub fn variables(&mut self, name: &str) -> Result<Option<Vec<(OsString, OsString)>>, Malformed> {
        let Some(values) = self.take(name) else { return Ok(None) };
        let pair = |value: Sexp| {
            let [name, value] = <[Sexp; 2]>::try_from(into_list(value)?).ok()?;
            let (Sexp::Atom(name), Sexp::Atom(value)) = (name, value) else { return None };
            let is_name = !name.is_empty() && !name.contains(&b'=') && !name.contains(&0);
            (is_name && !value.contains(&0)).then(|| (OsString::from_vec(name), OsString::from_vec(value)))
        };
        let wrong = || Malformed(format!("the field `{name}` is lists of a variable's name and its value"));
        let pairs: Vec<_> = values.into_iter().map(pair).collect::<Option<_>>().ok_or_else(wrong)?;
        let mut names = HashSet::new();
        match pairs.iter().find(|(name, _)| !names.insert(name)) {
            Some((twice, _)) => {
                let twice = twice.to_string_lossy();
                Err(Malformed(format!("the field `{name}` holds `{}` twice", twice.escape_debug())))
            }
            None => Ok(Some(pairs)),
        }
    }
}

/// Makes a missing field an error.
pub fn needed<T>(name: &str, value: Option<T>) -> Result<T, Malformed> {
    value.ok_or_else(|| Malformed(format!("the field `{name}` is missing")))
}

/// A field of one atom.
#[must_use]
pub fn field(name: &str, value: impl Into<Vec<u8>>) -> Sexp {
    Sexp::named(name, [Sexp::atom(value)])
}

/// A field of a number.
#[must_use]
pub fn number(name: &str, value: u64) -> Sexp {
    Sexp::named(name, [Sexp::number(value)])
}

/// A field that says yes or no.
#[must_use]
pub fn yes(name: &str, value: bool) -> Sexp {
    field(name, if value { "yes" } else { "no" })
}

/// A field of texts.
#[must_use]
pub fn texts(name: &str, values: &[String]) -> Sexp {
    Sexp::named(name, values.iter().map(|text| Sexp::atom(text.as_str())))
}

/// A field of paths.
#[must_use]
pub fn paths(name: &str, values: &[PathBuf]) -> Sexp {
    Sexp::named(name, values.iter().map(|path| Sexp::atom(bytes_of(path))))
}

/// The bytes of a path.
#[must_use]
pub fn bytes_of(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The path that bytes are; one that is empty or holds a NUL is none.
#[must_use]
pub fn path(bytes: Vec<u8>) -> Option<PathBuf> {
    (!bytes.is_empty() && !bytes.contains(&0)).then(|| PathBuf::from(OsString::from_vec(bytes)))
}

/// Permissions as three or four octal digits say them.
#[must_use]
pub fn octal(digits: &[u8]) -> Option<u32> {
    let is_octal =
        (1..=4).contains(&digits.len()) && digits.iter().all(|digit| (b'0'..=b'7').contains(digit));
    is_octal.then(|| digits.iter().fold(0, |number, digit| number * 8 + u32::from(digit - b'0')))
}

/// The values of a list.
pub(super) fn into_list(value: Sexp) -> Option<Vec<Sexp>> {
    match value {
        Sexp::List(values) => Some(values),
        Sexp::Atom(_) => None,
    }
}

/// The text that bytes are. A NUL is in nothing that a program is told.
fn text(bytes: Vec<u8>) -> Option<String> {
    String::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// A name of the system in bytes.
pub(super) fn os(text: &OsStr) -> Sexp {
    Sexp::atom(text.as_bytes())
}
