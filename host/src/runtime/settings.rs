//! The settings that a plugin says it has, in its author's words: the custom section `reviver:settings` of the core module.
//!
//! The section is text, one line for each setting: `name<TAB>kind<TAB>about<LF>`. Where linkers put several such sections
//! together, their lines follow each other. Nothing but people reads it: what is told here decides nothing.
//!
//! | the bytes | |
//! |---|---|
//! | a component or module without the section | no settings |
//! | lines as above, in modules at any of [`DEPTH`] levels | the settings, in order |
//! | anything else in the section, or more than [`MOST`] bytes of it | `Lines` with the first wrong line, or `TooMuch` |
//! | what cannot be parsed as far as the section | `Malformed` |

use std::fmt;
use std::ops::Range;
use std::str::FromStr;
use wasmparser::{Chunk, Parser, Payload};

const SECTION: &str = "reviver:settings";

/// How deep modules and components may lie in one another. Components of plugins have their modules on the second level.
const DEPTH: usize = 8;

/// How many bytes all the sections may have together.
const MOST: usize = 64 << 10;

/// A setting that a plugin says it has.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Setting {
    /// Its name in the plugin's `config` table.
    pub name: String,
    /// What it may be.
    pub kind: SettingKind,
    /// What it is for.
    pub about: String,
}

/// What a setting may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SettingKind {
    /// A text.
    Text,
    /// True or false.
    Boolean,
    /// A whole number.
    Integer,
    /// A list of texts.
    Texts,
}

impl SettingKind {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::Text, Self::Boolean, Self::Integer, Self::Texts];

    /// The name in the section, and for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Boolean => "boolean",
            Self::Integer => "integer",
            Self::Texts => "texts",
        }
    }
}

impl FromStr for SettingKind {
    type Err = ();

    fn from_str(name: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|kind| kind.name() == name).ok_or(())
    }
}

/// Why the settings of a component cannot be told.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum SettingsError {
    /// The component cannot be parsed as far as the section.
    Malformed(String),
    /// A line is none, counted from 1.
    Line(usize),
    /// There is more than anybody would read.
    TooMuch,
}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(why) => write!(f, "the component is malformed: {why}"),
            Self::Line(line) => write!(
                f,
                "line {line} of its section `{SECTION}` is not `name<TAB>kind<TAB>about`, with one of the kinds {}",
                SettingKind::ALL.map(SettingKind::name).join(", ")
            ),
            Self::TooMuch => write!(f, "its sections `{SECTION}` have more than {MOST} bytes"),
        }
    }
}

impl std::error::Error for SettingsError {}

impl From<wasmparser::BinaryReaderError> for SettingsError {
    fn from(error: wasmparser::BinaryReaderError) -> Self {
        Self::Malformed(error.to_string())
    }
}

/// The settings that a component says it has.
pub fn settings(bytes: &[u8]) -> Result<Vec<Setting>, SettingsError> {
    let mut text = Vec::new();
    collect(bytes, Parser::new(0), 0..bytes.len(), 0, &mut text)?;
    let lines = text.split_inclusive(|byte| *byte == b'\n');
    lines.enumerate().map(|(number, line)| parse(line).ok_or(SettingsError::Line(number + 1))).collect()
}

fn parse(line: &[u8]) -> Option<Setting> {
    let line = std::str::from_utf8(line.strip_suffix(b"\n")?).ok()?;
    let mut fields = line.splitn(3, '\t');
    let (name, kind, about) = (fields.next()?, fields.next()?, fields.next()?);
    if name.is_empty() || line.chars().any(|c| c.is_control() && c != '\t') || about.contains('\t') {
        return None;
    }
    Some(Setting { name: name.to_owned(), kind: kind.parse().ok()?, about: about.to_owned() })
}

/// Appends the section's bytes in `range`, where `parser` begins, and in what is nested there.
fn collect(
    bytes: &[u8],
    mut parser: Parser,
    range: Range<usize>,
    depth: usize,
    text: &mut Vec<u8>,
) -> Result<(), SettingsError> {
    let cut_off = || SettingsError::Malformed("it is cut off".into());
    // Whatever lengths are told: a nested part ends where its parent does, at the latest.
    let bytes = bytes.get(..range.end).ok_or_else(cut_off)?;
    let mut offset = range.start;
    loop {
        let rest = bytes.get(offset..).ok_or_else(cut_off)?;
        let Chunk::Parsed { consumed, payload } = parser.parse(rest, true)? else {
            return Err(cut_off());
        };
        offset += consumed;
        match payload {
            Payload::CustomSection(section) if section.name() == SECTION => {
                if text.len() + section.data().len() > MOST {
                    return Err(SettingsError::TooMuch);
                }
                text.extend_from_slice(section.data());
            }
            Payload::CodeSectionStart { size, .. } => {
                parser.skip_section();
                offset = offset.checked_add(size as usize).ok_or_else(cut_off)?;
            }
            Payload::ModuleSection { parser: nested, unchecked_range }
            | Payload::ComponentSection { parser: nested, unchecked_range } => {
                if depth == DEPTH {
                    return Err(SettingsError::Malformed(format!("it is nested more than {DEPTH} deep")));
                }
                offset = unchecked_range.end;
                collect(bytes, nested, unchecked_range, depth + 1, text)?;
            }
            Payload::End(_) => return Ok(()),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn module(lines: &str) -> String {
        let escaped = lines
            .replace('\\', "\\5c")
            .replace('"', "\\22")
            .replace('\n', "\\0a")
            .replace('\t', "\\09")
            .replace('\u{1b}', "\\1b");
        format!("(func nop) (@custom \"{SECTION}\" \"{escaped}\") (@custom \"other\" \"\\ff\")")
    }

    fn of(text: &str) -> Result<Vec<Setting>, SettingsError> {
        settings(&wat::parse_str(text).unwrap())
    }

    fn nested(lines: &str) -> String {
        format!("(component (component (core module (func nop)) (core module {})))", module(lines))
    }

    #[test]
    fn settings_are_told_wherever_the_module_is() {
        let lines = "comment\ttext\twhat starts a \"comment\"\nlist\ttexts\t\n";
        let setting =
            |name: &str, kind, about: &str| Setting { name: name.into(), kind, about: about.into() };
        let expected = vec![
            setting("comment", SettingKind::Text, "what starts a \"comment\""),
            setting("list", SettingKind::Texts, ""),
        ];
        assert_eq!(of(&format!("(module {})", module(lines))), Ok(expected.clone()));
        assert_eq!(of(&nested(lines)), Ok(expected));
        assert_eq!(of("(component)"), Ok(vec![]));
        let twice = format!("(module {} {})", module("a\tinteger\t1\n"), module("b\tboolean\t2\n"));
        assert_eq!(of(&twice).unwrap().len(), 2);
    }

    #[test]
    fn what_is_no_line_is_named() {
        for wrong in [
            "a\ttext\tb",
            "\ttext\tb\n",
            "a\tnumber\tb\n",
            "a\n",
            "\n",
            "a\ttext\t\u{1b}[2J\n",
            "a\ttext\tb\tc\n",
        ] {
            assert_eq!(
                of(&nested(&format!("ok\ttext\t\n{wrong}"))),
                Err(SettingsError::Line(2)),
                "{wrong:?}"
            );
        }
        let long = format!("a\ttext\t{}\n", "x".repeat(MOST));
        assert_eq!(of(&nested(&long)), Err(SettingsError::TooMuch));
        let mut deep = "(component)".to_owned();
        for _ in 0..=DEPTH {
            deep = format!("(component {deep})");
        }
        assert!(matches!(of(&deep), Err(SettingsError::Malformed(_))));
    }

    /// Each byte changed, and each end cut off: an answer or an error, and nothing that is not in the section.
    #[test]
    fn hostile_bytes_make_no_panic() {
        let bytes = wat::parse_str(nested("name\ttext\tabout\n")).unwrap();
        for at in 0..bytes.len() {
            settings(&bytes[..at]).ok();
            for value in [0x00, 0x01, 0x7f, 0x80, 0xff, bytes[at] ^ 1, bytes[at].wrapping_add(8)] {
                let mut changed = bytes.clone();
                changed[at] = value;
                for setting in settings(&changed).unwrap_or_default() {
                    assert!(setting.name.len() <= bytes.len());
                }
            }
        }
        for shipped in crate::shipped::all() {
            assert!(settings(shipped.bytes).is_ok(), "{}", shipped.name);
        }
    }
}
