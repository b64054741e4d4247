//! One process, many operations.

use super::super::Declared;
use super::{Place, now};
use crate::reviver::declared::{DeclaredReviver, Spawn};
use crate::time::Timestamp;
use std::fs;
use std::rc::Rc;
use std::time::Duration;

#[test]
fn a_file_that_was_edited_after_it_was_hashed_has_a_new_key() {
    let place = Place::new();
    let input = place.write("in", "0000");
    let declared = Declared::new(Spawn::new("/bin/true", "/")).reads([&input]);
    let reviver = place.reviver();
    let mut seen = Vec::new();
    // Of one length, and many of them within one tick of the clock.
    for round in 0..200_u32 {
        fs::write(&input, format!("{round:04}")).unwrap();
        if round % 50 == 0 {
            std::thread::sleep(Duration::from_millis(30));
        }
        let key = reviver.hash(&declared).unwrap().key().unwrap();
        assert!(!seen.contains(&key), "round {round}");
        assert_eq!(reviver.hash(&declared).unwrap().key(), Some(key));
        seen.push(key);
    }
    fs::write(&input, "0000").unwrap();
    assert_eq!(reviver.hash(&declared).unwrap().key(), Some(seen[0]));
}

#[test]
fn a_settled_file_is_read_once_in_many_operations_and_that_is_counted() {
    let place = Place::new();
    let inputs = ["a", "b", "c"].map(|name| place.write(name, name));
    std::thread::sleep(Duration::from_millis(30));
    let ticks = std::cell::Cell::new(0);
    let clock = move || {
        ticks.set(ticks.get() + 1);
        Timestamp(now().0 + ticks.get())
    };
    let reviver = DeclaredReviver::new(&place.partition, &place.codec, Rc::new(clock), 0o022);
    let declared = Declared::new(super::super::Native::new("n", "", || Ok(()))).reads(inputs.clone());
    assert!(reviver.file_hashes().is_empty());
    for _ in 0..5 {
        reviver.hash(&declared).unwrap();
    }
    let hashes = reviver.file_hashes();
    assert_eq!((hashes.len(), hashes.read()), (3, 3));
    assert!(hashes.spent() > Duration::ZERO && hashes.spent() < Duration::from_mins(1));
    assert_eq!(hashes.known()[&inputs[0]], crate::digest::Digest::of(b"a"));
    fs::write(&inputs[0], "changed").unwrap();
    std::thread::sleep(Duration::from_millis(30));
    reviver.hash(&declared).unwrap();
    assert_eq!((hashes.len(), hashes.read()), (3, 4));
    hashes.forget();
    assert!(hashes.is_empty());
    reviver.hash(&declared).unwrap();
    assert_eq!((hashes.len(), hashes.read()), (3, 4), "other processes' answers are known too");
}

/// A token of long ago says nothing of the destinations as they are now.
#[test]
fn what_is_right_already_is_looked_at_anew_by_each_revival() {
    let place = Place::new();
    let declared = Declared::new(super::super::Write::new(place.at("out"), "", || Ok(b"good".to_vec())));
    super::recorded(place.run(&declared));
    let reviver = place.reviver();
    let hashed = reviver.hash(&declared).unwrap();
    for text in ["good", "evil", "evil"] {
        place.write("out", text);
        reviver.revive(&hashed).unwrap();
        assert_eq!(place.read("out").as_deref(), Some("good"));
    }
}

/// What changed within the clock's granularity may change once more without showing it.
#[test]
fn what_is_not_settled_is_read_each_time() {
    let place = Place::new();
    let declared = Declared::new(Spawn::new("/bin/true", "/")).reads([place.write("in", "x")]);
    let reviver = DeclaredReviver::new(&place.partition, &place.codec, Rc::new(|| Timestamp(0)), 0o022);
    reviver.hash(&declared).unwrap();
    let read = reviver.file_hashes().read();
    reviver.hash(&declared).unwrap();
    assert_eq!((reviver.file_hashes().len(), reviver.file_hashes().read()), (0, 2 * read));
}
