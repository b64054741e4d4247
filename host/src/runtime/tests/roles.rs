//! Good guests of every role.

use super::*;
use crate::operation::{Ingredient, Source, Write, WriteKind};
use crate::outcome::{Exit, Outcome};
use crate::policy::{Budget, Candidate, Codec as _, Eviction as _, Role};
use crate::runtime::{ABI, Usage, inspect};
use crate::time::Timestamp;

#[test]
fn a_good_key_plugin_derives_and_discovers() {
    let key = key(GOOD);
    let argv = |text: &str| Ingredient { label: "argv".into(), source: Source::Text(text.into()) };
    let derivation = derive(&key).unwrap().unwrap();
    assert_eq!((&*derivation.label, derivation.ingredients), ("good", vec![argv("00")]));
    let write = Write { label: "out".into(), path: "out".into(), kind: WriteKind::File, optional: false };
    assert_eq!(derivation.writes, [write]);
    let found = key.discover(&operation("cc"), b"report", inputs(Err(LookFailure::Absent)));
    assert_eq!(found.unwrap().unwrap().ingredients, [argv("report")]);
    assert_eq!((&*key.id().abi, &*key.id().name), (ABI, "guest"));
}

#[test]
fn a_good_codec_round_trips_and_refuses_in_its_own_words() {
    let codec = codec(guest!("metadata-good"));
    let outcome = Outcome { exit: Exit::Code(7), output: vec![], started: 0, duration: 0, notes: vec![] };
    let hunk = codec.encode(&outcome).unwrap().unwrap();
    assert_eq!(hunk, [7, 0, 0, 0]);
    assert_eq!(codec.decode(&hunk), Ok(Ok(outcome)));
    assert_eq!(codec.decode(b"long one"), Ok(Err("not four bytes".into())));
}

/// A candidate that was last used at this time.
pub(super) fn candidate(last_use: u64) -> Candidate {
    Candidate {
        size: 1,
        files: 1,
        created: Timestamp(0),
        last_use: Timestamp(last_use),
        uses: 0,
        cost: 0,
        unused: false,
    }
}

#[test]
fn scores_come_in_order_whatever_the_number_of_candidates() {
    let eviction = eviction(guest!("eviction-good"));
    let budget = Budget { limit: 0, used: 0, entries: 0 };
    for number in [0, 1, 4095, 4096, 4097, 20_000] {
        let candidates: Vec<_> = (0..number).map(candidate).collect();
        let scores = eviction.score(Timestamp(0), budget, &candidates).unwrap();
        let expected: Vec<_> = (0..number).map(|n| n as f64).collect();
        assert_eq!(scores, expected);
    }
}

#[test]
fn inspecting_tells_role_version_and_names_without_compiling() {
    for (name, text, role) in [
        ("key", GOOD, Role::Key),
        ("metadata", guest!("metadata-good"), Role::Metadata),
        ("eviction", guest!("eviction-good"), Role::Eviction),
    ] {
        let bytes = component(name, text);
        let inspection = inspect(&bytes).unwrap();
        assert_eq!((inspection.role, &*inspection.abi), (role, ABI));
        assert_eq!(inspection.imports[0], "reviver:plugin/types@0.1.0");
        assert_eq!(inspection.exports, [format!("reviver:plugin/{role}-role@0.1.0")]);
        assert_eq!((inspection.size, inspection.digest), (bytes.len() as u64, Digest::of(&bytes)));
    }
    let core = wat::parse_str(guest!("core-module")).unwrap();
    assert!(inspect(&core).unwrap_err().to_string().contains("core module"));
    let foreign = wat::parse_str(guest!("foreign-import")).unwrap();
    assert_eq!(inspect(&foreign).unwrap_err().code(), "import");
}

#[test]
fn a_plugin_of_another_role_is_refused() {
    let codec = WasmCodec::new(runtime(), source(component("key", GOOD)));
    let fault = codec.decode(b"").unwrap_err();
    assert!(matches!(&fault.kind, FaultKind::Abi { found, .. } if found.contains("another role")), "{fault}");
}

#[test]
fn equal_calls_use_equally_much_and_batches_add_up() {
    let key = key(GOOD);
    assert_eq!(key.usage(), Usage::default());
    let used = || {
        derive(&key).unwrap().unwrap();
        key.usage()
    };
    let once = used();
    assert!(once.fuel > 0 && once.memory >= 64 << 10 && once.memory <= Limits::default().memory, "{once:?}");
    assert_eq!(used(), once);

    let eviction = eviction(guest!("eviction-good"));
    let budget = Budget { limit: 0, used: 0, entries: 0 };
    let used = |number| {
        let candidates: Vec<_> = (0..number).map(candidate).collect();
        eviction.score(Timestamp(0), budget, &candidates).unwrap();
        eviction.usage().fuel
    };
    let batch = used(4096);
    assert!(used(3 * 4096) > 2 * batch, "{batch}");
}
