//! The first step: what is known of a compilation before it ran.

use reviver_sdk::{Derivation, ExitStatus, Failure, Ingredient, Operation, Refusal, Write, query, variable};

use crate::command::Command;
use crate::joined::{joined, wrong};
use crate::native;

/// The label of the dep-info, which is the report too.
const DEP_INFO: &str = "dep-info";

/// Variables that rustc reads itself, and those of cargo that procedural macros read without telling.
const VARIABLES: &str = "RUSTC_BOOTSTRAP RUSTC_FORCE_RUSTC_VERSION SOURCE_DATE_EPOCH SDKROOT MACOSX_DEPLOYMENT_TARGET \
    IPHONEOS_DEPLOYMENT_TARGET TVOS_DEPLOYMENT_TARGET WATCHOS_DEPLOYMENT_TARGET XROS_DEPLOYMENT_TARGET CARGO \
    CARGO_MANIFEST_DIR CARGO_MANIFEST_PATH CARGO_CRATE_NAME CARGO_BIN_NAME CARGO_PRIMARY_PACKAGE CARGO_PKG_NAME \
    CARGO_PKG_VERSION CARGO_PKG_AUTHORS CARGO_PKG_DESCRIPTION CARGO_PKG_HOMEPAGE CARGO_PKG_LICENSE \
    CARGO_PKG_REPOSITORY CARGO_PKG_RUST_VERSION OUT_DIR";

/// Variables that make rustc read or print what is not known.
const REFUSED: [&str; 2] = ["RUST_TARGET_PATH", "RUSTC_LOG"];

/// What identifies a compilation before it ran.
pub(crate) fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
    let command = command(operation)?;
    let program = operation.program();
    let standard = standard_library(&command).map_err(Refusal::not_cacheable)?;
    let mut derivation = Derivation::new(joined(&["rustc ", command.name, command.extra]));
    let ingredients = &mut derivation.ingredients;
    ingredients.push(text("name", program));
    ingredients.push(Ingredient::program("program", program));
    ingredients.push(Ingredient::tree("standard library", standard));
    ingredients.push(text("directory", &joined(&[&*operation.root, "/", &*operation.directory])));
    for argument in operation.arguments() {
        ingredients.push(text(argument, argument));
    }
    for name in VARIABLES.split_ascii_whitespace() {
        ingredients.push(environment(name));
    }
    for name in &operation.variables {
        ingredients.push(environment(name));
    }
    ingredients.push(file(command.source));
    for (_, path) in &command.externs {
        ingredients.push(file(path));
    }
    for place in command.places.iter().filter(|place| place.crates) {
        ingredients.push(Ingredient::listing(place.path, place.path));
    }
    native::bundled(&command.libraries, &command.places, ingredients);
    for path in &operation.reads {
        ingredients.push(match path.strip_suffix('/') {
            Some(tree) => Ingredient::tree(path.as_str(), tree),
            None => file(path),
        });
    }
    derivation.writes = written(operation, &command)?;
    Ok(derivation.input_unused().report(DEP_INFO))
}

/// What is written, which must be all that the caller says.
fn written(operation: &Operation, command: &Command<'_>) -> Result<Vec<Write>, Refusal> {
    let mut writes = vec![Write::file(DEP_INFO, command.written("", ".d"))];
    if command.metadata {
        writes.push(Write::file("metadata", command.written("lib", ".rmeta")));
    }
    if command.link {
        writes.push(Write::file("library", command.written("lib", ".rlib")));
    }
    for path in &operation.writes {
        if !writes.iter().any(|write| write.path == *path) {
            return Err(Refusal::not_cacheable(wrong("", path, "is not known to be written by rustc")));
        }
    }
    Ok(writes)
}

/// A file under the path by which it is spelled.
#[inline(never)]
pub(crate) fn file(path: &str) -> Ingredient {
    Ingredient::file(path, path)
}

/// An environment variable.
#[inline(never)]
pub(crate) fn environment(name: &str) -> Ingredient {
    Ingredient::variable(name, name)
}

#[inline(never)]
fn text(label: &str, text: &str) -> Ingredient {
    Ingredient::text(label, text)
}

/// The compilation that an operation is, or why it is not understood.
pub(crate) fn command(operation: &Operation) -> Result<Command<'_>, Refusal> {
    let program = operation.program();
    if program != "rustc" && !program.ends_with("/rustc") {
        let why = wrong("", program, "is not called rustc");
        return Err(Refusal::not_cacheable(why));
    }
    let command = Command::parse(operation.arguments()).map_err(Refusal::not_cacheable)?;
    match REFUSED.iter().find(|name| variable(name).is_some()) {
        Some(name) => {
            Err(Refusal::not_cacheable(wrong("", name, "is set, which makes rustc do what is not known")))
        }
        None => Ok(command),
    }
}

/// Where the libraries are that come with rustc for the target.
fn standard_library(command: &Command<'_>) -> Result<String, String> {
    let mut arguments = vec!["--print", "target-libdir"];
    if let Some(target) = command.target {
        arguments.extend(["--target", target]);
    }
    let answer = match query(&arguments) {
        Ok(answer) => answer,
        Err(Failure::Denied(why) | Failure::Failed(why)) => {
            return Err(joined(&["rustc cannot be asked: ", &*why]));
        }
        Err(_) => return Err("rustc cannot be asked".to_owned()),
    };
    let path = answer.stdout.strip_suffix(b"\n").and_then(|path| std::str::from_utf8(path).ok());
    match path.filter(|path| path.starts_with('/') && !path.contains('\n')) {
        Some(path) if answer.exit == ExitStatus::Code(0) => Ok(path.to_owned()),
        _ => Err("rustc does not say where its libraries are".to_owned()),
    }
}
