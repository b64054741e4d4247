//! The page on the protocol: each message in it is sent to a real daemon, and what that answers is what the page says.
//!
//! Messages are compared value by value. What is different on each machine is named in [`VARIES`]; of that only the form is
//! compared. Where a message greets, a new connection begins.

use crate::daemon::Daemon;
use crate::support::{Repository, settle};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::protocol::{Limits, Parser, Sexp};
use std::fs;
use std::io::{Read as _, Write as _};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// The repository that the page speaks of.
const ROOT: &str = "/home/me/work";

/// Fields whose values are those of one machine at one time.
const VARIES: [&str; 13] = [
    "partition",
    "base",
    "duration",
    "entries",
    "bytes",
    "uses",
    "hits",
    "misses",
    "uncached",
    "cache-entries",
    "cache-bytes",
    "used",
    "left",
];

/// A line of the page.
enum Line {
    Asks(Sexp),
    Answers(Sexp),
    Runs(String),
}

fn lines() -> Result<Vec<Line>> {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md");
    let page = fs::read_to_string(page)?;
    let mut lines = Vec::new();
    let mut is_talk = false;
    for line in page.lines() {
        if line.starts_with("```") {
            is_talk = line == "```text";
        }
        let Some((mark, said)) = line.split_once(' ').filter(|_| is_talk) else { continue };
        let value = || -> Result<Sexp> {
            let bytes = said.replace("\\n", "\n").into_bytes();
            let mut parser = Parser::new(Limits::SESSION);
            parser.feed(&bytes);
            let value = parser.next()?.with_context(|| format!("half a message: {said}"))?;
            parser.finish().with_context(|| said.to_owned())?;
            ensure!(value.to_bytes() == bytes, "not canonical: {said}");
            Ok(value)
        };
        match mark {
            ">" => lines.push(Line::Asks(value()?)),
            "<" => lines.push(Line::Answers(value()?)),
            "$" => lines.push(Line::Runs(said.to_owned())),
            _ => {}
        }
    }
    Ok(lines)
}

/// A value with another text in place of one.
fn replaced(value: &Sexp, from: &str, to: &str) -> Sexp {
    match value {
        Sexp::Atom(bytes) => match std::str::from_utf8(bytes) {
            Ok(text) => Sexp::atom(text.replace(from, to)),
            Err(_) => value.clone(),
        },
        Sexp::List(values) => Sexp::list(values.iter().map(|value| replaced(value, from, to))),
    }
}

/// A request with the present where it says when something ran.
fn at_present(value: &Sexp) -> Result<Sexp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
    Ok(match value {
        Sexp::List(values) => match value.as_named() {
            Some((name @ (b"started" | b"ended"), _)) => Sexp::list([Sexp::atom(name), Sexp::number(now)]),
            _ => Sexp::list(values.iter().map(at_present).collect::<Result<Vec<_>>>()?),
        },
        Sexp::Atom(_) => value.clone(),
    })
}

/// Whether a reply is what the page says, but for what varies. The key of an operation is one of those; that of a name is not.
fn agrees(page: &Sexp, heard: &Sexp, is_operation: bool) -> bool {
    let (Some(page_values), Some(heard_values)) = (page.as_list(), heard.as_list()) else {
        return page == heard;
    };
    if let (Some((name, [Sexp::Atom(said)])), Some((same, [Sexp::Atom(found)]))) =
        (page.as_named(), heard.as_named())
        && name == same
        && (VARIES.iter().any(|varies| varies.as_bytes() == name) || (name == b"key" && is_operation))
    {
        let digits = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_digit);
        return digits(said) == digits(found) && (digits(said) || said.len() == found.len());
    }
    page_values.len() == heard_values.len()
        && page_values.iter().zip(heard_values).all(|(page, heard)| agrees(page, heard, is_operation))
}

#[test]
fn every_message_of_the_page_is_what_a_real_daemon_says() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("reviver.toml", "")?;
    repository.write("a.txt", "content\n")?;
    repository.write("gen/tables.c", "int tables[] = {1, 2, 3};\n")?;
    settle();
    let root = repository.root.to_str().context("it is UTF-8")?;
    let daemon = Daemon::start(&repository)?;
    let (mut connection, mut number) = (None, 0);
    let mut asked = Sexp::list([]);
    for line in lines()? {
        number += 1;
        match line {
            Line::Runs(command) => {
                let status =
                    Command::new("sh").args(["-c", &command]).current_dir(&repository.root).status()?;
                ensure!(status.success(), "{command}: {status}");
            }
            Line::Asks(message) => {
                if message.as_named().is_some_and(|(name, _)| name == b"lang") {
                    let socket = UnixStream::connect(&daemon.socket)?;
                    socket.set_read_timeout(Some(Duration::from_mins(1)))?;
                    connection = Some((socket, Parser::new(Limits::SESSION)));
                }
                let (socket, _) = connection.as_mut().context("the page greets first")?;
                asked = at_present(&replaced(&message, ROOT, root))?;
                socket.write_all(&asked.to_bytes())?;
            }
            Line::Answers(expected) => {
                let (socket, parser) = connection.as_mut().context("the page greets first")?;
                let heard = loop {
                    if let Some(value) = parser.next()? {
                        break value;
                    }
                    let mut some = [0; 4096];
                    let read = socket.read(&mut some)?;
                    ensure!(read > 0, "no answer to {asked}");
                    parser.feed(&some[..read]);
                };
                let heard = replaced(&heard, root, ROOT);
                let is_operation =
                    asked.to_string().contains("operation") || asked.to_string().contains("derive");
                if !agrees(&expected, &heard, is_operation) {
                    bail!("{asked}\n  is answered\n{heard}\n  and the page says\n{expected}");
                }
            }
        }
    }
    ensure!(number > 60, "the page is read wrong: {number} lines");
    Ok(())
}

/// Codes that a program knows and the page does not, or the other way round, help nobody.
#[test]
fn the_page_names_every_code_and_every_command() -> Result<()> {
    let page = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/protocol.md"))?;
    let table =
        page.split("### Codes").nth(1).and_then(|rest| rest.split("\n\n").nth(1)).context("a table")?;
    let named: Vec<_> = table.lines().skip(2).filter_map(|line| line.split('`').nth(1)).collect();
    let known: Vec<_> = reviver::protocol::own::Code::ALL.iter().map(|code| code.name()).collect();
    ensure!(named == known, "{named:?}");
    for command in ["repository", "record", "find", "revive", "derive", "forget", "hash", "stats", "trim"] {
        let heading = |line: &str| line.starts_with('#') && line.contains(&format!("`{command}`"));
        ensure!(page.lines().any(heading), "{command}");
        ensure!(page.contains(&format!("{}:{command}", command.len())), "{command}");
    }
    Ok(())
}
