//! How things are shown to people.

use crate::time::Timestamp;
use std::fmt::Display;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::time::Duration;

/// A duration, as short as it is readable.
pub(super) fn duration(nanoseconds: u64) -> String {
    let seconds = Duration::from_nanos(nanoseconds).as_secs_f64();
    if seconds < 1.0 {
        format!("{:.0} ms", seconds * 1000.0)
    } else if seconds < 120.0 {
        format!("{seconds:.1} s")
    } else if seconds < 7200.0 {
        format!("{:.0} min", seconds / 60.0)
    } else {
        format!("{:.1} h", seconds / 3600.0)
    }
}

/// A number of things.
pub(super) fn number(number: usize, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}

/// What a verification found at a path, and what was done about it.
pub(super) fn finding(at: &Path, what: impl Display, is_remedied: bool, is_damage: bool) -> String {
    let remedy = match (is_remedied, is_damage) {
        (true, true) => "; it is in quarantine now",
        (true, false) => "; put right",
        (false, _) => "",
    };
    format!("{}: {what}{remedy}", path(at.as_os_str().as_bytes()))
}

/// A path for a terminal: what would steer it is escaped.
pub(super) fn path(path: &[u8]) -> String {
    let text = String::from_utf8_lossy(path);
    let escaped = |c: char| if c.is_control() { c.escape_default().to_string() } else { c.to_string() };
    text.chars().map(escaped).collect()
}

/// How long ago something was.
pub(super) fn ago(then: Timestamp, now: Timestamp) -> String {
    let seconds = now.0.saturating_sub(then.0) / 1_000_000_000;
    match seconds {
        0..120 => format!("{seconds} s ago"),
        120..7200 => format!("{} min ago", seconds / 60),
        7200..172_800 => format!("{} h ago", seconds / 3600),
        _ => format!("{} d ago", seconds / 86400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_and_ages_are_short() {
        assert_eq!(duration(26_400_000), "26 ms");
        assert_eq!(duration(1_500_000_000), "1.5 s");
        assert_eq!(duration(600_000_000_000), "10 min");
        assert_eq!(
            (number(1, "entry", "entries"), number(0, "entry", "entries")),
            ("1 entry".into(), "0 entries".into())
        );
        assert_eq!(path(b"a\n\x1b[2Jb/\xc3\xa9"), "a\\n\\u{1b}[2Jb/é");
        assert_eq!(ago(Timestamp(0), Timestamp(7_200_000_000_000)), "2 h ago");
        assert_eq!(ago(Timestamp(5), Timestamp(0)), "0 s ago", "a clock that went back");
    }
}
