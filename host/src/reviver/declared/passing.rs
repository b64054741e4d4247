//! Operations that are never cached.

use std::path::PathBuf;

/// An operation that is done each time: to revive it would cost what it costs, or there is nothing to revive. It has no
/// key. Reading a file is to [wait](Passing::Wait) for it: what is done with its bytes is the caller's.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Passing {
    /// Removes a file, or a directory with all that is in it; one that is absent is fine.
    Delete(PathBuf),
    /// Makes a directory, and those above it; one that is there is fine.
    Mkdir(PathBuf),
    /// Tells something, on standard error.
    Notify(String),
    /// Does nothing, once its reads are there.
    Wait,
}
