//! What a client is answered.
//!
//! Each answer is a type with its fields: those that are written are read again, and what a newer minor version adds is passed
//! over.

mod entry;
mod operation;
mod upkeep;

pub use entry::{Entry, Found, Item, Recorded, Revived, Unrevived};
pub use operation::{Again, Derived, Forgotten, Open, Write};
pub use upkeep::{Hashed, Named, Stats, Trim, Trimmed};

pub(super) use operation::{exit, exit_field, output, output_field};

use super::Id;
use super::code::Code;
use super::fields::{Fields, Malformed, into_list};
use crate::protocol::Sexp;

/// An answer to one kind of request.
pub trait Answer: Sized {
    /// Its fields.
    fn fields(&self) -> Vec<Sexp>;

    /// The answer that fields are.
    fn of(fields: &mut Fields) -> Result<Self, Malformed>;
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It is done: these fields tell more.
    Ok(Vec<Sexp>),
    /// It is not.
    Error {
        /// Why not, for programs.
        code: Code,
        /// Why not, for people.
        message: String,
    },
}

impl Reply {
    /// The reply that an answer is.
    pub fn ok(answer: &impl Answer) -> Self {
        Self::Ok(answer.fields())
    }

    /// The reply that says why there is no answer.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::Error { code, message: message.into() }
    }

    /// The message that it is, to the request with this ID.
    #[must_use]
    pub fn into_sexp(self, id: &Id) -> Sexp {
        let id = Sexp::atom(id.as_bytes());
        match self {
            Self::Ok(fields) => Sexp::list([id, Sexp::atom("ok")].into_iter().chain(fields)),
            Self::Error { code, message } => {
                Sexp::list([id, Sexp::atom("error"), Sexp::atom(code.name()), Sexp::atom(message)])
            }
        }
    }

    /// The reply that a message is, with the bytes of the ID of its request.
    pub fn of(message: Sexp) -> Result<(Vec<u8>, Self), Malformed> {
        let wrong = || Malformed::because("a reply is an id, `ok` or `error`, and what is said");
        let mut values = into_list(message).ok_or_else(wrong)?.into_iter();
        let mut atom = || values.next().and_then(|value| Some(value.as_atom()?.to_vec()));
        let (id, word) = (atom().ok_or_else(wrong)?, atom().ok_or_else(wrong)?);
        match &word[..] {
            b"ok" => Ok((id, Self::Ok(values.collect()))),
            b"error" => {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                let (code, message) = (atom().ok_or_else(wrong)?, atom().ok_or_else(wrong)?);
                let code = Code::from_name(&text(code)).unwrap_or(Code::Internal);
                Ok((id, Self::Error { code, message: text(message) }))
            }
            _ => Err(wrong()),
        }
    }
}
