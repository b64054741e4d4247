//! What calls of a plugin cost, beside another one of its role in the same run.
//!
//! Each question is put to both in turns, so that whatever else the machine does meets both alike; of the times the median
//! counts. Times of two runs are not to be compared, ratios within one are. Fuel and memory are equal in every run.
//!
//! | what | measured |
//! |---|---|
//! | compile | from the component to a plugin that can be called, with the start of an engine; once |
//! | load | the same where the compiled component is kept, without the start of an engine |
//! | a call | a fresh instance, the call, and the check of the answer |
//!
//! A refusal is an answer too, and a cheap one: where one side refuses, the ratio says little, so refusals are told.

mod typical;

use super::call::{Answer, Caller, Question, Reply};
use crate::policy::{Fault, Role};
use crate::runtime::Runtime;
use std::sync::Arc;

pub use typical::typical;

/// A question under the name that people see, as each side is asked it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Case {
    /// What is asked.
    pub name: String,
    /// As the plugin is asked it, and as the other one is.
    pub questions: [Question; 2],
}

impl Case {
    /// The same question for both.
    #[must_use]
    pub fn alike(name: impl Into<String>, question: Question) -> Self {
        Self { name: name.into(), questions: [question.clone(), question] }
    }
}

/// How often is measured. Both are at least once.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Rounds {
    /// Of each question.
    pub calls: usize,
    /// Of loading.
    pub loads: usize,
}

/// What was measured of one plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Measured {
    /// Nanoseconds of compiling.
    pub compile: u64,
    /// Nanoseconds of loading what is compiled.
    pub load: u64,
    /// Each case, in order.
    pub calls: Vec<Cost>,
}

/// What one call costs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Cost {
    /// What comes of it.
    pub ended: Ended,
    /// The median of its nanoseconds.
    pub time: u64,
    /// Units of fuel.
    pub fuel: u64,
    /// Bytes of memory.
    pub memory: u64,
}

/// What comes of a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ended {
    /// An answer.
    Answered,
    /// A refusal.
    Refused,
    /// A fault with this code.
    Fault(&'static str),
}

impl Ended {
    fn of(answer: &Answer) -> Self {
        match &answer.reply {
            Reply::Fault(fault) => Self::Fault(fault.kind.code()),
            Reply::Refused(_) | Reply::Declined(_) => Self::Refused,
            _ => Self::Answered,
        }
    }
}

/// Measures a plugin of a role, and another one of the role beside it. The error is one of loading either.
pub fn measure(
    sides: [&Caller; 2],
    role: Role,
    cases: &[Case],
    rounds: Rounds,
) -> Result<[Measured; 2], Box<Fault>> {
    let mut loads = [Vec::new(), Vec::new()];
    let mut compiles = [0; 2];
    for (side, compile) in sides.into_iter().zip(&mut compiles) {
        *compile = side.load(role, &Arc::new(Runtime::new(None)))?;
        // The first load of all may have to compile.
        side.load(role, side.runtime())?;
    }
    for _ in 0..rounds.loads.max(1) {
        for (side, loads) in sides.into_iter().zip(&mut loads) {
            loads.push(side.load(role, side.runtime())?);
        }
    }
    let mut calls = [Vec::new(), Vec::new()];
    for case in cases {
        for (cost, calls) in cost(sides, case, rounds.calls).into_iter().zip(&mut calls) {
            calls.push(cost);
        }
    }
    let [load, other_load] = loads.map(median);
    let [calls, other_calls] = calls;
    let [compile, other_compile] = compiles;
    Ok([
        Measured { compile, load, calls },
        Measured { compile: other_compile, load: other_load, calls: other_calls },
    ])
}

fn cost(sides: [&Caller; 2], case: &Case, rounds: usize) -> [Cost; 2] {
    // The first call warms up, and tells what comes of all.
    let answers = [0, 1].map(|side| sides[side].ask(&case.questions[side]));
    let mut times = [Vec::new(), Vec::new()];
    for _ in 0..rounds.max(1) {
        for side in [0, 1] {
            times[side].push(sides[side].ask(&case.questions[side]).time);
        }
    }
    let times = times.map(median);
    [0, 1].map(|side| {
        let answer = &answers[side];
        let (fuel, memory) = (answer.usage.fuel, answer.usage.memory);
        Cost { ended: Ended::of(answer), time: times[side], fuel, memory }
    })
}

fn median(mut times: Vec<u64>) -> u64 {
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_counts() {
        assert_eq!(median(vec![9, 1, 5]), 5);
        assert_eq!(median(vec![2, 1]), 2);
        assert_eq!(median(vec![]), 0);
    }
}
