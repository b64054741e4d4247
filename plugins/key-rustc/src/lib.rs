//! The key of a library that rustc compiles, as cargo calls it.
//!
//! A compilation is `rustc --crate-name NAME SOURCE --emit=dep-info,… …`. Before it ran, its key holds rustc with its
//! libraries, the standard library of the target, every argument, the working directory, the crates that are passed by
//! `--extern`, and the static libraries that are bundled. The dep-info that rustc writes names the sources, the
//! included files and the variables that `env!` read: the second step makes ingredients of these.
//!
//! Laws:
//!
//! * **Understood or refused.** Options are on explicit lists. Whatever is not is refused, with its name.
//! * **What is linked is refused.** A program, a `dylib`, a `cdylib`, a `staticlib` and a procedural macro depend on a
//!   linker, on its scripts and start files and on libraries of the system, none of which rustc names. With `--emit`
//!   of metadata alone nothing is linked, and any kind of crate is understood.
//! * **Spelling counts.** Metadata, debugging information and the dep-info hold paths, so all arguments enter the key
//!   as they are spelled, and the working directory does. Two checkouts share nothing, two builds in one do.
//! * **Absence is an input.** A module in `x.rs` is an error once there is `x/mod.rs` too: the other place is an
//!   ingredient.
//!
//! # Crates behind the externs
//!
//! rustc also reads the crates that an extern uses, from `-L dependency=DIR`, which holds everything that was ever
//! built there. They are no ingredients: the metadata of an extern holds the *strict version hash* of each crate behind
//! it, rustc takes no other, and that hash covers bodies, attributes, spans, macros and options. It does not cover
//! comments that move nothing, and these reach an object at one place alone: the checksum of a foreign source in
//! debugging information – in that of embedded bitcode, and in DWARF 5. So debugging information is refused beside
//! externs unless there is no bitcode (`-C embed-bitcode=no`, which cargo says except for link-time optimisation) and
//! DWARF is older, on targets of which that is known. Warnings that quote a source behind an extern may quote such a
//! comment as it was.
//!
//! # Not seen
//!
//! What a procedural macro reads without telling rustc: its own content is an ingredient, variables that cargo sets are,
//! and what `tracked_env` or `include_str!` in its output names is in the dep-info. Files that it opens on its own have
//! to be declared as reads of a rule. Static libraries that a macro of another crate bundles by `#[link]`, and files
//! that assembly made by such a macro includes.
//!
//! | module | holds |
//! |---|---|
//! | `options` | the options that are understood, as data |
//! | `command` | a compilation read from its arguments |
//! | `native` | static libraries that are bundled |
//! | `derive`, `discover` | the two steps |
//! | `dep_info` | reading what rustc writes of its inputs |
//! | `joined` | texts put together |
#![forbid(unsafe_code)]

mod command;
mod dep_info;
mod derive;
mod discover;
mod joined;
mod native;
mod options;

use reviver_sdk::{Derivation, Discovery, KeyPlugin, Operation, Refusal};

/// The plugin.
#[derive(Debug)]
pub struct Rustc;

impl KeyPlugin for Rustc {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        derive::derive(operation)
    }

    fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        discover::discover(operation, report)
    }
}

reviver_sdk::export!(key: Rustc);
