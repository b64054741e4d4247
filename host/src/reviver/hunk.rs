//! Outcomes in entries: encoded by the codec, decoded again before anything of it can be seen.
//!
//! | asked | answer | error |
//! |---|---|---|
//! | [`encode`] | the hunk, and the outcome as the codec gave it back | the codec is at fault, refuses, or gives back something else |
//! | [`decode`] | the outcome of an entry, as it was given back when it was recorded | the codec cannot read its own hunk |

use crate::bytes::{from_bytes, to_bytes};
use crate::outcome::Outcome;
use crate::policy::{Codec, Fault};
use crate::store::Entry;
use std::fmt;

/// An outcome as an entry keeps it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Hunk {
    /// What the codec made of it.
    pub metadata: Vec<u8>,
    /// What the codec gave back, which every later hit shows.
    pub remembered: Vec<u8>,
}

/// An outcome that cannot be kept, or not be read.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HunkError {
    /// The codec is at fault.
    Fault(Box<Fault>),
    /// The codec refuses the outcome, in its own words.
    Refused(String),
    /// The codec cannot read a hunk, in its own words.
    Unreadable(String),
    /// The codec gives back another exit status or output than it was given.
    Differs,
}

impl fmt::Display for HunkError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => f.write_str(&fault.reason()),
            Self::Refused(why) => write!(f, "the metadata plugin refused the outcome: {why}"),
            Self::Unreadable(why) => write!(f, "the metadata plugin cannot read what it wrote: {why}"),
            Self::Differs => f.write_str("the metadata plugin does not give back what it was given"),
        }
    }
}

impl std::error::Error for HunkError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Fault(fault) => Some(fault),
            _ => None,
        }
    }
}

impl From<Box<Fault>> for HunkError {
    fn from(fault: Box<Fault>) -> Self {
        Self::Fault(fault)
    }
}

/// What an entry is to keep of an outcome.
pub fn encode(codec: &dyn Codec, outcome: &Outcome) -> Result<Hunk, HunkError> {
    let metadata = codec.encode(outcome)?.map_err(HunkError::Refused)?;
    let decoded = codec.decode(&metadata)?.map_err(HunkError::Unreadable)?;
    if decoded.exit != outcome.exit || decoded.output != outcome.output {
        return Err(HunkError::Differs);
    }
    Ok(Hunk { metadata, remembered: to_bytes(&decoded) })
}

/// The outcome that an entry keeps.
pub fn decode(codec: &dyn Codec, entry: &Entry) -> Result<Outcome, HunkError> {
    if let Ok(outcome) = from_bytes(entry.remembered()) {
        return Ok(outcome);
    }
    codec.decode(entry.metadata())?.map_err(HunkError::Unreadable)
}
