//! Every guest of `tests/hostile/`, through every role, a thousand times in one process: each call comes to the same answer or
//! the same fault, good guests work in between, and the process stays as it was.
//!
//! A guest that attacks from within `derive` is put into the functions of the other roles too; a component that is whole in
//! itself, or of another role, is what it is, and is to be refused by the others.

#![allow(clippy::print_stdout, reason = "what the parent reads")]

use super::*;
use crate::outcome::{Exit, Outcome};
use crate::policy::{Budget, Codec as _, Eviction as _};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

const ROUNDS: usize = 1000;

/// From when on nothing may grow any more.
const SETTLED: usize = 100;

/// What allocators may keep for themselves.
const MARGIN: u64 = 4 << 20;

const ROLES: [&str; 3] = ["key", "metadata", "eviction"];

/// Attacks that are the same in all roles, with the fault that each is.
const EVERYWHERE: [(&str, &str); 14] = [
    ("chatter", "limit.output"),
    ("core-module", "load"),
    ("deep-recursion", "trap"),
    ("foreign-import", "import or abi"),
    ("large-memory", "limit.memory"),
    ("loop", "limit.fuel"),
    ("loop-in-start", "limit.fuel"),
    ("memory-bomb", "limit.memory"),
    ("out-of-bounds", "protocol"),
    ("panic", "panic"),
    ("panic-and-loop", "limit.fuel"),
    ("trap-in-call", "trap"),
    ("trap-in-start", "trap"),
    ("unaligned", "protocol"),
];

/// The guest of this text in the functions of `role`.
fn in_role(role: &str, text: &str) -> Vec<u8> {
    const DERIVE: &str =
        "(func (export \"derive\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)";
    const DISCOVER: &str = "(func (export \"discover\") (param i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32 i32) (result i32)";
    let own = match text {
        text if text.contains("(export \"encode\")") => "metadata",
        text if text.contains("(export \"score\")") => "eviction",
        _ => "key",
    };
    if own != "key" || !text.contains(DERIVE) {
        return component(own, text);
    }
    let text = match role {
        "metadata" => text
            .replace(DERIVE, "(func (export \"encode\") (param i32 i32 i32 i32 i64 i64 i32 i32) (result i32)")
            .replace(DISCOVER, "(func (export \"decode\") (param i32 i32) (result i32)"),
        "eviction" => text.replace(
            DERIVE,
            "(func (export \"free\") (param i32))
             (func (export \"score\") (param i64 i64 i64 i64 i32 i32) (result i32)",
        ),
        _ => text.to_owned(),
    };
    component(role, &text)
}

/// A guest that is asked through a role.
struct Case {
    name: String,
    role: &'static str,
    source: PluginSource,
    plugin: Asked,
    first: Option<String>,
}

enum Asked {
    Key(WasmKey),
    Metadata(WasmCodec),
    Eviction(WasmEviction),
}

impl Asked {
    fn new(role: &str, runtime: &Arc<Runtime>, source: &PluginSource) -> Self {
        let (runtime, source) = (Arc::clone(runtime), source.clone());
        match role {
            "key" => Self::Key(WasmKey::new(runtime, source)),
            "metadata" => Self::Metadata(WasmCodec::new(runtime, source)),
            _ => Self::Eviction(WasmEviction::new(runtime, source)),
        }
    }

    /// What comes of a call of each of its functions, and whether the plugin could be loaded.
    fn ask(&self) -> (String, bool) {
        let mut loaded = true;
        let mut tell = |answer: Result<String, Box<Fault>>| {
            answer.unwrap_or_else(|fault| {
                loaded &= !fault.function.is_empty();
                fault.kind.code().to_owned()
            })
        };
        let told = match self {
            Self::Key(key) => tell(derive(key).map(|answer| format!("{answer:?}"))),
            Self::Metadata(codec) => {
                let encoded = tell(codec.encode(&outcome()).map(|answer| format!("{answer:?}")));
                let decoded = tell(codec.decode(b"1234").map(|answer| format!("{answer:?}")));
                if encoded == decoded { encoded } else { format!("{encoded}, {decoded}") }
            }
            Self::Eviction(eviction) => {
                let budget = Budget { limit: 0, used: 0, entries: 0 };
                tell(
                    eviction
                        .score(Timestamp(0), budget, &[roles::candidate(0)])
                        .map(|answer| format!("{answer:?}")),
                )
            }
        };
        (told, loaded)
    }
}

fn outcome() -> Outcome {
    Outcome { exit: Exit::Code(7), output: vec![], started: 0, duration: 0, notes: vec![] }
}

fn cases(runtime: &Arc<Runtime>) -> Vec<Case> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile");
    let mut names: Vec<String> = fs::read_dir(&directory)
        .unwrap()
        .map(|file| file.unwrap().file_name().into_string().unwrap())
        .filter_map(|name| name.strip_suffix(".wat").map(str::to_owned))
        .filter(|name| !name.starts_with("shell-"))
        .collect();
    names.sort();
    let mut cases = Vec::new();
    for name in names {
        let text = fs::read_to_string(directory.join(format!("{name}.wat"))).unwrap();
        for role in ROLES {
            let mut source = source(in_role(role, &text));
            // Whoever loops does so until the fuel is used up, and how much that is makes no difference here.
            source.limits.fuel = if name.contains("loop") { 100_000 } else { 10_000_000 };
            source.limits.output = 64 << 10;
            let plugin = Asked::new(role, runtime, &source);
            cases.push(Case { name: name.clone(), role, source, plugin, first: None });
        }
    }
    cases
}

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Held {
    memory: u64,
    mappings: usize,
    files: usize,
    threads: usize,
}

fn held() -> Held {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let field = |name: &str| -> u64 {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    Held {
        memory: field("VmRSS:") << 10,
        mappings: fs::read_to_string("/proc/self/maps").unwrap().lines().count(),
        files: fs::read_dir("/proc/self/fd").unwrap().count(),
        threads: field("Threads:") as usize,
    }
}

#[track_caller]
fn assert_flat(then: Held, now: Held) {
    assert!(now.memory < then.memory + MARGIN, "{then:?} {now:?}");
    assert!(now.mappings < then.mappings + 16, "{then:?} {now:?}");
    assert_eq!((then.files, then.threads), (now.files, now.threads));
}

#[test]
fn a_thousand_calls_of_every_hostile_guest_leave_the_process_as_it_was() {
    let mut child = Command::new(std::env::current_exe().unwrap());
    child.args(["--exact", "runtime::tests::thousand::in_one_process", "--ignored", "--nocapture"]);
    let output = child.output().unwrap();
    let (told, why) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success() && told.contains("as it was"), "{told}\n{why}");
}

/// What the child does.
#[test]
#[ignore = "a part of the test above, which needs a process of its own"]
fn in_one_process() {
    let scratch = tempfile::tempdir().unwrap();
    let artifacts: PathBuf = scratch.path().join("artifacts");
    let runtime = Arc::new(Runtime::new(Some(artifacts)));
    let good = [("key", GOOD), ("metadata", guest!("metadata-good")), ("eviction", guest!("eviction-good"))]
        .map(|(role, text)| Asked::new(role, &runtime, &source(component(role, text))));
    let right = good.each_ref().map(Asked::ask);
    assert!(right.iter().all(|(_, loaded)| *loaded), "{right:?}");

    let mut cases = cases(&runtime);
    assert!(cases.len() > 100, "{}", cases.len());
    let mut then = None;
    for round in 0..ROUNDS {
        if round == SETTLED {
            then = Some(held());
        }
        for case in &mut cases {
            let (told, loaded) = case.plugin.ask();
            let first = case.first.get_or_insert_with(|| told.clone());
            assert_eq!(*first, told, "{} as {} in round {round}", case.name, case.role);
            // One that was refused is refused anew each time, the others are loaded anew now and then.
            if !loaded || round % 20 == 0 {
                case.plugin = Asked::new(case.role, &runtime, &case.source);
            }
        }
        for (good, right) in good.iter().zip(&right) {
            assert_eq!(good.ask(), *right, "in round {round}");
        }
        drop(runtime.take_log());
    }
    assert_flat(then.unwrap(), held());

    let told: BTreeMap<_, _> =
        cases.iter().map(|case| ((&*case.name, case.role), case.first.as_deref().unwrap())).collect();
    for (name, code) in EVERYWHERE {
        for role in ROLES {
            let is = told[&(name, role)];
            // `decode` stands for `discover`, which those that attack from `derive` have nothing in.
            let is = is.strip_suffix(", trap").unwrap_or(is);
            assert!(code.split(" or ").any(|code| code == is), "{name} as {role}: {is}");
        }
    }
    clocks_end_with_their_calls(&runtime);
    println!("as it was: {:?}", held());
}

/// A guest that wants more than a little fuel is called with a thread beside it.
fn clocks_end_with_their_calls(runtime: &Arc<Runtime>) {
    let mut source = source(component("key", guest!("loop")));
    source.limits.fuel = 20_000_001;
    let key = WasmKey::new(Arc::clone(runtime), source);
    let threads = held().threads;
    assert!(derive(&key).is_err(), "it is loaded, which the process is not to be charged with");
    let then = Held { threads, ..held() };
    for _ in 0..50 {
        assert_eq!(derive(&key).unwrap_err().kind.code(), "limit.fuel");
    }
    // A clock that was called off ends in its own time.
    let waits = (0..1000).take_while(|_| held().threads > threads);
    waits.for_each(|_| std::thread::sleep(Duration::from_millis(10)));
    assert_flat(then, held());
}
