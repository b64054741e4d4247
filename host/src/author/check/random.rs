//! Generated questions: the same ones in every check, with the ends of every range among them.

use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::policy::{Budget, Candidate};
use crate::time::Timestamp;

/// A sequence of numbers that is the same in every check.
#[derive(Debug)]
pub(super) struct Random(u64);

impl Random {
    pub(super) const fn new() -> Self {
        Self(0x5eed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    pub(super) fn below(&mut self, bound: usize) -> usize {
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

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.next() as u8).collect()
    }

    fn outcome(&mut self) -> Outcome {
        let number = self.number() as i32;
        Outcome {
            exit: if self.below(2) == 0 { Exit::Code(number) } else { Exit::Signal(number) },
            output: (0..self.below(5))
                .map(|_| {
                    let stream = [Stream::Stdout, Stream::Stderr, Stream::Both][self.below(3)];
                    let length = self.below(300);
                    Chunk { stream, bytes: self.bytes(length) }
                })
                .collect(),
            started: self.number(),
            duration: self.number(),
            notes: (0..self.below(4)).map(|_| (self.text(), self.text())).collect(),
        }
    }

    /// The outcome of a command that succeeded and said nothing.
    pub(super) const fn nothing() -> Outcome {
        Outcome { exit: Exit::Code(0), output: Vec::new(), started: 0, duration: 0, notes: Vec::new() }
    }

    /// Outcomes of every kind: each exit that a shell can see, each stream, nothing, a mebibyte, no UTF-8, many notes.
    pub(super) fn outcomes(&mut self) -> Vec<Outcome> {
        let nothing = Self::nothing();
        let exits = (0..256).map(Exit::Code).chain((1..65).map(Exit::Signal));
        let extremes = [Exit::Code(i32::MIN), Exit::Code(i32::MAX), Exit::Code(-1), Exit::Signal(i32::MIN)];
        let exits = exits.chain(extremes).map(|exit| Outcome { exit, ..nothing.clone() });
        let mut all: Vec<_> = exits.collect();
        for stream in [Stream::Stdout, Stream::Stderr, Stream::Both] {
            for bytes in [Vec::new(), b"\xff\xfe\0".to_vec(), b"hi\n".to_vec(), (0..=255).collect()] {
                all.push(Outcome { output: vec![Chunk { stream, bytes }], ..nothing.clone() });
            }
        }
        let large = Chunk { stream: Stream::Both, bytes: self.bytes(1 << 20) };
        all.push(Outcome { output: vec![large], ..nothing.clone() });
        let piece = |number: usize| {
            let stream = if number.is_multiple_of(2) { Stream::Stdout } else { Stream::Stderr };
            Chunk { stream, bytes: vec![b'x'; number % 3] }
        };
        all.push(Outcome { output: (0..1000).map(piece).collect(), ..nothing.clone() });
        for number in [1, 255, u64::from(u32::MAX), 1 << 53, (1 << 53) + 1, i64::MAX as u64, u64::MAX] {
            all.push(Outcome { started: number, duration: number, ..nothing.clone() });
        }
        let notes = (0..500).map(|number| (format!("name {number}"), self.text())).collect();
        all.push(Outcome { notes, ..nothing });
        all.extend((0..300).map(|_| self.outcome()));
        all
    }

    /// Candidates: every combination of zeros, ones and the greatest numbers, then any.
    pub(super) fn candidates(&mut self, any: usize) -> Vec<Candidate> {
        const ENDS: [u64; 3] = [0, 1, u64::MAX];
        let mut all = Vec::new();
        for combination in 0..3_usize.pow(6) * 2 {
            let end = |place: u32| ENDS[combination / 2 / 3_usize.pow(place) % 3];
            all.push(Candidate {
                size: end(0),
                files: end(1) as u32,
                created: Timestamp(end(2)),
                last_use: Timestamp(end(3)),
                uses: end(4),
                cost: end(5),
                unused: combination % 2 == 1,
            });
        }
        all.extend((0..any).map(|_| Candidate {
            size: self.number(),
            files: self.number() as u32,
            created: Timestamp(self.number()),
            last_use: Timestamp(self.number()),
            uses: self.number(),
            cost: self.number(),
            unused: self.below(2) == 0,
        }));
        all
    }

    /// Times and budgets that candidates are scored under, the ends of their ranges first.
    pub(super) fn moments(&mut self) -> Vec<(Timestamp, Budget)> {
        let ends =
            [0, 1, u64::MAX].map(|end| (Timestamp(end), Budget { limit: end, used: end, entries: end }));
        let mut all = ends.to_vec();
        all.push((
            Timestamp(1_800_000_000_000_000_000),
            Budget { limit: 1 << 30, used: 1 << 31, entries: 5000 },
        ));
        all.extend((0..4).map(|_| {
            let budget = Budget { limit: self.number(), used: self.number(), entries: self.number() };
            (Timestamp(self.number()), budget)
        }));
        all
    }

    /// The same things in another order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for last in (1..things.len()).rev() {
            things.swap(last, self.below(last + 1));
        }
    }
}
