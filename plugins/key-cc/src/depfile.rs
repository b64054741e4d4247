//! Depfiles: reading the compiler's own, and writing the one that was asked for.
//!
//! The command runs with a full report in place of the depfile that the user asked for. `-MD` asks for the very bytes of
//! that report. `-MMD` asks for the report without what is in system directories, with the lines broken anew. How a
//! compiler breaks lines is its own affair, so [`Report::without`] writes the *whole* report first and compares it with
//! what the compiler wrote: only a layout that is proved on the same input is used.

use reviver_sdk::depfile::{NoTarget, Word, rules};

/// The depfile that was asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option that was given or not")]
pub(crate) struct Wish {
    /// Whether it names system headers too.
    pub(crate) all: bool,
    /// Where it is written.
    pub(crate) path: String,
    /// The options `-MT` and `-MQ` with their values.
    pub(crate) targets: Vec<String>,
    /// Whether it holds phony targets.
    pub(crate) phony: bool,
    /// Whether it was asked for by `-Wp,`: gcc then does not name the object as the target, but the source with `.o`.
    pub(crate) by_preprocessor: bool,
    /// Whether `-Wp,` says more than clang heeds.
    pub(crate) for_gcc: bool,
}

/// A dependency as a depfile names it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Dependency {
    /// As it is written.
    pub(crate) raw: String,
    /// The path that this stands for.
    pub(crate) path: String,
}

/// A depfile that was read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Report {
    /// The targets as they are written, with the colon.
    head: String,
    /// The dependencies in order, the source first.
    pub(crate) dependencies: Vec<Dependency>,
    /// All of it.
    text: String,
}

/// How lines are broken.
#[derive(Clone, Copy)]
enum Layout {
    /// gcc: up to 72 columns, as written.
    Gcc,
    /// clang: up to 75 columns with the end of the line, counted before quoting.
    Clang,
}

impl Report {
    /// Reads a depfile that a compiler wrote, or says why it is none.
    pub(crate) fn parse(text: &[u8]) -> Result<Self, String> {
        let text = std::str::from_utf8(text).map_err(|_| "the dependencies are not UTF-8")?;
        let rule = rules(text).next().ok_or(NoTarget)??;
        let dependency = |word: Word<'_>| Dependency { raw: word.raw.to_owned(), path: word.path };
        let dependencies: Vec<_> = rule.prerequisites.into_iter().map(dependency).collect();
        if dependencies.is_empty() {
            return Err("the dependencies are empty".to_owned());
        }
        Ok(Self { head: rule.head.to_owned(), dependencies, text: text.to_owned() })
    }

    /// The depfile with those dependencies alone that `kept` holds for, and whether it is certain that the compiler would
    /// have written it just so. `source` is the one that has no phony target.
    #[must_use]
    pub(crate) fn without(&self, kept: &dyn Fn(usize) -> bool, source: usize, phony: bool) -> (String, bool) {
        let phony = phony.then_some(source);
        let layouts = [(Layout::Gcc, ""), (Layout::Clang, "\n"), (Layout::Clang, ""), (Layout::Gcc, "\n")];
        let proved =
            layouts.iter().find(|(layout, gap)| self.write(*layout, gap, phony, &|_| true) == self.text);
        let (layout, gap) = proved.unwrap_or(&layouts[0]);
        (self.write(*layout, gap, phony, kept), proved.is_some())
    }

    fn write(&self, layout: Layout, gap: &str, phony: Option<usize>, kept: &dyn Fn(usize) -> bool) -> String {
        let list = || self.dependencies.iter().enumerate().filter(|(index, _)| kept(*index));
        let mut out = self.head.clone();
        let mut column = self.head.rsplit('\n').next().unwrap_or_default().len();
        for (_, dependency) in list() {
            match layout {
                Layout::Gcc => {
                    if column + dependency.raw.len() > 72 {
                        out.push_str(" \\\n");
                        column = 0;
                    }
                    column += 1 + dependency.raw.len();
                }
                Layout::Clang => {
                    if column + dependency.path.len() + 3 > 75 {
                        out.push_str(" \\\n ");
                        column = 2;
                    }
                    column += 1 + dependency.path.len();
                }
            }
            out.push(' ');
            out.push_str(&dependency.raw);
        }
        out.push('\n');
        if let Some(source) = phony {
            for (_, dependency) in list().filter(|(index, _)| *index != source) {
                out.push_str(gap);
                out.push_str(&dependency.raw);
                out.push_str(":\n");
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(text: &str) -> Vec<String> {
        let report = Report::parse(text.as_bytes()).expect(text);
        report.dependencies.into_iter().map(|one| one.path).collect()
    }

    #[test]
    fn the_first_rule_counts_and_phony_ones_do_not() {
        assert_eq!(paths("a.o: \\\n a.c b.h\nb.h:\n"), ["a.c", "b.h"]);
    }

    #[test]
    fn what_is_no_depfile_is_refused() {
        for text in ["", "a", "a.o:", "a.o:\n", ":a"] {
            assert!(Report::parse(text.as_bytes()).is_err(), "{text}");
        }
        assert!(Report::parse(b"a.o: \xff\n").is_err());
    }

    #[test]
    fn a_layout_that_is_not_proved_is_not_certain() {
        let report = Report::parse(b"a.o: a.c   b.h\n").expect("a depfile");
        assert_eq!(report.without(&|_| true, 0, false), ("a.o: a.c b.h\n".to_owned(), false));
    }
}
