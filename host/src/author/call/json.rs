//! Bytes in JSON: `"text"` where they are UTF-8, else `{"hex": "00ff"}`. Both are read everywhere.

use super::member::{Member, QuestionError};
use serde_json::{Value as Json, json};

/// Bytes as JSON.
pub(super) fn of_bytes(bytes: &[u8]) -> Json {
    match std::str::from_utf8(bytes) {
        Ok(text) => Json::from(text),
        Err(_) => json!({"hex": hex(bytes)}),
    }
}

/// Bytes of JSON.
pub(super) fn bytes(member: &Member<'_>) -> Result<Vec<u8>, QuestionError> {
    const EXPECTED: &str = "bytes, as a text or {\"hex\": \"00ff\"},";
    if let Some(text) = member.json().as_str() {
        return Ok(text.as_bytes().to_vec());
    }
    member.only(EXPECTED, |name, value| {
        let digits = || unhex(value.text()?).ok_or_else(|| value.expected("pairs of hexadecimal digits"));
        (name == "hex").then(digits).transpose()
    })
}

/// Bytes as pairs of hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |digit: u8| char::from_digit(digit.into(), 16).expect("invariant: it is below 16");
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let digit = |byte: u8| char::from(byte).to_digit(16).map(|digit| digit as u8);
    let byte = |[high, low]: &[u8; 2]| Some(digit(*high)? << 4 | digit(*low)?);
    if rest.is_empty() { pairs.iter().map(byte).collect() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_round_trip_and_look_like_text_where_they_can() {
        let all: Vec<u8> = (0..=255).collect();
        for (given, text) in [(&b""[..], true), (b"a\n\0", true), (&all, false), (b"\xff", false)] {
            let json = of_bytes(given);
            assert_eq!(json.is_string(), text);
            assert_eq!(bytes(&Member::top(&json)).as_deref(), Ok(given));
        }
        assert_eq!(bytes(&Member::top(&json!({"hex": "00Ff"}))), Ok(vec![0, 255]));
        for wrong in [json!({"hex": "0"}), json!({"hex": "0g"}), json!({"hex": "é"}), json!([]), json!({})] {
            assert!(bytes(&Member::top(&wrong)).is_err(), "{wrong}");
        }
        let wrong = json!({"hxe": ""});
        assert!(bytes(&Member::top(&wrong)).unwrap_err().to_string().contains("`hxe` is none of"), "{wrong}");
    }
}
