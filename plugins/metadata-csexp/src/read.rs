//! From bytes, which may be anything, to the outcome that they stand for.

use std::str::FromStr;

use reviver_sdk::{Chunk, ExitStatus, Outcome, Stream};

/// The outcome of a hunk.
pub(crate) fn outcome(hunk: &[u8]) -> Result<Outcome, String> {
    let mut from = Reader(hunk);
    let outcome = from.list("outcome", |from| {
        let version = from.list("version", Reader::atom)?;
        if version != crate::VERSION.as_bytes() {
            return Err(["version `", &String::from_utf8_lossy(version), "` is not known"].concat());
        }
        Ok(Outcome {
            exit: from.list("exit", Reader::exit)?,
            started: from.list("started", Reader::number)?,
            duration: from.list("duration", Reader::number)?,
            output: from.list("output", |from| from.all(Reader::chunk))?,
            notes: from.list("notes", |from| from.all(|from| Ok((from.text()?, from.text()?))))?,
        })
    })?;
    match from.0.len() {
        0 => Ok(outcome),
        rest => Err([&rest.to_string(), " bytes behind the end"].concat()),
    }
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Whether `byte` comes next; it is then passed.
    fn pass(&mut self, byte: u8) -> bool {
        match self.0.split_first() {
            Some((first, rest)) if *first == byte => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn expect(&mut self, byte: u8) -> Result<(), String> {
        if self.pass(byte) {
            Ok(())
        } else {
            Err(["there is no `", char::from(byte).encode_utf8(&mut [0; 4]), "` where one belongs"].concat())
        }
    }

    fn atom(&mut self) -> Result<&'a [u8], String> {
        let colon = self.0.iter().take(20).position(|byte| *byte == b':').ok_or("an atom has no length")?;
        let (length, rest) = self.0.split_at_checked(colon).ok_or("an atom has no length")?;
        let rest = rest.get(1..).unwrap_or_default();
        let (atom, rest) =
            rest.split_at_checked(canonical(length)?).ok_or("an atom is longer than what is there")?;
        self.0 = rest;
        Ok(atom)
    }

    /// The list that begins with `name`, and has behind it what `rest` reads.
    fn list<T>(
        &mut self,
        name: &str,
        rest: impl FnOnce(&mut Self) -> Result<T, String>,
    ) -> Result<T, String> {
        self.expect(b'(')?;
        if self.atom()? != name.as_bytes() {
            return Err(["there is no `", name, "` where it belongs"].concat());
        }
        let read = rest(self)?;
        self.expect(b')')?;
        Ok(read)
    }

    /// Lists up to the end of the list around them, each of which has in it what `item` reads.
    fn all<T>(&mut self, item: impl Fn(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        let mut items = Vec::new();
        while self.pass(b'(') {
            items.push(item(self)?);
            self.expect(b')')?;
        }
        Ok(items)
    }

    fn exit(&mut self) -> Result<ExitStatus, String> {
        match self.atom()? {
            b"code" => self.number().map(ExitStatus::Code),
            b"signal" => self.number().map(ExitStatus::Signal),
            _ => Err("an exit is neither `code` nor `signal`".to_owned()),
        }
    }

    fn chunk(&mut self) -> Result<Chunk, String> {
        let stream = match self.atom()? {
            b"stdout" => Stream::Stdout,
            b"stderr" => Stream::Stderr,
            b"both" => Stream::Both,
            _ => return Err("output is neither of `stdout` nor of `stderr` nor of `both`".to_owned()),
        };
        Ok(Chunk::new(stream, self.atom()?))
    }

    fn text(&mut self) -> Result<String, String> {
        let text = str::from_utf8(self.atom()?).map_err(|_| "a note is not UTF-8")?;
        Ok(text.to_owned())
    }

    fn number<T: FromStr + ToString>(&mut self) -> Result<T, String> {
        canonical(self.atom()?)
    }
}

/// The number that is written so, and would be written so again.
fn canonical<T: FromStr + ToString>(digits: &[u8]) -> Result<T, String> {
    let number = str::from_utf8(digits).ok().and_then(|digits| digits.parse::<T>().ok());
    number
        .filter(|number| number.to_string().as_bytes() == digits)
        .ok_or_else(|| ["`", &String::from_utf8_lossy(digits), "` is no number that belongs there"].concat())
}
