//! The daemon as Dune's clients see it, and as those see it who mean it no good.
//!
//! | file | says | must hold |
//! |---|---|---|
//! | `replay.rs` | what clients of Dune 2.0, 2.5 and 2.9 once said | dedups and store as their own daemons left them |
//! | `conformance.rs` | 22 scripted cases | the same |
//! | `client.rs` | Debian's Dune itself | builds from the cache as with its own daemon |
//! | `lifecycle.rs` | start, stop, signals | it is found while it runs, and leaves nothing |
//! | `differential.rs` | random words to Dune's own daemon and to ours | both do the same |
//! | `survive/` | all that a peer must not say | the next client is served, by the same process |
//!
//! What can be said to Dune's own daemon is said to it too, where it is installed, so that the tests themselves are tested: a
//! visible line with the word SKIPPED tells where it is not.
#![allow(missing_docs, reason = "tests")]

mod client;
mod conformance;
#[path = "../src/dice.rs"]
#[allow(unreachable_pub, reason = "another package's library has it too")]
mod dice;
mod differential;
mod fixture;
mod lifecycle;
mod peer;
mod replay;
mod scene;
mod speech;
mod survive;
mod tree;
