//! Canonical s-expressions: one value has one sequence of bytes.
//!
//! ```text
//! atom   decimal length, `:`, that many bytes     5:hello
//! list   `(`, values, `)`                         (3:key2:ab)
//! ```
//!
//! Source of the format: Rivest, *S-expressions*, section "canonical representation", as Dune speaks it: nothing stands between
//! values, neither space nor newline.

use std::fmt;

/// A value: bytes, or values in order.
#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub enum Sexp {
    /// Bytes, any.
    Atom(Vec<u8>),
    /// Values in order.
    List(Vec<Self>),
}

impl Sexp {
    /// An atom of these bytes.
    pub fn atom(bytes: impl Into<Vec<u8>>) -> Self {
        Self::Atom(bytes.into())
    }

    /// An atom of a number's decimal digits.
    #[must_use]
    pub fn number(number: u64) -> Self {
        Self::Atom(number.to_string().into_bytes())
    }

    /// A list of these values.
    pub fn list(values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(values.into_iter().collect())
    }

    /// A list that begins with a name: `(name values...)`.
    pub fn named(name: &str, values: impl IntoIterator<Item = Self>) -> Self {
        Self::List(std::iter::once(Self::atom(name)).chain(values).collect())
    }

    /// The bytes of an atom.
    #[must_use]
    pub fn as_atom(&self) -> Option<&[u8]> {
        match self {
            Self::Atom(bytes) => Some(bytes),
            Self::List(_) => None,
        }
    }

    /// The text of an atom that is UTF-8.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        std::str::from_utf8(self.as_atom()?).ok()
    }

    /// The number that an atom's decimal digits say.
    #[must_use]
    pub fn as_number(&self) -> Option<u64> {
        let digits = self.as_text()?;
        digits.bytes().all(|byte| byte.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
    }

    /// The values of a list.
    #[must_use]
    pub fn as_list(&self) -> Option<&[Self]> {
        match self {
            Self::Atom(_) => None,
            Self::List(values) => Some(values),
        }
    }

    /// The values after the name in a list that begins with one.
    #[must_use]
    pub fn as_named(&self) -> Option<(&[u8], &[Self])> {
        let (name, values) = self.as_list()?.split_first()?;
        Some((name.as_atom()?, values))
    }

    /// Appends the bytes of this value.
    pub fn write_to(&self, out: &mut Vec<u8>) {
        match self {
            Self::Atom(bytes) => {
                out.extend_from_slice(bytes.len().to_string().as_bytes());
                out.push(b':');
                out.extend_from_slice(bytes);
            }
            Self::List(values) => {
                out.push(b'(');
                for value in values {
                    value.write_to(out);
                }
                out.push(b')');
            }
        }
    }

    /// The bytes of this value.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_to(&mut out);
        out
    }
}

/// For people: atoms as they are where that can be read, else escaped and in quotes; never to be parsed.
impl fmt::Display for Sexp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Atom(bytes) => {
                let plain = |byte: &u8| byte.is_ascii_graphic() && !b"()\"\\".contains(byte);
                if !bytes.is_empty() && bytes.iter().all(plain) {
                    f.write_str(&String::from_utf8_lossy(bytes))
                } else {
                    write!(f, "\"{}\"", bytes.escape_ascii())
                }
            }
            Self::List(values) => {
                f.write_str("(")?;
                for (position, value) in values.iter().enumerate() {
                    let gap = if position == 0 { "" } else { " " };
                    write!(f, "{gap}{value}")?;
                }
                f.write_str(")")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_one_sequence_of_bytes() {
        let value =
            Sexp::named("promote", [Sexp::atom(""), Sexp::list([]), Sexp::atom(*b"a\0b"), Sexp::number(12)]);
        assert_eq!(value.to_bytes(), b"(7:promote0:()3:a\0b2:12)");
        assert_eq!(value.to_string(), r#"(promote "" () "a\x00b" 12)"#);
    }

    #[test]
    fn only_digits_are_a_number() {
        assert_eq!(Sexp::atom("0012").as_number(), Some(12));
        for no in ["", "+1", "-1", " 1", "1 ", "0x1", "99999999999999999999"] {
            assert_eq!(Sexp::atom(no).as_number(), None, "{no}");
        }
    }
}
