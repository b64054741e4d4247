//! The order in which candidates go.
//!
//! A policy's scores decide first. What they leave open, and everything where the policy is at fault, the host decides:
//! unused entries go first, then those that were not used for longest, then the larger ones.

use super::Candidate;
use std::cmp::Ordering;

/// The host's own order: whichever goes first is less.
#[must_use]
pub fn least_recent(a: &Candidate, b: &Candidate) -> Ordering {
    b.unused.cmp(&a.unused).then(a.last_use.cmp(&b.last_use)).then(b.size.cmp(&a.size))
}

/// The order by scores, ties broken by [`least_recent`].
#[must_use]
pub fn by_score(a: (f64, &Candidate), b: (f64, &Candidate)) -> Ordering {
    a.0.total_cmp(&b.0).then_with(|| least_recent(a.1, b.1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    fn candidate(last_use: u64, size: u64, unused: bool) -> Candidate {
        let last_use = Timestamp(last_use);
        Candidate { size, files: 1, created: Timestamp(0), last_use, uses: 0, cost: 0, unused }
    }

    #[test]
    fn unused_then_old_then_large_go_first() {
        let (unused, old) = (candidate(9, 1, true), candidate(1, 1, false));
        let (large, small) = (candidate(5, 10, false), candidate(5, 1, false));
        let mut all = [small, large, old, unused];
        all.sort_by(least_recent);
        assert_eq!(all, [unused, old, large, small]);
    }

    #[test]
    fn a_score_outranks_the_order_of_the_host() {
        let (old, new) = (candidate(1, 1, true), candidate(2, 1, false));
        assert_eq!(by_score((1.0, &old), (0.5, &new)), Ordering::Greater);
        assert_eq!(by_score((1.0, &old), (1.0, &new)), Ordering::Less);
    }
}
