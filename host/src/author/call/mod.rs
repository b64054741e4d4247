//! Calls of plugins as JSON: one object asks one call, one object answers it. `docs/calls.md` has the format.
//!
//! ```text
//! text -> Json -> Question -> Caller -> Answer -> Json
//! ```
//!
//! A [`Question`] is read of JSON, for a plugin of any role. A [`Caller`] puts it to a plugin: what a key plugin looks at is
//! answered by the [`Host`] that stands in the question, or where there is none by the [`Machine`]. The [`Answer`] has what
//! came of it, what was looked at, and what it took.
//!
//! Laws:
//! - No text makes a panic. What is no question is a [`QuestionError`], which names the member that is wrong.
//! - What the plugin sees and may use is what the host of a build would show it and let it use.
//! - A question with a host looks at nothing of the machine: equal ones have equal answers, their times apart.

mod answer;
mod caller;
mod host;
mod json;
mod look;
mod machine;
mod member;
mod place;
mod question;
mod shape;

#[cfg(test)]
mod tests;

pub use answer::{Answer, Reply};
pub use caller::{Caller, Ticks};
pub use host::Host;
pub use json::hex;
pub use look::Look;
pub use machine::Machine;
pub use member::{Problem, QuestionError};
pub use place::{Place, Step};
pub use question::{Asked, Question, Surroundings, read_operation};
