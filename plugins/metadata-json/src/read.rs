//! From a text, which may be anything, to the outcome that it stands for.

use reviver_sdk::{Chunk, ExitStatus, Outcome, Stream, Value, hex};

/// The outcome of a hunk.
pub(crate) fn outcome(hunk: &[u8]) -> Result<Outcome, String> {
    let text = str::from_utf8(hunk).map_err(|_| "the hunk is not UTF-8")?;
    let value = Value::parse(text).ok_or("the hunk is no JSON")?;
    // Before all else: another version may have other members.
    match value.member("version").map(Value::number::<u64>) {
        Some(Some(crate::VERSION)) => {}
        Some(Some(version)) => return Err(["version ", &version.to_string(), " is not known"].concat()),
        _ => return Err("the hunk says no version".to_owned()),
    }
    let [_, exit, started, duration, output, notes] =
        members(&value, ["version", "exit", "started", "duration", "output", "notes"])?;
    let number = |value: &Value, name: &str| value.number().ok_or_else(|| wrong(name));
    Ok(Outcome {
        exit: status(exit).ok_or_else(|| wrong("exit"))?,
        started: number(started, "started")?,
        duration: number(duration, "duration")?,
        output: list(output, "output", chunk)?,
        notes: list(notes, "notes", note)?,
    })
}

/// The values of these members, which must be all that there are.
fn members<'a, const N: usize>(value: &'a Value, names: [&str; N]) -> Result<[&'a Value; N], String> {
    let table = value.table().ok_or("what should be an object is none")?;
    if let Some((name, _)) = table.iter().find(|(name, _)| !names.contains(&&**name)) {
        return Err(["`", name, "` is not known"].concat());
    }
    let mut found = [value; N];
    for (place, name) in found.iter_mut().zip(names) {
        let mut of_name = table.iter().filter(|(other, _)| other == name);
        match (of_name.next(), of_name.next()) {
            (Some((_, member)), None) => *place = member,
            (None, _) => return Err(["`", name, "` is missing"].concat()),
            _ => return Err(["`", name, "` is there twice"].concat()),
        }
    }
    Ok(found)
}

fn status(value: &Value) -> Option<ExitStatus> {
    match value.table()? {
        [(kind, status)] if kind == "code" => status.number().map(ExitStatus::Code),
        [(kind, status)] if kind == "signal" => status.number().map(ExitStatus::Signal),
        _ => None,
    }
}

fn list<T>(value: &Value, name: &str, item: impl Fn(&Value) -> Result<T, String>) -> Result<Vec<T>, String> {
    value.list().ok_or_else(|| wrong(name))?.iter().map(item).collect()
}

fn chunk(value: &Value) -> Result<Chunk, String> {
    let is_text = value.member("text").is_some();
    let [stream, content] = members(value, ["stream", if is_text { "text" } else { "hex" }])?;
    let stream = match stream.text() {
        Some("stdout") => Stream::Stdout,
        Some("stderr") => Stream::Stderr,
        Some("both") => Stream::Both,
        _ => return Err(wrong("stream")),
    };
    let bytes = match content.text() {
        Some(text) if is_text => Some(text.as_bytes().to_vec()),
        Some(digits) => hex::decode(digits),
        None => None,
    };
    bytes.map(|bytes| Chunk { stream, bytes }).ok_or_else(|| wrong(if is_text { "text" } else { "hex" }))
}

fn note(value: &Value) -> Result<(String, String), String> {
    match value.list() {
        Some([Value::Text(name), Value::Text(value)]) => Ok((name.clone(), value.clone())),
        _ => Err(wrong("notes")),
    }
}

fn wrong(name: &str) -> String {
    ["`", name, "` is not what it should be"].concat()
}
