//! Where the daemon writes what somebody may want to read later. The library does not print: who starts it gives it a place.
//!
//! What goes right is counted and not told. What was refused, what collided and what broke is told, a line for each.

use std::fmt;

/// Takes lines. Several threads give them.
pub trait Log: Send + Sync {
    /// Takes one, without its end and without a time.
    fn line(&self, line: fmt::Arguments<'_>);
}

impl<F: Fn(fmt::Arguments<'_>) + Send + Sync> Log for F {
    fn line(&self, line: fmt::Arguments<'_>) {
        self(line);
    }
}
