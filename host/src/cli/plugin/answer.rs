//! An answer of a plugin, for people.

use crate::author::call::{Answer, Look, Question, Reply, hex};
use crate::cli::show;
use crate::operation::{Derivation, Ingredient, Input, Source};
use crate::outcome::{Exit, Outcome};
use crate::policy::FaultKind;
use crate::repository::size::ByteSize;
use crate::runtime::Limits;
use std::io::{self, IsTerminal as _, Write};

/// Whether faults are shown in red.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Colours(bool);

impl Colours {
    /// As the terminal and the user's environment want it.
    pub(super) fn of_this_terminal() -> Self {
        let set = |name| std::env::var_os(name).filter(|value| !value.is_empty());
        let forced = set("CLICOLOR_FORCE").is_some_and(|value| value != "0");
        let dumb = set("TERM").is_some_and(|value| value == "dumb");
        Self(set("NO_COLOR").is_none() && (forced || (!dumb && io::stdout().is_terminal())))
    }

    fn red(self, text: &str) -> String {
        if self.0 { format!("\x1b[31m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Tells an answer, what was looked at and logged, and what the call used of its limits.
pub(super) fn tell(
    question: &Question,
    answer: &Answer,
    limits: &Limits,
    colours: Colours,
    out: &mut impl Write,
) -> io::Result<()> {
    let function = question.asked.function();
    match &answer.reply {
        Reply::Fault(fault) => {
            writeln!(out, "{function}: {}", colours.red(&format!("FAULT: {}", clean(&fault.to_string()))))?;
        }
        Reply::Refused(refusal) => writeln!(out, "{function}: refused: {}", clean(refusal.reason()))?,
        Reply::Declined(why) => writeln!(out, "{function}: refused: {}", clean(why))?,
        Reply::Derivation(derivation) => {
            writeln!(out, "{function}: {}", clean(&derivation.label))?;
            tell_derivation(derivation, out)?;
        }
        Reply::Discovery(discovery) => {
            writeln!(out, "{function}:")?;
            tell_ingredients(&discovery.ingredients, out)?;
            for (label, bytes) in &discovery.produced {
                writeln!(out, "  produces  {}: {}", clean(label), front(bytes))?;
            }
            if let Some(why) = &discovery.uncacheable {
                writeln!(out, "  not to be recorded: {}", clean(why))?;
            }
        }
        Reply::Hunk(hunk) => writeln!(out, "{function}: {}", front(hunk))?,
        Reply::Outcome(outcome) => {
            writeln!(out, "{function}:")?;
            tell_outcome(outcome, out)?;
        }
        Reply::Scores(scores) => {
            writeln!(out, "{function}: {}", show::number(scores.len(), "score", "scores"))?;
            for (position, score) in scores.iter().enumerate() {
                writeln!(out, "  {position:<9} {score}")?;
            }
        }
    }
    for look in &answer.looks {
        let (what, place) = match look {
            Look::Variable(name) => ("variable", clean(name)),
            Look::Terminal => ("terminal", String::new()),
            Look::Read(path) => ("read", clean(path)),
            Look::Scan(path, needles) => {
                ("scan", format!("{} for {}", clean(path), clean(&needles.join(", "))))
            }
            Look::Query(arguments) => ("query", clean(&arguments.join(" "))),
        };
        writeln!(out, "{}", format!("looked at   {what:<10}{place}").trim_end())?;
    }
    for line in &answer.log {
        let level = line.level.name();
        writeln!(out, "logged      {level:<10}{}", clean(&line.message))?;
    }
    tell_usage(answer, limits, colours, out)
}

fn tell_derivation(derivation: &Derivation, out: &mut impl Write) -> io::Result<()> {
    tell_ingredients(&derivation.ingredients, out)?;
    for write in &derivation.writes {
        let kind = write.kind.name();
        let optional = if write.optional { ", which may be absent" } else { "" };
        writeln!(out, "  writes    {kind:<10}{}: {}{optional}", clean(&write.label), clean(&write.path))?;
    }
    let input = match derivation.input {
        Input::Unused => "not read",
        Input::Read => "an ingredient",
    };
    writeln!(out, "  stdin     {input}")?;
    match &derivation.arguments {
        None => writeln!(out, "  arguments as given")?,
        Some(arguments) => {
            writeln!(out, "  arguments replaced")?;
            for argument in arguments {
                writeln!(out, "            {}", clean(argument))?;
            }
        }
    }
    match &derivation.report {
        None => writeln!(out, "  report    none"),
        Some(report) => writeln!(out, "  report    {}", clean(report)),
    }
}

fn tell_ingredients(ingredients: &[Ingredient], out: &mut impl Write) -> io::Result<()> {
    let widest = ingredients.iter().map(|one| clean(&one.label).chars().count()).max().unwrap_or_default();
    for Ingredient { label, source } in ingredients {
        let place = match source {
            Source::Bytes(bytes) => front(bytes),
            other => clean(other.place()),
        };
        let (kind, label) = (source.kind(), clean(label));
        writeln!(out, "  {}", format!("{kind:<9} {label:<0$}  {place}", widest.min(40)).trim_end())?;
    }
    Ok(())
}

fn tell_outcome(outcome: &Outcome, out: &mut impl Write) -> io::Result<()> {
    match outcome.exit {
        Exit::Code(code) => writeln!(out, "  exit      status {code}")?,
        Exit::Signal(signal) => writeln!(out, "  exit      signal {signal}")?,
    }
    writeln!(out, "  started   {} ns after the epoch", outcome.started)?;
    writeln!(out, "  duration  {}", show::duration(outcome.duration))?;
    for chunk in &outcome.output {
        let stream = chunk.stream.name();
        writeln!(out, "  {stream:<9} {}", front(&chunk.bytes))?;
    }
    for (name, value) in &outcome.notes {
        writeln!(out, "  note      {}: {}", clean(name), clean(value))?;
    }
    Ok(())
}

fn tell_usage(answer: &Answer, limits: &Limits, colours: Colours, out: &mut impl Write) -> io::Result<()> {
    let usage = &answer.usage;
    let over = |code| match &answer.reply {
        Reply::Fault(fault) => fault.kind.code() == code,
        _ => false,
    };
    // An answer that is too large was measured no further than that it is.
    let output = match &answer.reply {
        Reply::Fault(fault) => match fault.kind {
            FaultKind::Output { size, .. } => size,
            _ => usage.output,
        },
        _ => usage.output,
    };
    let bytes = |number| ByteSize(number).to_string();
    let time = |nanoseconds: u64| format!("{:.3} ms", nanoseconds as f64 / 1e6);
    let most = u64::try_from(limits.time.as_nanos()).unwrap_or(u64::MAX);
    for (name, code, used, limit, unit) in [
        ("fuel", "limit.fuel", usage.fuel, limits.fuel, &grouped as &dyn Fn(u64) -> String),
        ("memory", "limit.memory", usage.memory, limits.memory, &bytes),
        ("output", "limit.output", output, limits.output, &bytes),
        ("time", "limit.time", answer.time, most, &time),
    ] {
        let share = if limit == 0 { 100.0 } else { used as f64 * 100.0 / limit as f64 };
        let line = format!("{name:<12}{} of {} ({share:.1} %)", unit(used), unit(limit));
        if over(code) {
            writeln!(out, "{}", colours.red(&format!("{line}  OVER THE LIMIT")))?;
        } else if share > 80.0 {
            writeln!(out, "{line}  near the limit")?;
        } else {
            writeln!(out, "{line}")?;
        }
    }
    Ok(())
}

/// A number with its digits in threes.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let threes: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    threes.join(" ")
}

fn clean(text: &str) -> String {
    show::path(text.as_bytes())
}

/// As much of some bytes as a line has room for.
fn front(bytes: &[u8]) -> String {
    const ROOM: usize = 60;
    let size = show::number(bytes.len(), "byte", "bytes");
    let shown = match std::str::from_utf8(bytes) {
        Ok(text) => clean(text),
        Err(_) => hex(&bytes[..bytes.len().min(ROOM)]),
    };
    let shown = match shown.char_indices().nth(ROOM) {
        Some((end, _)) => format!("{}…", &shown[..end]),
        None => shown,
    };
    if shown.is_empty() { size } else { format!("{size}: {shown}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_bytes_are_readable() {
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(81_234), "81 234");
        assert_eq!(grouped(2_000_000_000), "2 000 000 000");
        assert_eq!(front(b"hi\n"), "3 bytes: hi\\n");
        assert_eq!(front(b"\xff\x00"), "2 bytes: ff00");
        assert_eq!(front(b""), "0 bytes");
        assert!(front("é".repeat(100).as_bytes()).ends_with('…'));
    }

    #[test]
    fn red_is_for_those_who_want_it() {
        assert_eq!(Colours(false).red("x"), "x");
        assert_eq!(Colours(true).red("x"), "\x1b[31mx\x1b[0m");
    }
}
