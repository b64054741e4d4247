//! `config.toml`: what the user says, above any repository.
//!
//! ```toml
//! cache = "/var/cache/reviver"     # default: $XDG_CACHE_HOME/reviver
//! size = "10 GB"                   # of the whole cache
//! link = "auto"                    # auto, copy, reflink, hardlink
//! verify = true                    # contents, before each revival
//! read-only = false                # whether runs leave the cache as it is
//! recheck = 0.01                   # the share of hits that run again, to be compared
//! capabilities = ["read"]          # what plugins of repositories may have, of what they ask for
//! limits = { memory = "64 MiB", fuel = 2000000000, output = "4 MiB", time = 10000 }
//!
//! [plugin.key-cc]                  # a shipped plugin, where a repository says nothing of it
//! config = { relocatable = true }
//!
//! [dune]                           # see [`super::dune`]
//! size = "10 GB"
//!
//! [[join]]                         # repositories that share their entries
//! roots = ["/home/me/work/a", "/home/me/work/b"]
//! ```

use super::document::{Document, SettingError, Table, read};
use super::dune::DuneSettings;
use super::settings::{capabilities, limits, share, size};
use super::size::ByteSize;
use crate::reviver::recheck::Share;
use crate::runtime::{Capabilities, Capability, Limits};
use crate::shipped;
use crate::store::LinkMode;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// What the user says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct UserSettings {
    /// The cache directory, where it is not the usual one.
    pub cache: Option<PathBuf>,
    /// How large the whole cache may become.
    pub size: ByteSize,
    /// How large contents are revived.
    pub link: LinkMode,
    /// Whether contents are verified before a revival.
    pub verify: bool,
    /// Whether runs leave the cache as it is.
    pub read_only: bool,
    /// The share of hits that run again, to be compared.
    pub recheck: Share,
    /// What one call of any plugin may use.
    pub limits: Limits,
    /// What the plugins of repositories may have, if they ask.
    pub capabilities: Capabilities,
    /// The configurations of shipped plugins, as JSON, for repositories that say nothing of the plugin.
    pub configurations: BTreeMap<String, String>,
    /// What is said of Dune's caches.
    pub dune: DuneSettings,
    /// Roots whose repositories share a partition.
    pub joined: Vec<Vec<PathBuf>>,
}

impl Default for UserSettings {
    fn default() -> Self {
        Self {
            cache: None,
            size: ByteSize(10_000_000_000),
            link: LinkMode::Auto,
            verify: true,
            read_only: false,
            recheck: Share::NONE,
            limits: Limits::default(),
            capabilities: Capabilities::NONE.with(Capability::Read),
            configurations: BTreeMap::new(),
            dune: DuneSettings::default(),
            joined: Vec::new(),
        }
    }
}

impl UserSettings {
    /// Reads the settings in a file; the usual ones where there is none.
    pub fn load(path: &Path) -> Result<Self, SettingError> {
        read(path)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(path, &text))
    }

    /// The settings in a text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingError> {
        let document = Document::new(path, text);
        let parsed = document.parse()?;
        let top = document.top(&parsed);
        top.allow(&[
            "cache",
            "size",
            "link",
            "verify",
            "read-only",
            "recheck",
            "capabilities",
            "limits",
            "join",
            "plugin",
            "dune",
        ])?;
        let cache = top.text("cache")?.map(PathBuf::from);
        let mut settings = Self { cache, ..Self::default() };
        if settings.cache.as_ref().is_some_and(|cache| !cache.is_absolute()) {
            return Err(top.wrong("cache", "`cache` is an absolute path"));
        }
        settings.size = size(&top, "size")?.unwrap_or(settings.size);
        if let Some(link) = top.text("link")? {
            top.one_of("link", &link, "link mode", &["auto", "copy", "reflink", "hardlink"])?;
            settings.link = match link.as_str() {
                "copy" => LinkMode::Copy,
                "reflink" => LinkMode::Reflink,
                "hardlink" => LinkMode::Hardlink,
                _ => LinkMode::Auto,
            };
        }
        settings.verify = top.boolean("verify")?.unwrap_or(settings.verify);
        settings.read_only = top.boolean("read-only")?.unwrap_or(settings.read_only);
        settings.recheck = share(&top, "recheck")?.unwrap_or(settings.recheck);
        if let Some(table) = top.table("limits")? {
            settings.limits = limits(&table, settings.limits)?;
        }
        if top.keys().any(|key| key == "capabilities") {
            settings.capabilities = capabilities(&top, "capabilities")?;
        }
        if let Some(plugins) = top.table("plugin")? {
            for name in plugins.keys() {
                plugins.one_of(name, name, "shipped plugin", shipped::names())?;
                let table = plugins.table(name)?.expect("invariant: the key was just listed");
                table.allow(&["config"])?;
                table.table("config")?;
                if let Some(json) = table.json("config")? {
                    settings.configurations.insert(name.to_owned(), json.to_string());
                }
            }
        }
        if let Some(table) = top.table("dune")? {
            settings.dune = DuneSettings::read(&table)?;
        }
        for table in top.tables("join")? {
            let roots = joined(&table, &settings.joined)?;
            settings.joined.push(roots);
        }
        Ok(settings)
    }
}

/// The roots of a `[[join]]`, beside those of others.
fn joined(table: &Table<'_>, others: &[Vec<PathBuf>]) -> Result<Vec<PathBuf>, SettingError> {
    table.allow(&["roots"])?;
    let roots: Vec<PathBuf> = table.texts("roots")?.into_iter().map(PathBuf::from).collect();
    if roots.is_empty() {
        return Err(
            table.wrong("roots", "`join` has no `roots`: name the repositories that share their entries")
        );
    }
    for root in &roots {
        let wrong = |what: &str| table.wrong("roots", format!("the root `{}` {what}", root.display()));
        if !root.is_absolute() {
            return Err(wrong("is no absolute path"));
        }
        if others.iter().flatten().any(|other| other == root) {
            return Err(wrong("is in another `join` already"));
        }
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<UserSettings, String> {
        UserSettings::parse(Path::new("config.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_example_is_read() {
        let settings = parse(
            "cache = '/c'\nsize = '10 GB'\nlink = 'copy'\nverify = false\ncapabilities = []\n\
             read-only = true\nrecheck = 0.01\n\
             limits = { memory = '1 MiB', fuel = 7, output = '1 KiB', time = 10 }\n\
             [plugin.key-cc]\nconfig = { relocatable = true }\n[[join]]\nroots = ['/a', '/b']\n",
        )
        .unwrap();
        assert_eq!((settings.link, settings.verify), (LinkMode::Copy, false));
        assert_eq!((settings.read_only, settings.recheck), (true, Share::new(0.01).unwrap()));
        assert_eq!(settings.capabilities, Capabilities::NONE);
        assert_eq!(settings.limits.fuel, 7);
        assert_eq!(settings.configurations["key-cc"], r#"{"relocatable":true}"#);
        assert_eq!(settings.joined, [vec![PathBuf::from("/a"), PathBuf::from("/b")]]);
        assert_eq!(parse("").unwrap(), UserSettings::default());
    }

    #[test]
    fn wrong_settings_are_named() {
        assert!(parse("link = 'hardlnk'").unwrap_err().contains("did you mean `hardlink`?"));
        assert!(parse("cache = 'here'").unwrap_err().contains("absolute"));
        assert!(parse("[plugin.key-c]").unwrap_err().contains("did you mean `key-cc`?"));
        assert!(parse("[plugin.key-cc]\npath = 'p'").unwrap_err().contains("`path`"));
        assert!(parse("verify = 1").unwrap_err().contains("true or false"));
        assert!(parse("[[join]]").unwrap_err().contains("has no `roots`"));
        assert!(parse("[[join]]\nroots = ['/a', 'b']").unwrap_err().contains("`b` is no absolute path"));
        let twice = parse("[[join]]\nroots = ['/a']\n[[join]]\nroots = ['/b', '/a']").unwrap_err();
        assert_eq!(twice, "config.toml:4:9: the root `/a` is in another `join` already");
        for wrong in ["1.5", "-0.1", "nan", "inf", "2", "'0.5'", "true"] {
            let told = parse(&format!("size = '1 GB'\nrecheck = {wrong}")).unwrap_err();
            assert_eq!(told, "config.toml:2:11: `recheck` is a number from 0 to 1, such as 0.01");
        }
        for (right, share) in [("0", 0.0), ("1", 1.0), ("1e-3", 0.001), ("0.25", 0.25)] {
            assert_eq!(parse(&format!("recheck = {right}")).unwrap().recheck, Share::new(share).unwrap());
        }
    }
}
