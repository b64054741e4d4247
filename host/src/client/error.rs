//! Why a client has no answer.

use crate::protocol::ParseError;
use crate::protocol::own::{Code, Malformed};
use crate::protocol::version::LangError;
use std::fmt;
use std::io;

/// Why a client has no answer. After all but [`Refused`](Self::Refused) and [`Answered`](Self::Answered) the connection is of no
/// further use; a build goes on without a cache.
#[derive(Debug)]
#[non_exhaustive]
pub enum ClientError {
    /// The daemon is not there, or went away.
    Io(io::Error),
    /// It closed the connection with requests open.
    Gone,
    /// It sent what is no message.
    Parse(ParseError),
    /// Its greeting is none of ours.
    Lang(LangError),
    /// It sent a message of another form.
    Malformed(Malformed),
    /// It answered that it cannot do this.
    Refused {
        /// Why not, for programs.
        code: Code,
        /// Why not, for people.
        message: String,
    },
    /// It answered this request before, or another connection was asked.
    Answered,
}

impl fmt::Display for ClientError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Io(error) => write!(f, "cannot speak with the daemon: {error}"),
            Self::Gone => f.write_str("the daemon closed the connection"),
            Self::Parse(error) => write!(f, "the daemon sent what is no message: {error}"),
            Self::Lang(error) => write!(f, "the daemon cannot be spoken with: {error}"),
            Self::Malformed(error) => write!(f, "the daemon sent a message of another form: {error}"),
            Self::Refused { code, message } => write!(f, "{code}: {message}"),
            Self::Answered => f.write_str("that request was answered already"),
        }
    }
}

impl std::error::Error for ClientError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io(error) => Some(error),
            Self::Parse(error) => Some(error),
            Self::Lang(error) => Some(error),
            Self::Malformed(error) => Some(error),
            Self::Gone | Self::Refused { .. } | Self::Answered => None,
        }
    }
}
