//! Asking a plugin as the host does: natively, or its component.

use super::{TestHost, answer, component, question};
use crate::{
    Budget, Candidate, Derivation, Discovery, EvictionPlugin, KeyPlugin, MetadataPlugin, Operation, Outcome,
    Refusal, Value,
};

impl TestHost {
    /// What `P` derives for `operation`.
    pub fn derive<P: KeyPlugin>(&self, operation: &Operation) -> Result<Derivation, Refusal> {
        self.component("derive", || vec![("operation", question::operation(operation))]).map_or_else(
            || self.run(|| P::derive(operation)),
            |it| it.read(answer::derivation, answer::refusal),
        )
    }

    /// What `P` discovers for `operation` from the `report` of its run.
    pub fn discover<P: KeyPlugin>(&self, operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        let question =
            || vec![("operation", question::operation(operation)), ("report", question::bytes(report))];
        self.component("discover", question).map_or_else(
            || self.run(|| P::discover(operation, report)),
            |it| it.read(answer::discovery, answer::refusal),
        )
    }

    /// The hunk that `P` encodes `outcome` into.
    pub fn encode<P: MetadataPlugin>(&self, outcome: &Outcome) -> Result<Vec<u8>, String> {
        self.component("encode", || vec![("outcome", question::outcome(outcome))])
            .map_or_else(|| self.run(|| P::encode(outcome)), |it| it.read(answer::bytes, answer::text))
    }

    /// The outcome that `P` decodes `hunk` into.
    pub fn decode<P: MetadataPlugin>(&self, hunk: &[u8]) -> Result<Outcome, String> {
        self.component("decode", || vec![("hunk", question::bytes(hunk))])
            .map_or_else(|| self.run(|| P::decode(hunk)), |it| it.read(answer::outcome, answer::text))
    }

    /// The scores that `P` gives to `candidates`, in their order. One that is not finite is a panic, as it is a fault to
    /// the real host.
    #[must_use]
    pub fn score<P: EvictionPlugin>(&self, now: u64, budget: &Budget, candidates: &[Candidate]) -> Vec<f64> {
        let question = || {
            let candidates = candidates.iter().map(question::candidate).collect();
            vec![
                ("now", now.into()),
                ("budget", question::budget(budget)),
                ("candidates", Value::List(candidates)),
            ]
        };
        let scores: Vec<f64> = match self.component("score", question) {
            Some(it) => it
                .read(|scores| answer::list(scores, Value::number), answer::text)
                .unwrap_or_else(|refused| panic!("scores cannot be refused: {refused}")),
            None => self.run(|| candidates.iter().map(|one| P::score(now, budget, one)).collect()),
        };
        assert_eq!(scores.len(), candidates.len(), "there is one score for each candidate");
        for (score, candidate) in scores.iter().zip(candidates) {
            assert!(score.is_finite(), "{score} for {candidate:?} at {now} with {budget:?}");
        }
        scores
    }

    /// The component's answer, its looks and log lines noted; `None` where tests run natively.
    fn component(
        &self,
        function: &str,
        members: impl FnOnce() -> Vec<(&'static str, Value)>,
    ) -> Option<Answered> {
        let question = || {
            let mut question = vec![("function".to_owned(), function.into())];
            question.extend(members().into_iter().map(|(name, value)| (name.to_owned(), value)));
            question.push(("host".to_owned(), self.to_value()));
            Value::Table(question)
        };
        let (value, line) = component::ask(question)?;
        let answered = Answered { value, line };
        if let Some(error) = answered.value.member("error") {
            panic!("the question is not understood: {}", error.text().unwrap_or(&answered.line));
        }
        let looks = answered.value.member("looks").map(|looks| answer::list(looks, answer::look));
        let logs = answered.value.member("log").map(|log| answer::list(log, answer::logged));
        self.noted(
            looks.map_or_else(Vec::new, |looks| answered.understood(looks)),
            logs.map_or_else(Vec::new, |logs| answered.understood(logs)),
        );
        if let Some(fault) = answered.value.member("fault") {
            let told = |name| fault.member(name).and_then(Value::text);
            match (told("code"), told("message")) {
                (Some(code), Some(message)) => panic!("the plugin is at fault ({code}): {message}"),
                _ => panic!("the plugin is at fault: {}", answered.line),
            }
        }
        Some(answered)
    }
}

/// A component's answer that is no fault.
struct Answered {
    value: Value,
    line: String,
}

impl Answered {
    fn read<T, R>(
        &self,
        ok: impl Fn(&Value) -> Option<T>,
        refused: impl Fn(&Value) -> Option<R>,
    ) -> Result<T, R> {
        match (self.value.member("ok"), self.value.member("refused")) {
            (Some(value), None) => Ok(self.understood(ok(value))),
            (None, Some(value)) => Err(self.understood(refused(value))),
            _ => panic!("the answer is not understood: {}", self.line),
        }
    }

    fn understood<T>(&self, read: Option<T>) -> T {
        read.unwrap_or_else(|| panic!("the answer is not understood: {}", self.line))
    }
}
