//! What one call of a plugin may use.

use crate::digest::{Digest, Framer};
use std::time::Duration;

/// What one call may use. A repository may lower these, never raise them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of all its memories and tables together.
    pub memory: u64,
    /// Units of fuel, about one for each instruction and for each byte that is copied or filled.
    pub fuel: u64,
    /// Bytes of its answer; each value in it counts for a few more than it holds.
    pub output: u64,
    /// Time on the wall. A backstop: a call that needs little fuel is not timed, since fuel bounds it well enough.
    pub time: Duration,
    /// Bytes of the component, which bound the time that compiling takes.
    pub component: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            memory: 64 << 20,
            fuel: 2_000_000_000,
            output: 4 << 20,
            time: Duration::from_secs(10),
            component: 8 << 20,
        }
    }
}

impl Limits {
    /// What stands for these limits beside remembered answers. Time and size of the component are left out: they decide
    /// whether there is an answer, never which.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Framer::new("reviver.limits").number(self.memory).number(self.fuel).number(self.output).finish()
    }

    /// The lower one of each of these and of `other`'s.
    #[must_use]
    pub fn tightened(&self, other: &Self) -> Self {
        Self {
            memory: self.memory.min(other.memory),
            fuel: self.fuel.min(other.fuel),
            output: self.output.min(other.output),
            time: self.time.min(other.time),
            component: self.component.min(other.component),
        }
    }

    /// How many bytes the guest may hand to the host in one call, whatever for. Above the output, so that an answer that is
    /// somewhat too large is measured exactly, and far below what overlapping strings in a small memory could add up to.
    pub(super) const fn traffic(&self) -> u64 {
        self.output.saturating_mul(4).saturating_add(1 << 20)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_limits_that_can_change_an_answer_enter_the_digest() {
        let limits = Limits::default();
        assert_eq!(Limits { time: Duration::ZERO, component: 0, ..limits }.digest(), limits.digest());
        for other in
            [Limits { memory: 0, ..limits }, Limits { fuel: 0, ..limits }, Limits { output: 0, ..limits }]
        {
            assert_ne!(other.digest(), limits.digest());
        }
    }

    #[test]
    fn tightening_never_raises() {
        let limits = Limits::default();
        let other = Limits { memory: 1, fuel: u64::MAX, ..limits };
        assert_eq!(limits.tightened(&other), Limits { memory: 1, ..limits });
    }
}
