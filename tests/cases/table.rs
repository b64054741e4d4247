//! The table of `main.rs` is true: it names every case once, and every test of these files.

use std::collections::BTreeSet;

const CASES: usize = 64;

/// The files that prove cases.
const SOURCES: [(&str, &str); 9] = [
    ("command", include_str!("command.rs")),
    ("company", include_str!("company.rs")),
    ("damage", include_str!("damage.rs")),
    ("entries", include_str!("entries.rs")),
    ("keys", include_str!("keys.rs")),
    ("manifests", include_str!("manifests.rs")),
    ("operations", include_str!("operations.rs")),
    ("revival", include_str!("revival.rs")),
    ("trimming", include_str!("trimming.rs")),
];

/// Each case with the tests that the table names for it.
fn table() -> Vec<(usize, Vec<String>)> {
    let rows = include_str!("main.rs").lines().filter_map(|line| line.strip_prefix("//! | "));
    rows.filter_map(|row| {
        let (number, rest) = row.split_once(" | ")?;
        // Every second part stands between backticks.
        let quoted = rest.split('`').skip(1).step_by(2).filter(|quoted| quoted.contains("::"));
        Some((number.parse().ok()?, quoted.map(str::to_owned).collect()))
    })
    .collect()
}

/// The tests that there are, as the table names them.
fn tests() -> BTreeSet<String> {
    let named = |(module, source): &(&str, &str)| -> Vec<String> {
        let functions = source.split("#[test]\n").skip(1).map(|after| {
            let name = after.split_once("fn ").and_then(|(_, rest)| rest.split_once('(')).unwrap().0;
            format!("{module}::{name}")
        });
        functions.collect()
    };
    SOURCES.iter().flat_map(named).collect()
}

#[test]
fn every_case_is_in_the_table_once_and_in_order() {
    let table = table();
    let numbers: Vec<usize> = table.iter().map(|(number, _)| *number).collect();
    assert_eq!(numbers, (1..=CASES).collect::<Vec<_>>());
    let without: Vec<_> = table.iter().filter(|(_, tests)| tests.is_empty()).collect();
    assert!(without.is_empty(), "{without:?}");
}

#[test]
fn the_table_names_each_test_that_there_is_once() {
    let named: Vec<String> = table().into_iter().flat_map(|(_, tests)| tests).collect();
    let all: BTreeSet<String> = named.iter().cloned().collect();
    assert_eq!(all, tests());
    assert_eq!(all.len(), named.len(), "each is the proof of one case");
}

#[test]
fn every_file_with_tests_is_looked_at() {
    let directory = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/cases");
    let mut files = Vec::new();
    for file in std::fs::read_dir(directory).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_stem().unwrap().to_str().unwrap().to_owned();
        if std::fs::read_to_string(&path).unwrap().contains("#[test]\nfn ") && name != "table" {
            files.push(name);
        }
    }
    files.sort();
    assert_eq!(files, SOURCES.map(|(module, _)| module));
}
