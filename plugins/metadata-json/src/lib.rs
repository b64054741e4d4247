//! Writes outcomes down so that people can read them and `jq` can use them.
//!
//! ```text
//! {
//!   "version": 1,
//!   "exit": {"code": 0},
//!   "started": 1800000000000000000,
//!   "duration": 42000000,
//!   "output": [
//!     {"stream": "stdout", "text": "hello\n"},
//!     {"stream": "stderr", "hex": "ff00"}
//!   ],
//!   "notes": [
//!     ["reviver", "0.1.0"]
//!   ]
//! }
//! ```
//!
//! `exit` holds `code` or `signal`, `stream` is `stdout`, `stderr` or `both`, and output is a `text` where it is UTF-8 and
//! not mostly control characters, else the digits of its bytes as `hex`: it grows to twice its size at most. Numbers are exact; a tool that takes numbers for floating point ones, as some versions
//! of `jq` do, shows times up to a microsecond off.
//!
//! Laws:
//!
//! * Every outcome has exactly one hunk.
//! * Any JSON with exactly these members is read, however it is laid out. Another version, a member that is missing, is
//!   there twice or is not known, and a value of another kind are refused with their name.
//! * An outcome that would grow by more than 3 MiB is refused. The host would call that a fault at 4.
#![forbid(unsafe_code)]

mod read;
mod write;

use reviver_sdk::{MetadataPlugin, Outcome};

/// The version of the layout.
const VERSION: u64 = 1;

/// How much larger than its output a hunk may be.
const GROWTH: usize = 3 << 20;

/// The readable layout.
#[derive(Debug)]
pub struct Json;

impl MetadataPlugin for Json {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        let hunk = write::outcome(outcome).into_bytes();
        let output: usize = outcome.output.iter().map(|chunk| chunk.bytes.len()).sum();
        if hunk.len() > output + GROWTH {
            return Err(
                "the output is too large to be written as text; `metadata-compact` takes it".to_owned()
            );
        }
        Ok(hunk)
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        read::outcome(hunk)
    }
}

reviver_sdk::export!(metadata: Json);

#[cfg(test)]
mod tests;
