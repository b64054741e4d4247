//! The laws of key plugins, for operations that are not refused.

use std::collections::BTreeSet;

use super::random::Random;
use crate::testing::TestHost;
use crate::{Derivation, Ingredient, KeyPlugin, Operation, REPORT, Source};

/// A variable that no plugin knows.
const UNRELATED: &str = "REVIVER_CONFORMANCE_UNRELATED";
/// How many reports are tried on each operation.
const REPORTS: usize = 200;

/// What `P` derives for `operation`.
pub(super) fn derived<P: KeyPlugin>(host: &TestHost, operation: &Operation) -> Derivation {
    host.derive::<P>(operation)
        .unwrap_or_else(|refusal| panic!("{:?} is refused: {}", operation.argv, refusal.reason()))
}

fn each<P: KeyPlugin>(host: &TestHost, operations: &[Operation], law: impl Fn(&Operation, Derivation)) {
    for operation in operations {
        law(operation, derived::<P>(&host.afresh(), operation));
    }
}

/// The answer depends on nothing but the question and what the host knows: asked again, the plugin looks at the same
/// things and says the same.
pub fn the_same_question_gets_the_same_answer<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    for operation in operations {
        let asked = || {
            let host = host.afresh();
            (derived::<P>(&host, operation), host.looks())
        };
        let (first, looks) = asked();
        for _ in 0..3 {
            let (again, looks_again) = asked();
            assert_eq!(again, first, "{:?} was answered in two ways", operation.argv);
            assert_eq!(looks_again, looks, "{:?} was looked into in two ways", operation.argv);
        }
    }
}

/// The label is one line and not empty.
pub fn labels_are_one_line<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    each::<P>(host, operations, |operation, derivation| {
        let label = &derivation.label;
        assert!(!label.is_empty() && !label.contains(['\n', '\r']), "{:?}: {label:?}", operation.argv);
    });
}

/// The labels of writes are unique, not empty and without `/`.
pub fn writes_have_labels_of_their_own<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    each::<P>(host, operations, |_, derivation| {
        let mut labels = BTreeSet::new();
        for write in &derivation.writes {
            assert!(!write.label.is_empty() && !write.label.contains('/'), "write label `{}`", write.label);
            assert!(labels.insert(&*write.label), "write label `{}` is there twice", write.label);
        }
    });
}

/// The report is [`REPORT`] or the label of a write; arguments that hold [`REPORT`] come with that report.
pub fn reports_are_those_that_are_asked_for<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    each::<P>(host, operations, |_, derivation| {
        if let Some(report) = &derivation.report {
            let is_write = derivation.writes.iter().any(|write| write.label == *report);
            assert!(report == REPORT || is_write, "the report `{report}` is no write");
        }
        let asked = derivation.arguments.iter().flatten().any(|argument| argument.contains(REPORT));
        assert!(!asked || derivation.report.as_deref() == Some(REPORT), "arguments ask for an unused report");
    });
}

/// What is named does not depend on the order of declared reads, writes and variables. Labels may count them.
pub fn declared_lists_have_no_order<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    each::<P>(host, operations, |operation, derivation| {
        let mut turned = operation.clone();
        turned.reads.reverse();
        turned.writes.reverse();
        turned.variables.reverse();
        let turned = derived::<P>(&host.afresh(), &turned);
        assert_eq!(named(&turned), named(&derivation), "{:?} with its lists turned round", operation.argv);
    });
}

/// All sources and places of writes, in an order of their own.
fn named(derivation: &Derivation) -> (Vec<String>, Vec<String>) {
    let mut sources: Vec<_> = derivation.ingredients.iter().map(|one| format!("{:?}", one.source)).collect();
    let mut writes: Vec<_> = derivation
        .writes
        .iter()
        .map(|write| format!("{:?} {:?} {}", write.path, write.kind, write.optional))
        .collect();
    sources.sort();
    writes.sort();
    (sources, writes)
}

/// One more declared variable, which nothing else depends on, is one more ingredient at most.
pub fn an_unrelated_variable_adds_nothing_but_itself<P: KeyPlugin>(
    host: &TestHost,
    operations: &[Operation],
) {
    each::<P>(host, operations, |operation, derivation| {
        let declared = operation.variables.iter().map(String::as_str).chain([UNRELATED]);
        let more = operation.clone().variables(declared);
        let mut more = derived::<P>(&host.afresh().variable(UNRELATED, "1"), &more);
        let itself = |one: &Ingredient| one.source == Source::Variable(UNRELATED.to_owned());
        more.ingredients.retain(|one| !itself(one));
        assert_eq!(more, derivation, "{:?} with an unrelated variable", operation.argv);
    });
}

/// No report makes the plugin panic; what it answers to one that makes no sense is its own affair.
pub fn no_report_makes_it_panic<P: KeyPlugin>(host: &TestHost, operations: &[Operation]) {
    each::<P>(host, operations, |operation, derivation| {
        if derivation.report.is_none() {
            return;
        }
        let mut random = Random::new();
        for _ in 0..REPORTS {
            let report = random.report();
            drop(host.afresh().discover::<P>(operation, &report));
        }
    });
}
