//! What a session has to say to people: one line of a log each.

use std::fmt;

/// Something to be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note {
    /// Said by a plugin.
    Annotation(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Annotation(why) => f.write_str(why),
        }
    }
}
