//! Which plugin for what: from a repository's and its user's settings to plugins that can be called.
//!
//! [`plugin`] gives what has a name; [`trusted`] gives it only if it may serve builds:
//!
//! | the plugin | [`trusted`] |
//! |---|---|
//! | in the host itself | it, and the lock file is not read |
//! | a file whose digest and role are those pinned, and that asks for nothing beyond its pin | it |
//! | any other file, a lock file that cannot be relied on, grants that cannot | a [`ChooseError`] with the command that repairs it |
//!
//! What a plugin file may do is what it asks for, as far as it was pinned with that, and as far as the user allows it to
//! all plugins or granted it to this one (law 10).

use super::lock::{LockError, Pin};
use super::rule::{Rule, usual_plugin};
use super::settings::{PluginSettings, Settings};
use super::trust::Trust;
use super::user::UserSettings;
use crate::digest::Digest;
use crate::policy::Role;
use crate::runtime::{Bytes, Capabilities, Limits, PluginSource};
use crate::shipped::{self, Shipped};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A plugin that cannot be called, or may not serve builds.
#[derive(Debug)]
#[non_exhaustive]
pub enum ChooseError {
    /// Nothing has this name.
    Unknown(String),
    /// Its file cannot be read.
    Unread {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The lock file does not name it.
    Unpinned(String),
    /// Its file is another one than was pinned.
    Differs {
        /// The plugin's name.
        plugin: String,
        /// The digest of its file.
        is: Digest,
        /// The digest that was pinned.
        pinned: Digest,
    },
    /// It was pinned for something else than it is used for.
    Role {
        /// The plugin's name.
        plugin: String,
        /// What it is used for.
        used: Role,
        /// What it was pinned for.
        pinned: Role,
    },
    /// It asks for more than it was pinned with.
    Asks {
        /// The plugin's name.
        plugin: String,
        /// What it asks for besides.
        more: Capabilities,
    },
    /// The lock file cannot be relied on.
    Lock {
        /// The plugin's name.
        plugin: String,
        /// Why not.
        source: Arc<LockError>,
    },
    /// The user's grants cannot be relied on.
    Grants {
        /// The plugin's name.
        plugin: String,
        /// Why not.
        source: Arc<LockError>,
    },
}

impl fmt::Display for ChooseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let again = |plugin: &str| format!("look at it, then run `reviver plugin pin {}`", word(plugin));
        match self {
            Self::Unknown(name) => write!(f, "there is no plugin `{name}`"),
            Self::Unread { plugin, path, source } => {
                write!(f, "cannot read plugin `{plugin}` at {}: {source}", path.display())?;
                if source.kind() == io::ErrorKind::NotFound {
                    let path = word(&path.display().to_string());
                    write!(f, "; build it with `reviver plugin build DIR -o {path}`")?;
                }
                Ok(())
            }
            Self::Unpinned(plugin) => write!(f, "plugin `{plugin}` is not pinned; {}", again(plugin)),
            Self::Differs { plugin, is, pinned } => {
                let (is, pinned) = (is.short(), pinned.short());
                write!(f, "plugin `{plugin}` is {is}, and {pinned} was pinned; {}", again(plugin))
            }
            Self::Role { plugin, used, pinned } => write!(
                f,
                "plugin `{plugin}` was pinned for the role {pinned} and is used for {used}; {}",
                again(plugin)
            ),
            Self::Asks { plugin, more } => {
                write!(
                    f,
                    "plugin `{plugin}` asks for {more}, which it was not pinned with; {}",
                    again(plugin)
                )
            }
            Self::Lock { plugin, source } => write!(
                f,
                "plugin `{plugin}` cannot be trusted: {source}; `reviver plugin pin` writes the lock file anew"
            ),
            Self::Grants { plugin, source } => write!(
                f,
                "plugin `{plugin}` cannot be granted anything: {source}; remove the file, then run `reviver plugin pin \
                 {} --grant`",
                word(plugin)
            ),
        }
    }
}

impl std::error::Error for ChooseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unread { source, .. } => Some(source),
            Self::Lock { source, .. } | Self::Grants { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// A text as a shell takes it for one word.
#[must_use]
pub fn word(text: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "-_./+,:@%".contains(c);
    if !text.is_empty() && !text.starts_with('-') && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A plugin that may serve builds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Trusted {
    /// The plugin.
    pub source: PluginSource,
    /// What it asks for and does not get on this machine.
    pub withheld: Capabilities,
}

/// The rule for a command, and the name of the key plugin for it.
#[must_use]
pub fn key_plugin<'a>(settings: &'a Settings, argv: &[String]) -> (Option<&'a Rule>, &'a str) {
    let rule = settings.rules.iter().find(|rule| rule.matches(argv));
    let usual = || usual_plugin(argv.first().map_or("", String::as_str));
    (rule, rule.map_or_else(usual, |rule| rule.plugin.as_str()))
}

/// The plugin with a name, pinned or not, with what the user allows to all plugins of repositories. `digest` tells the digest
/// of a file's content, remembered where it can be.
pub fn plugin(
    name: &str,
    settings: &Settings,
    user: &UserSettings,
    digest: &dyn Fn(&Path) -> io::Result<Digest>,
) -> Result<PluginSource, ChooseError> {
    match settings.plugins.get(name) {
        Some(PluginSettings { path: Some(path), configuration, capabilities, limits, .. }) => {
            let unread = |source| ChooseError::Unread { plugin: name.to_owned(), path: path.clone(), source };
            Ok(PluginSource {
                name: name.to_owned(),
                bytes: Bytes::File(path.clone()),
                digest: digest(path).map_err(unread)?,
                configuration: configuration.clone(),
                limits: user.limits.tightened(limits),
                capabilities: capabilities.and(user.capabilities),
            })
        }
        Some(PluginSettings { shipped, configuration, limits, .. }) => {
            let shipped = shipped.as_deref().and_then(shipped::find);
            let shipped = shipped.ok_or_else(|| ChooseError::Unknown(name.to_owned()))?;
            let limits = user.limits.tightened(limits);
            Ok(PluginSource { configuration: configuration.clone(), ..source(name, shipped, limits) })
        }
        None => {
            let shipped = shipped::find(name).ok_or_else(|| ChooseError::Unknown(name.to_owned()))?;
            let source = source(name, shipped, user.limits);
            let configuration =
                user.configurations.get(name).cloned().unwrap_or_else(|| source.configuration.clone());
            Ok(PluginSource { configuration, ..source })
        }
    }
}

/// The plugin with a name, for builds: see the [module](self).
pub fn trusted(
    name: &str,
    role: Role,
    settings: &Settings,
    user: &UserSettings,
    trust: &Trust,
    digest: &dyn Fn(&Path) -> io::Result<Digest>,
) -> Result<Trusted, ChooseError> {
    let source = plugin(name, settings, user, digest)?;
    if matches!(source.bytes, Bytes::Embedded(_)) {
        return Ok(Trusted { source, withheld: Capabilities::NONE });
    }
    let asked = settings.plugins.get(name).map_or(Capabilities::NONE, |plugin| plugin.capabilities);
    let plugin = || name.to_owned();
    let lock = trust.lock().map_err(|source| ChooseError::Lock { plugin: plugin(), source })?;
    let pin = lock.pins.get(name).ok_or_else(|| ChooseError::Unpinned(plugin()))?;
    agrees(name, &source, role, asked, pin)?;
    let mut allowed = user.capabilities;
    if !asked.without(allowed).is_empty() {
        let granted = trust.granted(source.digest);
        allowed = allowed.or(granted.map_err(|source| ChooseError::Grants { plugin: plugin(), source })?);
    }
    // In this order whatever was checked before: nothing is given that was not asked for, pinned and allowed.
    let capabilities = asked.and(pin.capabilities).and(allowed);
    Ok(Trusted { source: PluginSource { capabilities, ..source }, withheld: asked.without(capabilities) })
}

/// Whether a plugin file is what its pin says.
pub fn agrees(
    name: &str,
    source: &PluginSource,
    role: Role,
    asked: Capabilities,
    pin: &Pin,
) -> Result<(), ChooseError> {
    let plugin = name.to_owned();
    let more = asked.without(pin.capabilities);
    if source.digest != pin.digest {
        Err(ChooseError::Differs { plugin, is: source.digest, pinned: pin.digest })
    } else if role != pin.role {
        Err(ChooseError::Role { plugin, used: role, pinned: pin.role })
    } else if !more.is_empty() {
        Err(ChooseError::Asks { plugin, more })
    } else {
        Ok(())
    }
}

fn source(name: &str, shipped: &Shipped, limits: Limits) -> PluginSource {
    PluginSource {
        name: name.to_owned(),
        bytes: Bytes::Embedded(shipped.bytes),
        digest: shipped.digest,
        configuration: "{}".to_owned(),
        limits,
        capabilities: Capabilities::ALL,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::grants::{Grant, Grants};
    use crate::repository::lock::{LOCK, Lock};
    use crate::runtime::Capability;
    use crate::store::PartitionId;
    use std::time::Duration;

    const NOBODY: u32 = u32::MAX - 1;

    fn settings(text: &str) -> Settings {
        Settings::parse(Path::new("/r/reviver.toml"), text).unwrap()
    }

    fn set(names: &[Capability]) -> Capabilities {
        names.iter().copied().collect()
    }

    /// Every combination of what a plugin asks for, was pinned with, is allowed to all and was granted: nothing of
    /// another's is ever given.
    #[test]
    fn a_plugin_may_do_what_it_asks_for_and_was_pinned_with_and_its_user_allows() {
        let directory = tempfile::tempdir().unwrap();
        let (lock, grants) = (directory.path().join(LOCK), directory.path().join("grants.toml"));
        let partition = PartitionId::new([7; 16]);
        let uid = rustix::process::geteuid().as_raw();
        let digest = Digest::of(b"component");
        let some = |bits: u8| {
            Capability::ALL.into_iter().filter(|c| bits >> (*c as u8) & 1 == 1).collect::<Capabilities>()
        };
        for (asked, pinned) in (0..64_u8).map(|bits| (some(bits & 7), some(bits >> 3))) {
            let pin = Pin {
                role: Role::Key,
                digest,
                size: 1,
                abi: "0.1.0".into(),
                imports: vec![],
                capabilities: pinned,
            };
            Lock { pins: [("p".to_owned(), pin)].into() }.save(&lock).unwrap();
            let names: Vec<_> = asked.iter().map(|capability| format!("'{capability}'")).collect();
            let settings =
                settings(&format!("[plugin.p]\npath = 'p.wasm'\ncapabilities = [{}]\n", names.join(",")));
            for (allowed, granted) in (0..64_u8).map(|bits| (some(bits & 7), some(bits >> 3))) {
                std::fs::remove_file(&grants).ok();
                let grant = Grant { plugin: "p".into(), root: "/r".into(), capabilities: granted };
                Grants::add(&grants, uid, (partition, digest), grant).unwrap();
                let user = UserSettings { capabilities: allowed, ..UserSettings::default() };
                let trust = Trust::new(directory.path(), partition, Some(grants.clone()), uid);
                match trusted("p", Role::Key, &settings, &user, &trust, &|_| Ok(digest)) {
                    Ok(Trusted { source, withheld }) => {
                        assert!(asked.without(pinned).is_empty());
                        assert_eq!(source.capabilities, asked.and(pinned).and(allowed.or(granted)));
                        assert_eq!(source.capabilities.or(withheld), asked);
                    }
                    Err(ChooseError::Asks { more, .. }) => assert_eq!(more, asked.without(pinned)),
                    Err(other) => panic!("{other}"),
                }
            }
        }
    }

    #[test]
    fn a_plugin_file_is_not_used_before_it_is_pinned_as_it_is() {
        let directory = tempfile::tempdir().unwrap();
        let uid = rustix::process::geteuid().as_raw();
        let settings = settings("[plugin.p]\npath = 'p.wasm'\ncapabilities = ['read']\n");
        let user = UserSettings::default();
        let choose = |role, bytes: &[u8]| {
            let trust = Trust::new(directory.path(), PartitionId::new([0; 16]), None, uid);
            let digest = Digest::of(bytes);
            trusted("p", role, &settings, &user, &trust, &|_| Ok(digest)).map_err(|error| error.to_string())
        };
        let fix = "run `reviver plugin pin p`";
        let error = choose(Role::Key, b"this").unwrap_err();
        assert!(error.contains("`p` is not pinned") && error.ends_with(fix), "{error}");
        let read = set(&[Capability::Read]);
        let pin = |capabilities| Pin {
            role: Role::Key,
            digest: Digest::of(b"this"),
            size: 4,
            abi: "0.1.0".into(),
            imports: vec![],
            capabilities,
        };
        let save = |capabilities| {
            Lock { pins: [("p".to_owned(), pin(capabilities))].into() }
                .save(&directory.path().join(LOCK))
                .unwrap();
        };
        save(read);
        assert_eq!(choose(Role::Key, b"this").unwrap().source.capabilities, read);
        let error = choose(Role::Key, b"that").unwrap_err();
        let (is, pinned) = (Digest::of(b"that").short(), Digest::of(b"this").short());
        assert!(error.contains(&is) && error.contains(&pinned) && error.ends_with(fix), "{error}");
        let error = choose(Role::Eviction, b"this").unwrap_err();
        assert!(error.contains("role key and is used for eviction") && error.ends_with(fix), "{error}");
        save(Capabilities::NONE);
        let error = choose(Role::Key, b"this").unwrap_err();
        assert!(error.contains("asks for `read`") && error.ends_with(fix), "{error}");
        std::fs::write(directory.path().join(LOCK), "version = 1\nplugin = 1\n").unwrap();
        let error = choose(Role::Key, b"this").unwrap_err();
        assert!(error.contains("reviver.lock:2:10: ") && error.contains("`reviver plugin pin`"), "{error}");
    }

    #[test]
    fn a_plugin_in_the_host_needs_no_lock_file() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join(LOCK), "broken").unwrap();
        let trust = Trust::new(directory.path(), PartitionId::new([0; 16]), None, NOBODY);
        let user = UserSettings::default();
        for (text, name) in [("", "key-cc"), ("[plugin.p]\nshipped = 'key-cc'", "p")] {
            let chosen = trusted(name, Role::Key, &settings(text), &user, &trust, &|_| {
                Err(io::ErrorKind::Other.into())
            });
            assert_eq!(chosen.unwrap().source.capabilities, Capabilities::ALL);
        }
        assert!(trust.lock().is_err());
    }

    /// What a repository says of limits is at most what its user says, whatever it says.
    #[test]
    fn a_repository_only_tightens_limits() {
        let user = UserSettings {
            limits: Limits {
                memory: 1000,
                fuel: 1000,
                output: 1000,
                time: Duration::from_secs(1),
                ..Limits::default()
            },
            ..UserSettings::default()
        };
        for plugin_settings in ["path = 'p.wasm'", "shipped = 'key-cc'"] {
            for (key, more, less) in [
                ("memory", "'1 TB'", "'10 B'"),
                ("fuel", "9000000000000000000", "10"),
                ("output", "'1 TB'", "'10 B'"),
                ("time", "9000000000", "10"),
            ] {
                let limits = |value: &str| {
                    let text = format!("[plugin.p]\n{plugin_settings}\nlimits = {{ {key} = {value} }}\n");
                    plugin("p", &settings(&text), &user, &|_| Ok(Digest::of(b""))).unwrap().limits
                };
                let numbers = |l: Limits| [l.memory, l.fuel, l.output, l.time.as_millis() as u64];
                assert_eq!(limits(more), user.limits, "{key}");
                let lower = numbers(limits(less));
                assert_eq!(lower.iter().filter(|number| **number == 10).count(), 1, "{key}: {lower:?}");
                assert_eq!(lower.iter().filter(|number| **number == 1000).count(), 3, "{key}: {lower:?}");
            }
        }
    }

    #[test]
    fn a_name_that_a_shell_would_take_apart_is_quoted() {
        assert_eq!((word("words-2"), word("a b")), ("words-2".to_owned(), "'a b'".to_owned()));
        assert_eq!((word("it's"), word("")), ("'it'\\''s'".to_owned(), "''".to_owned()));
    }
}
