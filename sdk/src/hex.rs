//! Bytes as hexadecimal digits, two for each.
//!
//! ```
//! use reviver_sdk::hex;
//!
//! assert_eq!(hex::encode(b"\x00\xff"), "00ff");
//! assert_eq!(hex::decode("00ff"), Some(vec![0, 0xff]));
//! assert_eq!(hex::decode("0"), None);
//! ```

/// The lower-case digits of `bytes`.
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    let digit = |four: u8| char::from_digit(four.into(), 16).unwrap_or('0');
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// The bytes that the digits stand for, in upper or lower case; `None` where there is anything else.
#[must_use]
pub fn decode(digits: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let (pairs, rest) = digits.as_bytes().as_chunks::<2>();
    let byte = |pair: &[u8; 2]| Some((digit(pair[0])? << 4 | digit(pair[1])?) as u8);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}
