//! BLAKE3 digests, and how structured values are hashed without ambiguity.
//!
//! A [`Digest`] is 32 bytes, written as 64 lower-case hexadecimal digits. [`Framer`] hashes a sequence of values: every
//! value is preceded by its length, and the whole by a domain, so that two different sequences never feed the same bytes
//! to the hash function (`["ab", "c"]` and `["a", "bc"]` differ, and so do a text and a list that holds it).

use std::fmt;
use std::io::{self, Read};

/// A BLAKE3 digest.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// The number of bytes of a digest.
    pub const SIZE: usize = 32;

    /// The digest with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The digest of `bytes`.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        Self(*blake3::hash(bytes).as_bytes())
    }

    /// The digest and the length of all that `reader` still holds. Errors are the reader's.
    pub fn of_reader(reader: impl Read) -> io::Result<(Self, u64)> {
        let mut hasher = blake3::Hasher::new();
        hasher.update_reader(reader)?;
        Ok((Self(*hasher.finalize().as_bytes()), hasher.count()))
    }

    /// The digest that 64 lower-case hexadecimal digits stand for; `None` for anything else.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        let digits = hex.as_bytes();
        if digits.len() != 64 || digits.iter().any(u8::is_ascii_uppercase) {
            return None;
        }
        let mut bytes = [0; 32];
        for (byte, pair) in bytes.iter_mut().zip(digits.chunks_exact(2)) {
            let high = char::from(pair[0]).to_digit(16)?;
            let low = char::from(pair[1]).to_digit(16)?;
            *byte = (high * 16 + low) as u8;
        }
        Some(Self(bytes))
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// The 64 hexadecimal digits.
    #[must_use]
    pub fn to_hex(self) -> String {
        self.hex(32)
    }

    /// The first 12 hexadecimal digits, for people.
    #[must_use]
    pub fn short(self) -> String {
        self.hex(6)
    }

    fn hex(self, bytes: usize) -> String {
        const DIGITS: &[u8; 16] = b"0123456789abcdef";
        let mut hex = String::with_capacity(2 * bytes);
        for byte in &self.0[..bytes] {
            hex.push(char::from(DIGITS[usize::from(byte >> 4)]));
            hex.push(char::from(DIGITS[usize::from(byte & 15)]));
        }
        hex
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

/// Hashes a sequence of values, each framed by its length. The frames are gathered and hashed at once: many small updates
/// cost several times as much as one large one.
#[derive(Debug)]
pub struct Framer(Vec<u8>);

impl Framer {
    /// A framer for values of the kind that `domain` names. Framers of different domains never yield equal digests.
    #[must_use]
    pub fn new(domain: &str) -> Self {
        let mut framer = Self(Vec::with_capacity(256));
        framer.bytes(domain.as_bytes());
        framer
    }

    /// Makes room for so many bytes.
    pub fn reserve(&mut self, bytes: usize) -> &mut Self {
        self.0.reserve(bytes);
        self
    }

    /// Adds some bytes, behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        self.0.extend_from_slice(bytes);
        self
    }

    /// Adds a text.
    pub fn text(&mut self, text: &str) -> &mut Self {
        self.bytes(text.as_bytes())
    }

    /// Adds a number.
    pub fn number(&mut self, number: u64) -> &mut Self {
        self.0.extend_from_slice(&number.to_le_bytes());
        self
    }

    /// Adds a digest.
    pub fn digest(&mut self, digest: Digest) -> &mut Self {
        self.0.extend_from_slice(digest.as_bytes());
        self
    }

    /// Adds a list of texts, behind their number.
    pub fn texts<T: AsRef<str>>(&mut self, texts: &[T]) -> &mut Self {
        self.number(texts.len() as u64);
        for text in texts {
            self.text(text.as_ref());
        }
        self
    }

    /// The digest of all that was added.
    #[must_use]
    pub fn finish(&self) -> Digest {
        Digest::of(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_round_trips_and_refuses_what_is_no_digest() {
        let digest = Digest::of(b"reviver");
        assert_eq!(Digest::from_hex(&digest.to_hex()), Some(digest));
        for wrong in ["", "00", &digest.to_hex().to_uppercase(), &"g".repeat(64), &"é".repeat(32)] {
            assert_eq!(Digest::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn sequences_that_concatenate_alike_differ() {
        let digest = |texts: &[&str]| Framer::new("test").texts(texts).finish();
        let all =
            [digest(&["ab", "c"]), digest(&["a", "bc"]), digest(&["abc"]), digest(&["abc", ""]), digest(&[])];
        for (i, one) in all.iter().enumerate() {
            assert!(all[i + 1..].iter().all(|other| other != one));
        }
    }

    #[test]
    fn domains_separate() {
        assert_ne!(Framer::new("a").text("x").finish(), Framer::new("b").text("x").finish());
    }
}
