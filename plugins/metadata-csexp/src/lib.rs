//! Writes outcomes down as canonical s-expressions, as Dune's cache keeps its metadata.
//!
//! ```text
//! (7:outcome
//!   (7:version1:1)
//!   (4:exit4:code1:0)                    or (4:exit6:signal1:9)
//!   (7:started19:1800000000000000000)
//!   (8:duration2:42)
//!   (6:output(6:stdout6:hello\n)(6:stderr2:\xff\x00)(4:both0:))
//!   (5:notes(7:reviver5:0.1.0)))
//! ```
//!
//! An atom is `LENGTH:BYTES`, a list is `(…)`, and nothing stands between them: the lines above are for reading. A hunk is
//! one s-expression, so that it can stand inside `(8:metadata…)` of a metafile of Dune. Atoms hold any bytes, and output is
//! written as it is. Numbers are decimal digits.
//!
//! Laws:
//!
//! * Every outcome has exactly one hunk, and every hunk stands for an outcome that has that hunk: a length or a number with a
//!   needless zero, another order, and whatever is missing or comes behind are refused.
//! * Lengths are not believed: what they promise must be there.
#![forbid(unsafe_code)]

mod read;
mod write;

use reviver_sdk::{MetadataPlugin, Outcome};

/// The version of the layout.
const VERSION: &str = "1";

/// The layout of canonical s-expressions.
#[derive(Debug)]
pub struct Csexp;

impl MetadataPlugin for Csexp {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        Ok(write::outcome(outcome))
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        read::outcome(hunk)
    }
}

reviver_sdk::export!(metadata: Csexp);

#[cfg(test)]
mod tests;
