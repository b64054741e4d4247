//! Macros that stand for `__has_include`, and what is asked for through them.
//!
//! `#define HAS(x) __has_include(x)` is how many libraries write it. What they ask for stands where the macro is used, so
//! all files are searched a second time, for its name.
//!
//! * A use that is not `HAS("name")` or `HAS(<name>)` can ask for anything: the run is not recorded. So is an argument of
//!   the command that knows the macro, since it may give it another name.
//! * In quotes a name is what it is. In angle brackets it is words like others, and each that is a macro becomes something
//!   else: `HAS(<linux/a.h>)` asks for `1/a.h` where `linux` is 1. So all files are searched once more, for definitions of
//!   its words; with those of the arguments and of the compiler itself they say what could be asked for, and all of that is.
//! * In the body of another macro only angle brackets mean the same wherever that is used.

use std::collections::{BTreeMap, BTreeSet};

use reviver_sdk::scan;

use crate::directive::{CUT, Finding, Lookup, blank, directives, expressions, literal};
use crate::plan::Plan;

const COMPUTED: &str = "computes what `__has_include` asks for";
const UNSEARCHED: &str = "cannot be searched for what `__has_include` asks for";

/// How many of such macros there may be, and how long their names: as many and as long as can be searched for.
const MOST: (usize, usize) = (16, 64);

/// How often a definition may lead to another one, and how many names a name may become.
const ROUNDS: usize = 4;
const NAMES: usize = 16;

/// Adds what is asked for through macros to what the lines of each file say.
pub(crate) fn follow(plan: &Plan, files: &[&str], findings: &mut [Vec<Finding>]) {
    let wrappers: BTreeSet<String> = findings
        .iter()
        .flatten()
        .filter_map(|finding| match finding {
            Finding::Wrapper(name) => Some(name.clone()),
            _ => None,
        })
        .collect();
    if wrappers.is_empty() {
        return;
    }
    let found = asked(plan, files, &wrappers);
    for (into, found) in findings.iter_mut().zip(found) {
        into.extend(found);
    }
}

fn asked(plan: &Plan, files: &[&str], wrappers: &BTreeSet<String>) -> Vec<Vec<Finding>> {
    let never = |why| vec![vec![Finding::Never(why)]];
    let fit = wrappers.len() <= MOST.0 && wrappers.iter().all(|name| name.len() <= MOST.1);
    let arguments = || plan.command.arguments.iter().flat_map(|argument| words(argument));
    if !fit || arguments().any(|word| wrappers.contains(word)) {
        return never(COMPUTED);
    }
    let needles: Vec<&str> = wrappers.iter().map(String::as_str).collect();
    let (mut all, mut angled) = (Vec::with_capacity(files.len()), BTreeSet::new());
    for file in files {
        let Ok(matches) = scan(file, &needles) else { return never(UNSEARCHED) };
        let mut found = Vec::new();
        for one in matches {
            let name = needles.get(one.needle as usize).copied().unwrap_or_default();
            uses(&String::from_utf8_lossy(&one.line), name, &mut found);
        }
        for finding in &found {
            if let Finding::Lookup(lookup) = finding
                && !lookup.quoted
            {
                angled.extend(words(&lookup.name).map(str::to_owned));
            }
        }
        all.push(found);
    }
    let Some(meanings) = meanings(plan, files, angled) else { return never(COMPUTED) };
    for found in &mut all {
        for finding in std::mem::take(found) {
            match finding {
                Finding::Lookup(lookup) if !lookup.quoted => match becomes(&lookup.name, &meanings) {
                    Some(names) => found.extend(
                        names.into_iter().map(|name| Finding::Lookup(Lookup { name, ..lookup.clone() })),
                    ),
                    None => found.push(Finding::Never(COMPUTED)),
                },
                other => found.push(other),
            }
        }
    }
    all
}

/// What a line asks for through the macro of this name.
fn uses(line: &str, name: &str, into: &mut Vec<Finding>) {
    for directive in expressions(line.trim_start()) {
        let definition = directive.strip_prefix("define").map(blank);
        let condition = definition.is_none();
        // Whether there is such a macro is known from its definitions, and what these say too.
        let about = directive.starts_with("ifdef") || directive.starts_with("ifndef");
        if about || definition.is_some_and(|text| words(text).next() == Some(name)) {
            continue;
        }
        if directive.len() >= CUT {
            into.push(Finding::Never("has a line too long to be read"));
        }
        for (at, _) in directive.match_indices(name) {
            let (before, rest) = (&directive[..at], &directive[at + name.len()..]);
            if before.ends_with(is_word) || rest.starts_with(is_word) {
                continue;
            }
            let before = before.trim_end();
            if condition && ["defined", "defined(", "defined ("].iter().any(|word| before.ends_with(word)) {
                continue;
            }
            let asked =
                blank(rest).strip_prefix('(').and_then(|rest| {
                    let rest = blank(rest);
                    let (asked, quoted) = literal(rest)?;
                    (blank(&rest[asked.len() + 2..]).starts_with(')') && (condition || !quoted))
                        .then(|| Lookup { name: asked.to_owned(), quoted, next: false, asked: true })
                });
            into.push(asked.map_or(Finding::Never(COMPUTED), Finding::Lookup));
        }
    }
}

/// What words may be defined as.
type Meanings = BTreeMap<String, BTreeSet<String>>;

/// What these words, and those that they become, may be defined as; nothing where that cannot be known.
fn meanings(plan: &Plan, files: &[&str], mut names: BTreeSet<String>) -> Option<Meanings> {
    for _ in 0..ROUNDS {
        if names.is_empty() {
            return Some(Meanings::new());
        }
        let meanings = definitions(plan, files, &names)?;
        let known = names.len();
        names.extend(meanings.values().flatten().flat_map(|body| words(body)).map(str::to_owned));
        if names.len() == known {
            return Some(meanings);
        }
    }
    None
}

/// All definitions of these names, wherever they stand.
fn definitions(plan: &Plan, files: &[&str], names: &BTreeSet<String>) -> Option<Meanings> {
    let mut found = Meanings::new();
    let mut behind = false;
    for argument in &plan.command.arguments {
        if let Some(definition) =
            argument.strip_prefix("-D").filter(|it| !it.is_empty()).or(behind.then_some(argument.as_str()))
        {
            let text = definition.replacen('=', " ", 1);
            let text = if definition.contains('=') { text } else { format!("{text} 1") };
            define(&text, names, &mut found)?;
        } else if (argument.starts_with("-Wp,") || argument.starts_with("-X"))
            && words(argument).any(|word| names.contains(word))
        {
            return None;
        }
        behind = argument == "-D";
    }
    for line in plan.predefined()?.lines() {
        define(line.strip_prefix("#define ")?, names, &mut found)?;
    }
    for file in files {
        for one in scan(file, &["define"]).ok()? {
            let line = String::from_utf8_lossy(&one.line);
            for directive in directives(line.trim_start()) {
                if let Some(definition) = directive.strip_prefix("define") {
                    define(blank(definition), names, &mut found)?;
                }
            }
        }
    }
    Some(found)
}

/// Takes a definition, the name in front, if it is of one of these names; nothing where it is too much to follow.
fn define(text: &str, names: &BTreeSet<String>, into: &mut Meanings) -> Option<()> {
    let Some(name) = words(text).next().filter(|name| names.contains(*name)) else { return Some(()) };
    let body = text.strip_prefix(name)?;
    // One with parameters stands for nothing where none are given.
    if body.starts_with('(') {
        return Some(());
    }
    let body = body.trim();
    let followed = |c: char| is_word(c) || "./-+".contains(c);
    if !body.chars().all(followed) || body.contains("//") || text.len() >= CUT {
        return None;
    }
    into.entry(name.to_owned()).or_default().insert(body.to_owned());
    Some(())
}

/// All that a name may become when each of its words becomes what it is defined as, or stays; nothing where that is too much.
fn becomes(name: &str, meanings: &Meanings) -> Option<BTreeSet<String>> {
    let mut all = BTreeSet::from([name.to_owned()]);
    let mut open = vec![name.to_owned()];
    while let Some(name) = open.pop() {
        let mut at = 0;
        for part in name.split_inclusive(|c| !is_word(c)) {
            let word = part.trim_end_matches(|c| !is_word(c));
            for body in meanings.get(word).into_iter().flatten() {
                let other = [&name[..at], body, &name[at + word.len()..]].concat();
                if all.insert(other.clone()) {
                    open.push(other);
                }
            }
            at += part.len();
        }
        if all.len() > NAMES {
            return None;
        }
    }
    Some(all)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// What may be names of macros in a text.
fn words(text: &str) -> impl Iterator<Item = &str> {
    text.split(|c| !is_word(c)).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        uses(line, "HAS", &mut found);
        found
    }

    fn lookup(name: &str, quoted: bool) -> Vec<Finding> {
        vec![Finding::Lookup(Lookup { name: name.to_owned(), quoted, next: false, asked: true })]
    }

    #[test]
    fn literal_names_are_asked_for() {
        assert_eq!(of("#if HAS(\"a.h\")"), lookup("a.h", true));
        assert_eq!(of("# elif X && ( HAS ( <a/b.h> ) || Y )"), lookup("a/b.h", false));
        assert_eq!(of("begun */ #if HAS(<a.h>)"), lookup("a.h", false));
        assert_eq!(of("begun */ && HAS(<a.h>)"), lookup("a.h", false));
        assert_eq!(of("#define HAS_A HAS(<a.h>)"), lookup("a.h", false));
        assert_eq!(of("#if HAS(<a.h>) && HAS(<b.h>)").len(), 2);
    }

    #[test]
    fn a_name_becomes_what_its_words_are_defined_as() {
        let names: BTreeSet<String> = ["fcntl", "h", "a"].map(str::to_owned).into();
        let mut meanings = Meanings::new();
        for text in ["fcntl fcntl64", "h(x) x", "other o o", "a a.a"] {
            assert_eq!(define(text, &names, &mut meanings), Some(()), "{text}");
        }
        let both: BTreeSet<String> = ["fcntl.h", "fcntl64.h"].map(str::to_owned).into();
        assert_eq!(becomes("fcntl.h", &meanings), Some(both));
        assert_eq!(becomes("a/b.h", &meanings), None);
        for text in ["h a b", "h a##b", "h \"x\"", "h <x>", "h x /* y */"] {
            assert_eq!(define(text, &names, &mut meanings), None, "{text}");
        }
    }

    #[test]
    fn all_else_can_ask_for_anything() {
        for line in [
            "#if HAS(NAME)",
            "#if CALL(HAS, <a.h>)",
            "#define OTHER HAS",
            "#define OTHER(x) HAS(x)",
            "#define A HAS(\"a.h\")",
            "#if HAS(<a.h> b)",
        ] {
            assert_eq!(of(line), [Finding::Never(COMPUTED)], "{line}");
        }
    }

    #[test]
    fn what_is_about_the_macro_asks_for_nothing() {
        for line in [
            "#define HAS(x) __has_include(x)",
            "# define HAS(x) 0",
            "#ifndef HAS",
            "#if defined(HAS) || defined HAS",
            "#undef HAS",
            "#endif // HAS(\"a.h\")",
            "#if HAS_NOT(<a.h>) && X_HAS(<a.h>)",
            "// #if HAS(<a.h>)",
        ] {
            assert_eq!(of(line), [], "{line}");
        }
    }
}
