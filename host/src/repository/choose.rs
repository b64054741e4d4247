//! Which plugin for what: from a repository's and its user's settings to plugins that can be called.

use super::rule::{Rule, usual_plugin};
use super::settings::{PluginSettings, Settings};
use super::user::UserSettings;
use crate::digest::Digest;
use crate::runtime::{Bytes, Capabilities, Limits, PluginSource};
use crate::shipped::{self, Shipped};
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// A plugin that cannot be called.
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
}

impl fmt::Display for ChooseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown(name) => write!(f, "there is no plugin `{name}`"),
            Self::Unread { plugin, path, source } => {
                write!(f, "cannot read plugin `{plugin}` at {}: {source}", path.display())
            }
        }
    }
}

impl std::error::Error for ChooseError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unknown(_) => None,
            Self::Unread { source, .. } => Some(source),
        }
    }
}

/// The rule for a command, and the name of the key plugin for it.
#[must_use]
pub fn key_plugin<'a>(settings: &'a Settings, argv: &[String]) -> (Option<&'a Rule>, &'a str) {
    let rule = settings.rules.iter().find(|rule| rule.matches(argv));
    let usual = || usual_plugin(argv.first().map_or("", String::as_str));
    (rule, rule.map_or_else(usual, |rule| rule.plugin.as_str()))
}

/// The plugin with a name. `digest` tells the digest of a file's content, remembered where it can be.
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
            Ok(source(name, shipped, user.limits))
        }
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
