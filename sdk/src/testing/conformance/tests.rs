//! Each law finds what breaks it. The faults are planted one by one, each in a plugin of its own.

use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use super::{eviction, key, metadata};
use crate::testing::TestHost;
use crate::{
    Budget, Candidate, Derivation, Discovery, EvictionPlugin, ExitStatus, Ingredient, KeyPlugin,
    MetadataPlugin, Operation, Outcome, REPORT, Refusal, Write, variable,
};

/// What the law says of a plugin that breaks it.
fn broken(law: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(law)).expect_err("the law is broken");
    panic.downcast::<String>().map_or_else(|_| "a text".to_owned(), |message| *message)
}

thread_local! {
    static CALLS: Cell<u64> = const { Cell::new(0) };
}

fn counted() -> u64 {
    CALLS.set(CALLS.get() + 1);
    CALLS.get()
}

/// Makes a plugin whose `derive` is the expression.
macro_rules! planted {
    ($($name:ident = |$operation:ident| $derivation:expr;)+) => {
        $(
            struct $name;
            impl KeyPlugin for $name {
                fn derive($operation: &Operation) -> Result<Derivation, Refusal> {
                    Ok($derivation)
                }
            }
        )+
    };
}

planted! {
    Counts = |_one| Derivation::new("a").ingredient(Ingredient::text("calls", counted().to_string()));
    Hashes = |one| {
        let names: HashMap<_, _> = one.reads.iter().map(|path| (path, path)).collect();
        let named = |path: &&String| Ingredient::file(*path, *path);
        Derivation::new("a").ingredients(names.keys().map(named).collect::<Vec<_>>())
    };
    Looks = |_one| {
        let _value = variable(if counted().is_multiple_of(2) { "A" } else { "B" });
        Derivation::new("a")
    };
    Empty = |_one| Derivation::new("");
    TwoLines = |_one| Derivation::new("a\nb");
    Twice = |_one| Derivation::new("a").write(Write::file("w", "a")).write(Write::file("w", "b"));
    Slashed = |_one| Derivation::new("a").write(Write::file("a/b", "a/b"));
    Unwritten = |_one| Derivation::new("a").report("depfile");
    Unasked = |_one| Derivation::new("a").arguments(["-MF", REPORT]);
    First = |one| Derivation::new("a").ingredients(one.reads.first().map(|path| Ingredient::file("r", path)));
    Joined = |one| Derivation::new("a").ingredient(Ingredient::text("v", one.variables.join(",")));
}

/// Takes for granted that its report has a line.
struct Trusting;

impl KeyPlugin for Trusting {
    fn derive(_: &Operation) -> Result<Derivation, Refusal> {
        Ok(Derivation::new("a").report(REPORT))
    }

    fn discover(_: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        let line = report.iter().position(|byte| *byte == b'\n').expect("a line");
        Ok(Discovery::new().ingredient(Ingredient::bytes("line", &report[..line])))
    }
}

#[test]
fn laws_of_keys_find_what_breaks_them() {
    let host = TestHost::new();
    let reads: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    let one = [Operation::new(["a"]).reads(reads).variables(["V"])];

    let told = broken(|| key::the_same_question_gets_the_same_answer::<Counts>(&host, &one));
    assert!(told.contains("answered in two ways"), "{told}");
    broken(|| key::the_same_question_gets_the_same_answer::<Hashes>(&host, &one));
    let told = broken(|| key::the_same_question_gets_the_same_answer::<Looks>(&host, &one));
    assert!(told.contains("looked into in two ways"), "{told}");
    broken(|| key::labels_are_one_line::<Empty>(&host, &one));
    broken(|| key::labels_are_one_line::<TwoLines>(&host, &one));
    broken(|| key::writes_have_labels_of_their_own::<Twice>(&host, &one));
    broken(|| key::writes_have_labels_of_their_own::<Slashed>(&host, &one));
    broken(|| key::reports_are_those_that_are_asked_for::<Unwritten>(&host, &one));
    broken(|| key::reports_are_those_that_are_asked_for::<Unasked>(&host, &one));
    broken(|| key::declared_lists_have_no_order::<First>(&host, &one));
    broken(|| key::an_unrelated_variable_adds_nothing_but_itself::<Joined>(&host, &one));
    broken(|| key::no_report_makes_it_panic::<Trusting>(&host, &one));
    assert!(host.looks().is_empty(), "the laws keep their notes to themselves");
}

/// Makes a codec of two expressions.
macro_rules! codec {
    ($($name:ident: |$outcome:ident| $hunk:expr, |$bytes:ident| $decoded:expr;)+) => {
        $(
            struct $name;
            impl MetadataPlugin for $name {
                fn encode($outcome: &Outcome) -> Result<Vec<u8>, String> {
                    Ok($hunk)
                }
                fn decode($bytes: &[u8]) -> Result<Outcome, String> {
                    $decoded
                }
            }
        )+
    };
}

codec! {
    // The last byte of each piece of output is gone.
    Loses: |outcome| {
        let mut outcome = outcome.clone();
        for chunk in &mut outcome.output {
            chunk.bytes.pop();
        }
        crate::testing::question::outcome(&outcome).to_json().into_bytes()
    }, |hunk| whole(hunk);
    Forgets: |outcome| {
        let outcome = Outcome { notes: Vec::new(), ..outcome.clone() };
        crate::testing::question::outcome(&outcome).to_json().into_bytes()
    }, |hunk| whole(hunk);
    Numbers: |_outcome| counted().to_string().into_bytes(), |_hunk| Ok(Outcome::new(ExitStatus::Code(0)));
    Believes: |_outcome| b"abc".to_vec(), |hunk| Ok(Outcome::new(ExitStatus::Code(i32::from(hunk[2]))));
}

fn whole(hunk: &[u8]) -> Result<Outcome, String> {
    let text = std::str::from_utf8(hunk).map_err(|error| error.to_string())?;
    crate::Value::parse(text)
        .and_then(|value| crate::testing::answer::outcome(&value))
        .ok_or_else(|| "no outcome".to_owned())
}

#[test]
fn laws_of_metadata_find_what_breaks_them() {
    broken(metadata::what_was_encoded_comes_back::<Loses>);
    broken(metadata::times_and_notes_come_back::<Forgets>);
    metadata::what_was_encoded_comes_back::<Forgets>();
    broken(metadata::the_same_outcome_has_the_same_hunk::<Numbers>);
    broken(metadata::no_damage_makes_it_panic::<Believes>);
}

struct Ratio;

impl EvictionPlugin for Ratio {
    fn score(_: u64, _: &Budget, candidate: &Candidate) -> f64 {
        candidate.uses as f64 / candidate.size as f64
    }
}

/// Scores by how often it was asked before.
struct Asked;

impl EvictionPlugin for Asked {
    fn score(_: u64, _: &Budget, candidate: &Candidate) -> f64 {
        candidate.size as f64 / counted() as f64
    }
}

#[test]
fn laws_of_eviction_find_what_breaks_them() {
    let told = broken(eviction::scores_are_finite::<Ratio>);
    assert!(told.starts_with("NaN for") || told.starts_with("inf for"), "{told}");
    broken(eviction::the_same_question_gets_the_same_answer::<Asked>);
    broken(eviction::scores_do_not_depend_on_their_batch::<Asked>);
}
