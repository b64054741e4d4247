//! Random values and messages: written, split anywhere, and read they are the same.

use crate::rounds::rounds;
use crate::weight::weight;
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::dune::{Command, Dedup, Duplication, FileDigest, Promotion, Repository, RuleKey};
use reviver::protocol::{Lang, Limits, ParseError, Parser, Sexp, Version};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use tests::dice::Dice;

const VERSIONS: [Version; 3] = [Version::new(1, 0), Version::new(1, 1), Version::new(1, 2)];

#[test]
fn values_are_read_as_they_were_written_wherever_their_bytes_are_split() -> Result<()> {
    rounds(3_000, |dice| {
        let values = several(dice, |dice| value(dice, 6));
        let bytes: Vec<u8> = values.iter().flat_map(Sexp::to_bytes).collect();
        let read = fed(&bytes, Limits::SESSION, || 1 + dice.below(9))?;
        ensure!(read == values, "{}", bytes.escape_ascii());
        ensure!(fed(&bytes, Limits::SESSION, || usize::MAX)? == values, "{}", bytes.escape_ascii());
        Ok(())
    })
}

#[test]
fn a_limit_holds_wherever_bytes_are_split() -> Result<()> {
    rounds(3_000, |dice| {
        let value = value(dice, 8);
        let bytes = value.to_bytes();
        let limits = Limits { atom: dice.below(40), depth: dice.below(8), value: dice.below(4_000) };
        let whole = fed(&bytes, limits, || usize::MAX);
        let parts = fed(&bytes, limits, || 1 + dice.below(5));
        ensure!(whole == parts, "{limits:?} {value}: {whole:?}, in parts {parts:?}");
        let fits = longest(&value) <= limits.atom && depth(&value) <= limits.depth;
        match whole {
            Ok(_) => ensure!(fits && weight(&value) <= limits.value, "{limits:?} {value}"),
            Err(ParseError::Atom { .. } | ParseError::Depth { .. }) => ensure!(!fits, "{limits:?} {value}"),
            Err(ParseError::Value { .. }) => {
                ensure!(cost(&value) > limits.value, "{limits:?} {value}");
            }
            Err(other) => anyhow::bail!("{limits:?} {value}: {other}"),
        }
        Ok(())
    })
}

#[test]
fn a_command_is_read_as_it_was_written_in_each_version_that_knows_it() -> Result<()> {
    rounds(3_000, |dice| {
        for version in VERSIONS {
            let command = command(dice, version);
            let value = command.to_sexp(version)?;
            let [read] = &*fed(&value.to_bytes(), Limits::SESSION, || 1 + dice.below(30))? else {
                anyhow::bail!("{value} is several")
            };
            let read = Command::from_sexp(read, version).with_context(|| format!("{version} {value}"))?;
            ensure!(read == command, "{version}: {command:?} became {read:?}");
        }
        Ok(())
    })
}

#[test]
fn a_dedup_is_read_as_it_was_written_in_each_version() -> Result<()> {
    rounds(1_000, |dice| {
        for version in VERSIONS {
            let place = if version.minor < 2 { path(dice) } else { PathBuf::new() };
            let dedup = Dedup { path: path(dice), place, digest: FileDigest::new(sixteen(dice)) };
            ensure!(Dedup::from_sexp(&dedup.to_sexp(version))? == dedup, "{version}: {dedup:?}");
        }
        Ok(())
    })
}

#[test]
fn a_greeting_is_read_as_it_was_written() -> Result<()> {
    rounds(1_000, |dice| {
        let versions = several(dice, |dice| Version::new(number(dice), number(dice)));
        let name = String::from_utf8_lossy(&bytes(dice)).into_owned();
        let lang = Lang { name, versions };
        ensure!(Lang::from_sexp(&lang.to_sexp())? == lang, "{lang:?}");
        Ok(())
    })
}

/// What version 1.0 does not know is not written to its peers, and hints neither before 1.2.
#[test]
fn an_older_peer_is_told_nothing_that_it_does_not_know() -> Result<()> {
    rounds(500, |dice| {
        let mut promotion = promotion(dice, Version::new(1, 2));
        promotion.duplication = Some(Duplication::Copy);
        let silent = Promotion { duplication: None, ..promotion.clone() };
        let [oldest, old, _] = VERSIONS;
        ensure!(promotion.to_sexp(oldest) == silent.to_sexp(oldest), "{promotion:?}");
        ensure!(promotion.to_sexp(old) != silent.to_sexp(old), "{promotion:?}");
        for version in [oldest, old] {
            let hint = Command::Hint(several(dice, |dice| RuleKey::new(sixteen(dice))));
            ensure!(hint.to_sexp(version).is_err(), "{version}");
            let said = hint.to_sexp(Version::new(1, 2))?;
            ensure!(Command::from_sexp(&said, version).is_err(), "{version}");
        }
        Ok(())
    })
}

/// All values of bytes that come in parts of these sizes.
pub(crate) fn fed(
    mut bytes: &[u8],
    limits: Limits,
    mut size: impl FnMut() -> usize,
) -> Result<Vec<Sexp>, ParseError> {
    let (mut parser, mut found) = (Parser::new(limits), Vec::new());
    while !bytes.is_empty() {
        let (part, rest) = bytes.split_at(size().min(bytes.len()));
        parser.feed(part);
        while let Some(value) = parser.next()? {
            found.push(value);
        }
        bytes = rest;
    }
    parser.finish()?;
    Ok(found)
}

/// A command that a peer of this version may send.
pub(crate) fn command(dice: &mut Dice, version: Version) -> Command {
    match dice.below(if version.minor < 2 { 4 } else { 5 }) {
        0 => Command::SetBuildRoot(path(dice)),
        1 => Command::SetCommonMetadata(several(dice, |dice| value(dice, 3))),
        2 => Command::SetRepos(several(dice, |dice| Repository {
            directory: path(dice),
            remote: bytes(dice),
            commit: bytes(dice),
        })),
        3 => Command::Promote(promotion(dice, version)),
        _ => Command::Hint(several(dice, |dice| RuleKey::new(sixteen(dice)))),
    }
}

fn promotion(dice: &mut Dice, version: Version) -> Promotion {
    let way = dice.one(&[None, Some(Duplication::Copy), Some(Duplication::Hardlink)]);
    Promotion {
        key: RuleKey::new(sixteen(dice)),
        files: several(dice, |dice| (path(dice), FileDigest::new(sixteen(dice)))),
        metadata: several(dice, |dice| value(dice, 3)),
        repository: dice.once_in(2).then(|| number(dice)),
        duplication: way.filter(|_| version.minor > 0),
    }
}

/// A value of at most so many lists within each other.
pub(crate) fn value(dice: &mut Dice, depth: usize) -> Sexp {
    if depth == 0 || dice.once_in(2) {
        Sexp::Atom(bytes(dice))
    } else {
        Sexp::List(several(dice, |dice| value(dice, depth - 1)))
    }
}

fn several<T>(dice: &mut Dice, mut one: impl FnMut(&mut Dice) -> T) -> Vec<T> {
    (0..dice.below(5)).map(|_| one(dice)).collect()
}

/// Any bytes: often none, often such as the format itself is made of.
fn bytes(dice: &mut Dice) -> Vec<u8> {
    let longest = dice.one(&[1, 4, 12, 12, 120, 1200]);
    let made_of_all = dice.once_in(2);
    let byte = |dice: &mut Dice| if made_of_all { dice.bits() as u8 } else { dice.one(b"()0123:/.-a\n\0") };
    (0..dice.below(longest)).map(|_| byte(dice)).collect()
}

fn path(dice: &mut Dice) -> PathBuf {
    PathBuf::from(OsStr::from_bytes(&bytes(dice)))
}

fn number(dice: &mut Dice) -> u64 {
    let all = dice.bits();
    dice.one(&[0, 1, all % 10, all, u64::MAX])
}

fn sixteen(dice: &mut Dice) -> [u8; 16] {
    [dice.bits().to_le_bytes(), dice.bits().to_le_bytes()]
        .concat()
        .try_into()
        .expect("eight and eight are sixteen")
}

fn longest(value: &Sexp) -> usize {
    match value {
        Sexp::Atom(bytes) => bytes.len(),
        Sexp::List(values) => values.iter().map(longest).max().unwrap_or(0),
    }
}

fn depth(value: &Sexp) -> usize {
    match value {
        Sexp::Atom(_) => 0,
        Sexp::List(values) => 1 + values.iter().map(depth).max().unwrap_or(0),
    }
}

fn cost(value: &Sexp) -> usize {
    Limits::NODE
        + match value {
            Sexp::Atom(bytes) => bytes.len(),
            Sexp::List(values) => values.iter().map(cost).sum(),
        }
}
