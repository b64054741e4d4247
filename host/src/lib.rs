//! Reviver remembers what build operations did and revives it instead of running them again.
#![deny(unsafe_code)]

pub mod bytes;
pub mod digest;
pub mod identity;
pub mod key;
pub mod operation;
pub mod outcome;
pub mod time;

pub mod policy;
pub mod shipped;
pub mod store;

pub mod reviver;
pub mod runtime;

pub mod repository;

pub mod author;

pub mod cli;
