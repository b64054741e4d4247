//! Testing plugins, natively and as what they are shipped as.
//!
//! A [`TestHost`] stands for what the real host knows, and asks the plugin: [`derive`](TestHost::derive),
//! [`discover`](TestHost::discover), [`encode`](TestHost::encode), [`decode`](TestHost::decode),
//! [`score`](TestHost::score). Under `cargo test` the plugin's code answers natively. Under `reviver plugin test` the same
//! test bodies are run a second time, and the component answers them in the real engine, under its limits.
//!
//! | the plugin | natively | as a component |
//! |---|---|---|
//! | answers or refuses | `Ok` or `Err` | the same |
//! | looks and logs | in [`looks`](TestHost::looks) and [`logs`](TestHost::logs) | the same |
//! | panics | the test panics | the test panics, with the code and the whole message of the fault |
//! | exceeds a limit | there is none | the same |
//!
//! The environment says which: `REVIVER_COMMAND` is a `reviver`, `REVIVER_PLUGIN` the component. The type that a test names
//! says which code answers natively; the component answers for whichever it is.
//!
//! ```
//! use reviver_sdk::testing::{Look, TestHost};
//! use reviver_sdk::{Derivation, Ingredient, KeyPlugin, Operation, Refusal, read};
//!
//! /// Identifies a command by the first line of `version.txt`.
//! struct Version;
//!
//! impl KeyPlugin for Version {
//!     fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
//!         let content = read("version.txt").map_err(|failure| failure.refusal("version.txt"))?;
//!         let line = content.split(|byte| *byte == b'\n').next().unwrap_or_default();
//!         Ok(Derivation::new(operation.program_name())
//!             .ingredient(Ingredient::program("program", operation.program()))
//!             .ingredient(Ingredient::bytes("version", line))
//!             .input_unused())
//!     }
//! }
//!
//! let host = TestHost::new().file("version.txt", b"1.2\nchanged yesterday");
//! let derivation = host.derive::<Version>(&Operation::new(["release"])).expect("the file is there");
//! assert_eq!(derivation.ingredients[1], Ingredient::bytes("version", b"1.2"));
//! assert_eq!(host.looks(), [Look::Read("version.txt".into())]);
//!
//! let refusal = TestHost::new().derive::<Version>(&Operation::new(["release"])).unwrap_err();
//! assert_eq!(refusal.reason(), "version.txt is absent");
//! ```
//!
//! [`conformance!`](crate::conformance!) makes one test of each law that the plugin's role has.

mod answer;
mod ask;
mod component;
pub mod conformance;
pub(crate) mod host;
mod question;
mod scan;
#[cfg(test)]
mod stand_in;

pub use crate::wire::key::reviver::plugin::host::Level;
pub use host::{Look, TestHost};
