//! Nothing counts that the operation has nothing to do with: where the repository is, a variable and a file that nobody
//! named.

use super::{Bench, Case, Terms};
use crate::author::check::verdict::{Law, Tally, Tried, Verdict};
use crate::operation::Source;
use crate::reviver::rehearse::Rehearsed;
use crate::reviver::writes::normal;
use std::fs;
use std::path::Path;

/// What nothing has to do with.
const UNRELATED: &str = "reviver-check-unrelated";

/// The laws of this module.
pub(super) fn elsewhere(bench: &Bench<'_>, cases: &[Case<'_>], terms: Terms) -> [Verdict; 2] {
    let (mut place, mut unrelated) = (Tally::new(Law::Place), Tally::new(Law::Unrelated));
    for (number, case) in cases.iter().enumerate() {
        moved(bench, case, number, terms, &mut place);
        variable(bench, case, &mut unrelated);
        file(bench, case, &mut unrelated);
    }
    [place.verdict(), unrelated.verdict()]
}

/// The same repository in another directory, of another depth.
fn moved(bench: &Bench<'_>, case: &Case<'_>, number: usize, terms: Terms, tally: &mut Tally) {
    let operation = case.original;
    let absolute = |text: &String| text.contains(&operation.root);
    if operation.argv.iter().chain(&operation.reads).chain(&operation.writes).any(absolute) {
        return tally.unchecked(format!("{} names the repository's root itself", case.label()));
    }
    // Not from the original, which may have changed since it was copied.
    let moved =
        bench.scenes.copy(&case.operation, &bench.plugin, &format!("moved/to/another/place/{number}"));
    let moved = match moved {
        Ok(moved) => moved,
        Err(why) => return tally.unchecked(format!("{}: {why}", case.label())),
    };
    let now = bench.scenes.ask(&moved, &bench.scenes.variables, &bench.plugin).0;
    match bench.changed(case, &now, "its repository is in another place") {
        Tried::Broke(why) if terms.located => tally.note(format!("meant to depend on its place: {why}")),
        found => {
            if matches!(found, Tried::Broke(_)) {
                tally.note("where that is meant, as of a compiler that embeds its directory, say --located");
            }
            tally.tried(found);
        }
    }
    if terms.located {
        tally.unchecked("the plugin is said to depend on its place (--located)");
    }
}

fn variable(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    let mut variables = bench.scenes.variables.clone();
    variables.insert("REVIVER_CHECK_UNRELATED".into(), "1".into());
    let now = bench.scenes.ask(&case.operation, &variables, &bench.plugin).0;
    tally.tried(bench.changed(case, &now, "an unrelated variable is set"));
}

/// A file beside. Where the caller declares the directory that it is in, it is related.
fn file(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    let operation = &case.operation;
    let directory = Path::new(&operation.root).join(&operation.directory);
    let holds = |read: &String| {
        let read = normal(&directory.join(read));
        read.is_dir() && directory.starts_with(&read)
    };
    if operation.reads.iter().any(holds) {
        return tally.unchecked(format!("{} declares the directory that it runs in", case.label()));
    }
    let path = directory.join(UNRELATED);
    if let Err(error) = fs::write(&path, UNRELATED) {
        return tally.unchecked(format!("cannot write {}: {error}", path.display()));
    }
    let now = bench.scenes.ask(operation, &bench.scenes.variables, &bench.plugin).0;
    let covers = |source: &Source| match source {
        Source::Tree(path) | Source::Listing(path) => directory.starts_with(normal(&directory.join(path))),
        _ => false,
    };
    let mut found = bench.changed(case, &now, "there is an unrelated file beside");
    if let (Tried::Broke(found), Rehearsed::Named(now)) = (&mut found, &now)
        && now.derivation.ingredients.iter().any(|ingredient| covers(&ingredient.source))
    {
        found.push_str("; it names a whole directory that nobody declared");
    }
    tally.tried(found);
    // The next tests of this copy must not see it; where it stays they say so.
    fs::remove_file(&path).ok();
}
