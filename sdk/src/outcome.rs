//! Making outcomes, which is of use in tests.

use crate::{Chunk, ExitStatus, Outcome, Stream};

impl Outcome {
    /// The outcome of a process that ended so, without output, times and notes.
    #[must_use]
    pub const fn new(exit: ExitStatus) -> Self {
        Self { exit, output: Vec::new(), started: 0, duration: 0, notes: Vec::new() }
    }
}

impl Chunk {
    /// A piece of output.
    #[must_use]
    pub fn new(stream: Stream, bytes: impl Into<Vec<u8>>) -> Self {
        Self { stream, bytes: bytes.into() }
    }
}
