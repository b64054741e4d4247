//! The daemon: sockets, sessions, and what goes on in the background.

pub mod clients;
mod dune;
mod listen;
pub mod log;
mod own;
pub mod peer;
pub mod run;
pub mod shared;
pub mod start;
