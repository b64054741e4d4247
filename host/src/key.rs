//! What entries are found by.

use crate::digest::{Digest, Framer};
use std::fmt;

/// The key of an entry: a BLAKE3 digest over the resolved ingredients of an operation, or over a name that a person chose.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Key(Digest);

impl Key {
    /// The key that a digest is.
    #[must_use]
    pub const fn new(digest: Digest) -> Self {
        Self(digest)
    }

    /// The digest that the key is.
    #[must_use]
    pub const fn digest(self) -> Digest {
        self.0
    }

    /// The key of an entry that a person named.
    #[must_use]
    pub fn named(name: &Name) -> Self {
        Self(Framer::new("reviver.key.named").text(name.as_str()).finish())
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A name that a person gave to an entry: one path segment of 1 to 200 bytes, without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Name(String);

/// A name that no entry can have.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct InvalidName {
    name: String,
    why: &'static str,
}

impl Name {
    /// The name, or why it is none.
    pub fn new(name: &str) -> Result<Self, InvalidName> {
        let why = if name.is_empty() {
            "it is empty"
        } else if name.len() > 200 {
            "it is longer than 200 bytes"
        } else if name == "." || name == ".." {
            "it names a directory"
        } else if name.contains('/') {
            "it holds a slash"
        } else if name.chars().any(char::is_control) {
            "it holds a control character"
        } else {
            return Ok(Self(name.to_owned()));
        };
        Err(InvalidName { name: name.to_owned(), why })
    }

    /// The text of the name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Name {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for InvalidName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} cannot name an entry: {}", self.name, self.why)
    }
}

impl std::error::Error for InvalidName {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_single_path_segments() {
        for good in ["a", "lapi.o", "…", &"x".repeat(200)] {
            assert!(Name::new(good).is_ok(), "{good}");
        }
        for bad in ["", ".", "..", "../x", "x/y", "a\0b", "a\nb", &"x".repeat(201)] {
            assert!(Name::new(bad).is_err(), "{bad}");
        }
    }
}
