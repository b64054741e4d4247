//! Questions to shipped plugins, wrong questions, and texts of all kinds.

use super::*;
use crate::digest::Digest;
use crate::policy::Role;
use crate::reviver::table::Table;
use crate::runtime::{Bytes, Capabilities, Limits, PluginSource, Runtime};
use crate::shipped;
use crate::store::{Options, PartitionId, Store};
use crate::time::Timestamp;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::Arc;
use tempfile::TempDir;

const AROUND: Surroundings<'_> = Surroundings { root: "/repository", role: None };

fn caller(name: &str) -> (TempDir, Caller) {
    let directory = tempfile::tempdir().unwrap();
    let store = Store::open(directory.path(), Options::default()).unwrap();
    let partition = store.partition(PartitionId::of(Digest::of(b"a repository")));
    let machine = Machine {
        table: Rc::new(Table::new(store.layout().hashes())),
        store,
        partition,
        clock: Rc::new(|| Timestamp(1_700_000_000_000_000_000)),
        variables: BTreeMap::new(),
        umask: 0o022,
        terminal: false,
    };
    let shipped = shipped::find(name).expect("a shipped plugin");
    let source = PluginSource {
        name: name.to_owned(),
        bytes: Bytes::Embedded(shipped.bytes),
        digest: shipped.digest,
        configuration: "{}".to_owned(),
        limits: Limits::default(),
        capabilities: Capabilities::ALL,
    };
    let runtime = Arc::new(Runtime::new(None));
    (directory, Caller::new(runtime, source, machine, Rc::new(|| 7)))
}

fn question(json: &Json) -> Question {
    Question::read(json, &AROUND).unwrap()
}

fn wrong(json: &Json) -> String {
    Question::read(json, &AROUND).unwrap_err().to_string()
}

#[test]
fn a_wrong_question_names_the_member() {
    let candidate = json!({
        "size": 1, "files": 4_294_967_296_u64, "created": 0, "last_use": 0, "uses": 0, "cost": 0, "unused": false,
    });
    for (json, message) in [
        (json!([]), "an object is expected here, and not a list"),
        (json!({}), "which function is called is not told"),
        (json!({"function": "derives"}), "`function`: `derives` is none of discover, derive"),
        (json!({"function": "derive"}), "the member `operation` is missing here"),
        (json!({"operation": {}}), "`operation`: the member `argv` is missing here"),
        (
            json!({"operation": {"argv": ["a", 1]}}),
            "`operation.argv[1]`: a text is expected here, and not this number",
        ),
        (
            json!({"operation": {"argv": []}}),
            "`operation.argv`: a list that begins with the program is expected",
        ),
        (json!({"operation": {"argv": ["a"], "read": []}}), "no member `read` here; did you mean `reads`?"),
        (json!({"operation": {"argv": ["a"]}, "hosts": {}}), "no member `hosts` here; did you mean `host`?"),
        (
            json!({"outcome": {"exit": {"code": 2_147_483_648_u64}}}),
            "`outcome.exit.code`: a whole number from -2^31",
        ),
        (json!({"outcome": {"exit": {"status": 0}}}), "`outcome.exit`: `status` is none of"),
        (
            json!({"outcome": {"exit": {"code": 0}, "output": [{"stream": "out", "bytes": ""}]}}),
            "`outcome.output[0].stream`: `out` is none of stdout, stderr, both",
        ),
        (
            json!({"outcome": {"exit": {"code": 0}, "notes": [["a"]]}}),
            "`outcome.notes[0]`: a name and a value is expected here, and not a list",
        ),
        (json!({"hunk": {"hex": "0"}}), "`hunk.hex`: pairs of hexadecimal digits is expected"),
        (
            json!({"now": 1, "budget": {"limit": 1, "used": 1, "entries": 1}, "candidates": [candidate]}),
            "`candidates[0].files`: a whole number from 0 to 2^32-1",
        ),
        (
            json!({"hunk": "", "host": {"capabilities": ["reed"]}}),
            "`host.capabilities[0]`: `reed` is none of",
        ),
        (json!({"hunk": "", "host": {"configuration": 1}}), "`host.configuration`: an object is expected"),
        (
            json!({"hunk": "", "host": {"answers": [{}]}}),
            "`host.answers[0]`: the member `arguments` is missing",
        ),
    ] {
        let error = wrong(&json);
        assert!(error.contains(message), "{json}: {error}");
    }
    let of_keys = Surroundings { role: Some(Role::Key), ..AROUND };
    let error = Question::read(&json!({"hunk": ""}), &of_keys).unwrap_err();
    assert!(matches!(error.problem, Problem::Role { function: "decode", .. }), "{error}");
}

#[test]
fn the_root_is_the_repository_s_unless_a_host_is_told() {
    let root = |json: &Json| match question(json).asked {
        Asked::Derive(operation) => operation.root,
        other => panic!("{other:?}"),
    };
    assert_eq!(root(&json!({"operation": {"argv": ["a"]}})), "/repository");
    assert_eq!(root(&json!({"operation": {"argv": []}, "host": {}})), "/");
    assert_eq!(root(&json!({"operation": {"argv": ["a"], "root": "/x"}, "host": null})), "/x");
    let operation = read_operation(&json!({"argv": ["a"], "writes": ["w"]}), "/r").unwrap();
    assert_eq!((operation.root, operation.writes), ("/r".to_owned(), vec!["w".to_owned()]));
}

#[test]
fn what_a_codec_encodes_it_decodes_again() {
    let (_directory, caller) = caller("metadata-compact");
    let outcome = json!({
        "exit": {"signal": 9}, "output": [{"stream": "both", "bytes": {"hex": "00ff"}}, {"stream": "stderr", "bytes": "é\n"}],
        "started": u64::MAX, "duration": 2, "notes": [["host", "0.1"]],
    });
    let encoded = caller.ask(&question(&json!({"outcome": outcome}))).to_json();
    assert_eq!(encoded["time_ns"], 0, "the clock stands still");
    let decoded = caller.ask(&question(&json!({"hunk": encoded["ok"]}))).to_json();
    assert_eq!(decoded["ok"], outcome);
    assert!(decoded["fuel"].as_u64() > Some(0) && decoded["memory"].as_u64() > Some(0));
    let refused = caller.ask(&question(&json!({"hunk": "no hunk"}))).to_json();
    assert!(refused["refused"].is_string() && refused.get("ok").is_none(), "{refused}");
}

#[test]
fn a_host_decides_what_is_seen_and_configured() {
    let (_directory, caller) = caller("key-command");
    let operation = json!({"argv": ["a"], "reads": ["r"]});
    let asked = |host: Json| caller.ask(&question(&json!({"operation": operation, "host": host}))).to_json();
    let labels = |answer: &Json| -> Vec<String> {
        let ingredients = answer["ok"]["ingredients"].as_array().expect("a derivation");
        ingredients.iter().map(|one| one["label"].as_str().unwrap().to_owned()).collect()
    };
    let usual = asked(json!({}));
    assert!(labels(&usual).contains(&"root".to_owned()));
    let relocatable = asked(json!({"configuration": {"relocatable": true}}));
    assert!(!labels(&relocatable).contains(&"root".to_owned()));
    let odd = asked(json!({"configuration": {"odd": 1}}));
    assert!(odd["refused"]["malformed"].as_str().is_some_and(|why| why.contains("odd")), "{odd}");
    assert_eq!(asked(json!({})), usual, "nothing of the calls between is left");
}

#[test]
fn looks_of_a_compiler_plugin_are_noted_in_order_and_an_untold_query_refuses() {
    let (_directory, caller) = caller("key-cc");
    let asked = |host: Json| {
        let operation = json!({"argv": ["gcc", "-c", "a.c"]});
        caller.ask(&question(&json!({"operation": operation, "host": host}))).to_json()
    };
    let untold = asked(json!({}));
    assert!(untold["refused"]["not_cacheable"].as_str().unwrap().contains("knows no answer"), "{untold}");
    let looks = untold["looks"].as_array().unwrap();
    assert_eq!(looks.last(), Some(&json!({"query": ["--version"]})), "{untold}");
    assert!(looks.contains(&json!({"variable": "COMPILER_PATH"})), "{untold}");
    let denied = asked(json!({"capabilities": ["read"]}));
    let why = denied["refused"]["not_cacheable"].as_str().unwrap();
    assert!(why.contains("`query` needs the capability `query`"), "{denied}");
    assert_eq!(denied["looks"], untold["looks"], "a denied look is noted too");
}

#[test]
fn scores_are_numbers_and_measured() {
    let (_directory, caller) = caller("evict-lru");
    let candidate = |unused: bool| {
        json!({
            "size": 1, "files": 1, "created": 0, "last_use": 5, "uses": 0, "cost": 0, "unused": unused,
        })
    };
    let budget = json!({"limit": 1, "used": 2, "entries": 2});
    let score = json!({"now": 9, "budget": budget, "candidates": [candidate(false), candidate(true)]});
    let answer = caller.ask(&question(&score)).to_json();
    assert_eq!(answer["ok"], json!([5.0, -18_446_744_073_709_551_616.0_f64]));
    assert_eq!(answer["output"], 8 + 2 * 8);
}

#[test]
fn a_plugin_of_another_role_is_a_fault_that_says_so() {
    let (_directory, caller) = caller("evict-lru");
    let answer = caller.ask(&question(&json!({"hunk": ""}))).to_json();
    assert_eq!(answer["fault"]["code"], "abi", "{answer}");
    assert!(answer["fault"]["message"].as_str().unwrap().contains("another role"), "{answer}");
}

/// The typical questions of `plugin bench` would measure refusals alone, were they not understood by whom they are for.
#[test]
fn typical_questions_are_answered_by_the_shipped_plugins() {
    use crate::author::bench::{Ended, Rounds, measure, typical};
    let rounds = Rounds { calls: 1, loads: 1 };
    for (name, other, role, answered) in [
        ("key-cc", "key-command", Role::Key, [1, 3]),
        ("metadata-compact", "metadata-compact", Role::Metadata, [8, 8]),
        ("evict-lru", "evict-lru", Role::Eviction, [1, 1]),
    ] {
        let ((_one, one), (_two, two)) = (caller(name), caller(other));
        let cases = typical(role, [&one, &two]);
        let measured = measure([&one, &two], role, &cases, rounds).unwrap();
        for (measured, answered) in measured.iter().zip(answered) {
            let count = measured.calls.iter().filter(|cost| cost.ended == Ended::Answered).count();
            assert_eq!(count, answered, "{name}, {other}: {measured:?}");
            assert!(measured.calls.iter().all(|cost| cost.fuel > 0), "{measured:?}");
        }
    }
}

/// Numbers that look random and are the same in every run.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % end
    }

    fn json(&mut self, depth: usize) -> Json {
        const NAMES: [&str; 12] = [
            "operation",
            "argv",
            "host",
            "files",
            "hex",
            "exit",
            "code",
            "candidates",
            "report",
            "function",
            "answers",
            "",
        ];
        let kinds = if depth == 0 { 5 } else { 7 };
        match self.below(kinds) {
            0 => Json::Null,
            1 => json!(self.below(2) == 0),
            2 => json!(self.below(usize::MAX) as u64),
            3 => json!(-1.5e300),
            4 => json!(NAMES[self.below(NAMES.len())]),
            5 => (0..self.below(4)).map(|_| self.json(depth - 1)).collect(),
            _ => Json::Object(
                (0..self.below(5))
                    .map(|_| (NAMES[self.below(NAMES.len())].to_owned(), self.json(depth - 1)))
                    .collect(),
            ),
        }
    }
}

#[test]
fn no_text_makes_a_panic() {
    let mut numbers = Numbers(1);
    let whole = json!({
        "function": "derive", "operation": {"argv": ["a"], "root": "/", "reads": ["r"]},
        "host": {"files": {"a": {"hex": "00"}}, "answers": [{"arguments": [], "exit": {"code": 1}}], "capabilities": ["read"]},
    })
    .to_string();
    let mut told = 0;
    for _ in 0..20_000 {
        // A whole question with bytes changed, or any JSON at all.
        let text = if numbers.below(2) == 0 {
            let mut bytes = whole.clone().into_bytes();
            for _ in 0..=numbers.below(3) {
                let at = numbers.below(bytes.len());
                bytes[at] = b"{}[]\":,0a\\ \xff"[numbers.below(12)];
            }
            bytes
        } else {
            numbers.json(5).to_string().into_bytes()
        };
        let Ok(json) = serde_json::from_slice::<Json>(&text) else { continue };
        let text = std::str::from_utf8(&text).expect("JSON is UTF-8");
        if let Err(error) = Question::read(&json, &AROUND) {
            let (line, column) = error.place.line_and_column(text, 0);
            assert!(line == 1 && column <= text.chars().count(), "{text}: {error}");
            told += 1;
        }
    }
    assert!(told > 1000, "{told}");
}
