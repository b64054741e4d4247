//! The daemon: sockets, sessions, and what goes on in the background.

pub mod peer;
