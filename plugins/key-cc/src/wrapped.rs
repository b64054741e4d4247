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

use reviver_sdk::scan;

use crate::directive::{CUT, Finding, Lookup, blank, directives, expressions, has_parameter, literal};
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
    let mut wrappers = Vec::new();
    let mut defined = false;
    for finding in findings.iter().flatten() {
        match finding {
            Finding::Wrapper(name) => add(&mut wrappers, name),
            Finding::Defined(_) => defined = true,
            _ => {}
        }
    }
    if (defined || !wrappers.is_empty())
        && let Err(why) = asked(plan, files, &wrappers, findings)
    {
        findings[0].push(Finding::Never(why));
    }
}

fn asked(
    plan: &Plan,
    files: &[&str],
    wrappers: &[String],
    findings: &mut [Vec<Finding>],
) -> Result<(), &'static str> {
    let fit = wrappers.len() <= MOST.0 && wrappers.iter().all(|name| name.len() <= MOST.1);
    if !fit || plan.command.arguments.iter().any(|argument| words(argument).any(|word| is_in(wrappers, word)))
    {
        return Err(COMPUTED);
    }
    let needles: Vec<&str> = wrappers.iter().map(String::as_str).collect();
    let mut names = Vec::new();
    for (file, findings) in files.iter().zip(findings.iter_mut()) {
        if !needles.is_empty() {
            for one in scan(file, &needles).map_err(|_| UNSEARCHED)? {
                let name = needles.get(one.needle as usize).copied().unwrap_or_default();
                uses(&String::from_utf8_lossy(&one.line), name, findings);
            }
        }
        for finding in findings {
            if let Finding::Defined(name) = finding {
                words(name).for_each(|word| add(&mut names, word));
            }
        }
    }
    let meanings = meanings(plan, files, names).ok_or(COMPUTED)?;
    for findings in findings {
        let mut more = Vec::new();
        for finding in findings.iter() {
            if let Finding::Defined(name) = finding {
                let names = becomes(name, &meanings).ok_or(COMPUTED)?;
                more.extend(names.into_iter().map(|name| lookup(name, false)));
            }
        }
        findings.extend(more);
    }
    Ok(())
}

fn lookup(name: String, quoted: bool) -> Finding {
    Finding::Lookup(Lookup { name, quoted, next: false, asked: true })
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
            let asked = blank(rest).strip_prefix('(').and_then(|rest| {
                let rest = blank(rest);
                let (asked, quoted) = literal(rest)?;
                let whole = blank(&rest[asked.len() + 2..]).starts_with(')');
                (whole && (condition || !quoted)).then_some((asked, quoted))
            });
            into.push(match asked {
                Some((asked, true)) => lookup(asked.to_owned(), true),
                Some((asked, false)) if !has_parameter(&directive, asked) => {
                    Finding::Defined(asked.to_owned())
                }
                _ => Finding::Never(COMPUTED),
            });
        }
    }
}

/// What words may be defined as: each definition with its body.
type Meanings = Vec<(String, String)>;

/// What these words, and those that they become, may be defined as; nothing where that cannot be known.
fn meanings(plan: &Plan, files: &[&str], mut names: Vec<String>) -> Option<Meanings> {
    for _ in 0..ROUNDS {
        if names.is_empty() {
            return Some(Meanings::new());
        }
        let meanings = definitions(plan, files, &names)?;
        let known = names.len();
        meanings.iter().flat_map(|(_, body)| words(body)).for_each(|word| add(&mut names, word));
        if names.len() == known {
            return Some(meanings);
        }
    }
    None
}

/// All definitions of these names, wherever they stand.
fn definitions(plan: &Plan, files: &[&str], names: &[String]) -> Option<Meanings> {
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
            && words(argument).any(|word| is_in(names, word))
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
fn define(text: &str, names: &[String], into: &mut Meanings) -> Option<()> {
    let Some(name) = words(text).next().filter(|name| is_in(names, name)) else { return Some(()) };
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
    if !into.iter().any(|(known, as_what)| known == name && as_what == body) {
        into.push((name.to_owned(), body.to_owned()));
    }
    Some(())
}

/// All that a name may become when each of its words becomes what it is defined as, or stays; nothing where that is too much.
fn becomes(name: &str, meanings: &Meanings) -> Option<Vec<String>> {
    let mut all = vec![name.to_owned()];
    let mut next = 0;
    while let Some(name) = all.get(next).cloned() {
        let mut at = 0;
        for part in name.split_inclusive(|c| !is_word(c)) {
            let word = part.trim_end_matches(|c| !is_word(c));
            for (_, body) in meanings.iter().filter(|(defined, _)| defined == word) {
                add(&mut all, &[&name[..at], body, &name[at + word.len()..]].concat());
            }
            at += part.len();
        }
        next += 1;
        if all.len() > NAMES {
            return None;
        }
    }
    Some(all)
}

fn is_in(words: &[String], word: &str) -> bool {
    words.iter().any(|one| one == word)
}

fn add(to: &mut Vec<String>, word: &str) {
    if !is_in(to, word) {
        to.push(word.to_owned());
    }
}

pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '$'
}

/// What may be names of macros in a text.
pub(crate) fn words(text: &str) -> impl Iterator<Item = &str> {
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

    fn asked(name: &str, quoted: bool) -> Vec<Finding> {
        vec![if quoted { lookup(name.to_owned(), true) } else { Finding::Defined(name.to_owned()) }]
    }

    #[test]
    fn literal_names_are_asked_for() {
        assert_eq!(of("#if HAS(\"a.h\")"), asked("a.h", true));
        assert_eq!(of("# elif X && ( HAS ( <a/b.h> ) || Y )"), asked("a/b.h", false));
        assert_eq!(of("begun */ #if HAS(<a.h>)"), asked("a.h", false));
        assert_eq!(of("begun */ && HAS(<a.h>)"), asked("a.h", false));
        assert_eq!(of("#define HAS_A HAS(<a.h>)"), asked("a.h", false));
        assert_eq!(of("#if HAS(<a.h>) && HAS(<b.h>)").len(), 2);
    }

    #[test]
    fn a_name_becomes_what_its_words_are_defined_as() {
        let names = ["fcntl", "h", "a"].map(str::to_owned);
        let mut meanings = Meanings::new();
        for text in ["fcntl fcntl64", "h(x) x", "other o o", "a a.a"] {
            assert_eq!(define(text, &names, &mut meanings), Some(()), "{text}");
        }
        let both: Vec<String> = ["fcntl.h", "fcntl64.h"].map(str::to_owned).into();
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
            "#define OTHER(x) HAS(<x/a.h>)",
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
