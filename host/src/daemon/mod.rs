//! The daemon: one process that serves two kinds of clients, and does in the background what nobody should wait for.
//!
//! | module | is |
//! |---|---|
//! | [`run`] | the daemon from start to end |
//! | [`lock`], [`socket`], [`publish`] | that one runs, and where; found by our own clients, and by Dune's |
//! | `listen`, [`clients`] | connections, a thread each |
//! | [`peer`] | messages in and out of one |
//! | `neighbour` | whose process a peer is |
//! | `prepare` | what is made in Dune's caches before clients come |
//! | `dune`, `own` | a session in either language |
//! | `annotate`, `codecs` | what a repository's metadata plugin adds to a promotion |
//! | [`background`] | trimming |
//! | `status`, [`log`] | how it goes, for people |
//!
//! # Laws
//!
//! 1. No client disturbs another: not by silence, by garbage, by leaving, nor by many connections.
//! 2. A client that does what it may is never dropped for what it asks for, only for what is no message.
//! 3. Whoever finds the daemon is greeted by it, also in its last moment.
//! 4. Told to end, it ends within two seconds.
//! 5. It can be killed at any moment, and the next one starts.

mod annotate;
pub mod background;
pub mod clients;
mod codecs;
mod dune;
mod listen;
pub mod lock;
pub mod log;
mod neighbour;
mod own;
pub mod peer;
mod prepare;
pub mod publish;
pub mod run;
pub mod shared;
pub mod socket;
pub mod start;
mod status;
