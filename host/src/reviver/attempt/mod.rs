//! Operations that their caller runs, step by step: for build systems that start their commands themselves.
//!
//! # Model
//!
//! A [`Task`] is what [`Reviver::run`] is asked, owned, without standard input, of which the command gets none.
//! [`Reviver::begin`] looks it up. What it [`Found`] is put in place by [`Reviver::revive_found`]; where nothing is bound,
//! the caller runs the command of what is [`Pending`], and [`Reviver::finish`] judges and records that run as if it
//! were our own. In between anything may happen, days and threads among it: what is found or pending owns all that it
//! needs, and may go from one reviver to another of the same repository.
//!
//! | step | outcome | the caller | the journal |
//! |---|---|---|---|
//! | [`begin`](super::run::Reviver::begin) | [`Begun::Found`] | revives it, or does not care | unchanged |
//! | | [`Begun::Open`] | runs [`Pending::arguments`], then finishes, or drops it | unchanged |
//! | | [`Begun::Bare`]: no key, or nothing that could be recorded | runs the command as it is | says so, with the reason |
//! | [`revive_found`](super::run::Reviver::revive_found) | [`Revived`] | passes the output on | a hit |
//! | | an input changed since: it is looked up anew, and what is found then revived | as above | as for what comes of it |
//! | | it proves to be no hit: an open or a bare attempt | as above | unchanged, or the reason |
//! | [`finish`](super::run::Reviver::finish) | [`Finished`], recorded or with the reason | runs the command once more where it is [told to](Finished::again) | a miss |
//!
//! # Laws
//!
//! * What one way records the other finds: an attempt and a run of the same operation have one key.
//! * Nothing is recorded that a run would not record. The caller is believed how its command ended and what it said, and
//!   not when: an input is old only if it was before the attempt began, whatever the caller's clock says.
//! * An attempt holds its writes from its beginning until it is finished or dropped, and nothing of it is left then.
//! * What was begun with one plugin is not finished with another.
//! * No command is run here. Hits are not [rechecked](super::recheck) therefore.
//!
//! [`Reviver::run`]: super::run::Reviver::run
//! [`Reviver::begin`]: super::run::Reviver::begin
//! [`Reviver::revive_found`]: super::run::Reviver::revive_found
//! [`Reviver::finish`]: super::run::Reviver::finish

mod begin;
mod finish;
mod found;
mod origin;
mod pending;
mod task;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

pub use begin::Begun;
pub use finish::{Again, Finished};
pub use found::{Found, Revived};
pub use pending::Pending;
pub use task::Task;
