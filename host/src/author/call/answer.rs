//! What came of a call, and what it took.

use super::json;
use super::look::Look;
use super::shape::Shape as _;
use crate::operation::{Derivation, Discovery, Refusal};
use crate::outcome::Outcome;
use crate::policy::{Fault, FaultKind};
use crate::runtime::{LogLine, Usage};
use serde_json::{Value as Json, json};

/// What came of a call, and what it took.
#[derive(Clone, PartialEq, Debug)]
pub struct Answer {
    /// What the plugin answered, or why it did not.
    pub reply: Reply,
    /// What it looked at, in order.
    pub looks: Vec<Look>,
    /// What it logged, in order.
    pub log: Vec<LogLine>,
    /// What it used of its limits.
    pub usage: Usage,
    /// How long it took in nanoseconds, without loading the component.
    pub time: u64,
}

/// What a plugin answered.
#[derive(Clone, PartialEq, Debug)]
pub enum Reply {
    /// To `derive`.
    Derivation(Derivation),
    /// To `discover`.
    Discovery(Discovery),
    /// To `encode`.
    Hunk(Vec<u8>),
    /// To `decode`.
    Outcome(Outcome),
    /// To `score`.
    Scores(Vec<f64>),
    /// A key plugin does not name the operation.
    Refused(Refusal),
    /// A codec does not write or read this, in its own words.
    Declined(String),
    /// It did not do its part.
    Fault(Box<Fault>),
}

impl Answer {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let log = |line: &LogLine| json!([line.level.name(), line.message]);
        let mut answer = json!({
            "looks": self.looks.iter().map(Look::to_json).collect::<Json>(),
            "log": self.log.iter().map(log).collect::<Json>(),
            "fuel": self.usage.fuel, "memory": self.usage.memory, "output": self.usage.output,
            "time_ns": self.time,
        });
        let (name, content) = match &self.reply {
            Reply::Derivation(derivation) => ("ok", derivation.to_json()),
            Reply::Discovery(discovery) => ("ok", discovery.to_json()),
            Reply::Hunk(hunk) => ("ok", json::of_bytes(hunk)),
            Reply::Outcome(outcome) => ("ok", outcome.to_json()),
            Reply::Scores(scores) => ("ok", Json::from(&scores[..])),
            Reply::Refused(refusal) => ("refused", refusal.to_json()),
            Reply::Declined(why) => ("refused", Json::from(why.as_str())),
            Reply::Fault(fault) => ("fault", of_fault(fault)),
        };
        answer[name] = content;
        answer
    }
}

fn of_fault(fault: &Fault) -> Json {
    let mut json = json!({"code": fault.kind.code(), "message": fault.to_string()});
    if let FaultKind::Panic { message, file, line } = &fault.kind {
        json["panic"] = json!({"message": message, "file": file, "line": line});
    }
    json
}
