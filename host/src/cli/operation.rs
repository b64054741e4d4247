//! The operation that a command line, its declarations and a rule make.

use super::context::Place;
use crate::operation::Operation;
use crate::repository::declare::{self, DeclareError};
use crate::repository::rule::Rule;
use clap::Args;
use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fmt;
use std::path::Path;

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

/// Why there is no operation.
#[derive(Debug)]
pub(super) enum NoOperation {
    /// What is declared cannot be meant.
    Slip(DeclareError),
    /// A word or a path is not UTF-8, and no plugin can be asked.
    NotText(String),
}

impl fmt::Display for NoOperation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Slip(error) => error.fmt(f),
            Self::NotText(what) => write!(f, "{what} is not UTF-8"),
        }
    }
}

impl std::error::Error for NoOperation {}

/// The operation that a command, its declarations and a rule make.
pub(super) fn operation(
    given: &Declared,
    argv: Vec<String>,
    place: &Place,
    rule: Option<&Rule>,
) -> Result<Operation, NoOperation> {
    let text = |path: &Path| match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(NoOperation::NotText(format!("the path {}", path.display()))),
    };
    let inside = place.directory.strip_prefix(&place.root.path).ok();
    let up: String = match inside {
        Some(below) => below.components().map(|_| "../").collect(),
        None => text(&place.root.path)? + "/",
    };
    let from_root = |paths: &[String]| -> Vec<String> {
        paths
            .iter()
            .map(|path| if path.starts_with('/') { path.clone() } else { format!("{up}{path}") })
            .collect()
    };
    let declared = |texts: Vec<String>, of_rule: Option<&Vec<String>>| -> Vec<String> {
        texts.into_iter().chain(from_root(of_rule.map_or(&[], Vec::as_slice))).collect()
    };
    let reads = declared(texts(&given.reads, "path")?, rule.map(|rule| &rule.reads));
    let writes = declared(texts(&given.writes, "path")?, rule.map(|rule| &rule.writes));
    let mut variables: BTreeSet<String> = texts(&given.variables, "variable")?.into_iter().collect();
    variables.extend(rule.into_iter().flat_map(|rule| rule.variables.iter().cloned()));
    Ok(Operation {
        argv,
        root: text(&place.root.path)?,
        directory: text(&place.relative())?,
        reads: declare::reads(&reads, &place.directory).map_err(NoOperation::Slip)?.into_iter().collect(),
        writes: declare::writes(&writes).map_err(NoOperation::Slip)?.into_iter().collect(),
        variables: variables.into_iter().collect(),
    })
}

/// Words as text.
pub(super) fn texts(words: &[OsString], what: &str) -> Result<Vec<String>, NoOperation> {
    let text = |word: &OsString| match word.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(NoOperation::NotText(format!("the {what} {}", word.display()))),
    };
    words.iter().map(text).collect()
}
