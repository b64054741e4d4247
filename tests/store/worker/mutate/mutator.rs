//! Ways to change bytes.

use tests::dice::Dice;
use tests::header;

/// Numbers where arithmetic goes wrong.
const NUMBERS: [u64; 15] = [
    0,
    1,
    2,
    3,
    48,
    49,
    255,
    65_535,
    65_536,
    0x7fff_ffff,
    0xffff_ffff,
    0xffff_fff0,
    1 << 62,
    u64::MAX >> 1,
    u64::MAX,
];
/// What a path must not hold, and what it may.
const PARTS: [&[u8]; 10] = [b"../", b"/", b"//", b"\0", b".", b"..", b"/..", b"a", b"\n", b"\xff"];

/// Changes bytes a few times, each time in one of many ways; `others` are spliced in.
pub(crate) fn mutated(dice: &mut Dice, seeds: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = seeds[dice.below(seeds.len())].clone();
    for _ in 0..=dice.below(3) {
        if bytes.is_empty() {
            break;
        }
        // Half of the changes lie in the front, where lengths are.
        let end = if dice.once_in(2) { bytes.len() } else { bytes.len().min(400) };
        let at = dice.below(end);
        match dice.below(9) {
            0 => bytes[at] ^= 1 << dice.below(8),
            1 => bytes[at] = dice.bits() as u8,
            2 => bytes.truncate(at),
            3 => number(dice, &mut bytes, at, 4),
            4 => number(dice, &mut bytes, at, 8),
            5 => {
                let other = &seeds[dice.below(seeds.len())];
                let from = dice.below(other.len().max(1));
                bytes.truncate(at);
                bytes.extend(&other[from.min(other.len())..]);
            }
            6 => {
                let part = dice.one(&PARTS);
                let end = bytes.len().min(at + part.len());
                bytes[at..end].copy_from_slice(&part[..end - at]);
            }
            7 => shift(dice, &mut bytes, at),
            _ => bytes.extend(vec![dice.bits() as u8; dice.below(100)]),
        }
    }
    bytes
}

/// Puts a number in, or moves the one that is there a little.
fn number(dice: &mut Dice, bytes: &mut [u8], at: usize, width: usize) {
    let Some(there) = bytes.get_mut(at..at + width) else { return };
    let number = if dice.once_in(3) {
        let mut old = [0; 8];
        old[..width].copy_from_slice(there);
        u64::from_le_bytes(old).wrapping_add(dice.below(9) as u64).wrapping_sub(4)
    } else {
        dice.one(&NUMBERS)
    };
    there.copy_from_slice(&number.to_le_bytes()[..width]);
}

/// Takes bytes away or puts some in, and moves the end of the header of an entry with them.
fn shift(dice: &mut Dice, bytes: &mut Vec<u8>, at: usize) {
    let end = header::header(bytes);
    let length = dice.below(60);
    if dice.once_in(2) {
        let after = bytes.len().min(at + length);
        bytes.drain(at..after);
        if let Some(end) = end.filter(|&end| after <= end) {
            header::set_header(bytes, end - (after - at));
        }
    } else {
        let part = dice.one(&PARTS).repeat(length);
        bytes.splice(at..at, part.iter().copied());
        if let Some(end) = end.filter(|&end| at <= end) {
            header::set_header(bytes, end + part.len());
        }
    }
}
