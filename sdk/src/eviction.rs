//! The role of choosing what goes first.

use crate::{Budget, Candidate};

/// Says what goes first when the cache is over its budget.
///
/// Policies advise: the host sorts by score, keeps what is in use, deletes, and stops at the budget. A score that is no
/// finite number, or a fault, makes it take its own order, the least recently used first.
pub trait EvictionPlugin {
    /// How much `candidate` is worth keeping: the lowest goes first. It may depend on nothing but the arguments, since
    /// candidates come in any order and in batches of any size.
    fn score(now: u64, budget: &Budget, candidate: &Candidate) -> f64;
}
