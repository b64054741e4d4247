//! From bytes, which may be anything, to the outcome that they stand for.

use reviver_sdk::{Chunk, ExitStatus, Outcome, Stream};

/// The outcome of a hunk.
pub(crate) fn outcome(hunk: &[u8]) -> Result<Outcome, String> {
    let mut from = Reader(hunk);
    let version = from.byte()?;
    if version != crate::VERSION {
        return Err(["version ", &version.to_string(), " of the layout is not known"].concat());
    }
    let exit = match (from.byte()?, from.signed()?) {
        (0, code) => ExitStatus::Code(code),
        (1, signal) => ExitStatus::Signal(signal),
        (kind, _) => return Err([&kind.to_string(), " is no kind of exit"].concat()),
    };
    let outcome = Outcome {
        exit,
        started: from.number()?,
        duration: from.number()?,
        output: from.list(Reader::chunk)?,
        notes: from.list(|from| Ok((from.text()?, from.text()?)))?,
    };
    match from.0.len() {
        0 => Ok(outcome),
        rest => Err([&rest.to_string(), " bytes behind the end"].concat()),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64) -> Result<&'a [u8], String> {
        let taken = usize::try_from(length).ok().and_then(|length| self.0.split_at_checked(length));
        let (taken, rest) = taken.ok_or("the hunk ends early")?;
        self.0 = rest;
        Ok(taken)
    }

    fn byte(&mut self) -> Result<u8, String> {
        Ok(self.take(1)?[0])
    }

    fn number(&mut self) -> Result<u64, String> {
        let mut number = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if (bits << shift) >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err("a number is longer than it needs to be".to_owned());
                }
                return Ok(number);
            }
        }
        Err("a number is too large".to_owned())
    }

    fn signed(&mut self) -> Result<i32, String> {
        let zigzag = u32::try_from(self.number()?).map_err(|_| "a number is too large")?;
        Ok((zigzag >> 1).cast_signed() ^ -(zigzag & 1).cast_signed())
    }

    /// As many items as the count before them says. Nothing is set aside for them beforehand: the count may be a lie.
    fn list<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        (0..self.number()?).map(|_| item(self)).collect()
    }

    fn chunk(&mut self) -> Result<Chunk, String> {
        let stream = match self.byte()? {
            0 => Stream::Stdout,
            1 => Stream::Stderr,
            2 => Stream::Both,
            other => return Err([&other.to_string(), " is no stream"].concat()),
        };
        let length = self.number()?;
        Ok(Chunk::new(stream, self.take(length)?))
    }

    fn text(&mut self) -> Result<String, String> {
        let length = self.number()?;
        let text = str::from_utf8(self.take(length)?).map_err(|_| "a note is not UTF-8")?;
        Ok(text.to_owned())
    }
}
