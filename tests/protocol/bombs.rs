//! Little that asks for much: each bomb goes off in a process of its own, which tells its own peak.

use crate::weight::weight;
use anyhow::{Context as _, Result, bail, ensure};
use reviver::protocol::dune::Command as Message;
use reviver::protocol::{Limits, ParseError, Parser, Sexp, Version};
use std::fs;
use std::process::Command;
use std::thread;

/// Names the bomb for the child.
const BOMB: &str = "REVIVER_TEST_BOMB";
/// What the child is besides what it parses.
const PROCESS: u64 = 16 << 20;

/// What is said, how often, and what comes of it.
type Bomb = (&'static str, &'static [u8], &'static [u8], Expected);

#[derive(Clone, Copy, PartialEq, Debug)]
enum Expected {
    TooLong,
    TooDeep,
    TooMuch,
    Whole,
    Nothing,
}

/// A beginning, what follows it without end, and what comes of it.
const BOMBS: [Bomb; 9] = [
    ("lists", b"(", b"()", Expected::TooMuch),
    ("atoms", b"(", b"1:a", Expected::TooMuch),
    ("empty-atoms", b"(", b"0:", Expected::TooMuch),
    ("small-lists", b"(", b"(1:a)", Expected::TooMuch),
    ("small-atoms", b"(", b"25:aaaaaaaaaaaaaaaaaaaaaaaaa", Expected::TooMuch),
    ("deep", b"", b"(", Expected::TooDeep),
    ("two-gigabytes", b"2147483647:", b"a", Expected::TooLong),
    ("largest", b"67108800:", b"a", Expected::Whole),
    ("zeros", b"", b"0", Expected::Nothing),
];

#[test]
fn what_a_peer_says_takes_no_more_memory_than_the_limits() -> Result<()> {
    let allowed = 2 * Limits::SESSION.value as u64 + PROCESS;
    for (name, ..) in BOMBS {
        let peak = peak_of(name)?;
        ensure!(peak < allowed, "{name}: {} MiB", peak >> 20);
    }
    for small in ["deep", "two-gigabytes", "zeros"] {
        let peak = peak_of(small)?;
        ensure!(peak < PROCESS, "{small}: {} MiB", peak >> 20);
    }
    Ok(())
}

/// A list where a key ought to be was once told to the log as a whole, escaped: four times what the peer had said.
#[test]
fn what_is_no_message_is_told_in_few_words() -> Result<()> {
    let peak = peak_of("wrong-key")?;
    ensure!(peak < 2 * Limits::SESSION.value as u64 + PROCESS, "{} MiB", peak >> 20);
    Ok(())
}

/// What the child does.
#[test]
#[ignore = "a part of the others, which need a process of their own"]
#[allow(clippy::print_stdout, reason = "what the parent reads")]
fn goes_off() -> Result<()> {
    let name = std::env::var(BOMB).context("run by the others")?;
    if name == "wrong-key" {
        wrong_key()?;
    } else {
        let bomb = BOMBS.into_iter().find(|(named, ..)| *named == name);
        go_off(bomb.context("a bomb of that name")?)?;
    }
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
    println!("peak {} bytes", peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024);
    Ok(())
}

fn go_off((name, beginning, rest, expected): Bomb) -> Result<()> {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(beginning);
    let part = rest.repeat((64 << 10) / rest.len());
    let mut end = Expected::Nothing;
    for _ in 0..4 * Limits::SESSION.value / part.len() {
        parser.feed(&part);
        match parser.next() {
            Ok(None) => {}
            Ok(Some(value)) => {
                ensure!(weight(&value) <= Limits::SESSION.value, "{name}: {}", weight(&value));
                end = Expected::Whole;
                break;
            }
            Err(error) => {
                end = match error {
                    ParseError::Atom { .. } => Expected::TooLong,
                    ParseError::Depth { .. } => Expected::TooDeep,
                    ParseError::Value { .. } => Expected::TooMuch,
                    error => bail!("{name}: {error}"),
                }
            }
        }
    }
    ensure!(end == expected, "{name}: {end:?}");
    Ok(())
}

/// A promotion whose key is a list of nearly all that a peer may say.
fn wrong_key() -> Result<()> {
    let key = Sexp::list([Sexp::Atom(vec![0; Limits::SESSION.value - (64 << 10)])]);
    let fields = ["key", "files", "metadata"].map(|name| match name {
        "key" => Sexp::named(name, [key.clone()]),
        "files" => Sexp::named(name, []),
        _ => Sexp::named(name, [Sexp::list([])]),
    });
    drop(key);
    let error = Message::from_sexp(&Sexp::named("promote", fields), Version::new(1, 2)).err();
    let told = error.context("a list is no key")?.to_string();
    ensure!(told.len() < 1_000, "{} bytes", told.len());
    Ok(())
}

fn peak_of(bomb: &str) -> Result<u64> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--exact", "bombs::goes_off", "--ignored", "--nocapture"]).env(BOMB, bomb);
    let output = child.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}");
    let peak =
        text.lines().find_map(|line| line.split_once("peak ")?.1.split(' ').next()?.parse::<u64>().ok());
    eprintln!("{bomb}: {} MiB", peak.unwrap_or_default() >> 20);
    peak.context("the child tells no peak")
}

/// All that goes through a value level by level – writing, showing, comparing, dropping – stays within a small stack.
#[test]
fn the_deepest_value_needs_little_stack() -> Result<()> {
    let thread = thread::Builder::new().stack_size(64 << 10).spawn(|| {
        let depth = Limits::SESSION.depth;
        let mut parser = Parser::new(Limits::SESSION);
        parser.feed(&[b"(".repeat(depth), b")".repeat(depth)].concat());
        let value = parser.next().ok().flatten()?;
        let same = value.clone();
        let told = value.to_string().len() + value.to_bytes().len();
        Some(told == 4 * depth && same == value)
    })?;
    ensure!(thread.join().ok().flatten() == Some(true));
    Ok(())
}

/// A peer that is broken is asked nothing more, so what it says goes nowhere and stays nowhere.
#[test]
fn after_an_error_nothing_is_kept() -> Result<()> {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(b"x");
    ensure!(parser.next().is_err());
    parser.feed(b"(3:abc");
    ensure!(!parser.is_within(), "{parser:?}");
    Ok(())
}
