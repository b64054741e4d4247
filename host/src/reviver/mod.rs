//! Operations, recorded and revived.
//!
//! # Model
//!
//! An [`Operation`](crate::operation::Operation) is named by a key policy: its answer, a derivation, lists *ingredients*,
//! which the host [resolves](resolve) to *values* and hashes to a *base key*. What a run discovers further is kept as a
//! *list* under the base key; base key, list and its values make the key of the entry. Three things make a hit cheap:
//!
//! * the policy's answer is [remembered](remember) with the conditions that it holds under;
//! * contents are hashed once in a file's life ([`files`], [`table`]);
//! * what was [seen](hints) is kept beside each list, so that an unchanged file costs one `stat`, and absences one for
//!   each directory.
//!
//! Who knows himself what he reads and writes [declares](declared) it, and no key policy is asked.
//!
//! # Laws
//!
//! * A hit is right with respect to what its policy was told and found out, or it is not a hit.
//! * What is doubtful makes a miss or an unrecorded run, with the reason in the [`journal`].
//! * A run is recorded only for writes that are [proved](writes) and inputs that did not change.
//! * A revival changes all destinations or none.
//! * What a [recheck] finds to differ is never revived again.

mod age;
pub mod attempt;
pub mod breaker;
mod compare;
pub mod counters;
pub mod declared;
pub mod environment;
mod examine;
pub mod execute;
pub mod explain;
pub mod files;
mod guard;
pub mod hashes;
pub mod hints;
pub mod hunk;
pub mod identify;
pub mod input;
pub mod journal;
mod keep;
mod kept;
pub mod label;
mod launch;
mod library;
pub mod list;
pub mod look;
mod lookup;
pub mod matched;
mod miss;
pub mod outputs;
mod prepare;
pub mod program;
pub mod query;
pub mod recheck;
pub mod record;
pub mod rehearse;
pub mod remember;
pub mod resolve;
pub mod revive;
pub mod run;
pub mod scan;
pub mod secret;
mod start;
pub mod table;
pub mod topology;
pub mod tree;
pub mod unchanged;
pub mod value;
pub mod writes;
