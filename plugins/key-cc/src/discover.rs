//! The second step: what the compiler's report says that the compilation read, and what it looked for in vain.
//!
//! A depfile that was asked for is produced whatever else is found out: the compiler was kept from writing it.

use reviver_sdk::path::normal;
use reviver_sdk::{Discovery, Ingredient, Operation, Refusal, scan};

use crate::depfile::{Report, Wish};
use crate::derive::DEPFILE;
use crate::directive::{Finding, NEEDLES, findings};
use crate::graph::{Places, Run, walk};
use crate::plan::{Compiler, Plan, reason};
use crate::wrapped;

/// What further identifies a compilation, from the report of its run.
pub(crate) fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
    let plan = Plan::of(operation)?;
    let parsed = Report::parse(report).map_err(Refusal::malformed)?;
    let files: Vec<String> = parsed.dependencies.iter().map(|dependency| normal(&dependency.path)).collect();
    let (mut findings, mut uncacheable) = read_all(&parsed);
    let paths: Vec<&str> = parsed.dependencies.iter().map(|dependency| dependency.path.as_str()).collect();
    wrapped::follow(&plan, &paths, &mut findings);
    let places = walk(Run {
        files: &files,
        findings: &findings,
        search: &plan.search,
        forced: &plan.command.forced,
        clang: plan.compiler != Compiler::Gcc,
        dated: plan.dated(),
    });
    if uncacheable.is_none() && files[0] != normal(&plan.command.source) {
        uncacheable = Some(format!("the report is about `{}`", files[0]));
    }
    let mut discovery = Discovery::new();
    if let Some(wish) = &plan.command.wish {
        let (depfile, certain) = produce(wish, &parsed, report, &places);
        discovery = discovery.produced(DEPFILE, depfile);
        if !certain {
            uncacheable
                .get_or_insert_with(|| "which headers count as the system's is not certain".to_owned());
        }
    }
    discovery.uncacheable = uncacheable.or_else(|| places.uncacheable.clone());
    // The source is an ingredient already. One that is named twice is one ingredient to the host.
    let found = files.iter().skip(1).map(|file| Ingredient::file(file.as_str(), file.as_str()));
    let absent = places.absent.iter().map(|path| Ingredient::file(path.as_str(), path.as_str()));
    Ok(discovery.ingredients(found).ingredients(absent))
}

/// What the lines of each file say, and why that is not all, where it is not.
fn read_all(report: &Report) -> (Vec<Vec<Finding>>, Option<String>) {
    let mut uncacheable = None;
    let all = report
        .dependencies
        .iter()
        .map(|dependency| {
            let mut found = Vec::new();
            match scan(&dependency.path, &NEEDLES) {
                Ok(matches) => {
                    for one in matches {
                        findings(one.needle, &one.line, &mut found);
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

/// The depfile that was asked for, and whether it is certain that the compiler would have written it just so.
fn produce(wish: &Wish, parsed: &Report, report: &[u8], places: &Places) -> (Vec<u8>, bool) {
    if wish.all {
        return (report.to_vec(), true);
    }
    let (depfile, proved) = parsed.without(&|index| index == 0 || places.own[index], wish.phony);
    (depfile.into_bytes(), proved && places.certain)
}
