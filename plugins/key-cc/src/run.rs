//! What is known of a run: its report, what the files say, where the compiler looked.

use reviver_sdk::path::{join, normal, parent};

use crate::directive::{Finding, Lookup};
use crate::search::Search;

/// What is known of a run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Run<'a> {
    /// The paths of the report, normal, the source first.
    pub(crate) files: &'a [String],
    /// What the lines of each say.
    pub(crate) findings: &'a [Vec<Finding>],
    /// The directories that were searched.
    pub(crate) search: &'a Search,
    /// The names of forced headers.
    pub(crate) forced: &'a [String],
    /// Whether the compiler is clang, which reports what `__has_include` found and includes no header by itself.
    pub(crate) clang: bool,
    /// Whether date and time are fixed by a variable.
    pub(crate) dated: bool,
}

/// A path that a name can have, with its directory, where it comes from a searched one, and whether that is the system's.
pub(crate) type Candidate<'a> = (Option<&'a str>, String, bool);

impl<'a> Run<'a> {
    /// The paths that a name can have, in the order of the search, each with its directory and whether that is a system
    /// directory.
    pub(crate) fn candidates(&self, includer: &str, lookup: &Lookup) -> Vec<Candidate<'a>> {
        if lookup.name.starts_with('/') {
            return vec![(None, normal(&lookup.name), false)];
        }
        let search = self.search;
        let mut candidates = Vec::with_capacity(1 + search.quoted.len() + search.angled.len());
        if lookup.quoted {
            if !lookup.next {
                candidates.push((None, join(parent(includer), &lookup.name), false));
            }
            candidates.extend(
                search.quoted.iter().map(|one| (Some(&*one.path), join(&one.path, &lookup.name), one.system)),
            );
        }
        candidates.extend(
            search.angled.iter().map(|one| (Some(&*one.path), join(&one.path, &lookup.name), one.system)),
        );
        candidates
    }

    /// The first header that was read, but for the one that gcc includes by itself.
    pub(crate) fn first(&self) -> Option<usize> {
        (1..self.files.len()).find(|index| !self.files[*index].ends_with("/stdc-predef.h"))
    }
}
