//! What an operation's globs matched before it ran, held against what they match afterwards.
//!
//! Globs are expanded before an operation is named, so its key holds what matched then. What comes to match while the command
//! runs, and is read by it, is in no key; such a run is not recorded.

use super::writes::normal;
use crate::operation::Operation;
use std::collections::BTreeSet;
use std::fmt;
use std::path::{Path, PathBuf};

/// Why a run is not recorded whose globs match something else after it.
pub const OTHERS_MATCH: &str = "other files match what it reads than before it ran";

/// What an operation reads, globs expanded.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Matched(BTreeSet<PathBuf>);

impl Matched {
    /// What is named in an operation that works in a directory.
    #[must_use]
    pub fn of(operation: &Operation, directory: &Path) -> Self {
        Self(operation.reads.iter().map(|path| normal(&directory.join(path))).collect())
    }

    /// Whether it is the same as another, but for what lies in one of these places.
    pub fn holds<'p>(&self, now: &Self, places: impl Iterator<Item = &'p Path>) -> bool {
        let places: Vec<_> = places.collect();
        let is_in = |path: &PathBuf| places.iter().any(|place| path.starts_with(place));
        self.0.symmetric_difference(&now.0).all(is_in)
    }
}

/// Makes an operation once more of what was declared, globs expanded anew; `None` where there is none any more.
#[derive(Clone, Copy)]
pub struct Anew<'a>(pub &'a dyn Fn() -> Option<Operation>);

impl fmt::Debug for Anew<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Anew")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn matched(reads: &[&str]) -> Matched {
        let reads = reads.iter().map(|read| (*read).to_owned()).collect();
        let operation = Operation {
            argv: vec!["sh".to_owned()],
            root: "/r".to_owned(),
            directory: ".".to_owned(),
            reads,
            writes: Vec::new(),
            variables: Vec::new(),
        };
        Matched::of(&operation, Path::new("/r/d"))
    }

    #[test]
    fn what_comes_or_goes_counts_but_in_the_places_of_its_writes() {
        let before = matched(&["a", "../b/"]);
        let holds =
            |reads: &[&str], places: &[&str]| before.holds(&matched(reads), places.iter().map(Path::new));
        assert!(holds(&["../d/a", "/r/b"], &[]), "another spelling is the same");
        assert!(!holds(&["a", "../b/", "c"], &[]) && !holds(&["a"], &[]));
        assert!(holds(&["a", "../b/", "c", "gen/x"], &["/r/d/c", "/r/d/gen"]));
        assert!(!holds(&["a", "../b/", "cc"], &["/r/d/c"]));
    }
}
