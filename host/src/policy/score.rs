//! Asking an eviction policy about many candidates, and holding its answers against what they must be.

use super::{Budget, Candidate, Eviction, Fault};
use crate::time::Timestamp;
use std::fmt;

/// How many candidates a policy is asked about at once: 7 MB of them. Each question may cost a policy a few threads and
/// instances.
const BATCH: usize = 128 << 10;

/// What a policy did wrong.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum PolicyFaultKind {
    /// It answered with a fault.
    Fault(Box<Fault>),
    /// It gave another number of scores than it was asked for.
    Count {
        /// How many candidates it was given.
        asked: usize,
        /// How many scores it gave.
        given: usize,
    },
    /// It gave a score that is no finite number.
    NotFinite,
}

impl PolicyFaultKind {
    /// Whether the policy was not even asked, being switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        matches!(self, Self::Fault(fault) if fault.is_off())
    }

    /// Tells it of the policy with this name.
    pub fn tell(&self, policy: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fault(fault) => fmt::Display::fmt(fault, f),
            Self::Count { asked, given } => {
                write!(f, "eviction policy `{policy}` gave {given} scores for {asked} candidates")
            }
            Self::NotFinite => {
                write!(f, "eviction policy `{policy}` gave a score that is no finite number")
            }
        }
    }
}

/// The policy's score for each of these, in their order. They are made when they are asked about, since there may be millions.
pub fn scores(
    policy: &dyn Eviction,
    now: Timestamp,
    budget: Budget,
    candidates: impl ExactSizeIterator<Item = Candidate>,
) -> Result<Vec<f64>, PolicyFaultKind> {
    let mut scores = Vec::with_capacity(candidates.len());
    let mut batch = Vec::with_capacity(BATCH.min(candidates.len()));
    let mut candidates = candidates.peekable();
    while candidates.peek().is_some() {
        batch.clear();
        batch.extend(candidates.by_ref().take(BATCH));
        let given = policy.score(now, budget, &batch).map_err(PolicyFaultKind::Fault)?;
        if given.len() != batch.len() {
            return Err(PolicyFaultKind::Count { asked: batch.len(), given: given.len() });
        }
        if given.iter().any(|score| !score.is_finite()) {
            return Err(PolicyFaultKind::NotFinite);
        }
        scores.extend(given);
    }
    Ok(scores)
}
