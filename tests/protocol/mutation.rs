//! Transcripts of real sessions with damage, and bytes that nobody wrote.
//!
//! * No reader panics, and no value that comes out weighs more than the limits allow.
//! * What is understood is written and read as the same again.
//! * Where the bytes were split makes no difference.

use crate::rounds::rounds;
use crate::values::{command, fed, value};
use crate::weight::weight;
use crate::{transcript, transcript::Transcript};
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::dune::{Command, Dedup};
use reviver::protocol::{Lang, Limits, Parser, Sexp, Version};
use std::cell::Cell;
use tests::dice::Dice;

#[test]
fn a_damaged_transcript_is_refused_or_understood() -> Result<()> {
    let transcripts = transcript::all()?;
    let understood = Cell::new(0_u64);
    rounds(3_000, |dice| {
        let Transcript { name, version, from_client, from_daemon } =
            &transcripts[dice.below(transcripts.len())];
        let mut bytes = if dice.once_in(4) { from_daemon.clone() } else { from_client.clone() };
        for _ in 0..1 + dice.below(3) {
            damage(dice, &mut bytes);
        }
        understood.set(understood.get() + holds(dice, &bytes, *version).with_context(|| name.clone())?);
        Ok(())
    })?;
    // Damage that nothing is understood after would try nothing.
    ensure!(understood.get() > 1_000, "{} messages understood", understood.get());
    Ok(())
}

#[test]
fn a_damaged_message_is_refused_or_understood() -> Result<()> {
    rounds(3_000, |dice| {
        let version = Version::new(1, dice.below(3) as u64);
        let mut message = command(dice, version).to_sexp(version)?;
        // Within the tree, so that the bytes stay values and the reader of messages has its turn.
        change(dice, &mut message);
        holds(dice, &message.to_bytes(), version).map(drop)
    })
}

#[test]
fn bytes_that_nobody_wrote_are_refused_or_understood() -> Result<()> {
    rounds(5_000, |dice| {
        let alphabets: [&[u8]; 3] = [b"()0123456789:", b"(((()))0:1:a3:key", b"\x00\xff(9:)"];
        let alphabet = dice.one(&alphabets);
        let all = dice.once_in(4);
        let byte = |dice: &mut Dice| if all { dice.bits() as u8 } else { dice.one(alphabet) };
        let bytes: Vec<u8> = (0..dice.below(300)).map(|_| byte(dice)).collect();
        holds(dice, &bytes, Version::new(1, 2)).map(drop)
    })
}

/// What must hold of any bytes. Gives how many messages were understood.
fn holds(dice: &mut Dice, bytes: &[u8], version: Version) -> Result<u64> {
    let mut understood = 0;
    for limits in [Limits::SESSION, Limits::GREETING] {
        let mut parser = Parser::new(limits);
        parser.feed(bytes);
        let mut whole = Vec::new();
        let end = loop {
            match parser.next() {
                Ok(Some(value)) => whole.push(value),
                Ok(None) => break parser.finish(),
                Err(error) => break Err(error),
            }
        };
        for value in &whole {
            ensure!(weight(value) <= limits.value, "{} bytes: {value}", weight(value));
            ensure!(fed(&value.to_bytes(), limits, || usize::MAX)? == [value.clone()], "{value}");
            understood += u64::from(is_stable(value, version)?);
        }
        let parts = fed(bytes, limits, || 1 + dice.below(100));
        ensure!(parts == end.map(|()| whole), "{}", bytes.escape_ascii());
    }
    Ok(understood)
}

/// Whether a value is a message. If so, what is written of it is read as the same.
fn is_stable(value: &Sexp, version: Version) -> Result<bool> {
    // What is made for people of anything must come to an end as well.
    ensure!(!value.to_string().is_empty());
    if let Ok(lang) = Lang::from_sexp(value) {
        ensure!(Lang::from_sexp(&lang.to_sexp())? == lang, "{value}");
        // Nobody's greeting may end a settlement, and what comes of it is spoken by both.
        let ours = Lang { name: Lang::DUNE.to_owned(), versions: vec![Version::new(1, 2)] };
        if let Ok(settled) = ours.settle(&lang) {
            ensure!(settled.major == 1 && settled.minor <= 2, "{value}: {settled}");
        }
        return Ok(true);
    }
    if let Ok(dedup) = Dedup::from_sexp(value) {
        let oldest = Version::new(1, 0);
        ensure!(Dedup::from_sexp(&dedup.to_sexp(oldest))? == dedup, "{value}");
        return Ok(true);
    }
    match Command::from_sexp(value, version) {
        Ok(mut command) => {
            if let Command::Promote(promotion) = &mut command
                && version.minor == 0
            {
                // It is read in 1.0 and not written there.
                promotion.duplication = None;
            }
            let written = command.to_sexp(version)?;
            ensure!(Command::from_sexp(&written, version)? == command, "{value} became {written}");
            Ok(true)
        }
        Err(error) => {
            let text = error.to_string();
            ensure!(text.len() < 1_000, "a line of a log has {} bytes", text.len());
            Ok(false)
        }
    }
}

/// Turns a bit, cuts, inserts, repeats, or swaps two tokens.
fn damage(dice: &mut Dice, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let (at, other) = (dice.below(bytes.len()), dice.below(bytes.len()));
    match dice.below(7) {
        0 => bytes[at] ^= 1 << dice.below(8),
        1 => bytes.truncate(at),
        2 => drop(bytes.drain(at..(at + dice.below(40)).min(bytes.len()))),
        3 => bytes.insert(at, dice.one(b"()0123456789:\n ")),
        4 => {
            let part = bytes[at..(at + dice.below(200)).min(bytes.len())].to_vec();
            bytes.splice(other..other, part);
        }
        5 => {
            let number = dice.one(&["0", "00000000", "4294967296", "18446744073709551616", "2147483647"]);
            bytes.splice(at..at, number.bytes());
        }
        _ => {
            let (one, two) = (token(bytes, at), token(bytes, other));
            if one.end <= two.start {
                let (first, second) = (bytes[one.clone()].to_vec(), bytes[two.clone()].to_vec());
                bytes.splice(two, first);
                bytes.splice(one, second);
            }
        }
    }
}

/// The bracket at a position, or the run of others around it.
fn token(bytes: &[u8], at: usize) -> std::ops::Range<usize> {
    let is_bracket = |byte: &u8| b"()".contains(byte);
    if is_bracket(&bytes[at]) {
        return at..at + 1;
    }
    let start = bytes[..at].iter().rposition(is_bracket).map_or(0, |bracket| bracket + 1);
    let end = bytes[at..].iter().position(is_bracket).map_or(bytes.len(), |bracket| at + bracket);
    start..end
}

/// Changes one thing somewhere in a value.
fn change(dice: &mut Dice, value: &mut Sexp) {
    match value {
        Sexp::List(values) if !values.is_empty() && !dice.once_in(4) => {
            let at = dice.below(values.len());
            change(dice, &mut values[at]);
        }
        Sexp::List(values) if !values.is_empty() => {
            let (at, other) = (dice.below(values.len()), dice.below(values.len()));
            match dice.below(4) {
                0 => drop(values.remove(at)),
                1 => values.swap(at, other),
                2 => values.insert(at, values[other].clone()),
                _ => values[at] = self::value(dice, 2),
            }
        }
        Sexp::Atom(bytes) if !dice.once_in(4) => damage(dice, bytes),
        _ => *value = self::value(dice, 2),
    }
}
