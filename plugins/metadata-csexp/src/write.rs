//! From an outcome to its s-expression.

use reviver_sdk::{ExitStatus, Outcome, Stream};

/// The hunk of an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> Vec<u8> {
    let (kind, status) = match outcome.exit {
        ExitStatus::Code(code) => ("code", code),
        ExitStatus::Signal(signal) => ("signal", signal),
    };
    let output: usize = outcome.output.iter().map(|chunk| chunk.bytes.len() + 24).sum();
    let mut to = Writer(Vec::with_capacity(output + 160));
    to.list("outcome", |to| {
        to.pair("version", crate::VERSION);
        to.list("exit", |to| {
            to.atom(kind);
            to.atom(status.to_string());
        });
        to.pair("started", outcome.started.to_string());
        to.pair("duration", outcome.duration.to_string());
        to.list("output", |to| {
            for chunk in &outcome.output {
                let stream = match chunk.stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                    Stream::Both => "both",
                };
                to.pair(stream, &chunk.bytes);
            }
        });
        to.list("notes", |to| {
            for (name, value) in &outcome.notes {
                to.pair(name, value);
            }
        });
    });
    to.0
}

struct Writer(Vec<u8>);

impl Writer {
    fn atom(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref();
        self.0.extend_from_slice(bytes.len().to_string().as_bytes());
        self.0.push(b':');
        self.0.extend_from_slice(bytes);
    }

    fn list(&mut self, name: &str, rest: impl FnOnce(&mut Self)) {
        self.0.push(b'(');
        self.atom(name);
        rest(self);
        self.0.push(b')');
    }

    fn pair(&mut self, name: &str, value: impl AsRef<[u8]>) {
        self.list(name, |to| to.atom(value));
    }
}
