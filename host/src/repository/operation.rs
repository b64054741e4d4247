//! The operation that a command, its declarations and a rule make.

use super::declare::{self, DeclareError};
use super::opened::relative;
use super::rule::Rule;
use crate::operation::Operation;
use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

/// What a caller declares, paths and globs as seen from the directory that is worked in.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Declarations {
    /// What the command reads.
    pub reads: Vec<String>,
    /// What it writes.
    pub writes: Vec<String>,
    /// The variables that matter to it.
    pub variables: Vec<String>,
}

/// Why there is no operation.
#[derive(Debug)]
#[non_exhaustive]
pub enum NoOperation {
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

/// Whether there are globs among what is read, by the caller's words or a rule's.
pub fn has_globs<'t>(reads: impl IntoIterator<Item = &'t str>, rule: Option<&'t Rule>) -> bool {
    let of_rule = rule.into_iter().flat_map(|rule| &rule.reads).map(String::as_str);
    reads.into_iter().chain(of_rule).any(declare::is_glob)
}

/// The operation that a command, its declarations and a rule make. What the rule says is seen from the root.
pub fn operation(
    given: Declarations,
    argv: Vec<String>,
    root: &Path,
    directory: &Path,
    rule: Option<&Rule>,
) -> Result<Operation, NoOperation> {
    let text = |path: &Path| match path.to_str() {
        Some(text) => Ok(text.to_owned()),
        None => Err(NoOperation::NotText(format!("the path {}", path.display()))),
    };
    let inside = directory.strip_prefix(root).ok();
    let up: String = match inside {
        Some(below) => below.components().map(|_| "../").collect(),
        None => text(root)? + "/",
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
    let reads = declared(given.reads, rule.map(|rule| &rule.reads));
    let writes = declared(given.writes, rule.map(|rule| &rule.writes));
    let mut variables: BTreeSet<String> = given.variables.into_iter().collect();
    variables.extend(rule.into_iter().flat_map(|rule| rule.variables.iter().cloned()));
    Ok(Operation {
        argv,
        root: text(root)?,
        directory: text(&relative(root, directory))?,
        reads: declare::reads(&reads, directory).map_err(NoOperation::Slip)?.into_iter().collect(),
        writes: declare::writes(&writes).map_err(NoOperation::Slip)?.into_iter().collect(),
        variables: variables.into_iter().collect(),
    })
}
