//! How values are laid out in the cache's own files: little-endian numbers, and lengths before whatever varies.
//!
//! Every reader treats its bytes as hostile: a length is checked against what is left before anything is allocated, and a
//! value must be used up entirely ([`Reader::end`]).

use std::fmt;

/// A value that can be laid out in bytes and read again.
pub trait Layout: Sized {
    /// Appends the bytes of the value.
    fn put(&self, out: &mut Writer);
    /// Reads a value from the front of what is left.
    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed>;
}

/// The bytes of one value.
#[must_use]
pub fn to_bytes(value: &impl Layout) -> Vec<u8> {
    let mut out = Writer::default();
    value.put(&mut out);
    out.into_bytes()
}

/// The value that these bytes, all of them, stand for.
pub fn from_bytes<T: Layout>(bytes: &[u8]) -> Result<T, Malformed> {
    let mut reader = Reader::new(bytes);
    let value = T::take(&mut reader)?;
    reader.end()?;
    Ok(value)
}

/// Bytes that are not what they should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Malformed {
    /// What was expected.
    pub expected: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "malformed bytes: expected {}", self.expected)
    }
}

impl std::error::Error for Malformed {}

/// Collects bytes.
#[derive(Default, Debug)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// Appends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    /// Appends one byte.
    pub fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    /// Appends a number of four bytes.
    pub fn u32(&mut self, value: u32) {
        self.raw(&value.to_le_bytes());
    }

    /// Appends a number of eight bytes.
    pub fn u64(&mut self, value: u64) {
        self.raw(&value.to_le_bytes());
    }

    /// Appends bytes behind their length.
    pub fn bytes(&mut self, bytes: &[u8]) {
        self.u32(u32::try_from(bytes.len()).expect("invariant: no single value of 4 GiB is laid out"));
        self.raw(bytes);
    }

    /// Appends a text behind its length.
    pub fn text(&mut self, text: &str) {
        self.bytes(text.as_bytes());
    }

    /// Appends values behind their number.
    pub fn list<T: Layout>(&mut self, values: &[T]) {
        self.u32(u32::try_from(values.len()).expect("invariant: no list of 4 Gi values is laid out"));
        for value in values {
            value.put(self);
        }
    }

    /// Appends a value that may be absent.
    pub fn option<T: Layout>(&mut self, value: Option<&T>) {
        self.u8(u8::from(value.is_some()));
        if let Some(value) = value {
            value.put(self);
        }
    }

    /// All the bytes.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}

/// Reads values from the front of some bytes.
#[derive(Clone, Debug)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader of these bytes.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// How many bytes are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.0.len()
    }

    /// The next bytes as they are.
    pub fn raw(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let (front, rest) = self.0.split_at_checked(length).ok_or(Malformed { expected: "more bytes" })?;
        self.0 = rest;
        Ok(front)
    }

    /// The next bytes as an array.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let mut array = [0; N];
        array.copy_from_slice(self.raw(N)?);
        Ok(array)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        Ok(self.array::<1>()?[0])
    }

    /// A number of four bytes.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(u32::from_le_bytes)
    }

    /// A number of eight bytes.
    pub fn u64(&mut self) -> Result<u64, Malformed> {
        self.array().map(u64::from_le_bytes)
    }

    /// Bytes behind their length.
    pub fn bytes(&mut self) -> Result<&'a [u8], Malformed> {
        let length = self.u32()? as usize;
        self.raw(length)
    }

    /// A text behind its length.
    pub fn text(&mut self) -> Result<&'a str, Malformed> {
        std::str::from_utf8(self.bytes()?).map_err(|_| Malformed { expected: "a text in UTF-8" })
    }

    /// The number of values to come. Each takes at least one byte, so a number larger than what is left is a lie.
    pub fn number(&mut self) -> Result<usize, Malformed> {
        let number = self.u32()? as usize;
        if number > self.left() {
            return Err(Malformed { expected: "a list as long as it says" });
        }
        Ok(number)
    }

    /// Values behind their number.
    pub fn list<T: Layout>(&mut self) -> Result<Vec<T>, Malformed> {
        let length = self.number()?;
        let mut values = Vec::with_capacity(length.min(4096));
        for _ in 0..length {
            values.push(T::take(self)?);
        }
        Ok(values)
    }

    /// A value that may be absent.
    pub fn option<T: Layout>(&mut self) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            0 => Ok(None),
            1 => T::take(self).map(Some),
            _ => Err(Malformed { expected: "a value or its absence" }),
        }
    }

    /// Nothing more.
    pub fn end(&self) -> Result<(), Malformed> {
        if self.0.is_empty() { Ok(()) } else { Err(Malformed { expected: "the end" }) }
    }
}

impl Layout for String {
    fn put(&self, out: &mut Writer) {
        out.text(self);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.text().map(str::to_owned)
    }
}

impl Layout for crate::digest::Digest {
    fn put(&self, out: &mut Writer) {
        out.raw(self.as_bytes());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        from.array().map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_prefix_of_a_value_is_malformed_and_so_is_a_longer_one() {
        let mut out = Writer::default();
        out.list(&["a".to_owned(), "bcd".to_owned()]);
        let bytes = out.into_bytes();
        for length in 0..bytes.len() {
            assert!(Reader::new(&bytes[..length]).list::<String>().is_err(), "{length}");
        }
        assert!(from_bytes::<String>(&[1, 0, 0, 0, b'x', 0]).is_err());
        assert_eq!(Reader::new(&bytes).list::<String>(), Ok(vec!["a".to_owned(), "bcd".to_owned()]));
    }

    #[test]
    fn a_length_that_lies_allocates_nothing() {
        assert!(Reader::new(&[0xff; 8]).list::<String>().is_err());
        assert!(Reader::new(&[0xff; 8]).bytes().is_err());
    }
}
