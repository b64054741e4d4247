//! A sum over what the cache keeps for itself, against disks and crashes.
//!
//! A digest would take longer than everything else that loading an artefact takes together, and would keep nobody out either:
//! who may write the artefact may write the digest. The same holds for lists and remembered answers.
//!
//! ```text
//! words     w0 w1 w2 w3 w4 w5 w6 w7 | w8 …          little-endian, the last block filled with zeros
//! lanes     l0 l1 l2 l3 l4 l5 l6 l7                 l = (l ^ w) · odd, rotated
//! sum       l0 ⋄ l4, l1 ⋄ l5, l2 ⋄ l6, l3 ⋄ l7      32 bytes; the length is a word of its own in the end
//! ```
//!
//! Laws:
//! - Every step is a bijection of its lane for a given word and of the word for a given lane. So a change within one
//!   word always shows, and any other is missed once in 2^64 times at the most.
//! - Bytes may come in pieces of any size; the sum is that of the whole.

use std::io::{self, Read};

const LANES: usize = 8;
const BLOCK: usize = LANES * 8;

/// Odd numbers without a pattern, from the fractional parts of the square roots of the first primes.
const SEEDS: [u64; LANES] = [
    0x6a09_e667_f3bc_c909,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];
const ODD: u64 = 0x9e37_79b9_7f4a_7c15;

/// What is read at once: it stays in the core's nearest cache, and on the stack.
const PIECE: usize = 16 << 10;

/// The sum of bytes.
pub(crate) fn of(bytes: &[u8]) -> [u8; 32] {
    let mut lanes = SEEDS;
    let whole = bytes.len() / BLOCK * BLOCK;
    add(&mut lanes, &bytes[..whole]);
    let mut last = [0; BLOCK];
    last[..bytes.len() - whole].copy_from_slice(&bytes[whole..]);
    add(&mut lanes, &last);
    finish(lanes, bytes.len() as u64)
}

/// The sum and the length of all that `reader` still holds. Errors are the reader's.
pub(crate) fn of_reader(reader: &mut impl Read) -> io::Result<([u8; 32], u64)> {
    let mut lanes = SEEDS;
    let mut length = 0_u64;
    let mut piece = [0; PIECE];
    loop {
        let filled = fill(reader, &mut piece)?;
        length += filled as u64;
        let whole = filled / BLOCK * BLOCK;
        add(&mut lanes, &piece[..whole]);
        if filled < PIECE {
            let mut last = [0; BLOCK];
            last[..filled - whole].copy_from_slice(&piece[whole..filled]);
            add(&mut lanes, &last);
            return Ok((finish(lanes, length), length));
        }
    }
}

fn fill(reader: &mut impl Read, piece: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < piece.len() {
        match reader.read(&mut piece[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

fn add(lanes: &mut [u64; LANES], blocks: &[u8]) {
    for block in blocks.as_chunks::<BLOCK>().0 {
        for (lane, word) in lanes.iter_mut().zip(block.as_chunks::<8>().0) {
            *lane = step(*lane, u64::from_le_bytes(*word));
        }
    }
}

const fn step(lane: u64, word: u64) -> u64 {
    (lane ^ word).wrapping_mul(ODD).rotate_left(29)
}

fn finish(lanes: [u64; LANES], length: u64) -> [u8; 32] {
    let mut sum = [0; 32];
    for (at, part) in sum.as_chunks_mut::<8>().0.iter_mut().enumerate() {
        let pair = step(lanes[at], length).wrapping_add(step(lanes[at + 4], ODD));
        *part = step(pair, pair >> 32).to_le_bytes();
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at.wrapping_mul(0x9e37_79b9) >> 13) as u8).collect()
    }

    #[test]
    fn every_flipped_bit_shows() {
        let bytes = bytes(1000);
        let sum = of(&bytes);
        for bit in 0..8 * bytes.len() {
            let mut other = bytes.clone();
            other[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(of(&other), sum, "bit {bit}");
        }
    }

    #[test]
    fn every_length_has_its_own_sum_also_of_zeros() {
        let zeros = vec![0; 3 * PIECE];
        let lengths = (0..300).chain([PIECE - 1, PIECE, PIECE + 1, 2 * PIECE, 3 * PIECE]);
        let sums: std::collections::HashSet<_> = lengths.map(|length| of(&zeros[..length])).collect();
        assert_eq!(sums.len(), 305);
    }

    #[test]
    fn words_that_change_places_show() {
        let bytes = bytes(2 * PIECE);
        let sum = of(&bytes);
        for (one, other) in [(0, 8), (0, 64), (8, 72), (64, PIECE), (32, PIECE + 96)] {
            let mut swapped = bytes.clone();
            for at in 0..8 {
                swapped.swap(one + at, other + at);
            }
            assert_ne!(of(&swapped), sum, "{one} and {other}");
        }
    }

    #[test]
    fn pieces_make_no_difference() {
        struct Drops<'a>(&'a [u8]);
        impl Read for Drops<'_> {
            fn read(&mut self, to: &mut [u8]) -> io::Result<usize> {
                let most = to.len().min(7);
                self.0.read(&mut to[..most])
            }
        }
        let bytes = bytes(2 * PIECE + 77);
        assert_eq!(of_reader(&mut Drops(&bytes)).unwrap(), (of(&bytes), bytes.len() as u64));
    }
}
