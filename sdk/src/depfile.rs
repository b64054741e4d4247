//! Reading depfiles: the rules for make in which compilers say what they read.
//!
//! ```text
//! a.o b\ c.o: a.c include/x.h \
//!   d$$.h
//! include/x.h:
//! # a comment, which is passed over
//! ```
//!
//! A rule has targets and prerequisites, parted by blanks. A line that ends with a backslash goes on in the next one. What
//! compilers quote is unquoted: `\ `, `\#`, `\:` and `$$`, and backslashes before a quoted blank are doubled. A tab is taken
//! for a part of a name, since clang writes it so. Targets without prerequisites are phony ones as a rule, which keep
//! make going when a header is gone.
//!
//! ```
//! use reviver_sdk::depfile::rules;
//!
//! let text = "a.o: a.c my\\ dir/x.h \\\n  cash$$.h\n\nmy\\ dir/x.h:\n";
//! let rules: Vec<_> = rules(text).collect::<Result<_, _>>()?;
//! let paths: Vec<_> = rules[0].prerequisites.iter().map(|word| &*word.path).collect();
//! assert_eq!(paths, ["a.c", "my dir/x.h", "cash$.h"]);
//! assert_eq!(rules[0].prerequisites[1].raw, "my\\ dir/x.h");
//! assert!(rules[1].prerequisites.is_empty(), "a phony target");
//! # Ok::<(), reviver_sdk::depfile::NoTarget>(())
//! ```

use std::fmt;

use crate::Refusal;

/// A name in a depfile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Word<'a> {
    /// As it is written.
    pub raw: &'a str,
    /// The path that this stands for.
    pub path: String,
}

/// A rule of a depfile.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rule<'a> {
    /// The targets as they are written, with the colon.
    pub head: &'a str,
    /// What depends, at least one.
    pub targets: Vec<Word<'a>>,
    /// What it depends on, in order.
    pub prerequisites: Vec<Word<'a>>,
}

/// A line is no rule, for no colon ends its targets.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoTarget;

/// The rules of `text`, in order, each read when it is asked for. Nothing comes behind an error.
pub fn rules(text: &str) -> impl Iterator<Item = Result<Rule<'_>, NoTarget>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        loop {
            rest = rest.trim_start_matches(['\n', '\r']);
            if rest.is_empty() {
                return None;
            }
            let (line, behind) = rest.split_at_checked(end(rest)).unwrap_or((rest, ""));
            rest = behind;
            if line.starts_with('#') {
                continue;
            }
            let rule = rule(line);
            if rule.is_none() {
                rest = "";
            }
            return Some(rule.ok_or(NoTarget));
        }
    })
}

/// The path that is written so.
#[must_use]
pub fn unquote(raw: &str) -> String {
    let mut path = String::with_capacity(raw.len());
    let mut slashes = 0;
    let mut characters = raw.chars().peekable();
    while let Some(c) = characters.next() {
        match c {
            '\\' => slashes += 1,
            ' ' | '\t' | '#' | ':' => {
                let kept =
                    if matches!(c, ' ' | '\t') { slashes / 2 } else { usize::saturating_sub(slashes, 1) };
                path.extend(std::iter::repeat_n('\\', kept));
                path.push(c);
                slashes = 0;
            }
            _ => {
                path.extend(std::iter::repeat_n('\\', std::mem::take(&mut slashes)));
                if c == '$' {
                    characters.next_if_eq(&'$');
                }
                path.push(c);
            }
        }
    }
    path.extend(std::iter::repeat_n('\\', slashes));
    path
}

/// Where the line ends that `text` begins with, those that continue it included.
fn end(text: &str) -> usize {
    let mut bytes = text.bytes().enumerate();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b'\n' => return at,
            // Whatever comes next is quoted, and so is the end of the line.
            b'\\' => drop(bytes.next()),
            _ => {}
        }
    }
    text.len()
}

fn rule(line: &str) -> Option<Rule<'_>> {
    let ends_targets = |at: &usize| {
        let behind = line.get(at + 1..).unwrap_or_default();
        behind.is_empty() || behind.starts_with([' ', '\r']) || behind.starts_with("\\\n")
    };
    let colon = line.match_indices(':').map(|(at, _)| at).find(ends_targets)?;
    let (head, prerequisites) = line.split_at_checked(colon + 1)?;
    let targets = words(head.strip_suffix(':')?);
    (!targets.is_empty()).then(|| Rule { head, targets, prerequisites: words(prerequisites) })
}

fn words(text: &str) -> Vec<Word<'_>> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut push = |start: usize, end: usize| {
        let raw = text.get(start..end).unwrap_or_default();
        if !raw.is_empty() {
            words.push(Word { raw, path: unquote(raw) });
        }
    };
    let mut bytes = text.bytes().enumerate().peekable();
    while let Some((at, byte)) = bytes.next() {
        match byte {
            b' ' => {
                push(start, at);
                start = at + 1;
            }
            b'\\' if matches!(bytes.next(), Some((_, b'\n'))) => {
                push(start, at);
                start = at + 2;
            }
            _ => {}
        }
    }
    push(start, text.trim_end_matches('\r').len());
    words
}

impl fmt::Display for NoTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(Self::WORDS)
    }
}

impl NoTarget {
    const WORDS: &str = "the dependencies have no target";
}

impl std::error::Error for NoTarget {}

impl From<NoTarget> for Refusal {
    fn from(_: NoTarget) -> Self {
        Self::Malformed(NoTarget::WORDS.to_owned())
    }
}

impl From<NoTarget> for String {
    fn from(_: NoTarget) -> Self {
        NoTarget::WORDS.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(words: &[Word<'_>]) -> Vec<String> {
        words.iter().map(|word| word.path.clone()).collect()
    }

    fn first(text: &str) -> Rule<'_> {
        rules(text).next().expect(text).expect(text)
    }

    #[test]
    fn quoting_is_undone() {
        let rule = first("a.o: s\\ p.c d\\ ir/a$$b\\#c:d.h \\\n /usr/x.h\n");
        assert_eq!(paths(&rule.prerequisites), ["s p.c", "d ir/a$b#c:d.h", "/usr/x.h"]);
        assert_eq!(paths(&first("a.o: a\\\\\\ b a\\b\n").prerequisites), ["a\\ b", "a\\b"]);
        assert_eq!(paths(&first("o: a\tb é\\é").prerequisites), ["a\tb", "é\\é"]);
    }

    #[test]
    fn there_may_be_several_targets_and_names_may_hold_colons() {
        let rule = first("o\\ ut:$$x.o \\\n b: a.c\n");
        assert_eq!(paths(&rule.targets), ["o ut:$x.o", "b"]);
        assert_eq!(rule.head, "o\\ ut:$$x.o \\\n b:");
        assert_eq!(paths(&rule.prerequisites), ["a.c"]);
        assert_eq!(paths(&first("a.o:\\\n b.h\n").prerequisites), ["b.h"]);
    }

    #[test]
    fn rules_comments_and_phony_targets_follow_one_another() {
        let all: Vec<_> = rules("# env-dep: A\n\na.d: a.rs\r\n\n\na.rs:\n# end").collect();
        let all: Vec<_> = all.into_iter().map(|rule| rule.expect("a rule")).collect();
        assert_eq!(all.len(), 2);
        assert_eq!((all[0].head, paths(&all[0].prerequisites)), ("a.d:", vec!["a.rs".to_owned()]));
        assert_eq!((all[1].head, all[1].prerequisites.len()), ("a.rs:", 0));
    }

    #[test]
    fn a_line_without_a_target_ends_the_rules() {
        for text in ["a", ":a", ": a", "\\\n", "a\nb: c"] {
            assert_eq!(rules(text).collect::<Vec<_>>(), [Err(NoTarget)], "{text}");
        }
        assert_eq!(rules("").next(), None);
    }
}
