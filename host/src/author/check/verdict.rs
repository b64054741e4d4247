//! Laws of plugins, and what was found of each.

use std::fmt;

/// Something that a plugin of some role must keep to.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Law {
    /// Nothing in its code can make an answer depend on anything but the question.
    Purity,
    /// No question makes it fault.
    Answers,
    /// Fresh instances answer alike, with the same fuel.
    Same,
    /// An instance that answered before answers like a fresh one.
    Reused,
    /// What is declared in another order is the same.
    Order,
    /// A repository in another place has the same keys.
    Place,
    /// What an operation has nothing to do with does not change its key.
    Unrelated,
    /// Another content of a declared read makes another key.
    Reads,
    /// Another value of a declared variable makes another key.
    Variables,
    /// Other arguments make another key, other writes or a refusal.
    Arguments,
    /// Exit status and output come back as they were.
    RoundTrip,
    /// What is no hunk is refused or read, and never a fault.
    Damage,
    /// Scores are finite numbers.
    Finite,
    /// A score does not depend on what else is asked about.
    Batches,
}

impl Law {
    /// The name that stands for the law in reports.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Purity => "purity",
            Self::Answers => "answers",
            Self::Same => "same",
            Self::Reused => "reused",
            Self::Order => "order",
            Self::Place => "place",
            Self::Unrelated => "unrelated",
            Self::Reads => "reads",
            Self::Variables => "variables",
            Self::Arguments => "arguments",
            Self::RoundTrip => "round-trip",
            Self::Damage => "damage",
            Self::Finite => "finite",
            Self::Batches => "batches",
        }
    }

    /// The law in one sentence.
    #[must_use]
    pub const fn sentence(self) -> &'static str {
        match self {
            Self::Purity => "nothing in its code can make an answer depend on anything but the question",
            Self::Answers => "no question makes it fault",
            Self::Same => "fresh instances answer alike, with the same fuel",
            Self::Reused => "an instance that answered before answers like a fresh one",
            Self::Order => "reads and variables that are declared in another order have the same key",
            Self::Place => "a repository in another place has the same keys",
            Self::Unrelated => "an unrelated variable and an unrelated file change no key",
            Self::Reads => "one byte of a declared read changes the key",
            Self::Variables => "another value of a declared variable changes the key",
            Self::Arguments => "another argument changes the key or the writes, or is refused",
            Self::RoundTrip => "exit status and output come back as they were encoded",
            Self::Damage => "damaged hunks are refused or read, and never a fault",
            Self::Finite => "every score is a finite number",
            Self::Batches => "a score does not depend on what else is asked about",
        }
    }
}

impl fmt::Display for Law {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What was found of a law.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// It was tested, and held.
    Held,
    /// It is broken.
    Broken,
    /// There was nothing to test it with.
    Unchecked,
}

impl Finding {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Held => "held",
            Self::Broken => "broken",
            Self::Unchecked => "unchecked",
        }
    }
}

/// What was found of one law, with the grounds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// The law.
    pub law: Law,
    /// What was found.
    pub finding: Finding,
    /// How often it was tested.
    pub tested: usize,
    /// What breaks it, or why it could not be checked, or what it rests on.
    pub grounds: Vec<String>,
    /// What is worth knowing and breaks nothing.
    pub notes: Vec<String>,
}

/// What one test came to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) enum Tried {
    /// The law held.
    Passed,
    /// It is broken by this.
    Broke(String),
    /// The plugin was at fault, which is for another law.
    Nothing,
}

/// The most grounds that are kept of one kind: an author mends one at a time.
const MOST: usize = 8;

/// Gathers what is found of one law.
#[derive(Debug)]
pub(super) struct Tally {
    law: Law,
    tested: usize,
    broken: Vec<String>,
    unchecked: Vec<String>,
    notes: Vec<String>,
}

impl Tally {
    pub(super) const fn new(law: Law) -> Self {
        Self { law, tested: 0, broken: Vec::new(), unchecked: Vec::new(), notes: Vec::new() }
    }

    /// A test that passed where `found` is nothing, and else broke the law.
    pub(super) fn test(&mut self, found: Option<String>) {
        self.tested += 1;
        self.broken.extend(found);
    }

    /// A test that may have come to nothing, which is none.
    pub(super) fn tried(&mut self, tried: Tried) {
        match tried {
            Tried::Passed => self.test(None),
            Tried::Broke(found) => self.test(Some(found)),
            Tried::Nothing => {}
        }
    }

    /// Why one test could not be made.
    pub(super) fn unchecked(&mut self, why: impl Into<String>) {
        push(&mut self.unchecked, why.into());
    }

    /// Something worth knowing.
    pub(super) fn note(&mut self, what: impl Into<String>) {
        push(&mut self.notes, what.into());
    }

    pub(super) fn verdict(self) -> Verdict {
        let Self { law, tested, mut broken, unchecked, mut notes } = self;
        let more = broken.len().saturating_sub(MOST);
        broken.truncate(MOST);
        if more > 0 {
            broken.push(format!("and {more} more"));
        }
        let (finding, grounds) = match (broken.is_empty(), tested) {
            (false, _) => (Finding::Broken, broken),
            (true, 0) => (Finding::Unchecked, unchecked),
            (true, _) => {
                notes.extend(unchecked.into_iter().map(|why| format!("not everywhere: {why}")));
                (Finding::Held, Vec::new())
            }
        };
        notes.truncate(MOST);
        Verdict { law, finding, tested, grounds, notes }
    }
}

fn push(list: &mut Vec<String>, text: String) {
    if !list.contains(&text) && list.len() < MOST {
        list.push(text);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_law_is_broken_by_one_finding_and_unchecked_without_a_test() {
        let mut tally = Tally::new(Law::Same);
        tally.unchecked("nothing there");
        assert_eq!(tally.verdict().finding, Finding::Unchecked);
        let mut tally = Tally::new(Law::Same);
        tally.test(None);
        tally.unchecked("nothing there");
        let verdict = tally.verdict();
        assert_eq!((verdict.finding, verdict.notes.len()), (Finding::Held, 1));
        let mut tally = Tally::new(Law::Same);
        for _ in 0..20 {
            tally.test(None);
            tally.test(Some("wrong".into()));
        }
        let verdict = tally.verdict();
        assert_eq!((verdict.finding, verdict.tested, verdict.grounds.len()), (Finding::Broken, 40, MOST + 1));
    }
}
