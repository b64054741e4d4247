//! What the laws are tried on: the same in every run.

use crate::{Candidate, Chunk, ExitStatus, Outcome, Stream};

/// A sequence of numbers.
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
    pub(super) fn number(&mut self) -> u64 {
        match self.below(8) {
            0 => 0,
            1 => u64::MAX,
            _ => self.next() >> self.below(64),
        }
    }

    /// Fewer bytes than `bound`.
    pub(super) fn bytes(&mut self, bound: usize) -> Vec<u8> {
        (0..self.below(bound)).map(|_| self.next() as u8).collect()
    }

    fn text(&mut self) -> String {
        const PIECES: [&str; 8] = ["", "a", "é", "\n", "\0", "host 0.1", "\"", "😀"];
        (0..self.below(4)).map(|_| PIECES[self.below(PIECES.len())]).collect()
    }

    /// Words and signs of depfiles and of lists, in no sensible order; now and then any bytes.
    pub(super) fn report(&mut self) -> Vec<u8> {
        const PIECES: [&str; 16] = [
            "a.o:",
            " ",
            "a.c",
            " \\\n",
            "\n",
            "b.h",
            "\\ ",
            "$$",
            ":",
            "\\",
            "#",
            "/usr/include/x.h",
            "\t",
            "{}",
            "\"",
            "é",
        ];
        if self.below(8) == 0 {
            return self.bytes(100);
        }
        (0..self.below(30)).flat_map(|_| PIECES[self.below(PIECES.len())].bytes()).collect()
    }

    pub(super) fn outcome(&mut self) -> Outcome {
        let number = self.number() as i32;
        Outcome {
            exit: if self.below(2) == 0 { ExitStatus::Code(number) } else { ExitStatus::Signal(number) },
            output: (0..self.below(5))
                .map(|_| {
                    let stream = [Stream::Stdout, Stream::Stderr, Stream::Both][self.below(3)];
                    let any = self.below(2) == 0;
                    Chunk::new(stream, if any { self.bytes(300) } else { self.text().into_bytes() })
                })
                .collect(),
            started: self.number(),
            duration: self.number(),
            notes: (0..self.below(4)).map(|_| (self.text(), self.text())).collect(),
        }
    }

    pub(super) fn candidate(&mut self) -> Candidate {
        Candidate {
            size: self.number(),
            files: self.number() as u32,
            created: self.number(),
            last_use: self.number(),
            uses: self.number(),
            cost: self.number(),
            unused: self.below(2) == 0,
        }
    }
}
