//! What is never cached.

use super::super::{Absence, Declared, Failure, Missed, Passing, Revival, Unrecorded};
use super::{Place, Ran, ended};
use crate::outcome::Exit;

#[test]
fn what_is_never_cached_has_no_key_is_not_recorded_and_not_revived() {
    let place = Place::new();
    let read = place.write("in", "x");
    let all = [
        Declared::new(Passing::Delete(place.at("d"))),
        Declared::new(Passing::Mkdir(place.at("d/e"))),
        Declared::new(Passing::Notify("done".into())),
        // To read a file is to wait for it.
        Declared::new(Passing::Wait).reads([&read]),
        Declared::new(Passing::Wait),
    ];
    let reviver = place.reviver();
    for declared in &all {
        let hashed = reviver.hash(declared).unwrap();
        assert_eq!(hashed.key(), None);
        assert!(matches!(reviver.record(&hashed, &ended(Exit::Code(0))), Err(Unrecorded::Passing)));
        assert!(matches!(reviver.revive(&hashed).unwrap(), Revival::Absent(Absence::Passing)));
        let ran = place.run(declared);
        assert!(
            matches!(ran, Ran::Executed { missed: Missed::Unkeyed, recorded: Err(Unrecorded::Passing), .. }),
            "{ran:?}"
        );
    }
    assert_eq!(place.keys(), 0);
}

#[test]
fn each_does_what_it_says_again_and_again() {
    let place = Place::new();
    for _ in 0..2 {
        place.run(&Declared::new(Passing::Mkdir(place.at("a/b"))));
        assert!(place.at("a/b").is_dir());
        place.write("a/b/f", "");
        place.run(&Declared::new(Passing::Delete(place.at("a"))));
        assert!(!place.at("a").exists());
        place.run(&Declared::new(Passing::Delete(place.at("a"))));
    }
    let (_, stdout, stderr) = place.heard(&Declared::new(Passing::Notify("done".into())));
    assert_eq!((stdout.as_str(), stderr.as_str()), ("", "done\n"));
    place.write("f", "");
    let ran = place.run(&Declared::new(Passing::Mkdir(place.at("f"))));
    assert!(matches!(ran, Ran::Failed(Failure::File { .. })), "{ran:?}");
    let ran = place.run(&Declared::new(Passing::Wait).reads([place.at("absent")]));
    assert!(matches!(ran, Ran::Failed(Failure::MissingReads(_))), "{ran:?}");
}
