//! How far long work has come, on a terminal; nothing in a pipe.

use crate::repository::size::ByteSize;
use std::io::{IsTerminal as _, Write as _, stderr};
use std::time::{Duration, Instant};

/// A line on standard error that is written over, and gone in the end.
pub(super) struct Progress {
    word: &'static str,
    /// When to write again; `None` where nobody watches.
    next: Option<Instant>,
    written: bool,
}

impl Progress {
    /// Shows nothing yet: short work stays silent.
    pub(super) fn new(word: &'static str) -> Self {
        let next = stderr().is_terminal().then(|| Instant::now() + Duration::from_millis(300));
        Self { word, next, written: false }
    }

    /// Tells how many bytes are behind us.
    pub(super) fn show(&mut self, bytes: u64) {
        let Some(next) = self.next.filter(|next| *next <= Instant::now()) else { return };
        self.next = Some(next + Duration::from_millis(100));
        self.written = true;
        // What cannot be shown is not worth an error.
        write!(stderr(), "\r\x1b[K{} {}", self.word, ByteSize(bytes)).ok();
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.written {
            write!(stderr(), "\r\x1b[K").ok();
        }
    }
}
