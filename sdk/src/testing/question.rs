//! A call as one line of JSON: what is asked of a component.
//!
//! Bytes are texts where they are UTF-8, else `{"hex": "00ff…"}`. Members have the names of the contract, with `_` for
//! `-`; numbers are exact.

use crate::{Answer, Budget, Candidate, ExitStatus, Operation, Outcome, Stream, Value};

/// A table of these members.
pub(super) fn table<const N: usize>(members: [(&str, Value); N]) -> Value {
    Value::Table(members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
}

pub(super) fn bytes(bytes: &[u8]) -> Value {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.into(),
        Err(_) => table([("hex", crate::hex::encode(bytes).as_str().into())]),
    }
}

pub(super) fn texts<T: AsRef<str>>(texts: &[T]) -> Value {
    Value::List(texts.iter().map(|text| text.as_ref().into()).collect())
}

pub(super) fn operation(operation: &Operation) -> Value {
    table([
        ("argv", texts(&operation.argv)),
        ("root", (&*operation.root).into()),
        ("directory", (&*operation.directory).into()),
        ("reads", texts(&operation.reads)),
        ("writes", texts(&operation.writes)),
        ("variables", texts(&operation.variables)),
    ])
}

pub(super) fn exit(exit: ExitStatus) -> Value {
    match exit {
        ExitStatus::Code(code) => table([("code", code.into())]),
        ExitStatus::Signal(signal) => table([("signal", signal.into())]),
    }
}

pub(super) fn stream(stream: Stream) -> &'static str {
    match stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Both => "both",
    }
}

pub(super) fn outcome(outcome: &Outcome) -> Value {
    let chunk = |chunk: &crate::Chunk| {
        table([("stream", stream(chunk.stream).into()), ("bytes", bytes(&chunk.bytes))])
    };
    table([
        ("exit", exit(outcome.exit)),
        ("output", Value::List(outcome.output.iter().map(chunk).collect())),
        ("started", outcome.started.into()),
        ("duration", outcome.duration.into()),
        ("notes", Value::List(outcome.notes.iter().map(|(name, value)| texts(&[name, value])).collect())),
    ])
}

pub(super) fn budget(budget: &Budget) -> Value {
    table([("limit", budget.limit.into()), ("used", budget.used.into()), ("entries", budget.entries.into())])
}

pub(super) fn candidate(candidate: &Candidate) -> Value {
    table([
        ("size", candidate.size.into()),
        ("files", u64::from(candidate.files).into()),
        ("created", candidate.created.into()),
        ("last_use", candidate.last_use.into()),
        ("uses", candidate.uses.into()),
        ("cost", candidate.cost.into()),
        ("unused", candidate.unused.into()),
    ])
}

pub(super) fn query_answer(arguments: &[String], answer: &Answer) -> Value {
    table([
        ("arguments", texts(arguments)),
        ("exit", exit(answer.exit)),
        ("stdout", bytes(&answer.stdout)),
        ("stderr", bytes(&answer.stderr)),
    ])
}
