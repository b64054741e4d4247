//! The key of a C or C++ compilation by gcc or clang.
//!
//! A compilation is `DRIVER … -c SOURCE …`, or `-S`, of C, C++ or assembly, before the preprocessor or behind it. Before it
//! ran its key holds the driver with the programs that it runs, every argument, the variables that matter and the source.
//! The command runs with its dependency options replaced, so that the compiler reports *all* headers; from that report the
//! second step names the files that were read, and the paths where the compiler looked before it found them: an object that
//! is right today is wrong tomorrow when a header appears earlier in the search, and no depfile says so. Of a source that is
//! not preprocessed there is no report, and one step is enough.
//!
//! Laws:
//!
//! * **Understood or refused.** Options, languages and variables are on explicit lists. Whatever is not is refused, with
//!   its name, and the compilation runs as if nobody was there.
//! * **Absence is an input.** Each path that was looked at in vain is an ingredient. Where it cannot be told which paths
//!   these are, all that could be are taken; where not even that can be told, the run is not recorded.
//! * **The user's depfile is the compiler's own**, byte for byte, or the run is not recorded; it is written in any case.
//! * **Spelling counts.** Paths enter the key as they are spelled, because objects and diagnostics hold them so. The
//!   places of what is written do not, unless something that is written names them.
//!
//! | module | holds |
//! |---|---|
//! | `driver` | names of compilers, suffixes of sources |
//! | `options`, `meaning` | the options that are understood, as data, and what one means |
//! | `passed` | those that the driver passes on to another program |
//! | `spelling` | their long forms |
//! | `command` | a compilation read from its arguments |
//! | `dependencies` | the depfile that they ask for |
//! | `aside` | what they write beside the object, and what is embedded and read for that |
//! | `source` | sources that are not preprocessed |
//! | `relocate` | what of its place a compilation embeds, and how it is kept from it |
//! | `plan` | the command together with what the compiler says of itself |
//! | `colour` | what the compiler shows on a terminal |
//! | `search` | the directories that are searched for headers |
//! | `directive` | what a line of a file looks for |
//! | `run`, `graph` | what is known of a run, and where all its files looked for others |
//! | `wrapped` | what they asked for through macros |
//! | `precompiled` | where gcc looked for precompiled headers |
//! | `depfile` | reading reports and writing depfiles |
//! | `derive`, `discover` | the two steps |
//!
//! Not seen: assembly that includes files by a name or a word that macros put together, or by a word in which small and great
//! letters are mixed, or that is hidden in escapes; a macro that stands for `__has_include` where other macros put its name together; a date that a
//! precompiled header outside of the repository holds; and headers that a system header would include once a condition of
//! its own changes without any file that was read or asked for changing.
#![forbid(unsafe_code)]

mod aside;
mod colour;
mod command;
mod dependencies;
mod depfile;
mod derive;
mod directive;
mod discover;
mod driver;
mod graph;
mod meaning;
mod options;
mod passed;
mod plan;
mod precompiled;
mod relocate;
mod run;
mod search;
mod source;
mod spelling;
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

reviver_sdk::export!(key: Cc, settings: {
    relocatable: boolean = "have the compiler see relative paths alone, so that checkouts at other places share entries",
});
