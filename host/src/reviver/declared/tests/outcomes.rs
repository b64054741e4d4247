//! What a command did besides its writes.

use super::super::{Accepted, Declared, Revival};
use super::{Place, ended, recorded, revived};
use crate::outcome::{Chunk, Exit, Outcome, Stream};

#[test]
fn what_a_command_said_and_how_it_ended_is_revived_equal() {
    let place = Place::new();
    let said = |stream, text: &str| Chunk { stream, bytes: text.as_bytes().to_vec() };
    let outcomes = [
        ended(Exit::Code(0)),
        Outcome { output: vec![said(Stream::Stdout, "hi\n")], ..ended(Exit::Code(3)) },
        Outcome { output: vec![said(Stream::Stderr, "boo")], ..ended(Exit::Signal(11)) },
        Outcome { output: vec![said(Stream::Both, "\0\u{fffd}")], ..ended(Exit::Code(-1)) },
    ];
    for (number, outcome) in outcomes.into_iter().enumerate() {
        let accepted = Accepted::These([outcome.exit].into());
        let declared = Declared::new(place.shell(&number.to_string()).accepted(accepted));
        let reviver = place.reviver();
        let hashed = reviver.hash(&declared).unwrap();
        reviver.record(&hashed, &outcome).unwrap();
        let Revival::Revived(revived) = reviver.revive(&hashed).unwrap() else { panic!("{outcome:?}") };
        assert_eq!(revived.outcome, outcome);
    }
}

#[test]
fn a_command_without_writes_is_revived() {
    let place = Place::new();
    let declared = Declared::new(place.shell("echo hello; echo oh >&2; date +%N >> log"));
    let (ran, stdout, stderr) = place.heard(&declared);
    recorded(ran);
    assert_eq!((stdout.as_str(), stderr.as_str()), ("hello\n", "oh\n"));
    let log = place.read("log");
    let (ran, stdout, stderr) = place.heard(&declared);
    let outcome = revived(ran).outcome;
    assert_eq!((stdout.as_str(), stderr.as_str(), outcome.exit), ("hello\n", "oh\n", Exit::Code(0)));
    assert_eq!(place.read("log"), log, "it did not run");
}

#[test]
fn one_pipe_keeps_the_order_of_both_streams() {
    let place = Place::new();
    let declared = Declared::new(place.shell("echo 1; echo 2 >&2; echo 3").joined());
    recorded(place.run(&declared));
    let (ran, stdout, _) = place.heard(&declared);
    assert_eq!(revived(ran).outcome.output.len(), 1);
    assert_eq!(stdout, "1\n2\n3\n");
}

#[test]
fn a_signal_is_recorded_only_where_it_is_accepted() {
    let place = Place::new();
    let accepted = Accepted::These([Exit::Signal(9)].into());
    let declared = Declared::new(place.shell("echo last words; kill -9 $$").accepted(accepted));
    recorded(place.run(&declared));
    let (ran, stdout, _) = place.heard(&declared);
    assert_eq!((revived(ran).outcome.exit, stdout.as_str()), (Exit::Signal(9), "last words\n"));
}
