//! Reviver remembers what build operations did and revives it instead of running them again.
//!
//! The host is native: it owns the [file cache](store), the [reviver], which hashes, records and revives, and the
//! [command line](cli). How an operation is named, how its outcome is written down and what goes first when the cache is
//! full are [policies](policy); [`runtime`] makes them of WebAssembly components, which a [repository] chooses.
//!
//! The modules below are layers, parted by blank lines in this file: each uses those of its own layer and of the layers
//! above it there. Nothing but [`cli`] prints, reads the environment or asks for the time.
//!
//! # The file cache alone
//!
//! ```
//! use reviver::digest::Digest;
//! use reviver::key::Key;
//! use reviver::store::{Draft, Options, PartitionId, Store};
//! use reviver::time::Timestamp;
//!
//! let directory = tempfile::tempdir()?;
//! let store = Store::open(directory.path(), Options::default())?;
//! let partition = store.partition(PartitionId::of(Digest::of(b"a repository")));
//!
//! let (made, wanted) = (directory.path().join("made"), directory.path().join("new/wanted"));
//! std::fs::write(&made, "a result")?;
//!
//! let key = Key::new(Digest::of(b"what identifies it"));
//! partition.add(key, &Draft::of_files(b"metadata", &[&made]), Timestamp(1))?;
//!
//! let revived = partition.revive(key, &[&wanted], Timestamp(2))?.expect("it was just added");
//! assert_eq!(revived.metadata, b"metadata");
//! assert_eq!(std::fs::read(&wanted)?, b"a result");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Operations that a program declares itself, without any plugin: [`reviver::declared`].
//!
//! # Limits
//!
//! Linux alone. What is not built yet is listed in `ARCHITECTURE.md`.
#![deny(unsafe_code)]

pub mod bytes;
pub mod digest;
pub mod identity;
pub mod key;
pub mod operation;
pub mod outcome;
mod sum;
pub mod time;

pub mod policy;
pub mod shipped;
pub mod store;

pub mod reviver;
pub mod runtime;

pub mod repository;

pub mod author;

pub mod protocol;

pub mod client;

pub mod dune;

pub mod daemon;

pub mod cli;
