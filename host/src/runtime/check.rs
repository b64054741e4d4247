//! What the contract demands of answers beyond their types. The error says what is broken.

use crate::operation::{Derivation, Discovery, REPORT};
use std::collections::BTreeSet;

/// Labels of writes are unique, not empty and without `/`; the report is private or one of the writes.
pub(super) fn derivation(derivation: &Derivation) -> Result<(), String> {
    let mut labels = BTreeSet::new();
    for write in &derivation.writes {
        let label = write.label.as_str();
        if label.is_empty() || label.contains('/') {
            return Err(format!("the label `{label}` of a write is empty or holds a `/`"));
        }
        if !labels.insert(label) {
            return Err(format!("two writes have the label `{label}`"));
        }
        if write.path.is_empty() {
            return Err(format!("the write `{label}` has no path"));
        }
    }
    match derivation.report.as_deref() {
        Some(report) if report != REPORT && !labels.contains(report) => {
            Err(format!("the report `{report}` is neither `{REPORT}` nor the label of a write"))
        }
        _ => Ok(()),
    }
}

/// No write is produced twice.
pub(super) fn discovery(discovery: &Discovery) -> Result<(), String> {
    let mut labels = BTreeSet::new();
    match discovery.produced.iter().find(|(label, _)| !labels.insert(label)) {
        Some((label, _)) => Err(format!("the write `{label}` is produced twice")),
        None => Ok(()),
    }
}

/// One finite number for each candidate.
pub(super) fn scores(scores: &[f64], candidates: usize) -> Result<(), String> {
    if scores.len() != candidates {
        return Err(format!("{} scores for {candidates} candidates", scores.len()));
    }
    match scores.iter().position(|score| !score.is_finite()) {
        Some(position) => Err(format!("score {position} is {}", scores[position])),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::{Input, Write, WriteKind};

    fn with(labels: &[&str], report: Option<&str>) -> Result<(), String> {
        let write = |label: &&str| Write {
            label: (*label).to_owned(),
            path: "out".into(),
            kind: WriteKind::File,
            optional: false,
        };
        derivation(&Derivation {
            label: String::new(),
            ingredients: vec![],
            writes: labels.iter().map(write).collect(),
            input: Input::Unused,
            arguments: None,
            report: report.map(str::to_owned),
        })
    }

    #[test]
    fn labels_of_writes_are_names_and_reports_name_one() {
        assert_eq!(with(&["a", "b"], Some("b")), Ok(()));
        assert_eq!(with(&[], Some(REPORT)), Ok(()));
        for wrong in
            [with(&[""], None), with(&["a/b"], None), with(&["a", "a"], None), with(&["a"], Some("b"))]
        {
            assert!(wrong.is_err());
        }
    }

    #[test]
    fn scores_are_finite_and_as_many_as_candidates() {
        assert_eq!(scores(&[0.0, -1.0], 2), Ok(()));
        for wrong in [scores(&[], 1), scores(&[f64::NAN], 1), scores(&[0.0, f64::NEG_INFINITY], 2)] {
            assert!(wrong.is_err());
        }
    }
}
