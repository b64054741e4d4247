//! The first step: what is known of a compilation before it ran.

use reviver_sdk::path::normal;
use reviver_sdk::{Derivation, Ingredient, Operation, REPORT, Refusal, Write};

use crate::aside::End;
use crate::plan::{Compiler, Plan, installation_of_gcc, lists_of_clang, program_of_gcc};
use crate::source;

/// The label of the object.
pub(crate) const OBJECT: &str = "object";
/// The label of the depfile that was asked for.
pub(crate) const DEPFILE: &str = "depfile";

/// Variables that enter every key.
const VARIABLES: [&str; 12] = [
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "SOURCE_DATE_EPOCH",
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_MESSAGES",
    "LC_CTYPE",
    "GCC_EXTRA_DIAGNOSTIC_OUTPUT",
    "SDKROOT",
    "MACOSX_DEPLOYMENT_TARGET",
];

/// What identifies a compilation before it ran, with how it is run for a full report.
pub(crate) fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
    let plan = Plan::of(operation)?;
    let command = &plan.command;
    source::check(&command.source, command.language).map_err(Refusal::not_cacheable)?;
    let quoted = match plan.compiler {
        Compiler::Gcc => source::quoted(&command.source, command.language).map_err(Refusal::not_cacheable)?,
        Compiler::Clang(_) => Vec::new(),
    };
    let mut derivation = Derivation::new(format!("{} {}", operation.program_name(), command.source))
        .ingredients(programs(operation, &plan).map_err(Refusal::not_cacheable)?)
        .ingredients(arguments(&plan))
        .ingredients(VARIABLES.iter().map(|name| Ingredient::variable(*name, *name)))
        .ingredient(Ingredient::file(command.source.as_str(), command.source.as_str()))
        .ingredients(plan.embedded.ingredients.iter().cloned())
        .ingredients(plan.shown.ingredients())
        .ingredients(quoted.iter().map(|file| Ingredient::file(file.as_str(), file.as_str())))
        .ingredients(declared(operation))
        .ingredients(aside(&plan))
        .write(Write::file(OBJECT, command.object.as_str()))
        .input_unused();
    if command.language.is_preprocessed() {
        derivation = derivation.arguments(plan.arguments()).report(REPORT);
    }
    if let Some(wish) = &command.wish {
        derivation = derivation.write(Write::file(DEPFILE, wish.path.as_str()));
    }
    for write in command.aside.writes(end(&plan)) {
        derivation = derivation.write(write);
    }
    let paths: Vec<String> = derivation.writes.iter().map(|write| normal(&write.path)).collect();
    match paths.iter().enumerate().find(|(index, path)| paths[..*index].contains(path)) {
        Some((_, path)) => Err(Refusal::not_cacheable(format!("`{path}` is written twice"))),
        None => Ok(derivation),
    }
}

/// How the compilation ends.
fn end(plan: &Plan) -> End<'_> {
    let Plan { command, compiler, .. } = plan;
    let clang = *compiler != Compiler::Gcc;
    End { object: &command.object, language: command.language, assembly: command.assembly, clang }
}

/// What is embedded and read for the sake of what is written besides.
fn aside(plan: &Plan) -> Vec<Ingredient> {
    let (aside, object) = (&plan.command.aside, plan.command.object.as_str());
    let mut ingredients = aside.reads(object, plan.compiler != Compiler::Gcc);
    if aside.embeds_object() {
        ingredients.push(Ingredient::text("object", object));
    }
    ingredients
}

/// What the caller knows of and no compiler tells: the files of a plugin, say, or what a wrapper under the compiler's name
/// heeds.
fn declared(operation: &Operation) -> impl Iterator<Item = Ingredient> {
    let reads = operation.reads.iter().map(|path| {
        let place = operation.under_root(path).unwrap_or_else(|| path.clone());
        let label = ["declared ", &place].concat();
        if path.ends_with('/') { Ingredient::tree(label, path) } else { Ingredient::file(label, path) }
    });
    let variables = operation.variables.iter();
    reads.chain(variables.map(|name| Ingredient::variable(["declared ", name].concat(), name)))
}

/// The compiler as it is dispatched, and what decides how it is.
fn programs(operation: &Operation, plan: &Plan) -> Result<Vec<Ingredient>, String> {
    let program = operation.program();
    let mut ingredients = vec![Ingredient::text("name", program), Ingredient::program("program", program)];
    if plan.compiler == Compiler::Gcc {
        let cutter = Some("objcopy").filter(|_| plan.command.aside.is_split());
        for name in plan.command.language.program().into_iter().chain(["as"]).chain(cutter) {
            ingredients.push(Ingredient::program(name, program_of_gcc(name)?));
        }
        let specs = format!("{}/specs", installation_of_gcc()?.trim_end_matches('/'));
        ingredients.push(Ingredient::file("specs", specs));
    }
    if plan.compiler != Compiler::Gcc && plan.command.aside.sanitizes() {
        ingredients.push(Ingredient::tree("lists", lists_of_clang()?));
    }
    let built_in = &plan.built_in;
    // A wrapper under the compiler's name leads to another program than the one that was found.
    let others = built_in.programs.iter().filter(|other| *other != program);
    ingredients.extend(others.map(|other| Ingredient::program("driver", other.as_str())));
    ingredients
        .extend(built_in.configured_by.iter().map(|file| Ingredient::file("configuration", file.as_str())));
    ingredients
        .extend(built_in.chosen_from.iter().map(|path| Ingredient::listing(path.as_str(), path.as_str())));
    // Their place in the search is not known, and what the compiler said is remembered: once one of them is there, all
    // that it holds counts.
    ingredients.extend(built_in.missing.iter().map(|path| Ingredient::tree(path.as_str(), path.as_str())));
    Ok(ingredients)
}

fn arguments(plan: &Plan) -> Vec<Ingredient> {
    let mut ingredients: Vec<Ingredient> = plan
        .command
        .texts
        .iter()
        // One label for all: what is put between others changes none of them to people.
        .map(|text| Ingredient::text("argument", plan.embedded.text(text)))
        .collect();
    if plan.command.wish.as_ref().is_some_and(|wish| wish.targets.is_empty()) {
        // The depfile's text names the object as it is spelled.
        ingredients.push(Ingredient::text("target", plan.command.object.as_str()));
    }
    ingredients
}
