//! Values from bytes as they come.
//!
//! A [`Parser`] is fed what a socket gave, split anywhere, and gives whole values. It never waits, it looks at no byte twice, and
//! what it holds is bounded by its [`Limits`] and by what really arrived: an announced length reserves nothing, and an error lets
//! go of all. A value takes no more memory than its limit; while its lists are open they may have set aside as much again.
//!
//! | bytes | [`Parser::next`] |
//! |---|---|
//! | a whole value and what follows | the value; what follows stays for later |
//! | the beginning of a value, or nothing | `None`: more is needed, or nothing is left |
//! | what can be no value, or exceeds a limit | the error, and the same one ever after |
//!
//! Leading zeros of a length are accepted, as Dune does. Between values nothing is: a newline there is an error.

use super::csexp::Sexp;
use std::fmt;

/// What a value may be at the most.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Limits {
    /// Bytes of one atom.
    pub atom: usize,
    /// Lists within lists. A value is written, shown, compared and dropped level by level, so this is what it needs of the stack.
    pub depth: usize,
    /// Bytes that one whole value may take in memory: those of its atoms, and [`Self::NODE`] for each atom and list.
    pub value: usize,
}

impl Limits {
    /// What a value costs besides its bytes: its place in a list, and what allocators add to bytes or to a list.
    pub const NODE: usize = 64;

    /// For a peer that has said who it is: 64 MiB.
    pub const SESSION: Self = Self { atom: 64 << 20, depth: 64, value: 64 << 20 };

    /// For one that has not: 64 KiB.
    pub const GREETING: Self = Self { atom: 4 << 10, depth: 8, value: 64 << 10 };
}

/// Why bytes are no value.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ParseError {
    /// A byte that can begin nothing here.
    Character(u8),
    /// A `)` without its `(`.
    Unopened,
    /// A length without digits, or with something else than `:` after them.
    Length,
    /// An atom that is too long.
    Atom {
        /// The limit.
        limit: usize,
    },
    /// Lists that are too deep.
    Depth {
        /// The limit.
        limit: usize,
    },
    /// A value that takes too much.
    Value {
        /// The limit.
        limit: usize,
    },
    /// The bytes end within a value.
    Premature,
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Character(byte) => write!(f, "invalid character `{}`", byte.escape_ascii()),
            Self::Unopened => f.write_str("a list ends that did not begin"),
            Self::Length => f.write_str("the length of an atom is no number followed by `:`"),
            Self::Atom { limit } => write!(f, "an atom has more than {limit} bytes"),
            Self::Depth { limit } => write!(f, "more than {limit} lists are within each other"),
            Self::Value { limit } => write!(f, "a value takes more than {limit} bytes"),
            Self::Premature => f.write_str("the input ends within a value"),
        }
    }
}

impl std::error::Error for ParseError {}

/// What is read at the moment.
#[derive(Clone, Debug)]
enum State {
    /// Between values.
    Value,
    /// Within a length, which says this much so far.
    Length(usize),
    /// Within an atom that still lacks so many bytes.
    Atom(Vec<u8>, usize),
}

/// Takes bytes, gives values.
#[derive(Debug)]
pub struct Parser {
    limits: Limits,
    state: State,
    open: Vec<Vec<Sexp>>,
    /// What the value that is read costs so far.
    cost: usize,
    /// What was fed and not yet looked at.
    pending: Vec<u8>,
    at: usize,
    failed: Option<ParseError>,
}

impl Parser {
    /// A parser that has seen nothing.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            state: State::Value,
            open: Vec::new(),
            cost: 0,
            pending: Vec::new(),
            at: 0,
            failed: None,
        }
    }

    /// Other limits, from the next byte on.
    pub fn set_limits(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Takes bytes, to be looked at when a value is asked for. After an error they are forgotten.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        self.pending.drain(..self.at);
        self.at = 0;
        self.pending.extend_from_slice(bytes);
    }

    /// The next whole value.
    #[expect(
        clippy::should_implement_trait,
        reason = "an iterator ends, and this one goes on when more is fed"
    )]
    pub fn next(&mut self) -> Result<Option<Sexp>, ParseError> {
        if let Some(error) = &self.failed {
            return Err(error.clone());
        }
        let read = self.advance();
        if let Err(error) = &read {
            *self = Self { failed: Some(error.clone()), ..Self::new(self.limits) };
        }
        read
    }

    fn advance(&mut self) -> Result<Option<Sexp>, ParseError> {
        while let Some(&byte) = self.pending.get(self.at) {
            let mut done = None;
            match &mut self.state {
                State::Value => {
                    self.at += 1;
                    match byte {
                        b'0'..=b'9' => self.state = State::Length(usize::from(byte - b'0')),
                        b'(' if self.open.len() >= self.limits.depth => {
                            return Err(ParseError::Depth { limit: self.limits.depth });
                        }
                        b'(' => {
                            self.charge(Limits::NODE)?;
                            self.open.push(Vec::new());
                        }
                        b')' => {
                            let mut list = self.open.pop().ok_or(ParseError::Unopened)?;
                            // Many small lists would else set aside four places each.
                            list.shrink_to_fit();
                            done = Some(Sexp::List(list));
                        }
                        _ => return Err(ParseError::Character(byte)),
                    }
                }
                State::Length(length) => {
                    self.at += 1;
                    match byte {
                        b'0'..=b'9' => {
                            // What does not fit is too long in any case.
                            *length = length.saturating_mul(10).saturating_add(usize::from(byte - b'0'));
                        }
                        b':' if *length > self.limits.atom => {
                            return Err(ParseError::Atom { limit: self.limits.atom });
                        }
                        b':' if *length == 0 => {
                            self.charge(Limits::NODE)?;
                            done = Some(Sexp::Atom(Vec::new()));
                        }
                        b':' => {
                            let length = *length;
                            self.charge(Limits::NODE.saturating_add(length))?;
                            self.state = State::Atom(Vec::new(), length);
                        }
                        _ => return Err(ParseError::Length),
                    }
                    if let State::Length(length) = self.state
                        && length > self.limits.atom
                    {
                        return Err(ParseError::Atom { limit: self.limits.atom });
                    }
                }
                State::Atom(bytes, lacking) => {
                    let there = &self.pending[self.at..];
                    let taken = there.len().min(*lacking);
                    if bytes.capacity() - bytes.len() < taken {
                        // Twice as much each time, and never more than was announced.
                        bytes.reserve_exact(taken.max(bytes.len()).min(*lacking));
                    }
                    bytes.extend_from_slice(&there[..taken]);
                    self.at += taken;
                    *lacking -= taken;
                    if *lacking == 0 {
                        done = Some(Sexp::Atom(std::mem::take(bytes)));
                    }
                }
            }
            let Some(value) = done else { continue };
            self.state = State::Value;
            let Some(list) = self.open.last_mut() else {
                self.cost = 0;
                return Ok(Some(value));
            };
            list.push(value);
        }
        Ok(None)
    }

    fn charge(&mut self, cost: usize) -> Result<(), ParseError> {
        self.cost = self.cost.saturating_add(cost);
        if self.cost > self.limits.value {
            return Err(ParseError::Value { limit: self.limits.value });
        }
        Ok(())
    }

    /// Whether a value was begun, or bytes were fed that nobody asked for.
    #[must_use]
    pub fn is_within(&self) -> bool {
        self.at < self.pending.len() || !self.open.is_empty() || !matches!(self.state, State::Value)
    }

    /// Says that nothing more comes. Errors: that a value was begun.
    pub fn finish(&self) -> Result<(), ParseError> {
        if self.is_within() { Err(ParseError::Premature) } else { Ok(()) }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;

    const SMALL: Limits = Limits { atom: 10, depth: 3, value: 1000 };

    fn all(limits: Limits, bytes: &[u8]) -> Result<Vec<Sexp>, ParseError> {
        let mut parser = Parser::new(limits);
        parser.feed(bytes);
        let mut found = Vec::new();
        while let Some(value) = parser.next()? {
            found.push(value);
        }
        parser.finish().map(|()| found)
    }

    #[test]
    fn values_stand_back_to_back() {
        let found = all(SMALL, b"3:abc(1:a()0:)003:xyz").unwrap();
        let list = Sexp::list([Sexp::atom("a"), Sexp::list([]), Sexp::atom("")]);
        assert_eq!(found, [Sexp::atom("abc"), list, Sexp::atom("xyz")]);
    }

    #[test]
    fn bytes_may_be_split_anywhere() {
        let bytes = b"(4:lang19:dune-cache-protocol(1:11:2))0:(7:promote(3:key2:ab)())";
        let whole = all(Limits::GREETING, bytes).unwrap();
        for cut in 0..=bytes.len() {
            let mut parser = Parser::new(Limits::GREETING);
            let mut found = Vec::new();
            for part in [&bytes[..cut], &bytes[cut..]] {
                parser.feed(part);
                while let Some(value) = parser.next().unwrap() {
                    found.push(value);
                }
            }
            assert_eq!(found, whole, "cut at {cut}");
            parser.finish().unwrap();
        }
    }

    #[test]
    fn what_is_no_value_is_told_and_stays_so() {
        let cases: [(&[u8], ParseError); 11] = [
            (b"x", ParseError::Character(b'x')),
            (b"\n", ParseError::Character(b'\n')),
            (b")", ParseError::Unopened),
            (b"1", ParseError::Premature),
            (b"(1:a", ParseError::Premature),
            (b"1x", ParseError::Length),
            (b"11:", ParseError::Atom { limit: 10 }),
            (b"0011", ParseError::Atom { limit: 10 }),
            (b"99999999999999999999999999:", ParseError::Atom { limit: 10 }),
            (b"((((", ParseError::Depth { limit: 3 }),
            (b"(()()()()()()()()()()()()()()()())", ParseError::Value { limit: 1000 }),
        ];
        for (bytes, error) in cases {
            assert_eq!(all(SMALL, bytes), Err(error), "{}", bytes.escape_ascii());
        }
        let mut parser = Parser::new(SMALL);
        parser.feed(b"x");
        parser.next().unwrap_err();
        parser.feed(b"1:a");
        assert_eq!(parser.next(), Err(ParseError::Character(b'x')));
    }

    /// Lengths of one digit were once believed, since only a second digit had the limit looked at.
    #[test]
    fn a_length_of_one_digit_has_a_limit_too() {
        let limits = Limits { atom: 3, ..SMALL };
        assert_eq!(all(limits, b"4:abcd"), Err(ParseError::Atom { limit: 3 }));
        assert_eq!(all(limits, b"03:abc"), Ok(vec![Sexp::atom("abc")]));
    }

    #[test]
    fn an_announced_length_reserves_nothing() {
        let mut parser = Parser::new(Limits::SESSION);
        parser.feed(b"60000000:abc");
        assert_eq!(parser.next(), Ok(None));
        let State::Atom(held, lacking) = &parser.state else { panic!("{:?}", parser.state) };
        assert!(held.capacity() < 100 && *lacking == 59_999_997);
    }
}
