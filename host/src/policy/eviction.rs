//! The eviction role.

use super::{Fault, PolicyId};
use crate::time::Timestamp;

/// Chooses what goes first.
pub trait Eviction {
    /// What stands for this policy.
    fn id(&self) -> &PolicyId;

    /// One finite number for each candidate, in their order: the lowest goes first. Independent of how the candidates are
    /// batched.
    fn score(&self, now: Timestamp, budget: Budget, candidates: &[Candidate])
    -> Result<Vec<f64>, Box<Fault>>;
}

/// An entry that may be evicted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Candidate {
    /// Bytes that it takes.
    pub size: u64,
    /// Contents that it holds.
    pub files: u32,
    /// When it was recorded.
    pub created: Timestamp,
    /// When it was last recorded or revived.
    pub last_use: Timestamp,
    /// How often it was revived.
    pub uses: u64,
    /// How long the recorded run took, in nanoseconds.
    pub cost: u64,
    /// Whether the caller holds it for garbage.
    pub unused: bool,
}

/// What the cache may hold and what it holds, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Budget {
    /// Bytes that may stay.
    pub limit: u64,
    /// Bytes that are there.
    pub used: u64,
    /// Entries that are there.
    pub entries: u64,
}
