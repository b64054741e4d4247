//! What a component answered, read from one line of JSON. Whatever is not as it should be is `None`.

use super::{Level, Look};
use crate::{
    Chunk, Derivation, Discovery, ExitStatus, Ingredient, Input, Outcome, Refusal, Source, Stream, Value,
    Write, WriteKind, hex,
};

pub(super) fn text(value: &Value) -> Option<String> {
    value.text().map(str::to_owned)
}

pub(super) fn bytes(value: &Value) -> Option<Vec<u8>> {
    match value {
        Value::Text(text) => Some(text.clone().into_bytes()),
        _ => hex::decode(value.member("hex")?.text()?),
    }
}

pub(super) fn list<T>(value: &Value, item: impl Fn(&Value) -> Option<T>) -> Option<Vec<T>> {
    value.list()?.iter().map(item).collect()
}

/// A member that is there and not `null`.
fn present<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    value.member(name).filter(|value| **value != Value::Null)
}

/// What was read, where there was something to read.
#[allow(clippy::option_option, reason = "the outer one says whether it was understood")]
fn all<T>(read: Option<Option<T>>) -> Option<Option<T>> {
    read.map_or(Some(None), |read| read.map(Some))
}

/// The name and the content of a variant.
fn variant(value: &Value) -> Option<(&str, &Value)> {
    match value.table()? {
        [(name, content)] => Some((name, content)),
        _ => None,
    }
}

pub(super) fn refusal(value: &Value) -> Option<Refusal> {
    match variant(value)? {
        ("not_cacheable", reason) => text(reason).map(Refusal::NotCacheable),
        ("malformed", reason) => text(reason).map(Refusal::Malformed),
        _ => None,
    }
}

fn source(value: &Value) -> Option<Source> {
    match value.text() {
        Some("umask") => return Some(Source::Umask),
        Some("terminal") => return Some(Source::Terminal),
        _ => {}
    }
    let (kind, content) = variant(value)?;
    Some(match kind {
        "text" => Source::Text(text(content)?),
        "bytes" => Source::Bytes(bytes(content)?),
        "file" => Source::File(text(content)?),
        "tree" => Source::Tree(text(content)?),
        "listing" => Source::Listing(text(content)?),
        "variable" => Source::Variable(text(content)?),
        "program" => Source::Program(text(content)?),
        _ => return None,
    })
}

fn ingredient(value: &Value) -> Option<Ingredient> {
    Some(Ingredient { label: text(value.member("label")?)?, source: source(value.member("source")?)? })
}

fn write(value: &Value) -> Option<Write> {
    let kind = match value.member("kind")?.text()? {
        "file" => WriteKind::File,
        "directory" => WriteKind::Directory,
        "either" => WriteKind::Either,
        _ => return None,
    };
    Some(Write {
        label: text(value.member("label")?)?,
        path: text(value.member("path")?)?,
        kind,
        optional: value.member("optional")?.boolean()?,
    })
}

pub(super) fn derivation(value: &Value) -> Option<Derivation> {
    let input = match value.member("input")?.text()? {
        "unused" => Input::Unused,
        "read" => Input::Read,
        _ => return None,
    };
    Some(Derivation {
        label: text(value.member("label")?)?,
        ingredients: list(value.member("ingredients")?, ingredient)?,
        writes: list(value.member("writes")?, write)?,
        input,
        arguments: all(present(value, "arguments").map(|arguments| list(arguments, text)))?,
        report: all(present(value, "report").map(text))?,
    })
}

pub(super) fn discovery(value: &Value) -> Option<Discovery> {
    let produced = |value: &Value| match value.list()? {
        [label, content] => Some((text(label)?, bytes(content)?)),
        _ => None,
    };
    Some(Discovery {
        ingredients: list(value.member("ingredients")?, ingredient)?,
        produced: list(value.member("produced")?, produced)?,
        uncacheable: all(present(value, "uncacheable").map(text))?,
    })
}

pub(super) fn exit(value: &Value) -> Option<ExitStatus> {
    match variant(value)? {
        ("code", code) => code.number().map(ExitStatus::Code),
        ("signal", signal) => signal.number().map(ExitStatus::Signal),
        _ => None,
    }
}

fn chunk(value: &Value) -> Option<Chunk> {
    let stream = match value.member("stream")?.text()? {
        "stdout" => Stream::Stdout,
        "stderr" => Stream::Stderr,
        "both" => Stream::Both,
        _ => return None,
    };
    Some(Chunk { stream, bytes: bytes(value.member("bytes")?)? })
}

pub(super) fn outcome(value: &Value) -> Option<Outcome> {
    let note = |value: &Value| match value.list()? {
        [name, value] => Some((text(name)?, text(value)?)),
        _ => None,
    };
    Some(Outcome {
        exit: exit(value.member("exit")?)?,
        output: list(value.member("output")?, chunk)?,
        started: value.member("started")?.number()?,
        duration: value.member("duration")?.number()?,
        notes: list(value.member("notes")?, note)?,
    })
}

pub(super) fn look(value: &Value) -> Option<Look> {
    if value.text() == Some("terminal") {
        return Some(Look::Terminal);
    }
    Some(match variant(value)? {
        ("variable", name) => Look::Variable(text(name)?),
        ("read", path) => Look::Read(text(path)?),
        ("scan", search) => match search.list()? {
            [path, needles] => Look::Scan(text(path)?, list(needles, text)?),
            _ => return None,
        },
        ("query", arguments) => Look::Query(list(arguments, text)?),
        _ => return None,
    })
}

pub(super) fn logged(value: &Value) -> Option<(Level, String)> {
    let [level, message] = value.list()? else { return None };
    let level = match level.text()? {
        "debug" => Level::Debug,
        "info" => Level::Info,
        "warning" => Level::Warning,
        _ => return None,
    };
    Some((level, text(message)?))
}
