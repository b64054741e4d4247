//! From an outcome to its bytes.

use reviver_sdk::{ExitStatus, Outcome, Stream};

/// The hunk of an outcome.
pub(crate) fn outcome(outcome: &Outcome) -> Vec<u8> {
    let output: usize = outcome.output.iter().map(|chunk| chunk.bytes.len() + 4).sum();
    let mut hunk = Vec::with_capacity(output + 64);
    hunk.push(crate::VERSION);
    let (kind, status) = match outcome.exit {
        ExitStatus::Code(code) => (0, code),
        ExitStatus::Signal(signal) => (1, signal),
    };
    hunk.push(kind);
    number(&mut hunk, ((status << 1) ^ (status >> 31)).cast_unsigned().into());
    number(&mut hunk, outcome.started);
    number(&mut hunk, outcome.duration);
    number(&mut hunk, outcome.output.len() as u64);
    for chunk in &outcome.output {
        hunk.push(match chunk.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Both => 2,
        });
        bytes(&mut hunk, &chunk.bytes);
    }
    number(&mut hunk, outcome.notes.len() as u64);
    for (name, value) in &outcome.notes {
        bytes(&mut hunk, name.as_bytes());
        bytes(&mut hunk, value.as_bytes());
    }
    hunk
}

fn bytes(hunk: &mut Vec<u8>, bytes: &[u8]) {
    number(hunk, bytes.len() as u64);
    hunk.extend_from_slice(bytes);
}

fn number(hunk: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        hunk.push(number as u8 | 0x80);
        number >>= 7;
    }
    hunk.push(number as u8);
}
