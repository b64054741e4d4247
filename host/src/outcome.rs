//! Outcomes: what an operation did besides its writes. The shapes are those of the contract in `sdk/wit`.

use crate::bytes::{Layout, Malformed, Reader, Writer};

/// How a process ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Exit {
    /// By itself, with this status.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The status that a shell shows: 128 + n for signal n.
    #[must_use]
    pub const fn status(self) -> u8 {
        match self {
            Self::Code(code) => code.to_le_bytes()[0],
            Self::Signal(signal) => (128 + signal).to_le_bytes()[0],
        }
    }
}

/// Where a piece of output went.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
    /// The one file that both are.
    Both,
}

impl Stream {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::Stdout, Self::Stderr, Self::Both];

    /// The name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
            Self::Both => "both",
        }
    }
}

/// A piece of output, as it came.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Chunk {
    /// Where it went.
    pub stream: Stream,
    /// The piece.
    pub bytes: Vec<u8>,
}

/// What an operation did besides its writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outcome {
    /// How it ended.
    pub exit: Exit,
    /// What it printed, in order.
    pub output: Vec<Chunk>,
    /// When it started, in nanoseconds since the epoch.
    pub started: u64,
    /// How long it ran, in nanoseconds.
    pub duration: u64,
    /// Names and values for people.
    pub notes: Vec<(String, String)>,
}

impl Layout for Exit {
    fn put(&self, out: &mut Writer) {
        let (kind, number) = match self {
            Self::Code(code) => (0, code),
            Self::Signal(signal) => (1, signal),
        };
        out.u8(kind);
        out.u32(number.cast_unsigned());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let kind = from.u8()?;
        let number = from.u32()?.cast_signed();
        match kind {
            0 => Ok(Self::Code(number)),
            1 => Ok(Self::Signal(number)),
            _ => Err(Malformed { expected: "a kind of exit" }),
        }
    }
}

impl Layout for Chunk {
    fn put(&self, out: &mut Writer) {
        out.u8(match self.stream {
            Stream::Stdout => 0,
            Stream::Stderr => 1,
            Stream::Both => 2,
        });
        out.bytes(&self.bytes);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let stream = match from.u8()? {
            0 => Stream::Stdout,
            1 => Stream::Stderr,
            2 => Stream::Both,
            _ => return Err(Malformed { expected: "a stream" }),
        };
        Ok(Self { stream, bytes: from.bytes()?.to_vec() })
    }
}

struct Note(String, String);

impl Layout for Note {
    fn put(&self, out: &mut Writer) {
        out.text(&self.0);
        out.text(&self.1);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self(String::take(from)?, String::take(from)?))
    }
}

impl Layout for Outcome {
    fn put(&self, out: &mut Writer) {
        self.exit.put(out);
        out.list(&self.output);
        out.u64(self.started);
        out.u64(self.duration);
        let notes: Vec<_> =
            self.notes.iter().map(|(name, value)| Note(name.clone(), value.clone())).collect();
        out.list(&notes);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            exit: Exit::take(from)?,
            output: from.list()?,
            started: from.u64()?,
            duration: from.u64()?,
            notes: from.list::<Note>()?.into_iter().map(|Note(name, value)| (name, value)).collect(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{from_bytes, to_bytes};

    #[test]
    fn outcomes_round_trip_and_signals_show_as_in_a_shell() {
        let outcome = Outcome {
            exit: Exit::Signal(11),
            output: vec![Chunk { stream: Stream::Both, bytes: b"boo\xff".to_vec() }],
            started: 1,
            duration: u64::MAX,
            notes: vec![("host".into(), "0.1.0".into())],
        };
        assert_eq!(from_bytes(&to_bytes(&outcome)), Ok(outcome.clone()));
        assert_eq!(outcome.exit.status(), 139);
        assert_eq!(Exit::Code(3).status(), 3);
    }
}
