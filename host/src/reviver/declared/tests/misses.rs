//! What cannot be used is absent, and no destination is touched for it.

use super::super::{Absence, Declared, Missed, Revival, Write};
use super::{Place, Ran, ended, recorded, revived};
use crate::digest::Digest;
use crate::outcome::{Exit, Outcome};
use crate::policy::{Codec, Fault, FaultKind, PolicyId, Role};
use crate::reviver::declared::{DeclaredReviver, Unrecorded};
use crate::reviver::hunk::HunkError;
use crate::store::{Content, Draft, DraftItem, ReviveError};
use crate::time::Timestamp;
use std::fs;
use std::os::unix::fs::symlink;
use std::rc::Rc;

/// A codec that reads nothing, and faults where it is told to.
pub(super) struct Mute(PolicyId, bool);

impl Default for Mute {
    fn default() -> Self {
        let component = Digest::of(b"mute");
        Self(PolicyId { name: "mute".into(), component, configuration: "{}".into(), abi: "0".into() }, false)
    }
}

impl Codec for Mute {
    fn id(&self) -> &PolicyId {
        &self.0
    }

    fn encode(&self, _: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        if self.1 {
            let (plugin, digest, role) = ("mute".into(), self.0.component, Role::Metadata);
            let kind = FaultKind::Trap("unreachable".into());
            return Err(Box::new(Fault { plugin, digest, role, function: "encode", kind }));
        }
        Ok(Ok(Vec::new()))
    }

    fn decode(&self, _: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        Ok(Err("nothing".into()))
    }
}

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

#[test]
fn a_codec_that_faults_or_loses_something_leaves_it_unrecorded() {
    let place = Place::new();
    let declared = writing(&place);
    for faults in [false, true] {
        let codec = Mute(Mute::default().0, faults);
        let reviver = DeclaredReviver::new(&place.partition, &codec, Rc::new(super::now), 0o022);
        fs::remove_file(place.write("out", "")).unwrap();
        let hashed = reviver.hash(&declared).unwrap();
        place.write("out", "x");
        let refused = reviver.record(&hashed, &ended(Exit::Code(0)));
        match refused {
            Err(Unrecorded::Hunk(HunkError::Fault(_))) => assert!(faults),
            Err(Unrecorded::Hunk(HunkError::Unreadable(_))) => assert!(!faults),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(place.keys(), 0);
}
