//! The plugin that an author's command is about: one of `reviver.toml`, a shipped one, or a component's file.
//!
//! It need not be pinned: authors try what they just built. A file that `reviver.toml` names has the configuration, the
//! limits and the capabilities that it is given there; any other has none, the user's, and all.

use crate::cli::context::{Context, faulty};
use crate::digest::Digest;
use crate::operation::Operation;
use crate::policy::{Fault, FaultKind, Role};
use crate::repository::choose::{ChooseError, key_plugin};
use crate::repository::settings::PluginSettings;
use crate::runtime::{Bytes, Capabilities, Inspection, PluginSource, inspect};
use std::fs;
use std::path::Path;

/// A plugin with its component.
pub(super) struct Subject {
    pub(super) source: PluginSource,
    pub(super) component: Vec<u8>,
    /// What the component says of itself, or why it is no plugin.
    pub(super) inspection: Result<Inspection, FaultKind>,
    /// Its name in `reviver.toml`, or that of a shipped plugin; nothing for a file that is not named there.
    pub(super) name: Option<String>,
}

impl Subject {
    /// The plugin that a word on the command line names. A name comes before a file.
    pub(super) fn find(context: &Context, word: &str) -> Result<Self, ChooseError> {
        let settings = &context.place.settings;
        if let Some(plugin) = settings.plugins.get(word).filter(|plugin| plugin.path.is_some()) {
            return Self::configured(context, word, plugin);
        }
        match context.plugin(word) {
            Err(ChooseError::Unknown(_)) if Path::new(word).is_file() => {
                let file = context.place.directory.join(word);
                let is = |path: &Path| {
                    fs::canonicalize(path)
                        .is_ok_and(|path| fs::canonicalize(&file).is_ok_and(|file| file == path))
                };
                let known =
                    settings.plugins.iter().find(|(_, plugin)| plugin.path.as_deref().is_some_and(is));
                match known {
                    Some((name, plugin)) => Self::configured(context, name, plugin),
                    None => Self::of_file(context, word, &file),
                }
            }
            Err(error) => Err(error),
            Ok(source) => {
                let Bytes::Embedded(bytes) = source.bytes else {
                    return Err(ChooseError::Unknown(word.to_owned()));
                };
                Ok(Self {
                    inspection: inspect(bytes),
                    component: bytes.to_vec(),
                    name: Some(word.to_owned()),
                    source,
                })
            }
        }
    }

    /// What the component says of itself, where it is a plugin.
    pub(super) fn inspected(&self) -> anyhow::Result<&Inspection> {
        let fault = |kind: &FaultKind| {
            let (plugin, digest, kind) = (self.source.name.clone(), self.source.digest, kind.clone());
            faulty(Fault { plugin, digest, role: Role::Key, function: "", kind })
        };
        self.inspection.as_ref().map_err(fault)
    }

    /// The role, where the component tells one.
    pub(super) fn role(&self) -> Option<Role> {
        self.inspection.as_ref().ok().map(|inspection| inspection.role)
    }

    /// Takes the configuration, limits and capabilities of another version of the same plugin.
    pub(super) fn configured_like(&mut self, other: &PluginSource) {
        self.source.configuration.clone_from(&other.configuration);
        (self.source.limits, self.source.capabilities) = (other.limits, other.capabilities);
    }

    /// Whether this repository asks this plugin about such an operation.
    pub(super) fn is_for(&self, context: &Context, operation: &Operation) -> bool {
        let (_, name) = key_plugin(&context.place.settings, &operation.argv);
        self.name.as_deref() == Some(name)
    }

    fn configured(context: &Context, name: &str, plugin: &PluginSettings) -> Result<Self, ChooseError> {
        let path = plugin.path.as_deref().unwrap_or(Path::new(""));
        let subject = Self::of_file(context, name, path)?;
        let source = PluginSource {
            configuration: plugin.configuration.clone(),
            limits: context.place.user.limits.tightened(&plugin.limits),
            capabilities: plugin.capabilities,
            ..subject.source
        };
        Ok(Self { source, name: Some(name.to_owned()), ..subject })
    }

    fn of_file(context: &Context, name: &str, path: &Path) -> Result<Self, ChooseError> {
        let unread = |source| ChooseError::Unread { plugin: name.to_owned(), path: path.to_owned(), source };
        let component = fs::read(path).map_err(unread)?;
        let source = PluginSource {
            name: name.to_owned(),
            bytes: Bytes::File(path.to_owned()),
            digest: Digest::of(&component),
            configuration: "{}".to_owned(),
            limits: context.place.user.limits,
            capabilities: Capabilities::ALL,
        };
        Ok(Self { inspection: inspect(&component), source, component, name: None })
    }
}
