//! In which order the entries of one partition go.

use super::fold::Live;
use super::layout::PartitionId;
use crate::key::Key;
use crate::policy::score::{self, PolicyFaultKind};
use crate::policy::{Budget, Eviction};
use crate::time::Timestamp;
use std::cmp::Ordering;
use std::fmt;

/// A policy that was at fault, so that the host's own order held for its partition.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyFault {
    /// The partition.
    pub partition: PartitionId,
    /// The policy's name.
    pub policy: String,
    /// What it did.
    pub kind: PolicyFaultKind,
}

impl PolicyFault {
    /// Whether the policy was not even asked, being switched off.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.kind.is_off()
    }
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.tell(&self.policy, f)
    }
}

impl std::error::Error for PolicyFault {}

/// What decides when an entry goes: 32 bytes each, because there may be millions.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rank {
    score: f64,
    last_use: Timestamp,
    size: u64,
    /// Which of the partition's entries.
    pub(super) index: u32,
    unused: bool,
}

impl Rank {
    /// Unused entries first, whatever their scores; then the lowest score; then [`crate::policy::order::least_recent`].
    pub(super) fn order(&self, other: &Self) -> Ordering {
        (other.unused.cmp(&self.unused))
            .then(self.score.total_cmp(&other.score))
            .then(self.last_use.cmp(&other.last_use))
            .then(other.size.cmp(&self.size))
            .then(self.index.cmp(&other.index))
    }
}

/// The entries in the order in which the host would let them go.
pub(super) fn by_host(entries: &[Live], unused: &dyn Fn(&Key) -> bool) -> Vec<Rank> {
    let rank = |(index, live): (usize, &Live)| Rank {
        score: 0.0,
        last_use: live.last_use,
        size: live.candidate(false).size,
        index: index as u32,
        unused: unused(&live.record.key),
    };
    let mut ranks: Vec<_> = entries.iter().enumerate().map(rank).collect();
    ranks.sort_unstable_by(Rank::order);
    ranks
}

/// Orders them as a policy says. If it is at fault they stay as they are.
pub(super) fn by_policy(
    ranks: &mut [Rank],
    entries: &[Live],
    policy: &dyn Eviction,
    now: Timestamp,
    budget: Budget,
) -> Result<(), PolicyFaultKind> {
    let candidates = ranks.iter().map(|rank| entries[rank.index as usize].candidate(rank.unused));
    let scores = score::scores(policy, now, budget, candidates)?;
    for (rank, score) in ranks.iter_mut().zip(scores) {
        rank.score = score;
    }
    ranks.sort_unstable_by(Rank::order);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Candidate, order};

    /// Ranks are smaller than candidates but must not be wiser.
    #[test]
    fn ranks_are_ordered_as_the_order_of_the_host_says() {
        let mut all = Vec::new();
        for bits in 0..16_u32 {
            let (unused, score) = (bits & 1 == 1, f64::from(bits >> 1 & 1));
            let (last_use, size) = (Timestamp(u64::from(bits >> 2 & 1)), u64::from(bits >> 3 & 1));
            let created = Timestamp(0);
            let candidate = Candidate { size, files: 1, created, last_use, uses: 0, cost: 0, unused };
            all.push((Rank { score, last_use, size, index: 0, unused }, candidate));
        }
        for (a, one) in &all {
            for (b, other) in &all {
                let unused_first = other.unused.cmp(&one.unused);
                let expected = unused_first.then(order::by_score((a.score, one), (b.score, other)));
                assert_eq!(a.order(b), expected, "{a:?} {b:?}");
            }
        }
    }
}
