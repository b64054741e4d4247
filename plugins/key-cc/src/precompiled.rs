//! Where gcc looked for precompiled headers.
//!
//! For the first header that the source or the command line includes gcc takes `x.h.gch` beside it, if that is there and
//! fits. No report names it then, nor `x.h` itself. So what was the first one is found from the other side: the first header
//! that the report names was included by the source or the command line, and nothing before that inclusion was read other
//! than in precompiled form. Every name up to the last directive that can have found it may have been the first one.
//!
//! A name that a macro has may have been it too. None was, where there are as many files in the report that no literal name
//! explains as there are such names.

use crate::directive::{Finding, Lookup};
use crate::run::Run;

/// The paths of precompiled headers that could have been taken, and whether there are others that cannot be told.
/// `unexplained` is the number of files that no literal name leads to.
#[must_use]
pub(crate) fn places(run: &Run<'_>, unexplained: usize) -> (Vec<String>, bool) {
    if run.clang {
        return (Vec::new(), false);
    }
    let forced = |name: &String| Lookup { name: name.clone(), quoted: true, next: false, asked: false };
    let mut looked: Vec<Option<Vec<String>>> =
        run.forced.iter().map(|name| Some(paths(run, "", &forced(name)))).collect();
    for finding in run.findings.first().into_iter().flatten() {
        match finding {
            Finding::Lookup(lookup) if !lookup.asked => looked.push(Some(paths(run, &run.files[0], lookup))),
            Finding::Computed => looked.push(None),
            _ => {}
        }
    }
    let last = run.first().map(|index| &run.files[index]).and_then(|first| {
        looked.iter().rposition(|one| one.as_ref().is_some_and(|paths| paths.contains(first)))
    });
    let upto = last.map_or(looked.len(), |last| last + 1);
    let computed = looked[..upto].iter().filter(|one| one.is_none()).count();
    let places = looked[..upto].iter().flatten().flatten().map(|path| format!("{path}.gch")).collect();
    (places, computed > unexplained)
}

fn paths(run: &Run<'_>, includer: &str, lookup: &Lookup) -> Vec<String> {
    run.candidates(includer, lookup).into_iter().map(|(_, path, _)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::command::Directories;
    use crate::search::Search;

    fn named(name: &str) -> Finding {
        Finding::Lookup(Lookup { name: name.to_owned(), quoted: false, next: false, asked: false })
    }

    /// Where a source that says this looked, with `-Ii`, when these files were reported.
    fn looked(says: Vec<Finding>, files: &[&str], unexplained: usize) -> (Vec<String>, bool) {
        let given = Directories { angled: vec!["i".to_owned()], ..Directories::default() };
        let search = Search::new(&given, &[], &[], &[]);
        let files: Vec<String> = ["a.c"].iter().chain(files).map(|file| (*file).to_owned()).collect();
        let mut findings = vec![Vec::new(); files.len()];
        findings[0] = says;
        let run = Run {
            files: &files,
            findings: &findings,
            search: &search,
            forced: &[],
            clang: false,
            dated: false,
        };
        places(&run, unexplained)
    }

    #[test]
    fn every_name_up_to_the_first_header_that_was_read_may_have_been_the_first() {
        let says = || vec![named("x.h"), named("y.h"), named("z.h")];
        assert_eq!(
            looked(says(), &["/usr/include/stdc-predef.h", "i/x.h"], 0),
            (vec!["i/x.h.gch".to_owned()], false)
        );
        assert_eq!(looked(says(), &["i/y.h", "i/x.h"], 0).0, ["i/x.h.gch", "i/y.h.gch"]);
        assert_eq!(looked(says(), &[], 0).0.len(), 3);
    }

    #[test]
    fn a_computed_name_may_have_been_the_first_unless_it_explains_what_was_read() {
        let says = || vec![Finding::Computed, named("y.h")];
        assert!(looked(says(), &["i/y.h"], 0).1);
        assert!(!looked(says(), &["i/x.h", "i/y.h"], 1).1);
        assert!(!looked(vec![named("y.h"), Finding::Computed], &["i/y.h"], 0).1);
        assert!(looked(vec![Finding::Computed], &[], 0).1);
    }
}
