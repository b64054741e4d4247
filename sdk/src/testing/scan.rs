//! The host's native search, as the contract describes it.

use crate::{Failure, Match};

/// The bytes of a line that are kept behind the start of a needle's first occurrence in it.
const KEPT: usize = 1024;
/// The greatest number of matches.
const MATCHES: usize = 10_000;

/// The lines of `content` that hold any of the needles, one match for each needle that a line holds.
pub(super) fn scan(content: &[u8], needles: &[String]) -> Result<Vec<Match>, Failure> {
    if needles.len() > 16 || needles.iter().any(|needle| needle.is_empty() || needle.len() > 64) {
        return Err(Failure::Failed("a search takes at most 16 needles of 1 to 64 bytes".to_owned()));
    }
    let mut matches = Vec::new();
    for line in joined(content) {
        for (index, needle) in (0..).zip(needles) {
            let Some(at) = line.windows(needle.len()).position(|window| window == needle.as_bytes()) else {
                continue;
            };
            if matches.len() == MATCHES {
                return Err(Failure::Failed(format!("more than {MATCHES} matches")));
            }
            matches.push(Match { needle: index, line: line[..line.len().min(at + KEPT)].to_vec() });
        }
    }
    Ok(matches)
}

/// The lines without their ends; those that end with a backslash joined with the next one.
fn joined(content: &[u8]) -> Vec<Vec<u8>> {
    let mut lines = Vec::new();
    let mut open = Vec::new();
    for line in content.split(|byte| *byte == b'\n') {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        if let Some(start) = line.strip_suffix(b"\\") {
            open.extend_from_slice(start);
            continue;
        }
        open.extend_from_slice(line);
        lines.push(std::mem::take(&mut open));
    }
    if !open.is_empty() {
        lines.push(open);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_needle_of_a_line_is_one_match_and_continued_lines_are_one() {
        let needles = ["__DATE__".to_owned(), "embed".to_owned()];
        let found = scan(b"a\n#em\\\nbed __DATE__ embed\r\nb __DATE__", &needles).expect("few needles");
        let line = b"#embed __DATE__ embed".to_vec();
        assert_eq!(
            found,
            [
                Match { needle: 0, line: line.clone() },
                Match { needle: 1, line },
                Match { needle: 0, line: b"b __DATE__".to_vec() },
            ]
        );
    }

    #[test]
    fn long_lines_are_cut_and_odd_needles_refused() {
        let long = [&b"xx#"[..], &[b'y'; 5000]].concat();
        let found = scan(&long, &["#".to_owned()]).expect("one needle");
        assert_eq!(found[0].line.len(), 2 + KEPT);
        assert!(scan(&long, &[String::new()]).is_err());
        assert!(scan(&long, &vec!["n".to_owned(); 17]).is_err());
    }
}
