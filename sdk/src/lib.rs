//! What authors of Reviver's plugins depend on.
//!
//! A plugin is a WebAssembly component with one role. It is a pure function: what it answers depends on its arguments,
//! its [`configuration()`] and what it looked at through the host, and the host takes note of each such look, so that
//! it can remember the answer and ask again only when something in it has changed.
//!
//! | role | trait | exported by | asked |
//! |---|---|---|---|
//! | key | [`KeyPlugin`] | `export!(key: Mine);` | what identifies an operation |
//! | metadata | [`MetadataPlugin`] | `export!(metadata: Mine);` | how an outcome is written down |
//! | eviction | [`EvictionPlugin`] | `export!(eviction: Mine);` | what goes first when the cache is full |
//!
//! A key plugin *names* what matters and never hashes anything: its ingredients say "this file", "that variable", and
//! the host resolves and hashes them. Labels enter the key, and places do not: what a plugin calls its ingredients
//! decides whether two checkouts share their entries.
//!
//! ```
//! use reviver_sdk::{Derivation, Ingredient, KeyPlugin, Operation, Refusal, Write};
//!
//! /// Identifies `compress IN OUT`.
//! struct Compress;
//!
//! impl KeyPlugin for Compress {
//!     fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
//!         let [input, output] = operation.arguments() else {
//!             return Err(Refusal::not_cacheable("only `compress IN OUT` is understood"));
//!         };
//!         Ok(Derivation::new(format!("compress {input}"))
//!             .ingredient(Ingredient::program("program", operation.program()))
//!             .ingredient(Ingredient::file("input", input))
//!             .write(Write::file("output", output))
//!             .input_unused())
//!     }
//! }
//!
//! reviver_sdk::export!(key: Compress);
//!
//! // The same code runs natively, so that it can be tested like any other.
//! let derivation = Compress::derive(&Operation::new(["compress", "a.txt", "a.z"]))?;
//! assert_eq!(derivation.label, "compress a.txt");
//! # Ok::<(), Refusal>(())
//! ```
//!
//! # The other roles
//!
//! A metadata plugin says how an outcome is written down, and reads what it wrote, or anything else, since disks lie:
//!
//! ```
//! use reviver_sdk::{ExitStatus, MetadataPlugin, Outcome, testing::TestHost};
//!
//! /// Keeps the exit code alone, of runs that printed nothing.
//! struct Silent;
//!
//! impl MetadataPlugin for Silent {
//!     fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
//!         match outcome.exit {
//!             ExitStatus::Code(code) if outcome.output.is_empty() => Ok(code.to_string().into_bytes()),
//!             _ => Err("only silent runs that end by themselves are written down".to_owned()),
//!         }
//!     }
//!
//!     fn decode(hunk: &[u8]) -> Result<Outcome, String> {
//!         let code = str::from_utf8(hunk).ok().and_then(|text| text.parse().ok());
//!         Ok(Outcome::new(ExitStatus::Code(code.ok_or("the hunk is no number")?)))
//!     }
//! }
//!
//! reviver_sdk::export!(metadata: Silent);
//!
//! let host = TestHost::new();
//! let hunk = host.encode::<Silent>(&Outcome::new(ExitStatus::Code(3)))?;
//! assert_eq!(host.decode::<Silent>(&hunk)?.exit, ExitStatus::Code(3));
//! assert!(host.decode::<Silent>(b"three").is_err());
//! # Ok::<(), String>(())
//! ```
//!
//! An eviction plugin says what goes first, the lowest score before all others:
//!
//! ```
//! use reviver_sdk::{Budget, Candidate, EvictionPlugin, testing::TestHost};
//!
//! /// What was cheap to make goes first.
//! struct Cheapest;
//!
//! impl EvictionPlugin for Cheapest {
//!     fn score(_now: u64, _budget: &Budget, candidate: &Candidate) -> f64 {
//!         candidate.cost as f64
//!     }
//! }
//!
//! reviver_sdk::export!(eviction: Cheapest);
//!
//! let candidate =
//!     |cost| Candidate { size: 1, files: 1, created: 0, last_use: 0, uses: 0, cost, unused: false };
//! let budget = Budget { limit: 1, used: 2, entries: 2 };
//! let scores = TestHost::new().score::<Cheapest>(0, &budget, &[candidate(5), candidate(9)]);
//! assert!(scores[0] < scores[1]);
//! ```
//!
//! # From a crate to a plugin
//!
//! The crate of a plugin is a library like any other. `reviver plugin build` makes the component. `cargo test` tests it
//! natively, where [`testing`] has a host, and `reviver plugin test` runs the same tests once more, answered by the
//! component; [`conformance!`] makes one test of each law of the role.
//!
//! What plugins have in common is here, and costs a guest that does not use it nothing: [`argv`] walks arguments,
//! [`response`] expands response files, [`path`] puts paths together, [`depfile`] reads what compilers say that they
//! read, [`Value`] reads and writes JSON, [`hex`] writes bytes as digits.
//!
//! # Small guests
//!
//! A guest carries all that it uses; shipped ones stay below 64 KB. About 30 KB are the allocator, the panics and the
//! contract. What costs without being seen is what may panic or print: one slice of a text by indices brings 8 KB of
//! messages about character boundaries, where `get` and `split_at_checked` bring none, and formatting with `{:?}` or of
//! numbers with fractions brings its machinery.
//!
//! # Laws
//!
//! Laws that every plugin keeps, and that the host does not have to trust anybody to keep:
//!
//! * Nothing can be reached but the host: there is no clock, no randomness, no file system and no network.
//! * A panic is reported with its own words, and the operation runs uncached. To say that an operation has no key is no
//!   panic: answer a [`Refusal`].
//! * Nothing is kept from one call to the next: the host may make the plugin anew for each.
#![deny(unsafe_code)]

pub mod argv;
mod configuration;
pub mod depfile;
mod derivation;
mod discovery;
mod eviction;
mod export;
pub mod hex;
mod ingredient;
mod inputs;
mod json;
mod key;
mod log;
mod metadata;
mod operation;
mod outcome;
pub mod path;
mod refusal;
pub mod response;
mod settings;
mod value;
mod write;

#[cfg(not(target_arch = "wasm32"))]
pub mod testing;

#[allow(unsafe_code, missing_docs, unused_qualifications, clippy::all, clippy::pedantic)]
#[doc(hidden)]
pub mod wire;

pub use configuration::{Configuration, Misconfigured, configuration};
pub use eviction::EvictionPlugin;
#[doc(hidden)]
pub use export::{ExportedEviction, ExportedKey, ExportedMetadata};
pub use inputs::{query, read, scan, terminal, variable};
pub use key::{KeyPlugin, REPORT};
pub use log::{debug, info, warning};
pub use metadata::MetadataPlugin;
#[doc(hidden)]
pub use settings::section;
pub use value::Value;
pub use wire::key::reviver::plugin::inputs::{Answer, Failure, Match};
pub use wire::key::reviver::plugin::types::{
    Budget, Candidate, Chunk, Derivation, Discovery, ExitStatus, Ingredient, Input, Operation, Outcome,
    Refusal, Source, Stream, Write, WriteKind,
};
