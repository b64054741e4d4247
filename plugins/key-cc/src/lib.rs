//! The key of a C or C++ compilation by gcc or clang.
//!
//! A compilation is `DRIVER … -c SOURCE …`. Before it ran its key holds the driver with the programs that it runs, every
//! argument, the variables that matter and the source. The command runs with its dependency options replaced, so that the
//! compiler reports *all* headers; from that report the second step names the files that were read, and the paths where
//! the compiler looked before it found them: an object that is right today is wrong tomorrow when a header appears
//! earlier in the search, and no depfile says so.
//!
//! Laws:
//!
//! * **Understood or refused.** Options, languages and variables are on explicit lists. Whatever is not is refused, with
//!   its name, and the compilation runs as if nobody was there.
//! * **Absence is an input.** Each path that was looked at in vain is an ingredient. Where it cannot be told which paths
//!   these are, all that could be are taken; where not even that can be told, the run is not recorded.
//! * **The user's depfile is the compiler's own**, byte for byte, or the run is not recorded; it is written in any case.
//! * **Spelling counts.** Paths enter the key as they are spelled, because objects and diagnostics hold them so. The
//!   places of the object and of the depfile do not, unless the depfile names them.
//!
//! | module | holds |
//! |---|---|
//! | `driver` | names of compilers, suffixes of sources |
//! | `options` | the options that are understood, as data |
//! | `command` | a compilation read from its arguments |
//! | `plan` | the command together with what the compiler says of itself |
//! | `search` | the directories that are searched for headers |
//! | `directive` | what a line of a file looks for |
//! | `graph` | what all files looked for, and where |
//! | `wrapped` | what they asked for through macros |
//! | `depfile` | reading reports and writing depfiles |
//! | `derive`, `discover` | the two steps |
//!
//! Not seen: assembly that includes files by a name or a word that macros put together; a macro that stands for
//! `__has_include` where other macros put its name together; and headers that a system header would include once a
//! condition of its own changes without any file that was read or asked for changing.
#![forbid(unsafe_code)]

mod command;
mod depfile;
mod derive;
mod directive;
mod discover;
mod driver;
mod graph;
mod options;
mod plan;
mod search;
mod wrapped;

use reviver_sdk::{Derivation, Discovery, KeyPlugin, Operation, Refusal};

/// The plugin.
#[derive(Debug)]
pub struct Cc;

impl KeyPlugin for Cc {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        derive::derive(operation)
    }

    fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        discover::discover(operation, report)
    }
}

reviver_sdk::export!(key: Cc);
