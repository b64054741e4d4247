//! What a command line declares of the operation.

use super::context::Place;
use crate::operation::Operation;
use crate::repository::operation::{Declarations, NoOperation};
use crate::repository::rule::Rule;
use clap::Args;
use std::ffi::OsString;

/// What a caller declares.
#[derive(Args, Default, Debug)]
pub(super) struct Declared {
    /// What the command reads: a file, a directory with all below it, or a glob; may be given again
    #[arg(long = "in", value_name = "PATH")]
    reads: Vec<OsString>,
    /// What the command writes: a file or a directory; may be given again
    #[arg(long = "out", value_name = "PATH")]
    writes: Vec<OsString>,
    /// An environment variable that matters to the command; may be given again
    #[arg(long = "env", value_name = "NAME")]
    variables: Vec<OsString>,
}

impl Declared {
    /// Whether nothing is declared.
    pub(super) fn is_empty(&self) -> bool {
        self.reads.is_empty() && self.writes.is_empty() && self.variables.is_empty()
    }
}

/// Whether there are globs among what it reads, by the caller's words or a rule's.
pub(super) fn has_globs(given: &Declared, rule: Option<&Rule>) -> bool {
    crate::repository::operation::has_globs(given.reads.iter().filter_map(|read| read.to_str()), rule)
}

/// The operation that a command, its declarations and a rule make.
pub(super) fn operation(
    given: &Declared,
    argv: Vec<String>,
    place: &Place,
    rule: Option<&Rule>,
) -> Result<Operation, NoOperation> {
    let given = Declarations {
        reads: texts(&given.reads, "path")?,
        writes: texts(&given.writes, "path")?,
        variables: texts(&given.variables, "variable")?,
    };
    crate::repository::operation::operation(given, argv, &place.root.path, &place.directory, rule)
}

/// Words as text.
pub(super) fn texts(words: &[OsString], what: &str) -> Result<Vec<String>, NoOperation> {
    let text = |word: &OsString| match word.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(NoOperation::NotText(format!("the {what} {}", word.display()))),
    };
    words.iter().map(text).collect()
}
