//! The metadata role: generated outcomes to hunks and back, and hunks that are none.

use super::Subject;
use super::random::Random;
use super::verdict::{Law, Tally, Verdict};
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::policy::{Codec as _, Fault};
use crate::runtime::WasmCodec;
use std::fmt::Debug;
use std::sync::Arc;

/// Hunks up to this length are damaged in every way that one byte can be; longer ones by each bit, and to both ends.
const SMALL: usize = 64;

/// The most outcomes that an instance is kept alive for.
const TURN: usize = 400;

/// Outcomes with more output than this are not asked of an instance that is kept alive: its memory is never given back.
const LARGE: usize = 64 << 10;

struct Tallies {
    answers: Tally,
    same: Tally,
    reused: Tally,
    round_trip: Tally,
    damage: Tally,
}

/// Checks a codec.
#[must_use]
pub fn metadata(subject: &Subject) -> Vec<Verdict> {
    let codec = WasmCodec::new(Arc::clone(&subject.runtime), subject.source.clone());
    let mut tallies = Tallies {
        answers: Tally::new(Law::Answers),
        same: Tally::new(Law::Same),
        reused: Tally::new(Law::Reused),
        round_trip: Tally::new(Law::RoundTrip),
        damage: Tally::new(Law::Damage),
    };
    let mut random = Random::new();
    let outcomes = random.outcomes();
    let mut kept = Vec::new();
    for outcome in &outcomes {
        if let Some(hunk) = tallies.round_trip(&codec, outcome)
            && outcome.output.iter().map(|chunk| chunk.bytes.len()).sum::<usize>() < LARGE
        {
            kept.push((outcome.clone(), hunk));
        }
    }
    random.shuffle(&mut kept);
    kept.truncate(TURN);
    tallies.reused(&codec, &kept);
    for outcome in [Random::nothing(), small()] {
        match codec.encode(&outcome) {
            Ok(Ok(hunk)) => tallies.damage(&codec, &hunk),
            Ok(Err(why)) => tallies.damage.unchecked(format!("it refuses {}: {why}", shown(&outcome))),
            Err(fault) => tallies.damage.unchecked(fault.to_string()),
        }
    }
    let Tallies { answers, same, reused, round_trip, damage } = tallies;
    [answers, same, reused, round_trip, damage].map(Tally::verdict).into()
}

/// An outcome with a little of everything.
fn small() -> Outcome {
    let chunk = |stream, bytes: &[u8]| Chunk { stream, bytes: bytes.to_vec() };
    Outcome {
        exit: Exit::Code(3),
        output: vec![chunk(Stream::Stdout, b"a\xff"), chunk(Stream::Stderr, b"b\n")],
        started: 300,
        duration: 70_000,
        notes: vec![("n".to_owned(), "\u{e9}".to_owned())],
    }
}

impl Tallies {
    /// One outcome through fresh instances; its hunk, where there is one.
    fn round_trip(&mut self, codec: &WasmCodec, outcome: &Outcome) -> Option<Vec<u8>> {
        let encode = || (codec.encode(outcome), codec.usage().fuel);
        let (first, fuel) = encode();
        let (second, again) = encode();
        self.same.test(unlike("encoding", outcome, (&first, fuel), (&second, again)));
        let hunk = match first {
            Ok(Ok(hunk)) => hunk,
            Ok(Err(why)) => {
                let what = shown(outcome);
                self.round_trip.unchecked(format!("it refuses {what}, which is not recorded: {why}"));
                return None;
            }
            Err(fault) => {
                self.answers.test(Some(format!("at {}: {fault}", shown(outcome))));
                return None;
            }
        };
        self.answers.test(None);
        match codec.decode(&hunk) {
            Ok(Ok(decoded)) => {
                self.round_trip.test(lost(outcome, &decoded));
                if (decoded.started, decoded.duration) != (outcome.started, outcome.duration) {
                    self.round_trip.note("it does not keep when a run started and how long it took");
                }
                if decoded.notes != outcome.notes {
                    self.round_trip.note("it does not keep all notes");
                }
            }
            Ok(Err(why)) => {
                let what = shown(outcome);
                self.round_trip.test(Some(format!("it refuses the hunk that it made of {what}: {why}")));
            }
            Err(fault) => self.answers.test(Some(format!("at the hunk of {}: {fault}", shown(outcome)))),
        }
        Some(hunk)
    }

    /// One instance for all of them against fresh ones.
    fn reused(&mut self, codec: &WasmCodec, kept: &[(Outcome, Vec<u8>)]) {
        if kept.is_empty() {
            self.reused.unchecked("no outcome could be encoded");
            return;
        }
        let (outcomes, hunks): (Vec<_>, Vec<_>) = kept.iter().cloned().unzip();
        match codec.encode_in_turn(&outcomes) {
            Ok(answers) => {
                for ((outcome, hunk), answer) in kept.iter().zip(answers) {
                    let same = answer.as_ref() == Ok(hunk);
                    let what = || {
                        format!("an instance that encoded before makes another hunk of {}", shown(outcome))
                    };
                    self.reused.test((!same).then(what));
                }
            }
            Err(fault) => self.reused.test(Some(format!("an instance that encoded before: {fault}"))),
        }
        let fresh: Vec<_> = hunks.iter().map(|hunk| codec.decode(hunk).ok()).collect();
        match codec.decode_in_turn(&hunks) {
            Ok(answers) => {
                for (((outcome, _), fresh), answer) in kept.iter().zip(fresh).zip(answers) {
                    let what = || {
                        let what = shown(outcome);
                        format!("an instance that decoded before reads the hunk of {what} otherwise")
                    };
                    self.reused.test((fresh != Some(answer)).then(what));
                }
            }
            Err(fault) => self.reused.test(Some(format!("an instance that decoded before: {fault}"))),
        }
    }

    /// Every truncation of a hunk, and every damage of one byte of it.
    fn damage(&mut self, codec: &WasmCodec, hunk: &[u8]) {
        let ask = |damaged: &[u8], what: &dyn Fn() -> String| -> Option<String> {
            let fault: Box<Fault> = codec.decode(damaged).err()?;
            Some(format!("{} of {} bytes: {fault}", what(), hunk.len()))
        };
        for length in 0..hunk.len() {
            self.damage.test(ask(&hunk[..length], &|| format!("the first {length}")));
        }
        for at in 0..hunk.len() {
            let (was, mut damaged) = (hunk[at], hunk.to_vec());
            let every: Vec<u8> = if hunk.len() <= SMALL {
                (0..=255).collect()
            } else {
                (0..8).map(|bit| was ^ (1 << bit)).chain([0, 255]).collect()
            };
            for byte in every.into_iter().filter(|byte| *byte != was) {
                damaged[at] = byte;
                self.damage.test(ask(&damaged, &|| format!("byte {at} made {byte}")));
            }
        }
        self.damage.test(ask(&[hunk, &[0]].concat(), &|| "a byte behind the end".to_owned()));
    }
}

/// What a codec lost of an outcome that every hit must show.
fn lost(outcome: &Outcome, decoded: &Outcome) -> Option<String> {
    let what = shown(outcome);
    if decoded.exit != outcome.exit {
        return Some(format!("{what} comes back with {:?}", decoded.exit));
    }
    if decoded.output == outcome.output {
        return None;
    }
    let size = |outcome: &Outcome| outcome.output.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
    let (chunks, bytes) = (decoded.output.len(), size(decoded));
    Some(format!("{what} comes back with {chunks} pieces of output of {bytes} bytes, or in another order"))
}

/// How two fresh instances differ.
fn unlike<T: PartialEq + Debug>(
    what: &str,
    outcome: &Outcome,
    (one, fuel): (&Result<T, Box<Fault>>, u64),
    (other, again): (&Result<T, Box<Fault>>, u64),
) -> Option<String> {
    if one != other {
        return Some(format!("{what} {} twice gives two answers", shown(outcome)));
    }
    (fuel != again).then(|| format!("{what} {} uses {fuel} fuel, then {again}", shown(outcome)))
}

/// An outcome in a few words.
fn shown(outcome: &Outcome) -> String {
    let bytes: usize = outcome.output.iter().map(|chunk| chunk.bytes.len()).sum();
    let (exit, pieces, notes) = (outcome.exit, outcome.output.len(), outcome.notes.len());
    format!("an outcome ({exit:?}, {pieces} pieces of output of {bytes} bytes, {notes} notes)")
}
