//! Operations that their caller declares, recorded and revived: for programs that know what they read and write.
//!
//! # Model
//!
//! A [`Declared`] is one of four kinds that are cached – a command ([`Spawn`]), a file that the host [writes](Write) or
//! [copies](struct@Copy), a [function](Native) – or one that is [never](Passing) cached. [`DeclaredReviver::hash`] makes its key of
//! what was declared and of what its reads are now; [`DeclaredReviver::revive`] puts what is bound to that in place,
//! [`DeclaredReviver::record`] binds what was done. [`DeclaredReviver::run`] is all of it in order, doing the operation where
//! it must be. No key plugin is asked; outcomes go through the partition's [`Codec`](crate::policy::Codec).
//!
//! # Laws
//!
//! * What two declarations differ in, their keys differ in, but for the paths of writes and for what is expressly unstamped.
//! * A key rests on what was looked at. It is recorded only if all of that is the same afterwards, and every write is
//!   proved to be the operation's own.
//! * Failures are never recorded. What was bound before stays bound.
//! * A revival changes all writes or none, and what cannot be used is absent.
//! * A reviver may live for days: a known digest counts only for the identity that it was found under ([`hashes`]).
//! * Caching never fails an operation. Why it was not revived or not recorded is told as a type.
//!
//! [`hashes`]: super::hashes

mod content;
mod declare;
mod frame;
pub mod hash;
mod native;
mod passing;
mod perform;
mod place;
pub mod record;
mod redirect;
pub mod revive;
mod reviver;
pub mod run;
mod spawn;
mod unrecorded;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests;

pub use content::{Copy, Write};
pub use declare::{Declared, Kind, Misdeclared};
pub use hash::{HashError, Hashed};
pub use native::{BoxError, Native};
pub use passing::Passing;
pub use record::Recorded;
pub use revive::{Absence, Revival, Revived};
pub use reviver::DeclaredReviver;
pub use run::{Failure, Missed, Ran};
pub use spawn::{Accepted, Sink, Spawn, Word};
pub use unrecorded::Unrecorded;
