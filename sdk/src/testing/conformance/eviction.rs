//! The laws of eviction plugins, on generated candidates.

use super::random::Random;
use crate::testing::TestHost;
use crate::{Budget, Candidate, EvictionPlugin};

/// How many batches each law is tried on.
const BATCHES: usize = 100;

fn each<P: EvictionPlugin>(law: impl Fn(u64, &Budget, &[Candidate], &[f64])) {
    let (host, mut random) = (TestHost::new(), Random::new());
    for _ in 0..BATCHES {
        let now = random.number();
        let budget = Budget { limit: random.number(), used: random.number(), entries: random.number() };
        let count = 1 + random.below(40);
        let candidates: Vec<_> = (0..count).map(|_| random.candidate()).collect();
        let scores = host.score::<P>(now, &budget, &candidates);
        law(now, &budget, &candidates, &scores);
    }
}

fn bits(scores: &[f64]) -> Vec<u64> {
    scores.iter().map(|score| score.to_bits()).collect()
}

/// Every score is a finite number, whatever the numbers that it is made of.
pub fn scores_are_finite<P: EvictionPlugin>() {
    each::<P>(|_, _, _, scores| assert!(scores.iter().all(|score| score.is_finite())));
}

/// A score depends on nothing but its candidate, the time and the budget.
pub fn the_same_question_gets_the_same_answer<P: EvictionPlugin>() {
    each::<P>(|now, budget, candidates, scores| {
        let again = TestHost::new().score::<P>(now, budget, candidates);
        assert_eq!(bits(&again), bits(scores), "{candidates:?} at {now} with {budget:?}");
    });
}

/// Candidates may come alone, or in another order.
pub fn scores_do_not_depend_on_their_batch<P: EvictionPlugin>() {
    each::<P>(|now, budget, candidates, scores| {
        let host = TestHost::new();
        let turned: Vec<_> = candidates.iter().rev().copied().collect();
        let mut again = host.score::<P>(now, budget, &turned);
        again.reverse();
        assert_eq!(bits(&again), bits(scores), "in another order, at {now} with {budget:?}");
        for (candidate, score) in candidates.iter().zip(scores) {
            let alone = host.score::<P>(now, budget, std::slice::from_ref(candidate));
            assert_eq!(bits(&alone), [score.to_bits()], "{candidate:?} alone, at {now} with {budget:?}");
        }
    });
}
