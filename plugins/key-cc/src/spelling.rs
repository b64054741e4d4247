//! The long spellings of options, which both drivers take for the short ones.

use reviver_sdk::argv::{Missing, Walk};

/// Options without a value.
const PLAIN: [(&str, &str); 16] = [
    ("--compile", "-c"),
    ("--assemble", "-S"),
    ("--debug", "-g"),
    ("--optimize", "-O"),
    ("--pipe", "-pipe"),
    ("--ansi", "-ansi"),
    ("--pedantic", "-pedantic"),
    ("--pedantic-errors", "-pedantic-errors"),
    ("--no-warnings", "-w"),
    ("--all-warnings", "-Wall"),
    ("--extra-warnings", "-Wextra"),
    ("--trigraphs", "-trigraphs"),
    ("--no-standard-includes", "-nostdinc"),
    ("--print-missing-file-dependencies", "-MG"),
    ("--write-dependencies", "-MD"),
    ("--write-user-dependencies", "-MMD"),
];

/// Options with a value, behind `=` or as the next argument.
const VALUED: [(&str, &str); 10] = [
    ("--output", "-o"),
    ("--language", "-x"),
    ("--include", "-include"),
    ("--imacros", "-imacros"),
    ("--include-directory", "-I"),
    ("--include-directory-after", "-idirafter"),
    ("--define-macro", "-D"),
    ("--undefine-macro", "-U"),
    ("--sysroot", "--sysroot="),
    ("--std", "-std="),
];

/// The short spelling of an option that has no value, or its own.
pub(crate) fn short(option: &str) -> &str {
    PLAIN.iter().find(|(long, _)| *long == option).map_or(option, |(_, short)| short)
}

/// The short spelling of an option that has a value, and that value, where the present argument is one of them.
pub(crate) fn valued<'a>(
    argument: &'a str,
    walk: &mut Walk<'a>,
) -> Result<Option<(&'static str, &'a str)>, Missing> {
    for (long, short) in VALUED {
        let Some(rest) = argument.strip_prefix(long) else { continue };
        if rest.is_empty() {
            return Ok(Some((short, walk.value()?)));
        }
        if let Some(value) = rest.strip_prefix('=').filter(|value| !value.is_empty()) {
            return Ok(Some((short, value)));
        }
    }
    Ok(None)
}
