//! From an outcome to its text.

use reviver_sdk::{Chunk, ExitStatus, Outcome, Stream, Value, hex};

/// The hunk of an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> String {
    let (kind, status) = match outcome.exit {
        ExitStatus::Code(code) => ("code", code),
        ExitStatus::Signal(signal) => ("signal", signal),
    };
    let output = outcome.output.iter().map(chunk);
    let notes =
        outcome.notes.iter().map(|(name, value)| ["[", &quoted(name), ", ", &quoted(value), "]"].concat());
    [
        "{\n  \"version\": ",
        &crate::VERSION.to_string(),
        ",\n  \"exit\": {\"",
        kind,
        "\": ",
        &status.to_string(),
        "},\n  \"started\": ",
        &outcome.started.to_string(),
        ",\n  \"duration\": ",
        &outcome.duration.to_string(),
        ",\n  \"output\": ",
        &lines(&output.collect::<Vec<_>>()),
        ",\n  \"notes\": ",
        &lines(&notes.collect::<Vec<_>>()),
        "\n}\n",
    ]
    .concat()
}

fn chunk(chunk: &Chunk) -> String {
    let stream = match chunk.stream {
        Stream::Stdout => "stdout",
        Stream::Stderr => "stderr",
        Stream::Both => "both",
    };
    // Between the quotes, six characters stand for most of the control characters.
    let text = str::from_utf8(&chunk.bytes).ok().map(quoted);
    let (kind, text) = match text.filter(|text| text.len() - 2 <= 2 * chunk.bytes.len()) {
        Some(text) => ("text", text),
        None => ("hex", quoted(&hex::encode(&chunk.bytes))),
    };
    ["{\"stream\": \"", stream, "\", \"", kind, "\": ", &text, "}"].concat()
}

fn quoted(text: &str) -> String {
    Value::from(text).to_json()
}

/// A list with an item on each line.
fn lines(items: &[String]) -> String {
    if items.is_empty() { "[]".to_owned() } else { ["[\n    ", &items.join(",\n    "), "\n  ]"].concat() }
}
