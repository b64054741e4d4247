//! Writes outcomes down as lines that people can read, with output as it came.
//!
//! ```text
//! outcome 1                   the version of this layout
//! exit 0                      or `signal 9`
//! started 1760000000000000000
//! duration 31000000
//! stdout 3                    or `stderr`, `both`: so many bytes follow, and a line end
//! hi
//!
//! note 4 3                    so many bytes of a name and of a value follow, each with a line end
//! host
//! 0.1
//! ```
//!
//! `reviver cache find KEY --extract DIR` writes an entry's hunk out. Make of it what your repository needs; the comments
//! say what each part is for.
#![forbid(unsafe_code)]

use reviver_sdk::{Chunk, ExitStatus, MetadataPlugin, Outcome, Stream};

/// The plugin. It keeps nothing from one call to the next, so there is nothing in it.
#[derive(Debug)]
pub struct Lines;

/// The streams, and what lines about them begin with.
const STREAMS: [(Stream, &str); 3] = [
    (Stream::Stdout, "stdout"),
    (Stream::Stderr, "stderr"),
    (Stream::Both, "both"),
];

impl MetadataPlugin for Lines {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        let (how, number) = match outcome.exit {
            ExitStatus::Code(code) => ("exit", code),
            ExitStatus::Signal(signal) => ("signal", signal),
        };
        let Outcome {
            started, duration, ..
        } = outcome;
        let head = format!("outcome 1\n{how} {number}\nstarted {started}\nduration {duration}\n");
        let mut hunk = head.into_bytes();
        for chunk in &outcome.output {
            let name = STREAMS.iter().find(|(stream, _)| *stream == chunk.stream);
            let (_, name) = name.ok_or("a stream without a name")?;
            hunk.extend(format!("{name} {}\n", chunk.bytes.len()).bytes());
            hunk.extend(&chunk.bytes);
            hunk.push(b'\n');
        }
        for (name, value) in &outcome.notes {
            hunk.extend(format!("note {} {}\n{name}\n{value}\n", name.len(), value.len()).bytes());
        }
        Ok(hunk)
    }

    // The hunk may hold anything: disks lie, and so may whoever shares a cache. What is not understood is an error, and
    // the hit becomes a miss. Nothing here may panic, nor make room for a length that was only claimed.
    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        let mut rest = Rest(hunk);
        if rest.line()? != "outcome 1" {
            return Err("this is no outcome of a layout that is known".to_owned());
        }
        let exit = match rest.line()?.split_once(' ') {
            Some(("exit", code)) => ExitStatus::Code(number(code)?),
            Some(("signal", signal)) => ExitStatus::Signal(number(signal)?),
            _ => return Err("the exit status is missing".to_owned()),
        };
        let mut outcome = Outcome::new(exit);
        outcome.started = number(rest.value("started ")?)?;
        outcome.duration = number(rest.value("duration ")?)?;
        while !rest.0.is_empty() {
            let (what, lengths) = rest
                .line()?
                .split_once(' ')
                .ok_or("a line without a length")?;
            if what == "note" {
                let (name, value) = lengths
                    .split_once(' ')
                    .ok_or("a note without two lengths")?;
                let (name, value) = (rest.text(number(name)?)?, rest.text(number(value)?)?);
                outcome.notes.push((name, value));
            } else {
                let stream = STREAMS.iter().find(|(_, name)| *name == what);
                let (stream, _) = stream.ok_or("a line that is not known")?;
                let bytes = rest.bytes(number(lengths)?)?;
                outcome.output.push(Chunk::new(*stream, bytes));
            }
        }
        // Whatever was read too generously, such as `+1` for `1`, shows here.
        if Self::encode(&outcome)? != hunk {
            return Err("the hunk is not what would have been written".to_owned());
        }
        Ok(outcome)
    }
}

reviver_sdk::export!(metadata: Lines);

/// What of a hunk is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    /// The next line, without its end.
    fn line(&mut self) -> Result<&'a str, String> {
        let length = self.0.iter().position(|byte| *byte == b'\n');
        let line = self.bytes(length.ok_or("the hunk ends within a line")?)?;
        str::from_utf8(line).map_err(|_| "a line is not UTF-8".to_owned())
    }

    /// What comes behind `name` in the next line.
    fn value(&mut self, name: &str) -> Result<&'a str, String> {
        let value = self.line()?.strip_prefix(name);
        value.ok_or_else(|| [name, "is missing"].concat())
    }

    /// So many bytes; the line end behind them is left out.
    fn bytes(&mut self, length: usize) -> Result<&'a [u8], String> {
        let (bytes, rest) = self
            .0
            .split_at_checked(length)
            .ok_or("the hunk ends early")?;
        self.0 = rest.strip_prefix(b"\n").ok_or("a line end is missing")?;
        Ok(bytes)
    }

    /// So many bytes of text.
    fn text(&mut self, length: usize) -> Result<String, String> {
        let bytes = self.bytes(length)?.to_vec();
        String::from_utf8(bytes).map_err(|_| "a note is not UTF-8".to_owned())
    }
}

fn number<T: std::str::FromStr>(digits: &str) -> Result<T, String> {
    digits
        .parse()
        .map_err(|_| ["`", digits, "` is no number here"].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::TestHost;

    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        TestHost::new().encode::<Lines>(outcome)
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        TestHost::new().decode::<Lines>(hunk)
    }

    // One test for each law of the role.
    reviver_sdk::conformance!(metadata: Lines);

    #[test]
    fn the_layout_is_the_documented_one() {
        let mut outcome = Outcome::new(ExitStatus::Code(0));
        (outcome.started, outcome.duration) = (300, 31);
        outcome.output = vec![
            Chunk::new(Stream::Stdout, b"hi\n"),
            Chunk::new(Stream::Both, b""),
        ];
        outcome.notes = vec![("host".into(), "0.1".into())];
        let hunk = b"outcome 1\nexit 0\nstarted 300\nduration 31\nstdout 3\nhi\n\nboth 0\n\nnote 4 3\nhost\n0.1\n";
        assert_eq!(encode(&outcome), Ok(hunk.to_vec()));
        assert_eq!(decode(hunk), Ok(outcome));
    }

    #[test]
    fn what_is_no_outcome_is_refused_and_says_why() {
        const HEAD: &str = "outcome 1\nexit 0\nstarted 1\nduration 2\n";
        let refused = [
            (String::new(), "ends within a line"),
            ("outcome 2\n".into(), "no outcome of a layout"),
            ("outcome 1\nended 0\n".into(), "exit status is missing"),
            (HEAD.replace("started 1\n", ""), "started is missing"),
            (
                HEAD.replace("1\nduration", "-1\nduration"),
                "`-1` is no number",
            ),
            (
                HEAD.replace("exit 0", "exit +0"),
                "not what would have been written",
            ),
            (HEAD.to_owned() + "stdout 9\nhi\n", "ends early"),
            (HEAD.to_owned() + "stdout 1\nhi\n", "line end is missing"),
            (HEAD.to_owned() + "stdin 2\nhi\n", "line that is not known"),
            (HEAD.to_owned() + "note 1\na\n", "two lengths"),
        ];
        for (hunk, reason) in refused {
            let why = decode(hunk.as_bytes()).expect_err(&hunk);
            assert!(why.contains(reason), "{hunk:?}: {why}");
        }
    }
}
