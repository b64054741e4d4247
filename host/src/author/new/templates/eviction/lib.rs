//! Keeps what saves the most time for the room that it takes: what took long to make, is small, and was used lately.
//!
//! The score is seconds of work per mebibyte, divided by the days since the last use. What is unused in its caller's eyes
//! goes before everything else. Make of it what your repository needs; the comments say what each part is for.
#![forbid(unsafe_code)]

use reviver_sdk::{Budget, Candidate, EvictionPlugin};

/// The plugin. It keeps nothing from one call to the next, so there is nothing in it.
#[derive(Debug)]
pub struct Dearest;

/// Nanoseconds in a second and in a day, and bytes in a mebibyte.
const SECOND: f64 = 1e9;
const DAY: f64 = 86_400.0 * SECOND;
const MEBIBYTE: f64 = 1_048_576.0;

impl EvictionPlugin for Dearest {
    // The lowest score goes first. Entries come in batches of any size and in any order, so that a score may depend on
    // nothing but the arguments.
    fn score(now: u64, _: &Budget, candidate: &Candidate) -> f64 {
        // No score may be infinite or no number at all: an empty entry has a size here, clocks go back, and nothing is
        // divided by less than 1.
        let size = candidate.size.max(4096) as f64 / MEBIBYTE;
        let days = now.saturating_sub(candidate.last_use) as f64 / DAY;
        // Every use of an entry saved its cost once.
        let saved = candidate.cost as f64 / SECOND * (1.0 + candidate.uses as f64);
        let worth = saved / size / (1.0 + days);
        // From -1 to 0, below all that is in use, and in the same order.
        if candidate.unused {
            -1.0 / (1.0 + worth)
        } else {
            worth
        }
    }
}

reviver_sdk::export!(eviction: Dearest);

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::TestHost;

    const NOW: u64 = 1_800_000_000_000_000_000;

    /// An entry of a mebibyte that took a second and was used just now.
    const ENTRY: Candidate = Candidate {
        size: 1 << 20,
        files: 1,
        created: NOW,
        last_use: NOW,
        uses: 1,
        cost: 1_000_000_000,
        unused: false,
    };

    fn score(candidate: Candidate) -> f64 {
        let budget = Budget {
            limit: 1,
            used: 2,
            entries: 1,
        };
        TestHost::new().score::<Dearest>(NOW, &budget, &[candidate])[0]
    }

    // One test for each law of the role.
    reviver_sdk::conformance!(eviction: Dearest);

    #[test]
    fn what_is_dear_small_and_used_stays_longer() {
        let usual = score(ENTRY);
        assert!(
            score(Candidate {
                cost: 2 * ENTRY.cost,
                ..ENTRY
            }) > usual
        );
        assert!(score(Candidate { uses: 9, ..ENTRY }) > usual);
        assert!(
            score(Candidate {
                size: 2 * ENTRY.size,
                ..ENTRY
            }) < usual
        );
        assert!(
            score(Candidate {
                last_use: NOW - 86_400_000_000_000,
                ..ENTRY
            }) < usual
        );
        assert_eq!(
            score(Candidate {
                last_use: NOW + 1,
                ..ENTRY
            }),
            usual
        );
    }

    #[test]
    fn what_is_unused_goes_before_everything() {
        let unused = Candidate {
            unused: true,
            ..ENTRY
        };
        let worthless = Candidate { cost: 0, ..ENTRY };
        assert!(score(unused) < score(worthless));
        assert!(score(Candidate { cost: 0, ..unused }) < score(unused));
    }
}
