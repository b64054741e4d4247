//! The second step: what the compiler's report says that the compilation read, and what it looked for in vain.
//!
//! A depfile that was asked for is produced whatever else is found out: the compiler was kept from writing it.

use reviver_sdk::path::{below, normal};
use reviver_sdk::{Discovery, Failure, Ingredient, Operation, Refusal, scan};

use crate::depfile::{Report, Wish};
use crate::derive::DEPFILE;
use crate::directive::{Finding, NEEDLES, findings};
use crate::graph::{Places, walk};
use crate::plan::{Compiler, Plan, lists_of_clang, reason};
use crate::run::Run;
use crate::wrapped;

/// What further identifies a compilation, from the report of its run.
pub(crate) fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
    let plan = Plan::of(operation)?;
    let parsed = Report::parse(report).map_err(Refusal::malformed)?;
    let files: Vec<String> = parsed.dependencies.iter().map(|dependency| normal(&dependency.path)).collect();
    let (mut findings, mut uncacheable) = read_all(&parsed, plan.command.language.is_assembly());
    let source = normal(&plan.command.source);
    // clang reports lists before the source.
    let listed = files.iter().position(|file| *file == source);
    if uncacheable.is_none()
        && !listed.is_some_and(|listed| files[..listed].iter().all(|file| is_list(&plan, file)))
    {
        uncacheable = Some(format!("the report is about `{}`", files[0]));
    }
    let listed = listed.unwrap_or(0);
    let paths: Vec<&str> = parsed.dependencies.iter().map(|dependency| dependency.path.as_str()).collect();
    wrapped::follow(&plan, &paths[listed..], &mut findings[listed..]);
    let places = walk(Run {
        files: &files[listed..],
        findings: &findings[listed..],
        search: &plan.search,
        forced: &plan.command.forced,
        clang: plan.compiler != Compiler::Gcc,
        dated: plan.dated(),
    });
    if uncacheable.is_none() {
        uncacheable = places.absent.iter().find_map(|path| precompiled(operation, path));
    }
    uncacheable = uncacheable.or_else(|| plan.embedded.meets(&files));
    let mut discovery = Discovery::new();
    if let Some(wish) = &plan.command.wish {
        let (depfile, certain) = produce(wish, &parsed, report, (&places, listed));
        discovery = discovery.produced(DEPFILE, depfile);
        if !certain {
            uncacheable
                .get_or_insert_with(|| "which headers count as the system's is not certain".to_owned());
        }
    }
    discovery.uncacheable = uncacheable.or_else(|| places.uncacheable.clone());
    // The source and the lists are ingredients already. One that is named twice is one ingredient to the host.
    let found = files.iter().skip(listed + 1).map(|file| Ingredient::file(file.as_str(), file.as_str()));
    // gcc quotes the lines that a message is about from wherever the source says that they come from.
    let quoted = findings.iter().flatten().filter_map(|finding| match finding {
        Finding::Quoted(name) if plan.compiler == Compiler::Gcc => {
            Some(Ingredient::file(name.as_str(), name.as_str()))
        }
        _ => None,
    });
    let absent = places.absent.iter().map(|path| Ingredient::file(path.as_str(), path.as_str()));
    Ok(discovery.ingredients(found).ingredients(quoted).ingredients(absent))
}

/// Whether the path is that of a list of what is instrumented or not.
fn is_list(plan: &Plan, path: &str) -> bool {
    let aside = &plan.command.aside;
    let of_clang = |directory: String| below(path, &normal(&directory)).is_some();
    aside.lists(path) || (aside.sanitizes() && lists_of_clang().is_ok_and(of_clang))
}

/// Whether there is a precompiled header at this path, which no report names. What its macros hold cannot be searched.
fn precompiled(operation: &Operation, path: &str) -> Option<String> {
    let named = [".gch", ".pch"].iter().any(|suffix| path.ends_with(suffix));
    if !named || operation.under_root(path).is_none() || scan(path, &["pch"]) == Err(Failure::Absent) {
        return None;
    }
    Some(format!("`{path}` is a precompiled header"))
}

/// What the lines of each file say, and why that is not all, where it is not.
fn read_all(report: &Report, assembly: bool) -> (Vec<Vec<Finding>>, Option<String>) {
    let mut uncacheable = None;
    let all = report
        .dependencies
        .iter()
        .map(|dependency| {
            let mut found = Vec::new();
            match scan(&dependency.path, &NEEDLES) {
                Ok(matches) => {
                    for one in matches {
                        findings(one.needle, &one.line, assembly, &mut found);
                    }
                }
                Err(failure) => {
                    let why = format!("`{}` cannot be searched: {}", dependency.path, reason(&failure));
                    uncacheable.get_or_insert(why);
                }
            }
            found
        })
        .collect();
    (all, uncacheable)
}

/// The depfile that was asked for, and whether it is certain that the compiler would have written it just so. Before the
/// source there are so many lists.
fn produce(
    wish: &Wish,
    parsed: &Report,
    report: &[u8],
    (places, listed): (&Places, usize),
) -> (Vec<u8>, bool) {
    if wish.all {
        return (report.to_vec(), true);
    }
    let kept = |index: usize| index <= listed || places.own[index - listed];
    let (depfile, proved) = parsed.without(&kept, listed, wish.phony);
    (depfile.into_bytes(), proved && places.certain)
}
