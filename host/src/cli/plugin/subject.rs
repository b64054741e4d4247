//! The plugin that an author's command is about: one of `reviver.toml`, a shipped one, or a component's file.
//!
//! It need not be in use: authors try what they just built. A file that `reviver.toml` names has the configuration, the
//! limits and the capabilities that it is given there; any other has none, the user's, and all.

use crate::cli::context::{Context, faulty};
use crate::digest::Digest;
use crate::operation::Operation;
use crate::policy::{Fault, FaultKind, Role};
use crate::repository::choose::{ChooseError, key_plugin};
use crate::runtime::{Bytes, Capabilities, Inspection, PluginSource, inspect};
use anyhow::Context as _;
use std::fs;
use std::path::Path;

/// A plugin that a command is about.
pub(super) struct Subject {
    pub(super) source: PluginSource,
    pub(super) component: Vec<u8>,
    pub(super) inspection: Inspection,
    /// Its name in `reviver.toml`, or that of a shipped plugin; nothing for a file that is not named there.
    pub(super) name: Option<String>,
}

impl Subject {
    /// The plugin that a word on the command line names.
    pub(super) fn of(context: &Context, word: &str) -> anyhow::Result<Self> {
        let settings = &context.place.settings;
        let file = Path::new(word);
        let named = if file.is_file() {
            let file = fs::canonicalize(file).with_context(|| format!("cannot read {word}"))?;
            let is = |path: &Path| fs::canonicalize(path).is_ok_and(|path| path == file);
            let found = settings.plugins.iter().find(|(_, plugin)| plugin.path.as_deref().is_some_and(is));
            match found {
                Some((name, _)) => Some(name.clone()),
                None => return Self::bare(context, word, &file),
            }
        } else {
            Some(word.to_owned())
        };
        let name = named.unwrap_or_default();
        let configured = settings.plugins.get(&name).and_then(|plugin| Some((plugin, plugin.path.as_ref()?)));
        let Some((plugin, path)) = configured else {
            let source = context.plugin(&name)?;
            let Bytes::Embedded(bytes) = source.bytes else {
                return Err(ChooseError::Unknown(name).into());
            };
            return Self::with(source, bytes.to_vec(), Some(name));
        };
        let component = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let source = PluginSource {
            name: name.clone(),
            digest: Digest::of(&component),
            bytes: Bytes::File(path.clone()),
            configuration: plugin.configuration.clone(),
            limits: context.place.user.limits.tightened(&plugin.limits),
            capabilities: plugin.capabilities,
        };
        Self::with(source, component, Some(name))
    }

    fn bare(context: &Context, word: &str, file: &Path) -> anyhow::Result<Self> {
        let component = fs::read(file).with_context(|| format!("cannot read {word}"))?;
        let source = PluginSource {
            name: word.to_owned(),
            digest: Digest::of(&component),
            bytes: Bytes::File(file.to_owned()),
            configuration: "{}".to_owned(),
            limits: context.place.user.limits,
            capabilities: Capabilities::ALL,
        };
        Self::with(source, component, None)
    }

    fn with(source: PluginSource, component: Vec<u8>, name: Option<String>) -> anyhow::Result<Self> {
        let inspection = inspect(&component).map_err(|kind| fault(&source, kind))?;
        Ok(Self { source, component, inspection, name })
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
}

fn fault(source: &PluginSource, kind: FaultKind) -> anyhow::Error {
    let (plugin, digest) = (source.name.clone(), source.digest);
    faulty(Fault { plugin, digest, role: Role::Key, function: "", kind })
}
