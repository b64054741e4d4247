//! `reviver.toml`: what a repository says.
//!
//! ```toml
//! metadata = "metadata-compact"    # a shipped plugin, or one of this file's
//! eviction = "evict-lru"
//! size = "2 GB"                    # this repository's share of the cache at most
//! read-only = true                 # runs leave the cache as it is
//! recheck = 0.05                   # the share of hits that run again, to be compared, where the user's is less
//!
//! [plugin.words]
//! path = "tools/words.wasm"        # relative to this file
//! capabilities = ["read"]          # what it asks for: read, query, arguments
//! limits = { fuel = 100000000 }    # memory, fuel, output, time in ms: only lower than the user's
//! [plugin.words.config]
//! comment = "#"
//!
//! [[rule]]
//! command = "generate.sh"          # a glob over the program's name, or over the whole word where it holds a slash
//! arguments = ["--mode=*"]         # globs that must each match an argument
//! plugin = "words"
//! reads = ["templates/*.txt"]      # as --in, from the repository's root
//! writes = ["gen/"]                # as --out, from the root
//! variables = ["GEN_MODE"]
//! stdin = "none"                   # auto, none, read
//! ```
//!
//! A repository may only tighten what its user allows.

use super::document::{Document, SettingError, Table, read};
use super::rule::Rule;
use super::size::ByteSize;
use crate::policy::Role;
use crate::reviver::input::InputRule;
use crate::reviver::recheck::Share;
use crate::runtime::{Capabilities, Capability, Limits};
use crate::shipped;
use glob::Pattern;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A plugin that a repository brings, or a shipped one with a configuration of its own.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PluginSettings {
    /// Where its component is; `None` for a shipped one.
    pub path: Option<PathBuf>,
    /// The shipped plugin that it is, where it has no path.
    pub shipped: Option<String>,
    /// Its configuration, a JSON object with sorted keys.
    pub configuration: String,
    /// What it asks for.
    pub capabilities: Capabilities,
    /// The most that one call of it may use.
    pub limits: Limits,
}

/// What a repository says.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Settings {
    /// The plugins it brings, by name.
    pub plugins: BTreeMap<String, PluginSettings>,
    /// Its rules, in order: the first that is for a command counts.
    pub rules: Vec<Rule>,
    /// The name of its metadata plugin.
    pub metadata: String,
    /// Whether it says that name itself.
    pub is_metadata_named: bool,
    /// The name of its eviction plugin.
    pub eviction: String,
    /// Its share of the cache.
    pub size: Option<ByteSize>,
    /// Whether runs leave the cache as it is.
    pub read_only: bool,
    /// The share of hits that run again, to be compared, at the least.
    pub recheck: Share,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            plugins: BTreeMap::new(),
            rules: Vec::new(),
            metadata: "metadata-compact".to_owned(),
            is_metadata_named: false,
            eviction: "evict-lru".to_owned(),
            size: None,
            read_only: false,
            recheck: Share::NONE,
        }
    }
}

impl Settings {
    /// Reads the settings in a file, which belong to the repository in its directory.
    pub fn load(path: &Path) -> Result<Self, SettingError> {
        read(path)?.map_or_else(|| Ok(Self::default()), |text| Self::parse(path, &text))
    }

    /// The settings in a text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingError> {
        let document = Document::new(path, text);
        let parsed = document.parse()?;
        let top = document.top(&parsed);
        top.allow(&["plugin", "rule", "metadata", "eviction", "size", "read-only", "recheck"])?;
        let directory = path.parent().unwrap_or(Path::new("/"));
        let mut settings = Self::default();
        if let Some(plugins) = top.table("plugin")? {
            for name in plugins.keys() {
                let table = plugins.table(name)?.expect("invariant: the key was just listed");
                settings.plugins.insert(name.to_owned(), plugin(name, table, directory)?);
            }
        }
        for (key, role, target) in [
            ("metadata", Role::Metadata, &mut settings.metadata),
            ("eviction", Role::Eviction, &mut settings.eviction),
        ] {
            if let Some(name) = top.text(key)? {
                top.one_of(key, &name, "plugin", &names(&settings.plugins, role))?;
                *target = name;
            }
        }
        settings.is_metadata_named = top.text("metadata")?.is_some();
        settings.size = size(&top, "size")?;
        settings.read_only = top.boolean("read-only")?.unwrap_or(settings.read_only);
        settings.recheck = share(&top, "recheck")?.unwrap_or(settings.recheck);
        let keys = names(&settings.plugins, Role::Key);
        settings.rules =
            top.tables("rule")?.into_iter().map(|table| rule(table, &keys)).collect::<Result<_, _>>()?;
        Ok(settings)
    }
}

/// A size in a table.
pub fn size(table: &Table<'_>, key: &str) -> Result<Option<ByteSize>, SettingError> {
    let Some(text) = table.text(key)? else { return Ok(None) };
    let wrong = || table.wrong(key, format!("`{text}` is no size; write it as `500 MB` or `2 GiB`"));
    ByteSize::parse(&text).map(Some).ok_or_else(wrong)
}

/// A share of the hits in a table.
pub fn share(table: &Table<'_>, key: &str) -> Result<Option<Share>, SettingError> {
    let wrong = || table.wrong(key, format!("`{key}` is a number from 0 to 1, such as 0.01"));
    let Some(json) = table.json(key).map_err(|_| wrong())? else { return Ok(None) };
    json.as_f64().and_then(Share::new).map(Some).ok_or_else(wrong)
}

/// The limits in a table, as far as they are there.
pub fn limits(table: &Table<'_>, mut limits: Limits) -> Result<Limits, SettingError> {
    table.allow(&["memory", "fuel", "output", "time"])?;
    if let Some(ByteSize(memory)) = size(table, "memory")? {
        limits.memory = memory;
    }
    if let Some(ByteSize(output)) = size(table, "output")? {
        limits.output = output;
    }
    if let Some(fuel) = table.number("fuel")? {
        limits.fuel = fuel;
    }
    if let Some(time) = table.number("time")? {
        limits.time = Duration::from_millis(time);
    }
    Ok(limits)
}

/// The capabilities in a list of their names.
pub fn capabilities(table: &Table<'_>, key: &str) -> Result<Capabilities, SettingError> {
    let mut all = Capabilities::NONE;
    for name in table.texts(key)? {
        table.one_of(key, &name, "capability", &Capability::ALL.map(Capability::name))?;
        all = Capability::from_name(&name).map_or(all, |capability| all.with(capability));
    }
    Ok(all)
}

/// The plugins that may have a role: all that a repository brings, whose roles are known when they are loaded, and the
/// shipped ones of that role.
fn names(plugins: &BTreeMap<String, PluginSettings>, role: Role) -> Vec<&str> {
    let shipped = shipped::all().iter().filter(|shipped| shipped.role == role).map(|shipped| shipped.name);
    plugins.keys().map(String::as_str).chain(shipped).collect()
}

fn plugin(name: &str, table: Table<'_>, directory: &Path) -> Result<PluginSettings, SettingError> {
    table.allow(&["path", "shipped", "config", "capabilities", "limits"])?;
    let path = table.text("path")?.map(|path| directory.join(path));
    let mut shipped = table.text("shipped")?;
    if let Some(shipped) = &shipped {
        table.one_of("shipped", shipped, "shipped plugin", shipped::names())?;
    }
    if path.is_some() == shipped.is_some() {
        if path.is_some() || shipped::find(name).is_none() {
            return Err(
                table.wrong("path", format!("plugin `{name}` has either a `path` or a `shipped` name"))
            );
        }
        shipped = Some(name.to_owned());
    }
    table.table("config")?;
    let configuration = table.json("config")?.map_or_else(|| "{}".to_owned(), |json| json.to_string());
    let limits =
        table.table("limits")?.map_or_else(|| Ok(Limits::default()), |t| limits(&t, Limits::default()))?;
    let asked = capabilities(&table, "capabilities")?;
    let capabilities = if shipped.is_some() { Capabilities::ALL } else { asked };
    Ok(PluginSettings { path, shipped, configuration, capabilities, limits })
}

fn rule(table: Table<'_>, plugins: &[&str]) -> Result<Rule, SettingError> {
    table.allow(&["command", "arguments", "plugin", "reads", "writes", "variables", "stdin"])?;
    let pattern = |key: &str, text: &str| {
        Pattern::new(text).map_err(|error| table.wrong(key, format!("`{text}` is no glob: {}", error.msg)))
    };
    let name = table.required("plugin")?;
    table.one_of("plugin", &name, "plugin", plugins)?;
    let input = match table.text("stdin")?.as_deref() {
        None | Some("auto") => InputRule::Auto,
        Some("none") => InputRule::None,
        Some("read") => InputRule::Read,
        Some(_) => return Err(table.wrong("stdin", "`stdin` is auto, none or read")),
    };
    Ok(Rule {
        command: pattern("command", &table.required("command")?)?,
        arguments: table
            .texts("arguments")?
            .iter()
            .map(|text| pattern("arguments", text))
            .collect::<Result<_, _>>()?,
        plugin: name,
        reads: table.texts("reads")?,
        writes: table.texts("writes")?,
        variables: table.texts("variables")?,
        input,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(text: &str) -> Result<Settings, String> {
        Settings::parse(Path::new("/repo/reviver.toml"), text).map_err(|error| error.to_string())
    }

    #[test]
    fn a_repository_names_plugins_and_rules() {
        let settings = parse(
            "size = '1 GB'\n[plugin.words]\npath = 'w.wasm'\ncapabilities = ['read']\n\
             limits = { fuel = 5, memory = '1 MiB' }\n[plugin.words.config]\nb = 1\na = 'x'\n\
             [[rule]]\ncommand = 'gen*'\nplugin = 'words'\nstdin = 'none'\n",
        )
        .unwrap();
        let words = &settings.plugins["words"];
        assert_eq!(words.path.as_deref(), Some(Path::new("/repo/w.wasm")));
        assert_eq!(words.configuration, r#"{"a":"x","b":1}"#);
        assert!(words.capabilities.has(Capability::Read) && !words.capabilities.has(Capability::Query));
        assert_eq!((words.limits.fuel, words.limits.memory), (5, 1 << 20));
        assert_eq!(settings.rules[0].input, InputRule::None);
        assert_eq!(settings.size, Some(ByteSize(1_000_000_000)));
    }

    #[test]
    fn a_wrong_setting_says_where_and_what_would_be_right() {
        for (text, message) in [
            (
                "evictoin = 'x'",
                "/repo/reviver.toml:1:1: there is no setting `evictoin`; did you mean `eviction`?",
            ),
            (
                "eviction = 'evict-lur'",
                "/repo/reviver.toml:1:12: there is no plugin `evict-lur`; did you mean `evict-lru`?",
            ),
            ("[plugin.p]\npath = 'a'\nshipped = 'key-cc'", "either a `path` or a `shipped` name"),
            (
                "[plugin.p]\npath = 'a'\ncapabilities = ['reed']",
                "3:16: there is no capability `reed`; did you mean `read`?",
            ),
            ("size = 'big'", "1:8: `big` is no size"),
            ("[[rule]]\ncommand = 'a'", "`plugin` is missing here"),
            (
                "[[rule]]\ncommand = 'a'\nplugin = 'key-comand'",
                "3:10: there is no plugin `key-comand`; did you mean `key-command`?",
            ),
            ("[[rule]]\ncommand = '['\nplugin = 'key-command'", "is no glob"),
            ("[rule]\ncommand = 'a'", "write [[rule]]"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(message), "{text}: {error}");
        }
    }

    #[test]
    fn nothing_is_a_repository_too() {
        assert_eq!(parse("").unwrap(), Settings::default());
    }
}
