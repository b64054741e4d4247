//! `[dune]` in `config.toml`: what the user says of Dune's caches.
//!
//! ```toml
//! [dune]
//! size = "10 GB"                   # of files that no build tree links to; more go, from time to time
//! period = "10m"                   # how often the daemon looks
//! collision = "replace"            # a rule that makes other files than before: `replace` the older ones, or `keep` them
//! verify = true                    # read what is there already before it is given to others
//! eviction = "evict-lru"           # what goes first; without it, as in Dune, what has not changed for longest
//! # eviction = { path = "/home/me/evict.wasm", config = { days = 7 } }
//! ```
//!
//! What the user names here is trusted as it is, and needs no lock file: it is no repository's. It gets no capabilities.

use super::choose::{self, ChooseError};
use super::document::{SettingError, Table};
use super::settings::{Settings, size};
use super::size::ByteSize;
use super::user::UserSettings;
use crate::digest::Digest;
use crate::policy::Role;
use crate::runtime::{Bytes, Capabilities, PluginSource};
use crate::shipped;
use serde_json::Value as Json;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// What to do where a rule was already promoted with other files than now: it is not reproducible.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub enum Collision {
    /// The newer ones count, as with Dune's own daemon.
    #[default]
    Replace,
    /// The older ones stay.
    Keep,
}

/// What decides what goes first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum DuneEviction {
    /// A plugin that comes with the host.
    Shipped(String),
    /// A component of the user's own.
    File {
        /// Where it is.
        path: PathBuf,
        /// Its configuration, a JSON object with sorted keys.
        configuration: String,
    },
}

/// What the user says of Dune's caches.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DuneSettings {
    /// How many bytes that no build tree links to may stay.
    pub size: ByteSize,
    /// How often the daemon looks whether they are more.
    pub period: Duration,
    /// What to do where a rule makes other files than before.
    pub collision: Collision,
    /// Whether what is there already is read before it is given to others.
    pub verify: bool,
    /// What decides what goes first; without it, as in Dune.
    pub eviction: Option<DuneEviction>,
}

impl Default for DuneSettings {
    fn default() -> Self {
        Self {
            size: ByteSize(10_000_000_000),
            period: Duration::from_mins(10),
            collision: Collision::default(),
            verify: true,
            eviction: None,
        }
    }
}

impl DuneSettings {
    /// The settings in a table.
    pub(super) fn read(table: &Table<'_>) -> Result<Self, SettingError> {
        table.allow(&["size", "period", "collision", "verify", "eviction"])?;
        let mut settings = Self::default();
        settings.size = size(table, "size")?.unwrap_or(settings.size);
        settings.period = period(table)?.unwrap_or(settings.period);
        settings.verify = table.boolean("verify")?.unwrap_or(settings.verify);
        if let Some(collision) = table.text("collision")? {
            table.one_of("collision", &collision, "way to meet a collision", &["replace", "keep"])?;
            settings.collision = if collision == "keep" { Collision::Keep } else { Collision::Replace };
        }
        settings.eviction = eviction(table)?;
        Ok(settings)
    }

    /// The plugin that decides what goes first. `digest` tells the digest of a file's content.
    pub fn eviction_plugin(
        &self,
        user: &UserSettings,
        digest: &dyn Fn(&Path) -> io::Result<Digest>,
    ) -> Result<Option<PluginSource>, ChooseError> {
        match &self.eviction {
            None => Ok(None),
            Some(DuneEviction::Shipped(name)) => {
                choose::plugin(name, &Settings::default(), user, digest).map(Some)
            }
            Some(DuneEviction::File { path, configuration }) => {
                let name = path.file_stem().unwrap_or(path.as_os_str()).to_string_lossy().into_owned();
                let unread =
                    |source| ChooseError::Unread { plugin: name.clone(), path: path.clone(), source };
                Ok(Some(PluginSource {
                    digest: digest(path).map_err(unread)?,
                    name,
                    bytes: Bytes::File(path.clone()),
                    configuration: configuration.clone(),
                    limits: user.limits,
                    capabilities: Capabilities::NONE,
                }))
            }
        }
    }
}

fn period(table: &Table<'_>) -> Result<Option<Duration>, SettingError> {
    let Some(text) = table.text("period")? else { return Ok(None) };
    let period = humantime::parse_duration(&text).ok().filter(|period| *period >= Duration::from_secs(1));
    let wrong =
        || table.wrong("period", format!("`{text}` is no time of a second or more; write it as `10m`"));
    period.map(Some).ok_or_else(wrong)
}

fn eviction(table: &Table<'_>) -> Result<Option<DuneEviction>, SettingError> {
    const KEY: &str = "eviction";
    match table.json(KEY)? {
        None => Ok(None),
        Some(Json::String(name)) => {
            let shipped = shipped::all().iter().filter(|shipped| shipped.role == Role::Eviction);
            let names: Vec<_> = shipped.map(|shipped| shipped.name).collect();
            table.one_of(KEY, &name, "shipped eviction plugin", &names)?;
            Ok(Some(DuneEviction::Shipped(name)))
        }
        Some(_) => {
            let wrong =
                || table.wrong(KEY, "`eviction` is the name of a shipped plugin, or { path = \"/…\" }");
            let own = table.table(KEY).map_err(|_| wrong())?.ok_or_else(wrong)?;
            own.allow(&["path", "config"])?;
            let path = PathBuf::from(own.required("path")?);
            if !path.is_absolute() {
                return Err(own.wrong("path", "`path` is an absolute path"));
            }
            own.table("config")?;
            let configuration = own.json("config")?.map_or_else(|| "{}".to_owned(), |json| json.to_string());
            Ok(Some(DuneEviction::File { path, configuration }))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<DuneSettings, String> {
        let user = UserSettings::parse(Path::new("config.toml"), text);
        user.map(|user| user.dune).map_err(|error| error.to_string())
    }

    #[test]
    fn the_documented_example_is_read() {
        let settings = parse(
            "[dune]\nsize = '20 GB'\nperiod = '1h'\ncollision = 'keep'\nverify = false\neviction = 'evict-lru'\n",
        )
        .unwrap();
        let expected = DuneSettings {
            size: ByteSize(20_000_000_000),
            period: Duration::from_hours(1),
            collision: Collision::Keep,
            verify: false,
            eviction: Some(DuneEviction::Shipped("evict-lru".into())),
        };
        assert_eq!(settings, expected);
        assert_eq!(parse("[dune]\n").unwrap(), DuneSettings::default());
        let own = parse("[dune]\neviction = { path = '/p/e.wasm', config = { b = 1, a = 2 } }").unwrap();
        let file = DuneEviction::File { path: "/p/e.wasm".into(), configuration: r#"{"a":2,"b":1}"#.into() };
        assert_eq!(own.eviction, Some(file));
    }

    #[test]
    fn wrong_settings_are_named_with_their_line_and_the_closest_name() {
        for (text, told) in [
            ("sise = '1 GB'", "config.toml:2:1: there is no setting `sise`; did you mean `size`?"),
            ("size = '1 pound'", "config.toml:2:8: `1 pound` is no size; write it as `500 MB` or `2 GiB`"),
            (
                "period = 'often'",
                "config.toml:2:10: `often` is no time of a second or more; write it as `10m`",
            ),
            ("period = '0s'", "config.toml:2:10: `0s` is no time of a second or more; write it as `10m`"),
            (
                "collision = 'kep'",
                "config.toml:2:13: there is no way to meet a collision `kep`; did you mean `keep`?",
            ),
            ("verify = 'yes'", "config.toml:2:10: `verify` is true or false"),
            (
                "eviction = 'evict-lur'",
                "config.toml:2:12: there is no shipped eviction plugin `evict-lur`; did you mean `evict-lru`?",
            ),
            (
                "eviction = 'key-cc'",
                "config.toml:2:12: there is no shipped eviction plugin `key-cc`; known are evict-lru",
            ),
            (
                "eviction = 7",
                "config.toml:2:12: `eviction` is the name of a shipped plugin, or { path = \"/…\" }",
            ),
            ("eviction = { path = 'e.wasm' }", "config.toml:2:21: `path` is an absolute path"),
            (
                "eviction = { pth = '/e' }",
                "config.toml:2:14: there is no setting `pth`; did you mean `path`?",
            ),
        ] {
            assert_eq!(parse(&format!("[dune]\n{text}\n")).unwrap_err(), told);
        }
    }

    #[test]
    fn a_plugin_of_the_users_needs_no_lock_and_gets_nothing() {
        let user = UserSettings::default();
        let digest = |_: &Path| Ok(Digest::of(b"component"));
        let of =
            |eviction| DuneSettings { eviction, ..DuneSettings::default() }.eviction_plugin(&user, &digest);
        assert_eq!(of(None).unwrap(), None);
        let shipped = of(Some(DuneEviction::Shipped("evict-lru".into()))).unwrap().unwrap();
        assert_eq!(shipped.digest, shipped::find("evict-lru").unwrap().digest);
        let file = DuneEviction::File { path: "/p/mine.wasm".into(), configuration: "{}".into() };
        let own = of(Some(file)).unwrap().unwrap();
        assert_eq!((own.name.as_str(), own.capabilities), ("mine", Capabilities::NONE));
    }
}
