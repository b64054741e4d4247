//! What failed is not recorded.

use super::super::{Declared, Failure, Native, Sink, Spawn, Unrecorded, Write};
use super::{Place, Ran, ended, recorded, revived};
use crate::outcome::Exit;
use crate::reviver::run::RunError;
use std::fs;

#[test]
fn a_failed_operation_is_not_recorded() {
    let place = Place::new();
    let failing =
        [("exit 1", Exit::Code(1)), ("kill -9 $$", Exit::Signal(9)), ("kill -11 $$", Exit::Signal(11))];
    for (script, exit) in failing {
        let declared =
            Declared::new(place.shell(&format!("echo x > out; {script}"))).writes([place.at("out")]);
        for _ in 0..2 {
            let ran = place.run(&declared);
            assert!(matches!(&ran, Ran::Failed(Failure::Exit(outcome)) if outcome.exit == exit), "{ran:?}");
        }
        let reviver = place.reviver();
        let hashed = reviver.hash(&declared).unwrap();
        let refused = reviver.record(&hashed, &ended(exit));
        assert!(matches!(refused, Err(Unrecorded::Failed(failed)) if failed == exit));
    }
    assert_eq!(place.keys(), 0);
}

#[test]
fn a_function_that_fails_is_not_recorded() {
    let place = Place::new();
    let fails = || {
        fs::write(place.at("out"), "half")?;
        Err("it failed".into())
    };
    place.write("x", "");
    let declared = Declared::new(Native::new("fails", "", fails)).writes([place.at("out")]);
    let Ran::Failed(failure) = place.run(&declared) else { panic!("a success") };
    assert_eq!(failure.to_string(), "it failed");
    let declared = Declared::new(Write::new(place.at("w"), "", || Err("no bytes".into())));
    let ran = place.run(&declared);
    assert!(matches!(ran, Ran::Failed(Failure::Function(_))), "{ran:?}");
    assert_eq!((place.keys(), place.at("w").exists()), (0, false));
}

#[test]
fn a_command_that_cannot_start_fails_as_without_a_cache() {
    let place = Place::new();
    let ran = place.run(&Declared::new(Spawn::new("no-such-program", "/")));
    assert!(matches!(ran, Ran::Failed(Failure::Start(RunError::NotFound(_)))), "{ran:?}");
    let ran = place.run(&Declared::new(Spawn::new("/bin/true", place.at("nowhere"))));
    assert!(matches!(ran, Ran::Failed(Failure::Start(RunError::Spawn { .. }))), "{ran:?}");
    place.write("f", "");
    let spawn = place.shell("true").stdout(Sink::File(place.at("f/below")));
    let ran = place.run(&Declared::new(spawn));
    assert!(matches!(ran, Ran::Failed(Failure::File { .. })), "{ran:?}");
    assert_eq!(place.keys(), 0);
}

#[test]
fn a_missing_write_is_named_and_not_recorded() {
    let place = Place::new();
    let declared = Declared::new(place.shell("")).writes([place.at("out")]);
    let reviver = place.reviver();
    let hashed = reviver.hash(&declared).unwrap();
    let refused = reviver.record(&hashed, &ended(Exit::Code(0)));
    assert!(matches!(refused, Err(Unrecorded::MissingWrites(missing)) if missing == [place.at("out")]));
    assert_eq!(place.keys(), 0);
}

#[test]
fn missing_reads_and_writes_are_listed_in_order() {
    let place = Place::new();
    let names = ["b", "c", "a"].map(|name| place.at(name));
    let sorted = ["a", "b", "c"].map(|name| place.at(name));
    let ran = place.run(&Declared::new(place.shell("echo x > ran")).reads(names.clone()));
    assert!(matches!(&ran, Ran::Failed(Failure::MissingReads(missing)) if *missing == sorted), "{ran:?}");
    assert_eq!(place.read("ran"), None);
    let ran = place.run(&Declared::new(place.shell("echo x > d")).writes(names).writes([place.at("d")]));
    assert!(matches!(&ran, Ran::Failed(Failure::MissingWrites(missing, _)) if *missing == sorted), "{ran:?}");
    assert_eq!(place.keys(), 0);
}

/// The original destroys the good binding first.
#[test]
fn a_run_that_is_not_recorded_leaves_what_was() {
    let place = Place::new();
    let input = place.write("in", "1");
    let script = "test -e fail || cat in > out";
    let declared = Declared::new(place.shell(script)).reads([&input]).writes([place.at("out")]);
    recorded(place.run(&declared));
    fs::remove_file(place.at("out")).unwrap();
    let reviver = place.reviver();
    let hashed = reviver.hash(&declared).unwrap();
    assert!(reviver.record(&hashed, &ended(Exit::Code(0))).is_err());
    revived(place.run(&declared));
    assert_eq!(place.read("out").as_deref(), Some("1"));
}
