//! Dune's cache protocol, versions 1.0 to 1.2, as its clients from 2.0 to 2.9 speak it.
//!
//! The client [promotes](Promotion) what its rules made; the daemon answers with [dedups](Dedup), that is, files of which it has
//! the same content already. There is no lookup and no error reply: clients read the store by themselves.
//!
//! | message | from | since | form, without the lengths of atoms |
//! |---|---|---|---|
//! | greeting | both | 1.0 | [`Lang`](super::Lang) |
//! | build root | client | 1.0 | `(set-build-root PATH)` |
//! | metadata | client | 1.0 | `(set-common-metadata VALUE...)` |
//! | repositories | client | 1.0 | `(set-repos ((dir D) (remote R) (commit_id C))...)` |
//! | promotion | client | 1.0 | `(promote (key K) (files (PATH DIGEST)...) (metadata (VALUE...)) [(repo N)] [(duplication copy\|hardlink)])` |
//! | hint | client | 1.2 | `(hint K...)` |
//! | dedup | daemon | 1.0 | `(dedup (PATH PLACE DIGEST))`, without the place since 1.2 |
//!
//! `duplication` came with 1.1: it is read in every version, and not written to a peer of 1.0. Keys and digests are 32 hexadecimal
//! digits, read in both cases and written in lower case. Source: Dune's `src/cache/messages.ml`, and what its clients sent.
//!
//! Each value is read by [`Command::from_sexp`] and [`Dedup::from_sexp`], and written by the method of the other direction; what is
//! written in a version is read as the same in that version.

mod command;
mod dedup;
mod digest;
mod promotion;

pub use command::{Command, Repository};
pub use dedup::Dedup;
pub use digest::{FileDigest, RuleKey};
pub use promotion::{Duplication, Promotion};

use super::version::Version;
use std::fmt;

/// The first version of which peers hint at what they will want.
pub const HINT_MIN_VERSION: Version = Version::new(1, 2);

/// The newest version that is spoken here; all of its major are.
pub const NEWEST: Version = Version::new(1, 2);

/// Whether a peer of this version may send hints.
#[must_use]
pub fn hint_supported(version: Version) -> bool {
    version >= HINT_MIN_VERSION
}

/// A message that is none.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum MessageError {
    /// No list that begins with a name.
    Shapeless,
    /// A name that this version does not know.
    Unknown(String),
    /// A known name, and something else than what belongs to it.
    Arguments(&'static str),
    /// No 32 hexadecimal digits.
    Key(String),
    /// No way of duplication.
    Duplication(String),
}

impl fmt::Display for MessageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shapeless => f.write_str("a message is no list that begins with a name"),
            Self::Unknown(name) => write!(f, "unknown command `{name}`"),
            Self::Arguments(of) => write!(f, "invalid arguments of `{of}`"),
            Self::Key(text) => write!(f, "`{text}` is no key or digest of 32 hexadecimal digits"),
            Self::Duplication(text) => write!(f, "`{text}` is no way of duplication"),
        }
    }
}

impl std::error::Error for MessageError {}

/// The beginning of what a peer sent, fit for a line of a log.
fn shown(bytes: &[u8]) -> String {
    bytes[..bytes.len().min(64)].escape_ascii().to_string()
}
