//! The eviction role: generated candidates, all together, one by one, and in another order.

use super::Subject;
use super::random::Random;
use super::verdict::{Law, Tally, Verdict};
use crate::policy::{Budget, Candidate, Eviction as _, Fault, FaultKind};
use crate::runtime::WasmEviction;
use crate::time::Timestamp;
use std::sync::Arc;

/// How many candidates are scored at each moment.
const ANY: usize = 2_700;

/// How many of them are scored by an instance of their own.
const ALONE: usize = 60;

struct Tallies {
    answers: Tally,
    same: Tally,
    reused: Tally,
    finite: Tally,
    batches: Tally,
}

/// Checks an eviction policy.
#[must_use]
pub fn eviction(subject: &Subject) -> Vec<Verdict> {
    let policy = WasmEviction::new(Arc::clone(&subject.runtime), subject.source.clone());
    let mut tallies = Tallies {
        answers: Tally::new(Law::Answers),
        same: Tally::new(Law::Same),
        reused: Tally::new(Law::Reused),
        finite: Tally::new(Law::Finite),
        batches: Tally::new(Law::Batches),
    };
    let mut random = Random::new();
    let candidates = random.candidates(ANY);
    for (now, budget) in random.moments() {
        tallies.moment(&policy, now, budget, &candidates, &mut random);
    }
    let Tallies { answers, same, reused, finite, batches } = tallies;
    [answers, same, reused, finite, batches].map(Tally::verdict).into()
}

impl Tallies {
    fn moment(
        &mut self,
        policy: &WasmEviction,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
        random: &mut Random,
    ) {
        let scores = match policy.score(now, budget, candidates) {
            Ok(scores) => scores,
            Err(fault) => return self.faulty(policy, now, budget, candidates, &fault),
        };
        self.answers.test(None);
        self.finite.test(None);
        let fuel = policy.usage().fuel;
        let again = policy.score(now, budget, candidates);
        let other = again.as_ref().map_or(Some(0), |again| differing(&scores, again));
        self.same.test(other.map(|at| told("scored twice", at, candidates, now)));
        let used = policy.usage().fuel;
        self.same.test((used != fuel).then(|| format!("scoring the same uses {fuel} fuel, then {used}")));

        // The latter candidates of a turn are scored by an instance that scored before.
        for size in [1, 2, 1000] {
            let found = policy.score_in_batches(now, budget, candidates, size).map_or_else(
                |fault| Some(fault.to_string()),
                |scores_then| {
                    let at = differing(&scores, &scores_then)?;
                    Some(told(&format!("in batches of {size} by one instance"), at, candidates, now))
                },
            );
            self.reused.test(found);
        }
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        random.shuffle(&mut order);
        let permuted: Vec<_> = order.iter().map(|at| candidates[*at]).collect();
        let expected: Vec<_> = order.iter().map(|at| scores[*at]).collect();
        let found = match policy.score(now, budget, &permuted) {
            Ok(then) => differing(&expected, &then).map(|at| told("in another order", at, &permuted, now)),
            Err(fault) => Some(fault.to_string()),
        };
        self.batches.test(found);
        for at in order.into_iter().take(ALONE) {
            let found = match policy.score(now, budget, &candidates[at..=at]) {
                Ok(then) => differing(&scores[at..=at], &then).map(|_| told("alone", at, candidates, now)),
                Err(fault) => Some(fault.to_string()),
            };
            self.batches.test(found);
        }
    }

    /// Which candidate a policy is at fault for.
    fn faulty(
        &mut self,
        policy: &WasmEviction,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
        fault: &Fault,
    ) {
        let alone = |candidate: &Candidate| policy.score(now, budget, std::slice::from_ref(candidate)).err();
        let guilty = candidates.iter().find_map(|candidate| Some((candidate, alone(candidate)?)));
        let found = match guilty {
            Some((candidate, fault)) => format!("at {candidate:?}, {now:?}, {budget:?}: {fault}"),
            None => format!("at {} candidates together, {now:?}, {budget:?}: {fault}", candidates.len()),
        };
        match fault.kind {
            FaultKind::Protocol(_) => self.finite.test(Some(found)),
            _ => self.answers.test(Some(found)),
        }
    }
}

/// Where two lists of scores differ in a bit.
fn differing(scores: &[f64], others: &[f64]) -> Option<usize> {
    if scores.len() != others.len() {
        return Some(0);
    }
    scores.iter().zip(others).position(|(score, other)| score.to_bits() != other.to_bits())
}

fn told(how: &str, at: usize, candidates: &[Candidate], now: Timestamp) -> String {
    format!("{how}, {:?} at {} has another score", candidates[at], now.0)
}
