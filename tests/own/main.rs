//! Reviver's own protocol, spoken with the daemon as its users have it: a process, a socket, several clients.
//!
//! What a test needs of the machine and does not find makes a line with the word SKIPPED, never silence.

#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the other tests of the command need more of it")]
mod support;

mod daemon;
#[path = "../src/dice.rs"]
#[allow(unreachable_pub, reason = "it is public in the package of tests")]
mod dice;

mod entries;
mod errors;
mod flight;
mod leaving;
mod mutations;
mod operations;
mod page;
mod python;
mod upkeep;
