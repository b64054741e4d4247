//! Reviver's own protocol, `reviver 1.0`: for build systems that do not want to spawn a process for each operation.
//!
//! # Model
//!
//! Both sides greet with a [`Lang`]; then the client sends requests, and gets one reply to each:
//!
//! ```text
//! request   (ID COMMAND (FIELD VALUE...)...)
//! reply     (ID ok (FIELD VALUE...)...)    or    (ID error CODE MESSAGE)
//! ```
//!
//! An ID is an atom of the client's choice, 1 to 64 bytes. `docs/protocol.md` shows every message in its bytes.
//!
//! # Laws
//!
//! * Replies come in the order in which they are finished. What must happen after something else is asked after its reply.
//! * Fields come in any order; one that is not known, missing, or there twice makes the request [`Code::Malformed`].
//! * Whatever has an ID is answered, and leaves the connection alive, but for [`Code::Internal`].
//! * Minor versions may add commands, fields to replies, codes; a client passes over fields of a reply that it does not know.
//!
//! | module | is |
//! |---|---|
//! | [`request`] | what a client asks |
//! | [`reply`] | what it is answered |
//! | [`code`] | why there is no answer |
//! | [`fields`] | the fields of both |

pub mod code;
pub mod fields;
pub mod reply;
pub mod request;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

pub use code::Code;
pub use fields::Malformed;
pub use reply::Reply;
pub use request::Request;

use super::{Lang, Version};

/// The name of the language.
pub const NAME: &str = "reviver";

/// The newest version of it.
pub const VERSION: Version = Version::new(1, 0);

/// How many operations a client may have open.
pub const OPERATIONS: usize = 256;

/// What both sides say first.
#[must_use]
pub fn greeting() -> Lang {
    Lang { name: NAME.to_owned(), versions: vec![VERSION] }
}

/// What a client calls a request by: 1 to 64 bytes.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Id(Vec<u8>);

impl Id {
    /// The longest one.
    pub const LONGEST: usize = 64;

    /// The ID, or nothing if it can be none.
    #[must_use]
    pub fn new(bytes: &[u8]) -> Option<Self> {
        (1..=Self::LONGEST).contains(&bytes.len()).then(|| Self(bytes.to_vec()))
    }

    /// The ID of a reply to what is no request.
    #[must_use]
    pub const fn none() -> Self {
        Self(Vec::new())
    }

    /// Its bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}
