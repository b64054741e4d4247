//! Reading what a line of C says about further files.
//!
//! Lines come from the host's search, so a line is known, and what stands around it is not: whether an `#if` leaves it
//! out, or whether it is in a comment that began before. Both are taken to be active, which names more files than the
//! compiler looks for, and never fewer. What cannot be told from the line is [`Finding::Computed`] or
//! [`Finding::Never`], never nothing.

use std::borrow::Cow;

use crate::wrapped::{is_word, words};

/// What the host is asked to search for. `include` covers `#include_next`, `__has_include` and assembly's `.include`.
pub(crate) const NEEDLES: [&str; 16] = [
    "include",
    "INCLUDE",
    "import",
    "embed",
    "ncbin",
    "NCBIN",
    ".inc\"",
    "#line",
    "__DATE__",
    "__TIME__",
    "__TIMESTAMP__",
    "pch_preprocess",
    "system_header",
    "dependency",
    "??/",
    "??=",
];

/// What is said of `.include`.
const INCLUDES: &str = "includes a file in assembly, which no report names";

/// The bytes behind which the host cuts lines.
pub(crate) const CUT: usize = 1024;

/// How a file is looked for.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) struct Lookup {
    /// The name as it stands in the source.
    pub(crate) name: String,
    /// Whether it is quoted, so that the includer's own directory comes first.
    pub(crate) quoted: bool,
    /// Whether the search goes on behind the directory that the includer was found in.
    pub(crate) next: bool,
    /// Whether it is only asked for: absence is an answer, and content does not matter.
    pub(crate) asked: bool,
}

/// What a line says.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(crate) enum Finding {
    /// It looks for a file by a literal name.
    Lookup(Lookup),
    /// It includes a file whose name a macro has.
    Computed,
    /// It defines a macro of this name that asks, as `__has_include` does, for what it is given.
    Wrapper(String),
    /// A name in angle brackets is asked for where its words may be macros: in a definition, or in an argument of one.
    Defined(String),
    /// gcc quotes this file in its messages, which no report names.
    Quoted(String),
    /// Behind it the file counts as a system header.
    SystemHeader,
    /// It depends on the date or the time, unless `SOURCE_DATE_EPOCH` says which.
    Date,
    /// The outcome depends on something that no list of files names, for this reason.
    Never(&'static str),
}

/// What the line says, in which the needle of this index was found; `assembly` where the source is assembly, in which two
/// slashes need not begin a comment and each line may be a directive of the assembler.
pub(crate) fn findings(needle: u32, line: &[u8], assembly: bool, into: &mut Vec<Finding>) {
    let line = String::from_utf8_lossy(line);
    let line = line.trim_start();
    // What ends on such a line may have begun before it, so that the two slashes are in a comment or a raw string.
    let ends = line.contains("*/") || (line.contains(')') && line.contains('"'));
    if line.starts_with("//") && !ends && !assembly {
        return;
    }
    let needle = NEEDLES.get(needle as usize).copied().unwrap_or_default();
    match needle {
        "include" | "INCLUDE" if assembly && line.to_ascii_lowercase().contains(".include") => {
            into.push(Finding::Never(INCLUDES));
        }
        "include" => include(line, into),
        "INCLUDE" => included(&line.to_ascii_lowercase(), into),
        "import" => directives(line).for_each(|directive| lookup(directive, "import", into)),
        "embed" if directives(line).any(|rest| rest.starts_with("embed") || rest.contains("__has_embed")) => {
            into.push(Finding::Never("embeds a file"));
        }
        "ncbin" | "NCBIN" => into.push(Finding::Never("holds `incbin`, whose file no report names")),
        ".inc\"" => cut(line, into),
        "#line" => into.extend(quoted(line.strip_prefix("#line").unwrap_or_default())),
        "__DATE__" | "__TIME__" => into.push(Finding::Date),
        "__TIMESTAMP__" => into.push(Finding::Never("holds `__TIMESTAMP__`")),
        "pch_preprocess" => into.push(Finding::Never("names a precompiled header")),
        "system_header" if line.contains("pragma") || line.contains("_Pragma") => {
            into.push(Finding::SystemHeader);
        }
        "dependency" if line.contains("pragma") && line.contains("GCC") || line.contains("_Pragma") => {
            into.push(Finding::Never("compares the times of files"));
        }
        "??/" | "??=" => into.push(Finding::Never("holds a trigraph that can hide a directive")),
        _ => {}
    }
}

/// The directives that this is about.
const WORDS: [&str; 6] = ["include", "import", "if", "elif", "define", "embed"];

/// What asks whether there is a header.
const OPERATOR: &str = "__has_include";

fn include(line: &str, into: &mut Vec<Finding>) {
    for directive in directives(line) {
        lookup(directive, "include", into);
    }
    for expression in expressions(line) {
        asked(&expression, into);
    }
    included(line, into);
}

/// A word of an assembler that is cut into two strings.
fn cut(line: &str, into: &mut Vec<Finding>) {
    let goes_on = |rest: &str| matches!(rest.trim_start().chars().next(), None | Some('"'));
    let includes = directives(line).any(|rest| rest.starts_with("include") || rest.starts_with("import"));
    if !includes && line.split(".inc\"").skip(1).any(goes_on) {
        into.push(Finding::Never("cuts what an assembler reads into strings"));
    }
}

/// The file that a line marker names: what stands behind the `#`, or behind `#line`.
pub(crate) fn quoted(marker: &str) -> Option<Finding> {
    let number = marker.trim_start();
    let name = number.trim_start_matches(|c: char| c.is_ascii_digit());
    let (name, _) = literal(name.trim_start()).filter(|(_, quoted)| *quoted)?;
    if name.starts_with('<') || name.len() == number.len() {
        return None;
    }
    Some(if name.contains('\\') {
        Finding::Never("names a file by escapes in a line marker")
    } else {
        Finding::Quoted(name.to_owned())
    })
}

/// `.include` of an assembler, in a string of C.
fn included(line: &str, into: &mut Vec<Finding>) {
    if line.match_indices(".include").any(|(at, word)| {
        let behind = line[at + word.len()..].trim_start_matches([' ', '\t']);
        let behind = behind.strip_prefix("\\t").unwrap_or(behind).trim_start_matches(' ');
        behind.starts_with('"') || behind.starts_with("\\\"")
    }) {
        into.push(Finding::Never(INCLUDES));
    }
}

/// Conditions and definitions, in which `__has_include` can stand. A comment that began on an earlier line may stand in one
/// of which this line shows no more than the end; that counts as a definition of `_`.
pub(crate) fn expressions(line: &str) -> Vec<Cow<'_, str>> {
    let starts = |directive: &str, words: &[&str]| words.iter().any(|word| directive.starts_with(word));
    let mut found: Vec<Cow<'_, str>> = directives(line)
        .filter(|directive| starts(directive, &["if", "elif", "define"]))
        .map(Cow::Borrowed)
        .collect();
    let is_known = |directive: &str| starts(directive, &WORDS);
    if !behind_hash(line).is_some_and(is_known)
        && let Some((_, rest)) = line.split_once("*/")
        && !is_known(behind_hash(rest).unwrap_or_else(|| blank(rest)))
    {
        found.push(Cow::Owned(format!("define _ {rest}")));
    }
    found
}

/// What may stand behind the `#` of a directive: at the beginning of the line, and behind each comment that ends on it,
/// since that may have begun on an earlier line, before the `#` or behind it.
pub(crate) fn directives(line: &str) -> impl Iterator<Item = &str> {
    let behind_comments = line.match_indices("*/").filter_map(move |(at, end)| {
        let rest = &line[at + end.len()..];
        behind_hash(rest)
            .or_else(|| Some(blank(rest)).filter(|rest| WORDS.iter().any(|word| rest.starts_with(word))))
    });
    behind_hash(line).into_iter().chain(behind_comments)
}

/// The directive that a text begins with, behind its `#`.
fn behind_hash(text: &str) -> Option<&str> {
    ["#", "%:"].iter().find_map(|hash| blank(text).strip_prefix(hash)).map(blank)
}

/// The rest behind white space and comments.
pub(crate) fn blank(text: &str) -> &str {
    let mut rest = text.trim_start();
    while let Some(comment) = rest.strip_prefix("/*") {
        let Some(end) = comment.find("*/") else { return "" };
        rest = comment[end + 2..].trim_start();
    }
    rest
}

/// `#include`, `#include_next` and `#import`.
fn lookup(directive: &str, word: &str, into: &mut Vec<Finding>) {
    let Some(rest) = directive.strip_prefix(word) else { return };
    let (rest, next) = rest.strip_prefix("_next").map_or((rest, false), |rest| (rest, true));
    if rest.starts_with(|c: char| c.is_alphanumeric() || c == '_') {
        return;
    }
    let argument = blank(rest);
    if let Some((name, quoted)) = literal(argument) {
        into.push(Finding::Lookup(Lookup { name: name.to_owned(), quoted, next, asked: false }));
    } else if argument.is_empty() || argument.starts_with(|c: char| c.is_alphabetic() || "_\"<".contains(c)) {
        into.push(Finding::Computed);
    }
}

/// `__has_include(…)` and `__has_include_next(…)` in a condition, and in a definition, where it can stand for anything.
fn asked(directive: &str, into: &mut Vec<Finding>) {
    let condition = !directive.starts_with("define");
    for (at, word) in directive.match_indices(OPERATOR) {
        let (before, rest) = (directive[..at].trim_end(), &directive[at + word.len()..]);
        if before.ends_with(|c: char| c.is_alphanumeric() || c == '_')
            && directive[..at].len() == before.len()
        {
            continue;
        }
        let (rest, next) = rest.strip_prefix("_next").map_or((rest, false), |rest| (rest, true));
        let rest = rest.strip_prefix("__").unwrap_or(rest);
        // Whether the operator exists is part of the compiler, and so is what its redefinition would say.
        if ["defined", "defined(", "defined (", "ifdef", "ifndef", "define"]
            .iter()
            .any(|word| before.ends_with(word))
        {
            continue;
        }
        // A macro is used anywhere: only a name in angle brackets means the same there and here.
        let name = blank(rest).strip_prefix('(').and_then(|rest| literal(blank(rest)));
        let name = name.filter(|(_, quoted)| condition || (!quoted && !next));
        into.push(match name {
            Some((name, _)) if !condition && !has_parameter(directive, name) => {
                Finding::Defined(name.to_owned())
            }
            Some((name, quoted)) if condition => {
                Finding::Lookup(Lookup { name: name.to_owned(), quoted, next, asked: true })
            }
            None if !next && let Some(name) = wrapper(directive, rest) => Finding::Wrapper(name.to_owned()),
            _ => Finding::Never("computes what `__has_include` asks for"),
        });
    }
    if pasted(directive) {
        into.push(Finding::Never("may put `__has_include` together"));
    }
    if directive.len() >= CUT && directive.contains(OPERATOR) {
        into.push(Finding::Never("has a line too long to be read"));
    }
}

/// Whether an expression holds the end of the operator's name as a word of its own, so that `##` can make the name of it.
/// In strings, in comments and in names of files it is no word.
fn pasted(directive: &str) -> bool {
    const END: &str = "include";
    let code = directive.split("//").next().unwrap_or_default();
    code.match_indices(END).any(|(at, _)| {
        let (before, rest) = (&code[..at], &code[at + END.len()..]);
        let in_string = before.matches('"').count() % 2 == 1;
        let rest = rest.strip_prefix("_next").unwrap_or(rest).trim_start_matches('_');
        let word = before.rsplit(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
        let whole = before.len() - word.len();
        let in_comment = before.rfind("/*") > before.rfind("*/");
        let in_name = before[..whole].ends_with(['/', '.', '<', '-']) || rest.starts_with(['/', '.', '-']);
        OPERATOR.ends_with(&format!("{word}{END}"))
            && word != "__has_"
            && !rest.starts_with(|c: char| c.is_alphanumeric())
            && !in_string
            && !in_comment
            && !in_name
    })
}

/// Whether a word of the name is a parameter of the macro that the directive defines, if it defines one.
pub(crate) fn has_parameter(directive: &str, name: &str) -> bool {
    let Some(definition) = directive.strip_prefix("define").map(blank) else { return false };
    let behind = definition.trim_start_matches(is_word);
    let parameters = behind.strip_prefix('(').and_then(|rest| rest.split_once(')'));
    parameters.is_some_and(|(parameters, _)| words(parameters).any(|one| words(name).any(|word| word == one)))
}

/// The name of the macro that a directive defines, if it has one parameter, and that is what `rest`, behind the operator in
/// its body, asks for.
fn wrapper<'a>(directive: &'a str, rest: &str) -> Option<&'a str> {
    let definition = blank(directive.strip_prefix("define")?);
    let (name, behind) = definition.split_once('(')?;
    let is_name =
        |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let parameter = match behind.split_once(')')?.0.trim() {
        "..." => "__VA_ARGS__",
        parameter => parameter,
    };
    let argument = blank(rest).strip_prefix('(')?.split_once(')')?.0.trim();
    (is_name(name) && is_name(parameter) && argument == parameter).then_some(name)
}

/// The name in quotes or angle brackets.
pub(crate) fn literal(text: &str) -> Option<(&str, bool)> {
    let (rest, close, quoted) = match text.strip_prefix('"') {
        Some(rest) => (rest, '"', true),
        None => (text.strip_prefix('<')?, '>', false),
    };
    let name = &rest[..rest.find(close)?];
    (!name.is_empty()).then_some((name, quoted))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(line: &str) -> Vec<Finding> {
        let mut found = Vec::new();
        for (index, needle) in (0..).zip(NEEDLES) {
            if line.contains(needle) {
                findings(index, line.as_bytes(), false, &mut found);
            }
        }
        found.sort();
        found.dedup();
        found
    }

    fn found(name: &str, quoted: bool, next: bool, asked: bool) -> Vec<Finding> {
        vec![Finding::Lookup(Lookup { name: name.to_owned(), quoted, next, asked })]
    }

    #[test]
    fn literal_names_are_found_however_they_are_spelled() {
        for line in [
            "#include \"a.h\"",
            "  # include\"a.h\" // \"b.h\"",
            "/* c */ # /* d */ include /* e */ \"a.h\"",
            "%:include \"a.h\"",
            "end of a comment */ #include \"a.h\"",
            "begun before */ include \"a.h\"",
            "# a comment's own */ #include \"a.h\"",
            "#import \"a.h\"",
        ] {
            assert_eq!(of(line), found("a.h", true, false, false), "{line}");
        }
        assert_eq!(of("#include <sys/a.h>"), found("sys/a.h", false, false, false));
        assert_eq!(of("#include_next <a.h>"), found("a.h", false, true, false));
        assert_eq!(of("#if __has_include(<a.h>)"), found("a.h", false, false, true));
        assert_eq!(of("#elif X && __has_include ( \"a.h\" )"), found("a.h", true, false, true));
        assert_eq!(of("# if __has_include_next(<a.h>)"), found("a.h", false, true, true));
        assert_eq!(of("#if defined __has_include && __has_include(<a.h>)"), found("a.h", false, false, true));
        assert_eq!(of("#define H __has_include(<a.h>)"), [Finding::Defined("a.h".to_owned())]);
        assert_eq!(of("#if __has_include(<a.h>) || __has_include(<b.h>)").len(), 2);
    }

    #[test]
    fn two_slashes_begin_no_comment_in_a_comment_or_a_raw_string() {
        assert_eq!(of("// */ #if __has_include(<a.h>)"), found("a.h", false, false, true));
        assert_eq!(of("//)\" __DATE__"), [Finding::Date]);
    }

    #[test]
    fn what_is_no_directive_says_nothing() {
        for line in [
            "// #include \"a.h\" __DATE__ incbin",
            "int included;",
            "a.include(\"b\"); x = 1;".trim_end_matches("(\"b\"); x = 1;"),
            "list.include(x)",
            "#endif // __has_include",
            "#ifdef __has_include",
            "#if defined(__has_include)",
            "#ifndef __has_include",
            "#define __has_include(x) 0",
            "   __has_include argument (GCC PR 80005).  */",
            "#pragma once // embedded",
            "#include's protect themselves",
            "* This is a dependency of that",
        ] {
            assert_eq!(of(line), [], "{line}");
        }
    }

    #[test]
    fn each_line_of_assembly_may_include() {
        for line in ["// .include NAME", "nop; .Include x", ".incbin \"x\""] {
            let mut found = Vec::new();
            for (index, needle) in (0..).zip(NEEDLES) {
                if line.to_ascii_lowercase().contains(needle) {
                    findings(index, line.as_bytes(), true, &mut found);
                }
            }
            assert!(matches!(found[..], [Finding::Never(_)]), "{line}: {found:?}");
        }
    }

    #[test]
    fn macros_that_ask_for_what_they_are_given_are_known_by_name() {
        for line in [
            "#define H(x) __has_include(x)",
            "#define H( x ) (defined(__has_include) && __has_include ( x ))",
            "# define H(...) __has_include(__VA_ARGS__)",
        ] {
            assert_eq!(of(line), [Finding::Wrapper("H".to_owned())], "{line}");
        }
    }

    /// A comment that ends on a line may have begun in a directive, which goes on behind it.
    #[test]
    fn a_condition_goes_on_behind_a_comment() {
        assert_eq!(of("begun */ || __has_include(<a.h>)"), [Finding::Defined("a.h".to_owned())]);
        assert!(matches!(of("begun */ || __has_include(\"a.h\")")[..], [Finding::Never(_)]));
        assert_eq!(of("# 1 */ || __has_include(<a.h>) /* x */ if"), [Finding::Defined("a.h".to_owned())]);
        assert_eq!(of("#if X /* x */ && __has_include(\"a.h\")"), found("a.h", true, false, true));
        assert_eq!(of("__has_include(<a.h>) is in a comment */"), []);
    }

    #[test]
    fn the_operator_may_be_put_together() {
        for line in
            ["#if P(__has_, include)(<a.h>)", "#define H(x) has_ ## include", "#if H(_include_next)(<a.h>)"]
        {
            assert!(matches!(of(line)[..], [Finding::Never(_)]), "{line}: {:?}", of(line));
        }
        for line in [
            "#if X // include it",
            "#if X /* include it */",
            "#define DIRECTORY \"/usr/include\"",
            "#define X(a) do_not_include(a)",
            "#if defined(__has_include)",
        ] {
            assert_eq!(of(line), [], "{line}");
        }
        assert_eq!(of("#if __has_include(<include/a.h>)"), found("include/a.h", false, false, true));
    }

    #[test]
    fn what_cannot_be_known_is_said() {
        assert_eq!(of("#include MACRO"), [Finding::Computed]);
        assert_eq!(of("#include /* begun"), [Finding::Computed]);
        for line in [
            "#if __has_include(MACRO)",
            "#define H(x, y) __has_include(x)",
            "#define H(x, y) __has_include(<x/a.h>)",
            "#define H(x) __has_include(y)",
            "#define H(x) __has_include_next(x)",
            "#define H (x) __has_include(x)",
            "#define H __has_include(\"x\")",
            "#if __has_include MACRO",
        ] {
            assert!(matches!(of(line)[..], [Finding::Never(_)]), "{line}");
        }
        for line in [
            "asm(\".incbin \\\"a\\\"\");",
            "asm(\".include \\\"a.s\\\"\");",
            "asm(\".INCLUDE \\\"a.s\\\"\");",
            "asm(\".INCBIN \\\"a\\\"\");",
            "asm(\".include\\t\\\"a.s\\\"\");",
            "asm(\".include \" NAME);".replace("\" NAME", "\"\"NAME").as_str(),
            "#embed \"a\"",
            "#pragma GCC dependency \"a.y\"",
            "x = __TIMESTAMP__;",
            "??=include <a.h>",
        ] {
            assert!(of(line).iter().any(|one| matches!(one, Finding::Never(_))), "{line}: {:?}", of(line));
        }
        assert_eq!(of("x = __DATE__;"), [Finding::Date]);
        assert_eq!(of("#pragma GCC system_header"), [Finding::SystemHeader]);
        assert_eq!(of("_Pragma(\"GCC system_header\")"), [Finding::SystemHeader]);
    }
}
