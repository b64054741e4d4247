//! The shapes of the contract as JSON: members have the contract's names with `_` for `-`.

use super::json;
use super::member::{Member, Problem, QuestionError};
use crate::operation::{Derivation, Discovery, Ingredient, Input, Refusal, Source, Write};
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::policy::{Budget, Candidate};
use crate::time::Timestamp;
use serde_json::{Map, Value as Json, json};

/// A value as JSON.
pub(super) trait Shape {
    fn to_json(&self) -> Json;
}

fn list(shapes: &[impl Shape]) -> Json {
    shapes.iter().map(Shape::to_json).collect()
}

/// A variant with content.
fn variant(name: &str, content: Json) -> Json {
    Json::Object(Map::from_iter([(name.to_owned(), content)]))
}

impl Shape for Source {
    fn to_json(&self) -> Json {
        match self {
            Self::Bytes(bytes) => variant(self.kind(), json::of_bytes(bytes)),
            Self::Umask | Self::Terminal => Json::from(self.kind()),
            other => variant(other.kind(), Json::from(other.place())),
        }
    }
}

impl Shape for Ingredient {
    fn to_json(&self) -> Json {
        json!({"label": self.label, "source": self.source.to_json()})
    }
}

impl Shape for Write {
    fn to_json(&self) -> Json {
        json!({"label": self.label, "path": self.path, "kind": self.kind.name(), "optional": self.optional})
    }
}

impl Shape for Derivation {
    fn to_json(&self) -> Json {
        let Self { label, ingredients, writes, input, arguments, report } = self;
        let input = match input {
            Input::Unused => "unused",
            Input::Read => "read",
        };
        let (ingredients, writes) = (list(ingredients), list(writes));
        json!({
            "label": label, "ingredients": ingredients, "writes": writes, "input": input,
            "arguments": arguments, "report": report,
        })
    }
}

impl Shape for Discovery {
    fn to_json(&self) -> Json {
        let produced = self.produced.iter().map(|(label, bytes)| json!([label, json::of_bytes(bytes)]));
        json!({
            "ingredients": list(&self.ingredients), "produced": produced.collect::<Json>(),
            "uncacheable": self.uncacheable,
        })
    }
}

impl Shape for Refusal {
    fn to_json(&self) -> Json {
        let name = match self {
            Self::NotCacheable(_) => "not_cacheable",
            Self::Malformed(_) => "malformed",
        };
        variant(name, Json::from(self.reason()))
    }
}

impl Shape for Exit {
    fn to_json(&self) -> Json {
        match self {
            Self::Code(code) => json!({"code": code}),
            Self::Signal(signal) => json!({"signal": signal}),
        }
    }
}

impl Shape for Outcome {
    fn to_json(&self) -> Json {
        let chunk =
            |chunk: &Chunk| json!({"stream": chunk.stream.name(), "bytes": json::of_bytes(&chunk.bytes)});
        json!({
            "exit": self.exit.to_json(), "output": self.output.iter().map(chunk).collect::<Json>(),
            "started": self.started, "duration": self.duration, "notes": self.notes,
        })
    }
}

/// How a process ended.
pub(super) fn exit(member: &Member<'_>) -> Result<Exit, QuestionError> {
    member.only("{\"code\": 0} or {\"signal\": 9}", |name, number| match name {
        "code" => Ok(Some(Exit::Code(number.signed()?))),
        "signal" => Ok(Some(Exit::Signal(number.signed()?))),
        _ => Ok(None),
    })
}

/// An outcome. All of it but `exit` may be left out.
pub(super) fn outcome(member: &Member<'_>) -> Result<Outcome, QuestionError> {
    member.allow(&["exit", "output", "started", "duration", "notes"])?;
    let number = |name| member.get(name)?.map_or(Ok(0), |number| number.number());
    Ok(Outcome {
        exit: exit(&member.need("exit")?)?,
        output: member.get("output")?.map_or_else(|| Ok(Vec::new()), |output| output.list(chunk))?,
        started: number("started")?,
        duration: number("duration")?,
        notes: member.get("notes")?.map_or_else(|| Ok(Vec::new()), |notes| notes.list(note))?,
    })
}

fn chunk(member: &Member<'_>) -> Result<Chunk, QuestionError> {
    member.allow(&["stream", "bytes"])?;
    let name = member.need("stream")?;
    let text = name.text()?;
    let stream = Stream::ALL.into_iter().find(|stream| stream.name() == text).ok_or_else(|| {
        let names = Stream::ALL.map(Stream::name).join(", ");
        name.wrong(Problem::NoneOf { name: text.to_owned(), names })
    })?;
    Ok(Chunk { stream, bytes: json::bytes(&member.need("bytes")?)? })
}

fn note(member: &Member<'_>) -> Result<(String, String), QuestionError> {
    member.pair("a name and a value", |name, value| Ok((name.text()?.to_owned(), value.text()?.to_owned())))
}

/// What the cache may hold and holds.
pub(super) fn budget(member: &Member<'_>) -> Result<Budget, QuestionError> {
    member.allow(&["limit", "used", "entries"])?;
    let number = |name| member.need(name)?.number();
    Ok(Budget { limit: number("limit")?, used: number("used")?, entries: number("entries")? })
}

/// An entry that may be evicted.
pub(super) fn candidate(member: &Member<'_>) -> Result<Candidate, QuestionError> {
    member.allow(&["size", "files", "created", "last_use", "uses", "cost", "unused"])?;
    let number = |name| member.need(name)?.number();
    Ok(Candidate {
        size: number("size")?,
        files: member.need("files")?.small()?,
        created: Timestamp(number("created")?),
        last_use: Timestamp(number("last_use")?),
        uses: number("uses")?,
        cost: number("cost")?,
        unused: member.need("unused")?.boolean()?,
    })
}
