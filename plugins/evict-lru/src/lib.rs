//! Evicts what was not used for the longest time.
//!
//! What the caller holds for garbage goes before everything else, the least recently used first among that too. Times
//! whose scores are equal differ by a few microseconds at most; the host breaks such ties.
#![forbid(unsafe_code)]

use reviver_sdk::{Budget, Candidate, EvictionPlugin};

/// Least recently used first.
#[derive(Debug)]
pub struct LeastRecentlyUsed;

impl EvictionPlugin for LeastRecentlyUsed {
    fn score(_: u64, _: &Budget, candidate: &Candidate) -> f64 {
        // Every last use is at least 0, so garbage, from -2^64 on, is below all of them.
        const GARBAGE: f64 = -18_446_744_073_709_551_616.0;
        let last_use = candidate.last_use as f64;
        if candidate.unused { GARBAGE + last_use } else { last_use }
    }
}

reviver_sdk::export!(eviction: LeastRecentlyUsed);

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::TestHost;

    reviver_sdk::conformance!(eviction: LeastRecentlyUsed);

    fn score(last_use: u64, unused: bool) -> f64 {
        let candidate = Candidate { size: 1, files: 1, created: 0, last_use, uses: 1, cost: 0, unused };
        let budget = Budget { limit: 1, used: 2, entries: 1 };
        TestHost::new().score::<LeastRecentlyUsed>(0, &budget, &[candidate])[0]
    }

    #[test]
    fn older_goes_first_and_garbage_before_everything() {
        let now = 1_800_000_000_000_000_000;
        let order =
            [score(0, true), score(now, true), score(0, false), score(now, false), score(now + 5_000, false)];
        assert!(order.is_sorted_by(|one, next| one < next), "{order:?}");
        assert!(score(now, true) < score(now + 5_000, true));
        assert!(score(u64::MAX, true) <= score(0, false));
    }
}
