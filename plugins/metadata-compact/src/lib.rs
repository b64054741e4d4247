//! Writes outcomes down in as few bytes as is simple.
//!
//! ```text
//! hunk    = 0x01 exit started duration count chunk* count note*
//! exit    = 0x00 code | 0x01 signal              numbers with a sign: zigzag, 0 -1 1 -2 → 0 1 2 3
//! chunk   = stream length byte*                  stream: 0x00 stdout, 0x01 stderr, 0x02 both
//! note    = length name length value             UTF-8
//! started, duration, count, length, code, signal = LEB128, seven bits a byte, the lowest first, as short as possible
//! ```
//!
//! The first byte is the version. Every outcome has exactly one hunk, and what is no outcome's hunk is refused, whatever
//! came behind it or is missing from it.
#![forbid(unsafe_code)]

mod read;
mod write;

use reviver_sdk::{MetadataPlugin, Outcome};

/// The version of the layout.
const VERSION: u8 = 1;

/// The compact layout.
#[derive(Debug)]
pub struct Compact;

impl MetadataPlugin for Compact {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        Ok(write::outcome(outcome))
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        read::outcome(hunk)
    }
}

reviver_sdk::export!(metadata: Compact);

#[cfg(test)]
mod tests {
    use super::*;
    use reviver_sdk::testing::TestHost;
    use reviver_sdk::{Chunk, ExitStatus, Stream};

    reviver_sdk::conformance!(metadata: Compact);

    #[test]
    fn the_layout_is_the_documented_one() {
        let mut outcome = Outcome::new(ExitStatus::Code(-1));
        outcome.started = 300;
        outcome.output = vec![Chunk::new(Stream::Both, b"hi")];
        outcome.notes = vec![("n".into(), "é".into())];
        let hunk = b"\x01\x00\x01\xac\x02\x00\x01\x02\x02hi\x01\x01n\x02\xc3\xa9".to_vec();
        assert_eq!(TestHost::new().encode::<Compact>(&outcome), Ok(hunk.clone()));
        assert_eq!(TestHost::new().decode::<Compact>(&hunk), Ok(outcome));
        assert_eq!(
            TestHost::new().encode::<Compact>(&Outcome::new(ExitStatus::Code(0))).map(|hunk| hunk.len()),
            Ok(7)
        );
    }

    #[test]
    fn what_is_no_outcome_is_refused_and_says_why() {
        let refused = [
            (&b""[..], "the hunk ends early"),
            (b"\x02\0\0\0\0\0\0", "version 2 of the layout is not known"),
            (b"\x01\x02\0\0\0\0\0", "2 is no kind of exit"),
            (b"\x01\0\0\0\0\0", "the hunk ends early"),
            (b"\x01\0\0\0\0\0\0\0", "1 bytes behind the end"),
            (b"\x01\0\x80\0\0\0\0\0", "a number is longer than it needs to be"),
            (b"\x01\0\xff\xff\xff\xff\x1f\0\0\0\0", "a number is too large"),
            (b"\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02\0\0\0", "a number is too large"),
            (b"\x01\0\0\0\0\x01\x03\x00\0", "3 is no stream"),
            (b"\x01\0\0\0\0\x01\0\xff\xff\xff\xff\x0f\0", "the hunk ends early"),
            (b"\x01\0\0\0\0\0\xff\xff\xff\xff\x0f", "the hunk ends early"),
            (b"\x01\0\0\0\0\0\x01\x01\xff\0", "a note is not UTF-8"),
        ];
        for (hunk, reason) in refused {
            assert_eq!(TestHost::new().decode::<Compact>(hunk), Err(reason.to_owned()), "{hunk:?}");
        }
    }
}
