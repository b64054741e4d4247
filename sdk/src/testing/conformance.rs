//! The laws of the roles, each as a function that panics where it is broken.

use std::collections::BTreeSet;

use super::TestHost;
use crate::{
    Budget, Candidate, Chunk, Derivation, EvictionPlugin, ExitStatus, KeyPlugin, MetadataPlugin, Operation,
    Outcome, REPORT, Stream,
};

/// What `P` derives for `operation`, which must not be refused.
///
/// Laws: the same question gets the same answer; the label is one line and not empty; the labels of writes are unique,
/// not empty and without `/`; the report is [`REPORT`] or the label of a write; arguments that hold [`REPORT`] come
/// with that report.
#[allow(clippy::must_use_candidate, reason = "the check alone is a use")]
pub fn key<P: KeyPlugin>(host: &TestHost, operation: &Operation) -> Derivation {
    let derive = || host.run(|| P::derive(operation));
    let derivation = match derive() {
        Ok(derivation) => derivation,
        Err(refusal) => panic!("{:?} is refused: {}", operation.argv, refusal.reason()),
    };
    assert_eq!(derive().as_ref(), Ok(&derivation), "the same question gets the same answer");
    assert!(!derivation.label.is_empty() && !derivation.label.contains('\n'), "the label is one line");
    let mut labels = BTreeSet::new();
    for write in &derivation.writes {
        assert!(!write.label.is_empty() && !write.label.contains('/'), "write label `{}`", write.label);
        assert!(labels.insert(&*write.label), "write label `{}` is there twice", write.label);
    }
    if let Some(report) = &derivation.report {
        assert!(report == REPORT || labels.contains(&**report), "the report `{report}` is no write");
    }
    let asked = derivation.arguments.iter().flatten().any(|argument| argument.contains(REPORT));
    assert!(!asked || derivation.report.as_deref() == Some(REPORT), "arguments ask for an unused report");
    derivation
}

/// Checks `P` on some thousand outcomes, and on what is no outcome.
///
/// Laws: what was encoded is decoded as it was – notes and times included unless `exact` is false –; the same outcome is
/// encoded to the same bytes; no bytes whatsoever make decoding panic.
pub fn metadata<P: MetadataPlugin>(exact: bool) {
    let mut random = Random(0x5eed);
    for round in 0..2000 {
        let outcome = random.outcome();
        let hunk = P::encode(&outcome).unwrap_or_else(|reason| panic!("round {round}: {reason}"));
        assert_eq!(P::encode(&outcome).as_ref(), Ok(&hunk), "round {round}: encoding is deterministic");
        let decoded = P::decode(&hunk).unwrap_or_else(|reason| panic!("round {round}: {reason}"));
        if exact {
            assert_eq!(decoded, outcome, "round {round}");
        } else {
            assert_eq!((decoded.exit, decoded.output), (outcome.exit, outcome.output), "round {round}");
        }
        // Neither answer is wrong here; a panic is.
        let mut damaged = hunk.clone();
        if let Some(byte) = damaged.get_mut(random.below(hunk.len().max(1))) {
            *byte ^= 1 << random.below(8);
        }
        drop(P::decode(&damaged));
        drop(P::decode(&hunk[..random.below(hunk.len() + 1)]));
    }
}

/// Checks `P` on some thousand candidates.
///
/// Laws: every score is finite, the same question gets the same answer.
pub fn eviction<P: EvictionPlugin>() {
    let mut random = Random(0x5eed);
    for _ in 0..2000 {
        let now = random.number();
        let budget = Budget { limit: random.number(), used: random.number(), entries: random.number() };
        let candidate = Candidate {
            size: random.number(),
            files: random.number() as u32,
            created: random.number(),
            last_use: random.number(),
            uses: random.number(),
            cost: random.number(),
            unused: random.below(2) == 0,
        };
        let score = P::score(now, &budget, &candidate);
        assert!(score.is_finite(), "{score} for {candidate:?} at {now} with {budget:?}");
        assert_eq!(score.to_bits(), P::score(now, &budget, &candidate).to_bits(), "{candidate:?}");
    }
}

/// A sequence of numbers that is the same in every run.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, bound: usize) -> usize {
        (self.next() % bound as u64) as usize
    }

    /// Numbers of every magnitude, the ends of the range among them.
    fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            _ => self.next() >> self.below(64),
        }
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 8] = ["", "a", "é", "\n", "\0", "host 0.1", "\"", "😀"];
        (0..self.below(4)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    fn outcome(&mut self) -> Outcome {
        let number = self.number() as i32;
        Outcome {
            exit: if self.below(2) == 0 { ExitStatus::Code(number) } else { ExitStatus::Signal(number) },
            output: (0..self.below(5))
                .map(|_| {
                    let stream = [Stream::Stdout, Stream::Stderr, Stream::Both][self.below(3)];
                    let length = self.below(300);
                    Chunk::new(stream, (0..length).map(|_| self.next() as u8).collect::<Vec<_>>())
                })
                .collect(),
            started: self.number(),
            duration: self.number(),
            notes: (0..self.below(4)).map(|_| (self.text(), self.text())).collect(),
        }
    }
}
