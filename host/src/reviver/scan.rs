//! The search in files that key plugins ask for. Nothing is remembered: one pass over a file that is in memory anyway is
//! cheaper than looking an answer up.

use crate::policy::{LookFailure, Match};
use memchr::memmem::Finder;

/// The largest file that is searched.
pub const FILE_LIMIT: u64 = 64 << 20;
const MOST_NEEDLES: usize = 16;
const LONGEST_NEEDLE: usize = 64;
const MOST_MATCHES: usize = 10_000;
const LINE_CUT: usize = 1024;

/// Refuses needles that are none: too many, empty, or too long.
pub fn check(needles: &[String]) -> Result<(), LookFailure> {
    let good = needles.len() <= MOST_NEEDLES
        && needles
            .iter()
            .all(|needle| (1..=LONGEST_NEEDLE).contains(&needle.len()) && !needle.contains('\n'));
    let limits = format!("a scan takes at most {MOST_NEEDLES} needles of 1 to {LONGEST_NEEDLE} bytes");
    if good { Ok(()) } else { Err(LookFailure::Denied(limits)) }
}

/// The lines that hold any needle, in order, and for one line in the order of the needles. A line that ends with a
/// backslash goes on in the next one.
pub fn scan(bytes: &[u8], needles: &[String]) -> Result<Vec<Match>, LookFailure> {
    let joined = join(bytes);
    let bytes = joined.as_deref().unwrap_or(bytes);
    let mut found = Vec::new();
    for (needle, text) in needles.iter().enumerate() {
        let finder = Finder::new(text);
        let mut from = 0;
        while let Some(at) = finder.find(&bytes[from..]).map(|at| from + at) {
            let start = memchr::memrchr(b'\n', &bytes[..at]).map_or(0, |end| end + 1);
            let end = memchr::memchr(b'\n', &bytes[at..]).map_or(bytes.len(), |end| at + end);
            let cut = end.min(at + LINE_CUT);
            // A line that is long before the needle is cut there too: what leads to the needle is near it.
            let line = &bytes[start.max(at.saturating_sub(LINE_CUT))..cut];
            let line = line.strip_suffix(b"\r").unwrap_or(line).to_vec();
            found.push((start, Match { needle: needle as u32, line }));
            if found.len() > MOST_MATCHES {
                return Err(LookFailure::TooLarge(MOST_MATCHES as u64));
            }
            from = end;
        }
    }
    found.sort_by_key(|(start, found)| (*start, found.needle));
    Ok(found.into_iter().map(|(_, found)| found).collect())
}

/// The bytes with continued lines joined; `None` where there are none. White space may stand before the end of the line.
fn join(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut joined = Vec::new();
    let mut rest = bytes;
    let mut from = 0;
    while let Some(at) = memchr::memchr(b'\\', &rest[from..]).map(|at| from + at) {
        from = at + 1;
        if let Some(next) = continued(&rest[from..]) {
            joined.extend_from_slice(&rest[..at]);
            (rest, from) = (next, 0);
        }
    }
    if rest.len() == bytes.len() {
        return None;
    }
    joined.extend_from_slice(rest);
    Some(joined)
}

/// The next line, where the backslash before these bytes ends this one.
fn continued(behind: &[u8]) -> Option<&[u8]> {
    let blank = behind.iter().take_while(|byte| b" \t\r\x0b\x0c".contains(*byte)).count();
    behind[blank..].strip_prefix(b"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, needles: &[&str]) -> Vec<(u32, String)> {
        let needles: Vec<_> = needles.iter().map(|needle| (*needle).to_owned()).collect();
        let found = scan(text.as_bytes(), &needles).unwrap();
        found.into_iter().map(|found| (found.needle, String::from_utf8(found.line).unwrap())).collect()
    }

    #[test]
    fn a_line_is_found_once_for_each_needle_that_it_holds() {
        let found = lines("a b a\nnone\nb\n", &["a", "b"]);
        assert_eq!(found, [(0, "a b a".into()), (1, "a b a".into()), (1, "b".into())]);
        assert!(lines("", &["a"]).is_empty());
        assert_eq!(lines("last a", &["a"]), [(0, "last a".into())]);
    }

    /// `__DA\<newline>TE__` is `__DATE__` to a compiler.
    #[test]
    fn continued_lines_are_joined() {
        assert_eq!(lines("x __DA\\\nTE__ y\nz\\q\n", &["__DATE__"]), [(0, "x __DATE__ y".into())]);
        // gcc takes white space before the end of the line for nothing.
        assert_eq!(lines("x __DA\\ \t\nTE__", &["__DATE__"]), [(0, "x __DATE__".into())]);
        assert_eq!(lines("#inc\\\r\nlude <a>\r\n", &["include"]), [(0, "#include <a>".into())]);
    }

    #[test]
    fn limits_hold() {
        assert!(check(&vec!["x".to_owned(); 17]).is_err());
        assert!(check(&[String::new()]).is_err());
        assert!(scan("a\n".repeat(10_002).as_bytes(), &["a".to_owned()]).is_err());
        let long = format!("{}needle{}", "x".repeat(5000), "y".repeat(5000));
        assert_eq!(scan(long.as_bytes(), &["needle".to_owned()]).unwrap()[0].line.len(), 2 * LINE_CUT);
    }
}
