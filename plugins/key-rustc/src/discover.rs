//! The second step: what the dep-info says that was read, where a module would be found too, and what sources may read
//! that no dep-info names.

use reviver_sdk::{Discovery, Failure, Match, Operation, Refusal, scan};

use crate::command::Command;
use crate::dep_info::DepInfo;
use crate::derive::{command, environment, file};
use crate::joined::{joined, wrong};

/// What is looked for in every file: assembly that includes files, static libraries, crates that nobody passed.
const NEEDLES: [&str; 4] = [".incbin", ".include", "\"static\"", "extern crate"];

/// What further identifies a compilation, from its dep-info.
pub(crate) fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
    let command = command(operation)?;
    let read = DepInfo::parse(report).map_err(Refusal::malformed)?;
    if !read.files.iter().any(|path| path == command.source) {
        return Err(Refusal::malformed("the dep-info does not name the source"));
    }
    let mut discovery = Discovery::new();
    for name in &read.variables {
        discovery.ingredients.push(environment(name));
    }
    for path in &read.files {
        discovery.ingredients.push(file(path));
        if let Some(other) = other_place(path) {
            discovery.ingredients.push(file(&other));
        }
        if discovery.uncacheable.is_none() {
            discovery.uncacheable = untold(&command, path);
        }
    }
    Ok(discovery)
}

/// Where rustc looks for the same module too: both places together are an error.
fn other_place(file: &str) -> Option<String> {
    let stem = file.strip_suffix(".rs")?;
    match stem.strip_suffix("/mod") {
        Some(module) => Some(joined(&[module, ".rs"])),
        None => Some(joined(&[stem, "/mod.rs"])),
    }
}

/// Why a file may have made rustc read what the dep-info does not name.
fn untold(command: &Command<'_>, file: &str) -> Option<String> {
    let found = match scan(file, &NEEDLES) {
        Ok(found) => found,
        Err(failure) => {
            return Some(match failure {
                Failure::Denied(why) | Failure::Failed(why) => {
                    wrong("", file, &joined(&["cannot be searched: ", &why]))
                }
                Failure::Absent => wrong("", file, "is gone"),
                Failure::TooLarge(_) => wrong("", file, "is too large to be searched"),
            });
        }
    };
    let why = found.iter().find_map(|one| reason(command, one))?;
    Some(wrong("", file, why))
}

fn reason(command: &Command<'_>, one: &Match) -> Option<&'static str> {
    match one.needle {
        0 => Some("may include a file by assembly"),
        1 => {
            let blank = |rest: &[u8]| matches!(rest.first(), Some(b' ' | b'\t' | b'\\' | b'"'));
            any_behind(&one.line, b".include", &blank).then_some("may include a file by assembly")
        }
        2 => {
            let native = command.places.iter().any(|place| place.native);
            let kind = native && any_behind(&one.line, b"kind", &|_| true);
            kind.then_some("may bundle a static library by `#[link]`")
        }
        _ => {
            let searched = command.places.iter().any(|place| place.crates);
            let unknown = |rest: &[u8]| {
                let rest = rest.trim_ascii_start();
                let length = rest.iter().take_while(|byte| is_of_name(**byte)).count();
                rest.get(..length).is_none_or(|name| !command.knows(name))
            };
            let found = searched && any_behind(&one.line, b"extern crate", &unknown);
            found.then_some("names a crate that is not passed by `--extern`")
        }
    }
}

const fn is_of_name(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || !byte.is_ascii()
}

/// Whether `test` holds for what is behind any `word` in the line.
fn any_behind(line: &[u8], word: &[u8], test: &dyn Fn(&[u8]) -> bool) -> bool {
    let mut rest = line;
    while let Some((_, next)) = rest.split_first() {
        if rest.strip_prefix(word).is_some_and(test) {
            return true;
        }
        rest = next;
    }
    false
}
