//! What enters keys, and what does not.

use super::super::{Accepted, Copy, Declared, HashError, Misdeclared, Native, Passing, Sink, Spawn, Write};
use super::{Place, recorded, revived};
use crate::digest::Digest;
use crate::key::Key;
use crate::outcome::Exit;
use crate::policy::{Codec as _, Plain};
use crate::reviver::declared::DeclaredReviver;
use crate::store::PartitionId;
use std::collections::BTreeSet;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::rc::Rc;

fn key(place: &Place, declared: &Declared<'_>) -> Key {
    place.reviver().hash(declared).unwrap().key().unwrap()
}

fn codes(codes: &[i32]) -> Accepted {
    Accepted::These(codes.iter().map(|code| Exit::Code(*code)).collect::<BTreeSet<_>>())
}

/// The hash of the original is over a plain concatenation: each of these groups collided there.
#[test]
fn whatever_is_declared_changes_the_key() {
    let place = Place::new();
    let (f0, f1) = (place.write("f0", "0"), place.write("f1", "1"));
    let same_as_f0 = place.write("g0", "0");
    let digest_of_f0 = Digest::of(b"0").as_bytes().to_vec();
    let spawn = || Spawn::new("/bin/true", place.at(""));
    let with = |arguments: &[&str]| Declared::new(spawn().arguments(arguments));
    let out = |name: &str| place.at(name);
    let sink = Sink::File(out("a"));
    let named: Vec<(&str, Declared<'_>)> = vec![
        ("no argument", with(&[])),
        ("ab c", with(&["ab", "c"])),
        ("b ca", with(&["b", "ca"])),
        ("a b", with(&["a", "b"])),
        ("ab", with(&["ab"])),
        ("b a", with(&["b", "a"])),
        ("A=1 x in the environment", Declared::new(spawn().arguments(["x"]).variable("A", "1"))),
        ("A=1 x as arguments", with(&["A=1", "x"])),
        ("xA=1", with(&["xA=1"])),
        ("another variable", Declared::new(spawn().arguments(["x"]).variable("A1", ""))),
        ("copy without line", Declared::new(Copy::new(&f0, out("a")).mode(0o24))),
        ("copy, mode 20, line 4", Declared::new(Copy::new(&f0, out("a")).mode(0o24).line(4))),
        ("copy, mode 204", Declared::new(Copy::new(&f0, out("a")).mode(0o314))),
        (
            "copy of the same content with a line",
            Declared::new(Copy::new(&same_as_f0, out("a")).mode(0o24).line(4)),
        ),
        ("write, stamp f0", Declared::new(Write::new(out("a"), digest_of_f0.clone(), || Ok(Vec::new())))),
        (
            "write, mode",
            Declared::new(Write::new(out("a"), digest_of_f0.clone(), || Ok(Vec::new())).mode(0o600)),
        ),
        ("write that reads f0", Declared::new(Write::new(out("a"), "", || Ok(Vec::new()))).reads([&f0])),
        ("native, stamp f0", Declared::new(Native::new("", digest_of_f0, || Ok(()))).writes([out("a")])),
        ("native ab c", Declared::new(Native::new("ab", "c", || Ok(()))).writes([out("a")])),
        ("native a bc", Declared::new(Native::new("a", "bc", || Ok(()))).writes([out("a")])),
        ("accepted: any", Declared::new(spawn().accepted(Accepted::AnyStatus))),
        ("accepted: none", Declared::new(spawn().accepted(codes(&[])))),
        ("accepted: 0 and 1", Declared::new(spawn().accepted(codes(&[0, 1])))),
        (
            "accepted: 0 and a signal",
            Declared::new(spawn().accepted(Accepted::These([Exit::Code(0), Exit::Signal(1)].into()))),
        ),
        ("another directory", Declared::new(Spawn::new("/bin/true", "/"))),
        ("another program", Declared::new(Spawn::new("/bin/false", place.at("")))),
        ("stdin f0", Declared::new(spawn().stdin(&f0))),
        ("stdin f1", Declared::new(spawn().stdin(&f1))),
        ("reads f0", Declared::new(spawn()).reads([&f0])),
        ("reads f0 f1", Declared::new(spawn()).reads([&f0, &f1])),
        ("reads f1 f0", Declared::new(spawn()).reads([&f1, &f0])),
        ("stdin f0, reads f1", Declared::new(spawn().stdin(&f0)).reads([&f1])),
        ("one write", Declared::new(spawn()).writes([out("a")])),
        ("two writes", Declared::new(spawn()).writes([out("a"), out("b")])),
        ("stdout in a file", Declared::new(spawn().stdout(sink.clone()))),
        ("stderr in a file", Declared::new(spawn().stderr(sink.clone()))),
        ("both in one file", Declared::new(spawn().stdout(sink.clone()).stderr(sink.clone()))),
        ("in two files", Declared::new(spawn().stdout(sink.clone()).stderr(Sink::File(out("b"))))),
        (
            "both in one file, and a write",
            Declared::new(spawn().stdout(sink.clone()).stderr(sink.clone())).writes([out("b")]),
        ),
        ("stdout both ways", Declared::new(spawn().stdout(Sink::Tee(out("a"))))),
        ("one pipe for both", Declared::new(spawn().joined())),
        ("a stamp", Declared::new(spawn().stamp("s"))),
        ("a manifest", Declared::new(spawn()).writes([out("a")]).below(place.at(""))),
        ("another path in it", Declared::new(spawn()).writes([out("b")]).below(place.at(""))),
        ("an empty manifest", Declared::new(spawn()).below(place.at(""))),
    ];
    let keys: Vec<Key> = named.iter().map(|(_, declared)| key(&place, declared)).collect();
    for (i, one) in keys.iter().enumerate() {
        for (j, other) in keys[i + 1..].iter().enumerate() {
            assert_ne!(one, other, "{} and {}", named[i].0, named[i + 1 + j].0);
        }
    }
}

#[test]
fn the_paths_of_writes_do_not() {
    let place = Place::new();
    let stdout =
        |name: &str| Declared::new(Spawn::new("/bin/true", place.at("")).stdout(Sink::File(place.at(name))));
    assert_eq!(key(&place, &stdout("a")), key(&place, &stdout("b")));
    let write = |name: &str| Declared::new(Spawn::new("/bin/true", "/")).writes([place.at(name)]);
    assert_eq!(key(&place, &write("a")), key(&place, &write("b")));
    let below = |root: &str| {
        let file = place.at(root).join("x");
        Declared::new(Write::new(file, "", || Ok(Vec::new()))).below(place.at(root))
    };
    assert_eq!(key(&place, &below("a")), key(&place, &below("b")));
}

#[test]
fn what_is_unstamped_does_not() {
    let place = Place::new();
    let plain = Declared::new(Spawn::new("/bin/true", "/").arguments(["a"]));
    let spawn = Spawn::new("/bin/true", "/").unstamped("-j4").arguments(["a"]);
    let more = Declared::new(spawn.unstamped_variable("JOBS", "4"));
    assert_eq!(key(&place, &plain), key(&place, &more));
}

#[test]
fn files_are_known_by_what_is_in_them() {
    let place = Place::new();
    let (a, b) = (place.write("a", "same"), place.write("b", "same"));
    let reads = |path: &PathBuf| Declared::new(Spawn::new("/bin/true", "/")).reads([path]);
    assert_eq!(key(&place, &reads(&a)), key(&place, &reads(&b)));
    let before = key(&place, &reads(&a));
    fs::set_permissions(&a, fs::Permissions::from_mode(0o755)).unwrap();
    assert_ne!(key(&place, &reads(&a)), before, "executable");
    let tree = place.at("");
    let before = key(&place, &reads(&tree));
    place.write("sub/new", "");
    assert_ne!(key(&place, &reads(&tree)), before, "all below a directory");
}

#[test]
fn partition_and_codec_are_in_every_key() {
    let place = Place::new();
    let declared = Declared::new(Spawn::new("/bin/true", "/"));
    let other = place.partition.store().partition(PartitionId::of(Digest::of(b"other")));
    let reviver = DeclaredReviver::new(&other, &place.codec, Rc::new(super::now), 0o022);
    assert_ne!(reviver.hash(&declared).unwrap().key().unwrap(), key(&place, &declared));
    let codec = super::codecs::Hooked::new();
    assert_ne!(codec.id().digest(), Plain::default().id().digest());
    let reviver = DeclaredReviver::new(&place.partition, &codec, Rc::new(super::now), 0o022);
    assert_ne!(reviver.hash(&declared).unwrap().key().unwrap(), key(&place, &declared));
}

/// In the original, an operation recorded with status 3 where any status is accepted is revived as a failure where only 0
/// is, and not executed again.
#[test]
fn other_accepted_ends_are_another_operation() {
    let place = Place::new();
    let any = Declared::new(place.shell("exit 3").accepted(Accepted::AnyStatus));
    recorded(place.run(&any));
    assert_eq!(revived(place.run(&any)).outcome.exit, Exit::Code(3));
    let zero = Declared::new(place.shell("exit 3"));
    assert!(matches!(place.run(&zero), super::Ran::Failed(super::super::Failure::Exit(_))));
}

#[test]
fn a_missing_read_is_named() {
    let place = Place::new();
    place.write("there", "");
    let declared = Declared::new(Spawn::new("/bin/true", "/").stdin(place.at("in")));
    let declared = declared.reads([place.at("there"), place.at("absent"), place.at("there/below")]);
    let Err(HashError::MissingReads(missing)) = place.reviver().hash(&declared) else { panic!("a key") };
    assert_eq!(missing, [place.at("absent"), place.at("in"), place.at("there/below")]);
    let program = Declared::new(Spawn::new("no-such-program", "/"));
    assert!(matches!(place.reviver().hash(&program), Err(HashError::NoProgram(_))));
}

#[test]
fn wrong_declarations_are_told_what_is_wrong() {
    let place = Place::new();
    let read = place.write("d/in", "");
    let reviver = place.reviver();
    let wrong = |declared: Declared<'_>| match reviver.hash(&declared) {
        Err(HashError::Misdeclared(wrong)) => wrong,
        other => panic!("{other:?}"),
    };
    let wait = || Declared::new(Passing::Wait);
    assert!(matches!(wrong(wait().reads(["relative"])), Misdeclared::Path(_)));
    assert!(matches!(wrong(wait().writes(["/a/../b"])), Misdeclared::Path(_)));
    assert!(matches!(wrong(wait().writes(["/a", "/b", "/a"])), Misdeclared::Twice(_)));
    assert!(matches!(wrong(wait().writes(["/a/b"]).below("/c")), Misdeclared::Outside { .. }));
    assert!(matches!(wrong(wait().writes(["/a"]).below("/a")), Misdeclared::Outside { .. }));
    assert!(matches!(wrong(wait().writes(["/ab"]).below("/a")), Misdeclared::Outside { .. }));
    assert!(matches!(wrong(Declared::new(Copy::new(&read, &read))), Misdeclared::Cycle { .. }));
    assert!(matches!(
        wrong(wait().reads([place.at("d")]).writes([place.at("d/out")])),
        Misdeclared::Cycle { .. }
    ));
    assert!(matches!(wrong(wait().reads([&read]).writes([place.at("d")])), Misdeclared::Cycle { .. }));
}
