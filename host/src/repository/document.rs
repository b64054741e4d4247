//! TOML read by hand, so that every message about a wrong setting names file, line, column and the closest valid name.

use serde_json::Value as Json;
use std::fmt;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::ops::Range;
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A wrong setting, or a file that is none.
#[derive(Debug)]
#[non_exhaustive]
pub enum SettingError {
    /// The file cannot be read.
    Unread {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Something in it is wrong.
    Wrong {
        /// The file.
        path: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong, and what would be right.
        message: String,
    },
}

impl fmt::Display for SettingError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { path, source } => write!(f, "cannot read {}: {source}", path.display()),
            Self::Wrong { path, line, column, message } => {
                write!(f, "{}:{line}:{column}: {message}", path.display())
            }
        }
    }
}

impl std::error::Error for SettingError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unread { source, .. } => Some(source),
            Self::Wrong { .. } => None,
        }
    }
}

/// The text of a settings file; `None` where there is none.
pub fn read(path: &Path) -> Result<Option<String>, SettingError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(source) => Err(SettingError::Unread { path: path.to_owned(), source }),
    }
}

/// Why a file that must be the user's own says nothing.
#[derive(Debug)]
pub(super) enum OwnError {
    /// It belongs to somebody else who is not root.
    Foreign,
    /// It cannot be read.
    Unread(io::Error),
}

/// What such a file is never larger than: one that comes with a clone must not fill the memory.
const OWN: u64 = 1 << 20;

/// The text of a file that only counts if it belongs to `user` or to root; `None` where there is none.
pub(super) fn read_own(path: &Path, user: u32) -> Result<Option<String>, OwnError> {
    // A pipe of that name must not be waited for.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = match File::options().read(true).custom_flags(nonblocking).open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(OwnError::Unread(error)),
    };
    // Of the open file: another one may take its name at any time.
    let metadata = file.metadata().map_err(OwnError::Unread)?;
    if metadata.uid() != user && metadata.uid() != 0 {
        return Err(OwnError::Foreign);
    }
    if !metadata.is_file() {
        return Err(OwnError::Unread(io::Error::new(io::ErrorKind::InvalidInput, "it is not a file")));
    }
    if metadata.len() > OWN {
        let why = format!("it is larger than {OWN} bytes");
        return Err(OwnError::Unread(io::Error::new(io::ErrorKind::FileTooLarge, why)));
    }
    let mut text = String::new();
    file.take(OWN).read_to_string(&mut text).map_err(OwnError::Unread)?;
    Ok(Some(text))
}

/// A file being read: turns positions into messages.
#[derive(Clone, Copy, Debug)]
pub struct Document<'a> {
    path: &'a Path,
    text: &'a str,
}

/// A table in a file.
#[derive(Clone, Copy, Debug)]
pub struct Table<'a> {
    document: Document<'a>,
    keys: &'a DeTable<'a>,
    at: usize,
}

impl<'a> Document<'a> {
    /// The text of a file.
    #[must_use]
    pub const fn new(path: &'a Path, text: &'a str) -> Self {
        Self { path, text }
    }

    /// Parses the text.
    pub fn parse(&self) -> Result<Spanned<DeTable<'a>>, SettingError> {
        DeTable::parse(self.text).map_err(|error| {
            let at = error.span().map_or(0, |span| span.start);
            self.wrong(at, error.message())
        })
    }

    /// The table at the top of a parsed text.
    #[must_use]
    pub fn top(self, parsed: &'a Spanned<DeTable<'a>>) -> Table<'a> {
        Table { document: self, keys: parsed.get_ref(), at: 0 }
    }

    fn wrong(&self, at: usize, message: impl Into<String>) -> SettingError {
        let before = &self.text[..self.text.floor_char_boundary(at)];
        let start = before.rfind('\n').map_or(0, |end| end + 1);
        SettingError::Wrong {
            path: self.path.to_owned(),
            line: before.matches('\n').count() + 1,
            column: before[start..].chars().count() + 1,
            message: message.into(),
        }
    }
}

impl<'a> Table<'a> {
    /// Refuses every key but these.
    pub fn allow(&self, keys: &[&str]) -> Result<(), SettingError> {
        let unknown = self.keys.keys().find(|key| !keys.contains(&key.get_ref().as_ref()));
        let Some(unknown) = unknown else { return Ok(()) };
        let name = unknown.get_ref();
        let advice = match closest(name, keys.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known are {}", keys.join(", ")),
        };
        Err(self.document.wrong(unknown.span().start, format!("there is no setting `{name}`; {advice}")))
    }

    /// An error at the value of a key.
    #[must_use]
    pub fn wrong(&self, key: &str, message: impl Into<String>) -> SettingError {
        let at = self.value(key).map_or(self.at, |value| value.span().start);
        self.document.wrong(at, message)
    }

    /// Refuses the text of a key that is none of `names`.
    pub fn one_of(&self, key: &str, name: &str, what: &str, names: &[&str]) -> Result<(), SettingError> {
        if names.contains(&name) {
            return Ok(());
        }
        let advice = match closest(name, names.iter().copied()) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("known are {}", names.join(", ")),
        };
        Err(self.wrong(key, format!("there is no {what} `{name}`; {advice}")))
    }

    /// A text.
    pub fn text(&self, key: &str) -> Result<Option<String>, SettingError> {
        self.typed(key, "a text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that must be there.
    pub fn required(&self, key: &str) -> Result<String, SettingError> {
        self.text(key)?.ok_or_else(|| self.document.wrong(self.at, format!("`{key}` is missing here")))
    }

    /// A truth value.
    pub fn boolean(&self, key: &str) -> Result<Option<bool>, SettingError> {
        self.typed(key, "true or false", DeValue::as_bool)
    }

    /// A whole number that is not negative.
    pub fn number(&self, key: &str) -> Result<Option<u64>, SettingError> {
        self.typed(key, "a whole number", |value| {
            let integer = value.as_integer()?;
            u64::from_str_radix(integer.as_str(), integer.radix()).ok()
        })
    }

    /// A list of texts; empty where it is absent.
    pub fn texts(&self, key: &str) -> Result<Vec<String>, SettingError> {
        let texts = self.typed(key, "a list of texts", |value| {
            value.as_array()?.iter().map(|one| one.get_ref().as_str().map(str::to_owned)).collect()
        })?;
        Ok(texts.unwrap_or_default())
    }

    /// A table.
    pub fn table(&self, key: &str) -> Result<Option<Self>, SettingError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        let table =
            value.get_ref().as_table().ok_or_else(|| self.wrong(key, format!("`{key}` is a table")))?;
        Ok(Some(Self { document: self.document, keys: table, at: value.span().start }))
    }

    /// A list of tables; empty where it is absent.
    pub fn tables(&self, key: &str) -> Result<Vec<Self>, SettingError> {
        let Some(value) = self.value(key) else { return Ok(Vec::new()) };
        let wrong = || self.wrong(key, format!("`{key}` is a list of tables: write [[{key}]]"));
        let array = value.get_ref().as_array().ok_or_else(wrong)?;
        let table = |one: &'a Spanned<DeValue<'a>>| {
            let table = one.get_ref().as_table().ok_or_else(wrong)?;
            Ok(Self { document: self.document, keys: table, at: one.span().start })
        };
        array.iter().map(table).collect()
    }

    /// The keys of this table, in order.
    pub fn keys(&self) -> impl Iterator<Item = &'a str> {
        self.keys.keys().map(|key| key.get_ref().as_ref())
    }

    /// The value of a key as JSON with sorted keys.
    pub fn json(&self, key: &str) -> Result<Option<Json>, SettingError> {
        self.value(key).map(|value| self.value_to_json(value)).transpose()
    }

    fn value_to_json(&self, value: &Spanned<DeValue<'_>>) -> Result<Json, SettingError> {
        let wrong = |span: Range<usize>, what: &str| self.document.wrong(span.start, what);
        Ok(match value.get_ref() {
            DeValue::String(text) => Json::String(text.to_string()),
            DeValue::Boolean(truth) => Json::Bool(*truth),
            DeValue::Integer(number) => i64::from_str_radix(number.as_str(), number.radix())
                .map(Json::from)
                .map_err(|_| wrong(value.span(), "this number is too large"))?,
            DeValue::Float(number) => number
                .as_str()
                .parse()
                .ok()
                .and_then(serde_json::Number::from_f64)
                .map(Json::Number)
                .ok_or_else(|| wrong(value.span(), "JSON knows no such number"))?,
            DeValue::Datetime(time) => Json::String(time.to_string()),
            DeValue::Array(all) => {
                Json::Array(all.iter().map(|one| self.value_to_json(one)).collect::<Result<_, _>>()?)
            }
            DeValue::Table(table) => Json::Object(
                table
                    .iter()
                    .map(|(key, value)| Ok((key.get_ref().to_string(), self.value_to_json(value)?)))
                    .collect::<Result<_, SettingError>>()?,
            ),
        })
    }

    fn typed<T>(
        &self,
        key: &str,
        what: &str,
        read: impl FnOnce(&'a DeValue<'a>) -> Option<T>,
    ) -> Result<Option<T>, SettingError> {
        let Some(value) = self.value(key) else { return Ok(None) };
        read(value.get_ref()).map(Some).ok_or_else(|| self.wrong(key, format!("`{key}` is {what}")))
    }

    fn value(&self, key: &str) -> Option<&'a Spanned<DeValue<'a>>> {
        self.keys.get(key)
    }
}

/// The name that is nearest to a wrong one, if any is near.
#[must_use]
pub fn closest<'n>(wrong: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let near = names.map(|name| (strsim::damerau_levenshtein(wrong, name), name));
    near.min().filter(|(distance, name)| *distance <= 1 + name.len() / 3).map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(text: &str, read: impl FnOnce(Table<'_>) -> Result<(), SettingError>) -> String {
        let document = Document::new(Path::new("reviver.toml"), text);
        let result = document.parse().and_then(|parsed| {
            // The document outlives this closure only where the parse result does.
            let table = document.top(&parsed);
            read(table)
        });
        result.unwrap_err().to_string()
    }

    #[test]
    fn messages_name_file_line_column_and_the_nearest_name() {
        let wrong = message("size = \"1 GB\"\n  metdata = \"x\"\n", |top| top.allow(&["size", "metadata"]));
        assert_eq!(wrong, "reviver.toml:2:3: there is no setting `metdata`; did you mean `metadata`?");
        let wrong = message("a = [1]\n", |top| top.texts("a").map(drop));
        assert_eq!(wrong, "reviver.toml:1:5: `a` is a list of texts");
        let wrong = message("[t]\nb = 1\n", |top| top.table("t")?.unwrap().required("a").map(drop));
        assert!(wrong.contains("`a` is missing here"), "{wrong}");
    }

    #[test]
    fn what_is_no_toml_says_where() {
        let wrong = message("ok = 1\nbroken = \n", |_| Ok(()));
        assert!(wrong.starts_with("reviver.toml:2:"), "{wrong}");
    }

    #[test]
    fn configurations_become_json_with_sorted_keys() {
        let text = "[c]\nz = 1\na = [true, 'x']\n";
        let document = Document::new(Path::new("t"), text);
        let parsed = document.parse().unwrap();
        let json = document.top(&parsed).json("c").unwrap().unwrap();
        assert_eq!(json.to_string(), r#"{"a":[true,"x"],"z":1}"#);
    }
}
