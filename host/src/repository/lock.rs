//! `reviver.lock`: which plugin files a repository means, and what each may ask for.
//!
//! It lies beside `reviver.toml`, is written by `reviver plugin pin` and is committed. A plugin file that it does not pin by
//! digest is never loaded for a build.
//!
//! ```toml
//! # Written by `reviver plugin pin` …
//! version = 1
//!
//! [[plugin]]
//! name = "words"
//! role = "key"
//! digest = "3f…64 digits"
//! size = 27123
//! abi = "0.1.0"
//! imports = ["reviver:plugin/inputs@0.1.0"]
//! capabilities = ["read"]          # what reviver.toml asked for when it was pinned
//! ```
//!
//! * Equal pins make equal bytes, sorted by name, so that a change of one plugin is a change of one paragraph.
//! * Whatever the bytes, reading gives pins or an error that says where.
//! * It narrows and never widens: what it lists is what may be *asked* for. What is *granted* is the user's (law 10).
//!
//! | the file | [`Lock::load`] |
//! |---|---|
//! | is not there | no pins |
//! | of another user than the one who asks or root | [`LockError::Foreign`] |
//! | cannot be read, is no lock file, or of a version that this host does not know | [`LockError::Setting`] |

use super::document::{self, Document, OwnError, SettingError, Table};
use super::settings::capabilities;
use super::write::{self, list, quoted};
use crate::digest::Digest;
use crate::policy::Role;
use crate::runtime::{Capabilities, Capability};
use std::collections::BTreeMap;
use std::fmt::{self, Write as _};
use std::io;
use std::path::{Path, PathBuf};

/// The name of the lock file.
pub const LOCK: &str = "reviver.lock";

/// The version of its format.
const VERSION: u64 = 1;

const HEADER: &str = "# Written by `reviver plugin pin`: the plugin files that this repository uses, and what each may ask for.\n\
                      # Commit it, and do not edit it. A plugin file with another digest is not used before it is pinned again.\n";

/// A plugin file as it was pinned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Pin {
    /// What it is for.
    pub role: Role,
    /// The digest of its component.
    pub digest: Digest,
    /// The component's number of bytes.
    pub size: u64,
    /// The version of the contract that it was built for.
    pub abi: String,
    /// What it imports.
    pub imports: Vec<String>,
    /// What `reviver.toml` asked for.
    pub capabilities: Capabilities,
}

/// The pins of a repository, by the plugins' names.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Lock {
    /// The pins.
    pub pins: BTreeMap<String, Pin>,
}

/// A file of trust, the lock file or the user's grants, that says nothing that may be relied on.
#[derive(Debug)]
#[non_exhaustive]
pub enum LockError {
    /// It belongs to another user, who must not choose the plugins that run here.
    Foreign(PathBuf),
    /// It is none.
    Setting(SettingError),
}

impl fmt::Display for LockError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Foreign(path) => write!(f, "{} belongs to another user", path.display()),
            Self::Setting(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for LockError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Foreign(_) => None,
            Self::Setting(error) => Some(error),
        }
    }
}

impl Lock {
    /// Reads the pins in a file. `user` is who asks.
    pub fn load(path: &Path, user: u32) -> Result<Self, LockError> {
        load(path, user, Self::parse)
    }

    /// The pins in a text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingError> {
        let document = Document::new(path, text);
        let parsed = document.parse()?;
        let top = document.top(&parsed);
        version(&top, VERSION)?;
        top.allow(&["version", "plugin"])?;
        let mut pins = BTreeMap::new();
        for table in top.tables("plugin")? {
            let name = table.required("name")?;
            if pins.contains_key(&name) {
                return Err(table.wrong("name", format!("plugin `{name}` is pinned twice")));
            }
            pins.insert(name, pin(&table)?);
        }
        Ok(Self { pins })
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}version = {VERSION}\n");
        for (name, pin) in &self.pins {
            let Pin { role, digest, size, abi, imports, capabilities } = pin;
            let imports = list(imports.iter().map(String::as_str));
            let capabilities = list(capabilities.iter().map(Capability::name));
            write!(
                text,
                "\n[[plugin]]\nname = {}\nrole = \"{role}\"\ndigest = \"{digest}\"\nsize = {size}\nabi = {}\n\
                 imports = {imports}\ncapabilities = {capabilities}\n",
                quoted(name),
                quoted(abi),
            )
            .expect("invariant: a text takes what is written to it");
        }
        text
    }

    /// Puts the pins into a file, in one step.
    pub fn save(&self, path: &Path) -> io::Result<()> {
        write::replace(path, &self.to_text(), 0o666)
    }
}

/// What is in a file of trust; nothing where there is none.
pub(super) fn load<T: Default>(
    path: &Path,
    user: u32,
    parse: impl FnOnce(&Path, &str) -> Result<T, SettingError>,
) -> Result<T, LockError> {
    let text = document::read_own(path, user).map_err(|error| match error {
        OwnError::Foreign => LockError::Foreign(path.to_owned()),
        OwnError::Unread(source) => {
            LockError::Setting(SettingError::Unread { path: path.to_owned(), source })
        }
    })?;
    text.map_or_else(|| Ok(T::default()), |text| parse(path, &text)).map_err(LockError::Setting)
}

/// Refuses a file of another version than the one that this host writes.
pub(super) fn version(top: &Table<'_>, known: u64) -> Result<(), SettingError> {
    match top.number("version")? {
        Some(version) if version == known => Ok(()),
        Some(version) => Err(top.wrong(
            "version",
            format!("this is version {version} of the format, and this Reviver knows version {known}"),
        )),
        None => Err(top.wrong("version", format!("`version = {known}` is missing"))),
    }
}

fn pin(table: &Table<'_>) -> Result<Pin, SettingError> {
    table.allow(&["name", "role", "digest", "size", "abi", "imports", "capabilities"])?;
    let role = table.required("role")?;
    table.one_of("role", &role, "role", &Role::ALL.map(Role::name))?;
    let missing = |key: &str| table.wrong(key, format!("`{key}` is missing here"));
    Ok(Pin {
        role: Role::from_name(&role).expect("invariant: it is one of the names"),
        digest: digest(table, "digest")?,
        size: table.number("size")?.ok_or_else(|| missing("size"))?,
        abi: table.required("abi")?,
        imports: table.texts("imports")?,
        capabilities: capabilities(table, "capabilities")?,
    })
}

/// A digest in a table.
pub(super) fn digest(table: &Table<'_>, key: &str) -> Result<Digest, SettingError> {
    let text = table.required(key)?;
    let wrong = || table.wrong(key, format!("`{key}` is 64 lower-case hexadecimal digits"));
    Digest::from_hex(&text).ok_or_else(wrong)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Lock, String> {
        Lock::parse(Path::new("/r/reviver.lock"), text).map_err(|error| error.to_string())
    }

    fn two() -> Lock {
        let pin = |role, capabilities| Pin {
            role,
            digest: Digest::new([0xab; 32]),
            size: 27123,
            abi: "0.1.0".into(),
            imports: vec!["reviver:plugin/types@0.1.0".into(), "reviver:plugin/host@0.1.0".into()],
            capabilities,
        };
        let read = Capabilities::NONE.with(Capability::Read).with(Capability::Arguments);
        let words = Pin { imports: vec![], ..pin(Role::Key, read) };
        let pins = [("words", words), ("a \"b\"\n\\", pin(Role::Eviction, Capabilities::NONE))];
        Lock { pins: pins.map(|(name, pin)| (name.to_owned(), pin)).into() }
    }

    #[test]
    fn equal_pins_make_equal_bytes_in_the_order_of_their_names() {
        let digest = "ab".repeat(32);
        let golden = format!(
            "{HEADER}version = 1\n\n[[plugin]]\nname = \"a \\\"b\\\"\\u000A\\\\\"\nrole = \"eviction\"\n\
             digest = \"{digest}\"\nsize = 27123\nabi = \"0.1.0\"\n\
             imports = [\"reviver:plugin/types@0.1.0\", \"reviver:plugin/host@0.1.0\"]\ncapabilities = []\n\
             \n[[plugin]]\nname = \"words\"\nrole = \"key\"\ndigest = \"{digest}\"\nsize = 27123\n\
             abi = \"0.1.0\"\nimports = []\ncapabilities = [\"arguments\", \"read\"]\n"
        );
        assert_eq!(two().to_text(), golden);
        assert_eq!(parse(&golden).unwrap(), two());
        assert_eq!(parse("version = 1").unwrap(), Lock::default());
    }

    #[test]
    fn what_is_wrong_says_where() {
        let good = two().to_text();
        for (from, to, message) in [
            (
                "version = 1",
                "version = 2",
                ":3:11: this is version 2 of the format, and this Reviver knows version 1",
            ),
            ("version = 1", "", "`version = 1` is missing"),
            ("role = \"key\"", "role = \"kye\"", "there is no role `kye`; did you mean `key`?"),
            ("name = \"words\"\n", "", "`name` is missing here"),
            ("name = \"words\"", "name = \"a \\\"b\\\"\\n\\\\\"", "is pinned twice"),
            ("abab\"", "ABAB\"", ":8:10: `digest` is 64 lower-case hexadecimal digits"),
            ("size = 27123", "size = -1", "`size` is a whole number"),
            ("size = 27123\n", "", "`size` is missing here"),
            ("\"read\"", "\"raed\"", "did you mean `read`?"),
            ("abi = ", "api = ", "did you mean `abi`?"),
            ("[[plugin]]", "[[plugins]]", "did you mean `plugin`?"),
        ] {
            let wrong = good.replacen(from, to, 1);
            assert_ne!(wrong, good, "{from}");
            let error = parse(&wrong).unwrap_err();
            assert!(error.starts_with("/r/reviver.lock:") && error.contains(message), "{from}: {error}");
        }
    }

    /// Whatever the bytes, the reader answers; and where it gives pins, they are those that it would write.
    #[test]
    fn bytes_of_any_kind_are_pins_or_an_error() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOCK);
        let user = rustix::process::geteuid().as_raw();
        let good = two().to_text().into_bytes();
        // xorshift: the same mutations on every machine.
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = |bound: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % bound as u64) as usize
        };
        let (mut read, mut refused) = (0, 0);
        for _ in 0..4000 {
            let mut bytes = good.clone();
            for _ in 0..=next(3) {
                let at = next(bytes.len());
                match next(5) {
                    0 => bytes[at] = next(256) as u8,
                    1 => bytes.truncate(at.max(1)),
                    2 => bytes.insert(at, b"\"'[]{}=\n\\#\xff\x00"[next(12)]),
                    3 => drop(bytes.drain(at..(at + next(40)).min(bytes.len()))),
                    _ => bytes
                        .extend_from_within(at..(at + next(200)).min(good.len()).min(bytes.len()).max(at)),
                }
                if bytes.is_empty() {
                    bytes.push(b'x');
                }
            }
            std::fs::write(&path, &bytes).unwrap();
            match Lock::load(&path, user) {
                Ok(lock) => {
                    assert_eq!(parse(&lock.to_text()).unwrap(), lock);
                    read += 1;
                }
                Err(error) => {
                    assert!(error.to_string().contains("reviver.lock"), "{error}");
                    refused += 1;
                }
            }
        }
        assert!(read > 100 && refused > 1000, "{read} {refused}");
    }

    #[test]
    fn a_file_that_is_too_large_is_not_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOCK);
        std::fs::File::create(&path).unwrap().set_len(1 << 40).unwrap();
        let error = Lock::load(&path, rustix::process::geteuid().as_raw()).unwrap_err();
        assert!(error.to_string().contains("larger than"), "{error}");
    }

    #[test]
    fn a_file_of_another_user_pins_nothing_and_no_file_is_no_pins() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join(LOCK);
        let user = rustix::process::geteuid().as_raw();
        assert_eq!(Lock::load(&path, user).unwrap(), Lock::default());
        two().save(&path).unwrap();
        assert_eq!(Lock::load(&path, user).unwrap(), two());
        // Root's own files are trusted, and the tests may run as root.
        assert_eq!(Lock::load(&path, user + 1).is_err(), user != 0);
    }
}
