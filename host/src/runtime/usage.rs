//! What a call used of its limits.

/// What the last call of a plugin used, whatever came of it. All zero before the first.
///
/// Equal calls use equal amounts on every machine, except that one that was started over for want of fuel counts as its
/// last try.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Usage {
    /// Units of fuel, about one for each instruction and for each byte that is copied or filled.
    pub fuel: u64,
    /// The most bytes that all its memories and tables took together.
    pub memory: u64,
    /// Bytes of its answer, as they count against the limit: of a codec's, what it adds to what it was given.
    pub output: u64,
}

impl Usage {
    /// What two parts of one call used together, each in an instance of its own.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            fuel: self.fuel.saturating_add(other.fuel),
            memory: self.memory.max(other.memory),
            output: self.output.saturating_add(other.output),
        }
    }
}
