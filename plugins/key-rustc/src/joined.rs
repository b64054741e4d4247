//! Texts put together at one place: written out for each message, this is half of a small guest.

/// The parts, one behind the other.
#[inline(never)]
pub(crate) fn joined(parts: &[&str]) -> String {
    parts.concat()
}

/// What is wrong with a thing that is called so: `start` and `name` in quotes, then the reason.
#[inline(never)]
pub(crate) fn wrong(start: &str, name: &str, why: &str) -> String {
    joined(&["`", start, name, "` ", why])
}
