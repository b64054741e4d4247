//! The options that are understood, as data.
//!
//! An option is on these lists when what it does to a library depends on its text alone, or when `command` looks at
//! what it names. Its text enters the key in any case. Whatever is on no list is refused.

use crate::joined::wrong;

/// Options that take a value, joined with `=` or as the next argument.
const LONG: &str = "crate-name edition crate-type emit cfg check-cfg cap-lints extern out-dir codegen error-format json \
    diagnostic-width target allow warn deny forbid force-warn color remap-path-prefix";

/// Letters of options that take a value, joined or as the next argument.
const SHORT: &str = "L l C A W D F";

/// Options without a value.
const FLAGS: &str = "-g -O -v --verbose --test";

/// Names of `-C` options. Those about linking do nothing to what is not linked.
const CODEGEN: &str = "opt-level debuginfo metadata extra-filename embed-bitcode codegen-units panic debug-assertions \
    overflow-checks target-cpu target-feature relocation-model code-model split-debuginfo strip prefer-dynamic lto \
    linker-plugin-lto linker linker-flavor link-arg link-args link-self-contained link-dead-code default-linker-libraries \
    rpath relro-level force-frame-pointers force-unwind-tables no-prepopulate-passes no-vectorize-loops \
    no-vectorize-slp inline-threshold symbol-mangling-version dwarf-version control-flow-guard no-redzone soft-float \
    collapse-macro-debuginfo jump-tables";

/// Beginnings of options that are refused, with the reason, where "is not understood" would leave people guessing.
const REFUSED: &[(&str, &str)] = &[
    ("-V", "asks rustc something and compiles nothing"),
    ("-vV", "asks rustc something and compiles nothing"),
    ("--version", "asks rustc something and compiles nothing"),
    ("--print", "asks rustc something and compiles nothing"),
    ("--explain", "asks rustc something and compiles nothing"),
    ("--help", "asks rustc something and compiles nothing"),
    ("-h", "asks rustc something and compiles nothing"),
    ("-o", "names its output itself, as cargo does not"),
    ("--sysroot", "brings another standard library"),
    ("-Z", "is not stable, and so not known"),
    ("@", "is a response file, which is not read"),
];

/// Names of `-C` options that are refused, with the reason.
const REFUSED_CODEGEN: &[(&str, &str)] = &[
    ("incremental", "is incremental: with CARGO_INCREMENTAL=0 it can be revived"),
    ("save-temps", "leaves files beside the library"),
    ("profile-use", "makes the library depend on a profile"),
    ("profile-generate", "makes the library depend on where profiles are written"),
    ("instrument-coverage", "embeds what is not known well enough"),
    ("llvm-args", "passes options by rustc"),
    ("passes", "passes options by rustc"),
    ("remark", "reports what is not known well enough"),
];

/// An option, read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Word<'a> {
    /// One without a value, as it is spelled.
    Flag(&'a str),
    /// One with its value. The name has no dashes; `codegen` is `C`.
    Valued(&'a str, &'a str),
}

/// The option that `argument` begins, whose value may be the next argument, or why it is not understood.
pub(crate) fn read<'a>(
    argument: &'a str,
    next: &mut dyn FnMut() -> Option<&'a str>,
) -> Result<Word<'a>, String> {
    if let Some((_, why)) = REFUSED.iter().find(|(start, _)| argument.starts_with(start)) {
        return Err(wrong("", argument, why));
    }
    if holds(FLAGS, argument) {
        return Ok(Word::Flag(argument));
    }
    let mut lacking = || next().ok_or_else(|| wrong("", argument, "lacks its value"));
    if let Some(long) = argument.strip_prefix("--") {
        let (name, value) = match cut(long) {
            Some((name, value)) => (name, Some(value)),
            None => (long, None),
        };
        if holds(LONG, name) {
            let value = value.map_or_else(&mut lacking, Ok)?;
            return Ok(Word::Valued(if name == "codegen" { "C" } else { name }, value));
        }
    } else if let Some((letter, value)) = argument.strip_prefix('-').and_then(|rest| rest.split_at_checked(1))
        && holds(SHORT, letter)
    {
        let value = if value.is_empty() { lacking()? } else { value };
        return Ok(Word::Valued(letter, value));
    }
    Err(wrong("", argument, "is not an option that is understood"))
}

/// The name and the value of a `-C` option, or why it is not understood.
pub(crate) fn codegen(option: &str) -> Result<(&'static str, &str), String> {
    let (name, value) = cut(option).unwrap_or((option, ""));
    if let Some((_, why)) = REFUSED_CODEGEN.iter().find(|(refused, _)| same(refused, name)) {
        return Err(wrong("-C ", option, why));
    }
    let known = CODEGEN.split_ascii_whitespace().find(|known| same(known, name));
    let why = match (known, value) {
        (None, _) => "is not an option that is understood",
        (Some("target-cpu"), "native") => "means the machine that it runs on",
        (Some("split-debuginfo"), split) if split != "off" => {
            "leaves debugging information in files of its own"
        }
        (Some(known), _) => return Ok((known, value)),
    };
    Err(wrong("-C ", option, why))
}

/// Whether `name` is the option `known`, in which rustc takes `_` for `-`.
fn same(known: &str, name: &str) -> bool {
    let dashed = |byte: u8| if byte == b'_' { b'-' } else { byte };
    known.len() == name.len() && known.bytes().eq(name.bytes().map(dashed))
}

/// What is before and behind the first equals sign.
#[inline(never)]
pub(crate) fn cut(text: &str) -> Option<(&str, &str)> {
    text.split_once('=')
}

fn holds(list: &str, entry: &str) -> bool {
    list.split_ascii_whitespace().any(|one| one == entry)
}
