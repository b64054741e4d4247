//! Where in a JSON value something stands, and where that is in the text that the value was read of.

use std::fmt;

/// The way from a value to one inside of it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Place(pub Vec<Step>);

/// One step on the way.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Step {
    /// Into the member of an object.
    Member(String),
    /// Into an item of a list, counted from 0.
    Item(usize),
}

impl Place {
    /// Whether it is the value itself.
    #[must_use]
    pub const fn is_top(&self) -> bool {
        self.0.is_empty()
    }

    /// Line and column, in characters and from 1, of this place in the value that begins at `start` in `text`. Where the way
    /// ends early, the last value on it counts.
    #[must_use]
    pub fn line_and_column(&self, text: &str, start: usize) -> (usize, usize) {
        let mut scanner = Scanner { bytes: text.as_bytes(), at: start };
        scanner.blank();
        let mut found = scanner.at;
        for step in &self.0 {
            let Some(at) = scanner.step(step) else { break };
            (scanner.at, found) = (at, at);
        }
        let before = &text[..text.floor_char_boundary(found)];
        let line = before.rfind('\n').map_or(0, |end| end + 1);
        (before.matches('\n').count() + 1, before[line..].chars().count() + 1)
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Member(name) if position == 0 => f.write_str(name)?,
                Step::Member(name) => write!(f, ".{name}")?,
                Step::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

/// Walks over a text that was read as JSON before, so that it need not be understood again.
struct Scanner<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Scanner<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blank(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Where the value behind a step begins. Of members with one name the last counts, as for the reader.
    fn step(&mut self, step: &Step) -> Option<usize> {
        let (open, close) = if matches!(step, Step::Member(_)) { (b'{', b'}') } else { (b'[', b']') };
        if self.peek()? != open {
            return None;
        }
        self.at += 1;
        let (mut found, mut position) = (None, 0);
        loop {
            self.blank();
            if self.peek()? == close {
                return found;
            }
            let is = match step {
                Step::Item(item) => *item == position,
                Step::Member(name) => {
                    let start = self.at;
                    self.value();
                    let key = self.bytes.get(start..self.at)?;
                    self.blank();
                    // The colon.
                    self.at += 1;
                    self.blank();
                    serde_json::from_slice::<String>(key).is_ok_and(|key| key == *name)
                }
            };
            if is {
                found = Some(self.at);
            }
            self.value();
            self.blank();
            if self.peek()? == b',' {
                self.at += 1;
            }
            position += 1;
        }
    }

    /// Steps over a value.
    fn value(&mut self) {
        let mut depth = 0_usize;
        while let Some(byte) = self.peek() {
            match byte {
                b'"' => self.string(),
                b'{' | b'[' => {
                    depth += 1;
                    self.at += 1;
                }
                b'}' | b']' | b',' | b':' if depth == 0 => return,
                b'}' | b']' => {
                    depth -= 1;
                    self.at += 1;
                }
                byte if depth == 0 && byte.is_ascii_whitespace() => return,
                _ => self.at += 1,
            }
            if depth == 0 && matches!(byte, b'"' | b'}' | b']') {
                return;
            }
        }
    }

    fn string(&mut self) {
        self.at += 1;
        while let Some(byte) = self.peek() {
            self.at += if byte == b'\\' { 2 } else { 1 };
            if byte == b'"' {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str, steps: &[Step]) -> (usize, usize) {
        Place(steps.to_vec()).line_and_column(text, 0)
    }

    fn member(name: &str) -> Step {
        Step::Member(name.to_owned())
    }

    #[test]
    fn a_place_is_found_in_the_text_again() {
        let text = "\n {\"a\": [1, {\"}\": \"\\\"]\"}, true],\n  \"b\\u0063\" : {\"x\":null , \"y\":[ ]}}";
        assert_eq!(at(text, &[]), (2, 2));
        assert_eq!(at(text, &[member("a")]), (2, 8));
        assert_eq!(at(text, &[member("a"), Step::Item(1), member("}")]), (2, 18));
        assert_eq!(at(text, &[member("a"), Step::Item(2)]), (2, 26));
        assert_eq!(at(text, &[member("bc"), member("y")]), (3, 31));
        assert_eq!(at(text, &[member("none")]), (2, 2), "the last value on the way");
        assert_eq!(at("é {\"é\":1}", &[]), (1, 1));
    }

    /// The text was read before, and yet nothing may go wrong where it was not.
    #[test]
    fn no_text_makes_a_panic() {
        let text = "{\"a\":[1,{\"b\":\"\\\"\"}]}";
        let steps = [member("a"), Step::Item(1), member("b")];
        for end in 0..=text.len() {
            for start in 0..=end {
                let (line, column) = Place(steps.to_vec()).line_and_column(&text[..end], start);
                assert!(line == 1 && column <= end + 1);
            }
        }
    }
}
