//! Whatever a hostile guest does is one typed fault, and the host goes on.

use super::*;
use crate::outcome::{Exit, Outcome};
use crate::policy::{Budget, Codec as _, Eviction as _, Role};
use crate::time::Timestamp;
use std::time::Duration;

#[track_caller]
fn assert_fault(name: &str, text: &str, code: &str) -> FaultKind {
    let fault = fault_of(text);
    assert_eq!(fault.code(), code, "{name}: {fault}");
    let again = derive(&key(GOOD));
    assert!(matches!(again, Ok(Ok(_))), "after {name}: {again:?}");
    fault
}

macro_rules! faults {
    ($($name:literal => $code:literal,)*) => {
        $(assert_fault($name, guest!($name), $code);)*
    };
}

#[test]
fn every_attack_is_its_own_fault_and_a_good_guest_works_afterwards() {
    faults! {
        "loop" => "limit.fuel",
        "loop-in-start" => "limit.fuel",
        "panic-and-loop" => "limit.fuel",
        "memory-bomb" => "limit.memory",
        "large-memory" => "limit.memory",
        "huge-output" => "limit.output",
        "overlapping-output" => "limit.output",
        "chatter" => "limit.output",
        "out-of-bounds" => "protocol",
        "unaligned" => "protocol",
        "bad-discriminant" => "protocol",
        "huge-list" => "protocol",
        "wrapping-list" => "protocol",
        "not-utf8" => "protocol",
        "duplicate-writes" => "protocol",
        "deep-recursion" => "trap",
        "trap-in-call" => "trap",
        "trap-in-start" => "trap",
        "panic" => "panic",
        "abi-0.2.0" => "abi",
        "abi-9.9.9" => "abi",
        "missing-export" => "abi",
        "no-role" => "abi",
        "two-roles" => "abi",
        "foreign-import" => "import",
        "foreign-function" => "abi",
        "core-module" => "load",
    }
}

#[test]
fn an_authors_own_words_come_with_a_panic() {
    let expected =
        FaultKind::Panic { message: "no input named `cc`".into(), file: "src/lib.rs".into(), line: 4 };
    assert_eq!(fault_of(guest!("panic")), expected);
}

#[test]
fn a_foreign_import_is_refused_by_its_name() {
    let name = "wasi:clocks/monotonic-clock@0.2.0".to_owned();
    assert_eq!(fault_of(guest!("foreign-import")), FaultKind::Import(name));
}

#[test]
fn another_version_tells_both_sides_what_to_do() {
    let message = fault_of(guest!("abi-9.9.9")).to_string();
    assert!(message.contains("newer Reviver") && message.contains("rebuild"), "{message}");
}

#[test]
fn limits_are_named_in_their_faults() {
    assert_eq!(fault_of(guest!("loop")), FaultKind::Fuel { limit: 200_000_000 });
    assert_eq!(fault_of(guest!("memory-bomb")), FaultKind::Memory { limit: 64 << 20 });
    let size = (5 << 20) + 5 * 8 - 16;
    assert_eq!(fault_of(guest!("huge-output")), FaultKind::Output { size, limit: 4 << 20 });
}

#[test]
fn garbage_is_no_component() {
    let cut = component("key", GOOD);
    let half = &cut[..cut.len() / 2];
    for bytes in [b"".as_slice(), b"#!/bin/sh", b"\0asm", b"\0asm\x0d\0\x01\0\xff\xff", half] {
        let fault = derive(&WasmKey::new(runtime(), source(bytes.to_vec()))).unwrap_err();
        assert!(matches!(fault.kind, FaultKind::Load(_)), "{fault}");
        assert_eq!(fault.function, "", "nothing was called");
    }
}

#[test]
fn the_wall_clock_ends_what_fuel_does_not() {
    let mut source = source(component("key", guest!("loop")));
    source.limits.fuel = u64::MAX / 2;
    source.limits.time = Duration::from_millis(50);
    let key = WasmKey::new(runtime(), source);
    assert_eq!(derive(&key).unwrap_err().kind, FaultKind::Time { limit: 50 });
}

#[test]
fn the_end_of_one_calls_time_does_not_end_another_call() {
    let timed = |fuel, time| {
        let mut source = source(component("key", guest!("loop")));
        source.limits.fuel = fuel;
        source.limits.time = Duration::from_millis(time);
        derive(&WasmKey::new(runtime(), source)).unwrap_err().kind
    };
    std::thread::scope(|scope| {
        let other = scope.spawn(|| timed(300_000_000, 60_000));
        for _ in 0..3 {
            assert_eq!(timed(u64::MAX / 2, 10), FaultKind::Time { limit: 10 });
        }
        assert_eq!(other.join().unwrap(), FaultKind::Fuel { limit: 300_000_000 });
    });
}

#[test]
fn an_instance_serves_one_call() {
    let key = key(guest!("poison"));
    for _ in 0..3 {
        assert!(derive(&key).is_ok());
    }
}

#[test]
fn a_plugin_whose_bytes_are_not_the_pinned_ones_is_refused() {
    let mut source = source(component("key", GOOD));
    source.digest = Digest::of(b"another");
    let fault = derive(&WasmKey::new(runtime(), source.clone())).unwrap_err();
    assert!(matches!(&fault.kind, FaultKind::Load(why) if why.contains("digest")), "{fault}");
    source.limits.component = 10;
    let fault = derive(&WasmKey::new(runtime(), source)).unwrap_err();
    assert!(matches!(&fault.kind, FaultKind::Load(why) if why.contains("larger than 10")), "{fault}");
}

#[test]
fn the_same_call_uses_the_same_fuel() {
    // The least fuel that a call needs is found by bisection, twice: a single unit decides, in every run alike.
    let bytes = component("key", GOOD);
    let enough = |fuel| {
        let mut source = source(bytes.clone());
        source.limits.fuel = fuel;
        derive(&WasmKey::new(runtime(), source)).is_ok()
    };
    let least = || (0..2000).collect::<Vec<u64>>().partition_point(|fuel| !enough(*fuel));
    let (one, other) = (least(), least());
    assert!(one > 10 && one == other, "{one} {other}");
}

#[test]
fn hostile_codecs_are_at_fault() {
    let codec = codec(guest!("metadata-hostile"));
    let outcome = Outcome { exit: Exit::Code(1), output: vec![], started: 0, duration: 0, notes: vec![] };
    let fault = codec.encode(&outcome).unwrap_err();
    assert_eq!((fault.kind.code(), fault.function, fault.role), ("protocol", "encode", Role::Metadata));
    assert_eq!(codec.decode(b"").unwrap_err().kind.code(), "protocol");
}

#[test]
fn hostile_scores_are_at_fault() {
    let budget = Budget { limit: 0, used: 0, entries: 0 };
    for text in [guest!("eviction-nan"), guest!("eviction-too-many"), guest!("eviction-out-of-bounds")] {
        let fault = eviction(text).score(Timestamp(0), budget, &[roles::candidate(0)]).unwrap_err();
        assert_eq!((fault.kind.code(), fault.function), ("protocol", "score"), "{fault}");
    }
}
