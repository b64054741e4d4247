//! Pinning: from a plugin file to what the lock file says of it.
//!
//! | the file | [`pin`] |
//! |---|---|
//! | a component that can be loaded for what the repository uses it for | its pin |
//! | unreadable, or changing while it is looked at | [`PinError::Unread`] |
//! | a plugin of another role than it is used for, or used for several | [`PinError::Role`] |
//! | no component, one that imports what no plugin may, one that does not compile | [`PinError::Fault`] |

use super::lock::Pin;
use super::settings::Settings;
use crate::policy::{Fault, FaultKind, Role};
use crate::runtime::{Bytes, Capabilities, PluginSource, Runtime, WasmCodec, WasmEviction, WasmKey, inspect};
use std::collections::BTreeSet;
use std::fmt;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::PathBuf;
use std::sync::Arc;

/// A plugin that is not pinned.
#[derive(Debug)]
#[non_exhaustive]
pub enum PinError {
    /// Its file cannot be read.
    Unread {
        /// The plugin's name.
        plugin: String,
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It is for something else than it is used for.
    Role {
        /// The plugin's name.
        plugin: String,
        /// What it is for.
        is: Role,
        /// What the repository uses it for.
        used: Role,
    },
    /// It cannot be loaded.
    Fault(Box<Fault>),
}

impl fmt::Display for PinError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unread { plugin, path, source } => {
                write!(f, "cannot read plugin `{plugin}` at {}: {source}", path.display())
            }
            Self::Role { plugin, is, used } => {
                write!(f, "`{plugin}` is a plugin of the role {is}, and reviver.toml uses it for {used}")
            }
            Self::Fault(fault) => fault.fmt(f),
        }
    }
}

impl std::error::Error for PinError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unread { source, .. } => Some(source),
            Self::Role { .. } => None,
            Self::Fault(fault) => Some(fault),
        }
    }
}

/// What a repository uses a plugin for.
#[must_use]
pub fn uses(settings: &Settings, name: &str) -> BTreeSet<Role> {
    let key = settings.rules.iter().any(|rule| rule.plugin == name).then_some(Role::Key);
    let metadata = (settings.metadata == name).then_some(Role::Metadata);
    let eviction = (settings.eviction == name).then_some(Role::Eviction);
    [key, metadata, eviction].into_iter().flatten().collect()
}

/// The pin of a plugin file, which asks for these capabilities and is loaded to see that it can be. `None` where the plugin is
/// in the host itself and needs none.
pub fn pin(
    source: &PluginSource,
    asked: Capabilities,
    used: &BTreeSet<Role>,
    runtime: &Arc<Runtime>,
) -> Result<Option<Pin>, PinError> {
    let Bytes::File(path) = &source.bytes else { return Ok(None) };
    let unread = |error| PinError::Unread { plugin: source.name.clone(), path: path.clone(), source: error };
    let mut bytes = Vec::new();
    let limit = source.limits.component.saturating_add(1);
    File::open(path).and_then(|file| file.take(limit).read_to_end(&mut bytes)).map_err(unread)?;
    let wanted = used.first().copied();
    let fault = |kind| {
        let (plugin, digest, role) = (source.name.clone(), source.digest, wanted.unwrap_or(Role::Key));
        PinError::Fault(Box::new(Fault { plugin, digest, role, function: "", kind }))
    };
    if bytes.len() as u64 > source.limits.component {
        let limit = source.limits.component;
        return Err(fault(FaultKind::Load(format!("the component is larger than {limit} bytes"))));
    }
    let inspection = inspect(&bytes).map_err(fault)?;
    if inspection.digest != source.digest {
        return Err(unread(io::Error::other("it changed while it was read")));
    }
    let (is, plugin) = (inspection.role, source.name.clone());
    if let Some(&used) = used.iter().find(|used| **used != is) {
        return Err(PinError::Role { plugin, is, used });
    }
    load(source.clone(), is, runtime).map_err(PinError::Fault)?;
    Ok(Some(Pin {
        role: is,
        digest: inspection.digest,
        size: inspection.size,
        abi: inspection.abi,
        imports: inspection.imports,
        capabilities: asked,
    }))
}

/// Loads a plugin; nothing of it runs. What it is compiled to is kept for the first that asks in earnest.
fn load(source: PluginSource, role: Role, runtime: &Arc<Runtime>) -> Result<(), Box<Fault>> {
    let runtime = Arc::clone(runtime);
    match role {
        Role::Key => WasmKey::new(runtime, source).load(),
        Role::Metadata => WasmCodec::new(runtime, source).load(),
        Role::Eviction => WasmEviction::new(runtime, source).load(),
    }
}
