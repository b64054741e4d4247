//! Variables that switch something on, for those whose command line belongs to a compiler.
//!
//! | variable | as |
//! |---|---|
//! | `REVIVER_DISABLE` | nothing of ours was there |
//! | `REVIVER_VERBOSE` | `run --verbose` |
//! | `REVIVER_STRICT` | `run --strict` |
//! | `REVIVER_READ_ONLY` | `run --read-only` |
//! | `REVIVER_RECHECK` | `run --recheck`, for a share of the hits |

use crate::reviver::recheck::Share;
use anyhow::anyhow;

/// Whether a variable is set, and to something else than nothing or 0.
pub(super) fn is_on(variable: &str) -> bool {
    std::env::var_os(variable).is_some_and(|value| !value.is_empty() && value != "0")
}

/// The share of hits that `REVIVER_RECHECK` wants to be rechecked.
pub(super) fn recheck() -> anyhow::Result<Option<Share>> {
    let Some(text) = std::env::var_os("REVIVER_RECHECK").filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let share = text.to_str().and_then(|text| text.trim().parse().ok()).and_then(Share::new);
    let wrong = || anyhow!("REVIVER_RECHECK is `{}`, and should be a number from 0 to 1", text.display());
    share.map(Some).ok_or_else(wrong)
}

/// What the help says of them.
pub(super) const HELP: &str = "Variables, for a compiler that stands where our options would: REVIVER_DISABLE=1 runs everything as if \
reviver were not there; REVIVER_VERBOSE, REVIVER_STRICT and REVIVER_READ_ONLY are as the options of `run`; REVIVER_RECHECK=0.05 \
runs that share of the hits again and compares; REVIVER_CACHE_DIR is the cache directory.";
