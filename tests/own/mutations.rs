//! Requests with something changed in them: whatever comes, nothing breaks, and the next client is served.

use crate::daemon::{Daemon, name, record};
use crate::dice::Dice;
use crate::operations::derive;
use crate::support::Repository;
use anyhow::{Context as _, Result, ensure};
use reviver::outcome::{Chunk, Exit, Stream};
use reviver::protocol::own::request::{self, Ran, Revive, Which};
use reviver::protocol::own::{Id, Request};
use reviver::protocol::{Limits, Parser, Sexp};
use std::io::{Read as _, Write as _};
use std::net::Shutdown;
use std::path::Path;

/// Requests that touch nothing outside of the repository, however they are changed: all paths are of one letter.
fn requests(root: &Path) -> Result<Vec<Sexp>> {
    let id = Id::new(b"1").context("it is an ID")?;
    let revive = Revive {
        which: Which::Name(name("n")?),
        to: reviver::protocol::own::request::Destination::Each(vec!["b".into()]),
        umask: Some(0o022),
    };
    let output = vec![Chunk { stream: Stream::Stdout, bytes: b"said".to_vec() }];
    let ran = Ran { operation: 1, exit: Exit::Code(0), started: 1, ended: 2, output };
    let requests = [
        Request::Repository { path: root.to_owned() },
        Request::Record(record("n", &["a"])?),
        Request::Find(Which::Name(name("n")?)),
        Request::Revive(revive),
        Request::Derive(derive(&["true"])),
        Request::RecordOperation(ran),
        Request::ReviveOperation { operation: 1 },
        Request::Forget { operation: 1 },
        Request::Hash { path: "a".into() },
        Request::Stats,
        Request::Trim { size: Some(10_000_000) },
    ];
    Ok(requests.iter().map(|request| request.to_sexp(&id)).collect())
}

/// A value with something else in one place: of another kind, doubled, gone, empty, long, a number that is none.
fn changed(value: &Sexp, dice: &mut Dice) -> Sexp {
    match value {
        Sexp::List(values) if !values.is_empty() && !dice.once_in(6) => {
            let at = dice.below(values.len());
            let mut values = values.clone();
            match dice.below(6) {
                0 => drop(values.remove(at)),
                1 => values.insert(at, values[at].clone()),
                2 => {
                    let other = dice.below(values.len());
                    values.swap(at, other);
                }
                _ => values[at] = changed(&values[at], dice),
            }
            Sexp::List(values)
        }
        Sexp::List(_) => {
            if dice.once_in(2) {
                Sexp::atom("x")
            } else {
                Sexp::list([])
            }
        }
        Sexp::Atom(bytes) => {
            let mut bytes = bytes.clone();
            match dice.below(7) {
                0 => return Sexp::list([Sexp::Atom(bytes)]),
                1 => bytes.clear(),
                2 => bytes.truncate(bytes.len() / 2),
                3 => bytes.push(dice.one(b"\0\n/-9\xff.")),
                4 => bytes = b"99999999999999999999".to_vec(),
                5 if !bytes.is_empty() => {
                    let at = dice.below(bytes.len());
                    bytes[at] ^= 1 << dice.below(8);
                }
                _ => bytes = dice.one(&["no", "0", "-1", "777", "operation", "name"]).into(),
            }
            Sexp::Atom(bytes)
        }
    }
}

/// The bytes with something else in them.
fn torn(bytes: &[u8], dice: &mut Dice) -> Vec<u8> {
    let mut bytes = bytes.to_vec();
    for _ in 0..=dice.below(3) {
        let at = dice.below(bytes.len().max(1));
        match dice.below(4) {
            0 => bytes.truncate(at),
            1 if !bytes.is_empty() => bytes[at] = dice.one(b"()0123456789:x\0"),
            2 => bytes.insert(at, dice.one(b"()0123456789:")),
            _ if !bytes.is_empty() => drop(bytes.remove(at)),
            _ => {}
        }
    }
    bytes
}

#[test]
fn no_change_of_a_request_breaks_what_reads_it() -> Result<()> {
    let mut dice = Dice::new(3);
    let (mut good, mut wrong) = (0, 0);
    for request in requests(Path::new("/r"))? {
        for _ in 0..4000 {
            let mut value = request.clone();
            for _ in 0..=dice.below(3) {
                value = changed(&value, &mut dice);
            }
            match request::read(value) {
                Ok((id, Ok(request))) => {
                    // What is understood is understood the same again.
                    let again = request::read(request.to_sexp(&id));
                    ensure!(again == Ok((id, Ok(request))));
                    good += 1;
                }
                Ok((_, Err(_))) | Err(_) => wrong += 1,
            }
            let mut parser = Parser::new(Limits::SESSION);
            parser.feed(&torn(&request.to_bytes(), &mut dice));
            while let Ok(Some(value)) = parser.next() {
                request::read(value).ok();
            }
        }
    }
    ensure!(good > 1000 && wrong > 10_000, "{good} {wrong}: too much of one kind proves little");
    Ok(())
}

#[test]
fn whatever_a_client_sends_the_next_one_is_served() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let mut daemon = Daemon::start(&repository)?;
    let requests = requests(&repository.root)?;
    let mut dice = Dice::new(4);
    for round in 0..120 {
        let mut raw = daemon.raw()?;
        // The repository as it is, so that what follows gets further.
        let mut bytes = requests[0].to_bytes();
        for _ in 0..8 {
            let value = changed(&dice.one(&requests.iter().collect::<Vec<_>>()).clone(), &mut dice);
            // Never another directory than ours.
            if !value.to_string().contains("repository") {
                bytes.extend(value.to_bytes());
            }
        }
        if dice.once_in(2) {
            let end = torn(&requests[2].to_bytes(), &mut dice);
            bytes.extend(end);
        }
        // Who was turned away already does not hear the rest.
        raw.0.write_all(&bytes).ok();
        raw.0.shutdown(Shutdown::Write).ok();
        let mut heard = Vec::new();
        if raw.0.read_to_end(&mut heard).is_ok() {
            let text = String::from_utf8_lossy(&heard).into_owned();
            ensure!(!text.contains("8:internal"), "{}\n{text}", bytes.escape_ascii());
        }
        if round % 20 == 0 {
            daemon.serves(&repository)?;
        }
    }
    daemon.serves(&repository)
}
