//! Static libraries that are bundled into a Rust library.
//!
//! `-l static=NAME` takes `libNAME.a` from the first of the directories `-L native=DIR` and `-L DIR` that has it: the
//! file in each of these is an ingredient, absences among them. Other native libraries are read when a program is
//! linked, not before.

use reviver_sdk::Ingredient;

use crate::derive::file;
use crate::joined::{joined, wrong};
use crate::options::cut;

/// A directory in which libraries are looked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Place<'a> {
    /// Whether native libraries are.
    pub(crate) native: bool,
    /// Whether crates that the source names are: those that an extern uses are told by it.
    pub(crate) crates: bool,
    /// The directory as spelled.
    pub(crate) path: &'a str,
}

impl<'a> Place<'a> {
    /// The value of a `-L`.
    pub(crate) fn parse(value: &'a str) -> Self {
        let (kind, path) = cut(value).unwrap_or(("all", value));
        let (native, crates, path) = match kind {
            "dependency" | "framework" => (false, false, path),
            "native" => (true, false, path),
            "crate" => (false, true, path),
            "all" => (true, true, path),
            // An equals sign of the path itself.
            _ => (true, true, value),
        };
        Self { native, crates, path }
    }
}

/// A native library that an argument names.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Library<'a> {
    bundled: bool,
    /// NAME or NAME:RENAME, of which one is the file's.
    names: &'a str,
}

impl<'a> Library<'a> {
    /// The value of a `-l`, or why it is not understood.
    pub(crate) fn parse(value: &'a str) -> Result<Self, String> {
        let (kind, names) = cut(value).unwrap_or(("dylib", value));
        let kind = kind.split(':').next().unwrap_or_default();
        let bundled = match kind {
            "static" => true,
            "dylib" | "framework" => false,
            _ => return Err(wrong("-l ", value, "is of a kind that is not understood")),
        };
        Ok(Self { bundled, names })
    }
}

/// Adds the files that may be bundled.
pub(crate) fn bundled(libraries: &[Library<'_>], places: &[Place<'_>], found: &mut Vec<Ingredient>) {
    for library in libraries.iter().filter(|library| library.bundled) {
        for name in library.names.split(':') {
            for place in places.iter().filter(|place| place.native) {
                for (start, end) in [("lib", ".a"), ("", ".lib"), ("", "")] {
                    let path = joined(&[place.path, "/", start, name, end]);
                    found.push(file(&path));
                }
            }
        }
    }
}
