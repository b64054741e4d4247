//! What cannot be used is absent, and no destination is touched for it.

use super::super::{Absence, Declared, Missed, Revival, Write};
use super::{Place, Ran, ended, recorded, revived};
use crate::outcome::Exit;
use crate::reviver::hunk::HunkError;
use crate::store::{Content, Draft, DraftItem, ReviveError};
use crate::time::Timestamp;
use std::fs;
use std::os::unix::fs::symlink;

fn item(bytes: &[u8]) -> DraftItem<'_> {
    DraftItem { path: Vec::new(), content: Content::Bytes(bytes), mode: None }
}

fn plant(place: &Place, declared: &Declared<'_>, draft: &Draft<'_>) {
    let key = place.reviver().hash(declared).unwrap().key().unwrap();
    place.partition.add(key, draft, Timestamp(1)).unwrap();
}

fn absence(place: &Place, declared: &Declared<'_>) -> Absence {
    let reviver = place.reviver();
    match reviver.revive(&reviver.hash(declared).unwrap()).unwrap() {
        Revival::Absent(absence) => absence,
        Revival::Revived(revived) => panic!("{revived:?}"),
    }
}

fn writing(place: &Place) -> Declared<'_> {
    Declared::new(Write::new(place.at("out"), "", || Ok(b"new".to_vec())))
}

#[test]
fn an_outcome_that_cannot_be_read_is_absent_and_touches_nothing() {
    let place = Place::new();
    place.write("out", "old");
    let declared = writing(&place);
    let draft = Draft { metadata: b"no outcome", items: vec![item(b"planted")], ..Draft::default() };
    plant(&place, &declared, &draft);
    assert!(matches!(absence(&place, &declared), Absence::Hunk(HunkError::Unreadable(_))));
    assert_eq!(place.read("out").as_deref(), Some("old"));
    recorded(place.run(&declared));
    revived(place.run(&declared));
}

#[test]
fn an_entry_with_a_flipped_byte_is_absent_and_touches_nothing() {
    let place = Place::new();
    let declared = writing(&place);
    let key = recorded(place.run(&declared)).key;
    place.write("out", "old");
    let path = place.partition.store().layout().entry(place.partition.id(), key);
    let good = fs::read(&path).unwrap();
    for at in 0..good.len() {
        let mut bytes = good.clone();
        bytes[at] ^= 1;
        fs::write(&path, bytes).unwrap();
        assert!(matches!(absence(&place, &declared), Absence::Unbound | Absence::Damaged), "byte {at}");
        assert_eq!(place.read("out").as_deref(), Some("old"), "byte {at}");
        assert!(!path.exists(), "byte {at}");
    }
}

#[test]
fn an_entry_with_another_number_of_writes_is_absent() {
    let place = Place::new();
    place.write("out", "old");
    let declared = writing(&place);
    let hunk = crate::bytes::to_bytes(&ended(Exit::Code(0)));
    for items in [vec![], vec![item(b"1"), item(b"2")]] {
        plant(&place, &declared, &Draft { metadata: &hunk, items, ..Draft::default() });
        assert!(matches!(absence(&place, &declared), Absence::Shape));
        assert_eq!(place.read("out").as_deref(), Some("old"));
    }
    let below = Declared::new(Write::new(place.at("out"), "", || Ok(Vec::new()))).below(place.at(""));
    for path in ["elsewhere", "out/below"] {
        let items = vec![DraftItem { path: path.into(), ..item(b"x") }];
        plant(&place, &below, &Draft { metadata: &hunk, manifest: true, items, ..Draft::default() });
        assert!(matches!(absence(&place, &below), Absence::Shape), "{path}");
    }
    assert_eq!((place.read("out").as_deref(), place.at("elsewhere").exists()), (Some("old"), false));
}

#[test]
fn a_link_in_a_manifest_leads_nothing_out_of_its_root() {
    let place = Place::new();
    let script = "mkdir -p one/gen; echo a > one/gen/a";
    let at = |root: &str| {
        Declared::new(place.shell(script)).writes([place.at(root).join("gen")]).below(place.at(root))
    };
    recorded(place.run(&at("one")));
    for name in ["two", "outside"] {
        fs::create_dir(place.at(name)).unwrap();
    }
    symlink(place.at("outside"), place.at("two/gen")).unwrap();
    assert!(matches!(absence(&place, &at("two")), Absence::Link(link) if link == place.at("two/gen")));
    assert_eq!(fs::read_dir(place.at("outside")).unwrap().count(), 0);
}

#[test]
fn a_destination_that_refuses_is_an_error_and_the_operation_is_done() {
    let place = Place::new();
    let declared = Declared::new(place.shell("rm -rf b; echo a > a; echo b > b"));
    let declared = declared.writes([place.at("a"), place.at("b")]);
    recorded(place.run(&declared));
    place.write("a", "old");
    fs::remove_file(place.at("b")).unwrap();
    fs::create_dir(place.at("b")).unwrap();
    let reviver = place.reviver();
    let refused = reviver.revive(&reviver.hash(&declared).unwrap());
    assert!(matches!(refused, Err(ReviveError::Stage(_))), "{refused:?}");
    assert_eq!(place.read("a").as_deref(), Some("old"), "all or none");
    let ran = place.run(&declared);
    assert!(matches!(&ran, Ran::Executed { missed: Missed::Refused(_), recorded: Ok(_), .. }), "{ran:?}");
    assert_eq!(place.read("b").as_deref(), Some("b\n"));
}
