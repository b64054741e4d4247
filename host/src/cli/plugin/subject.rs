//! The plugin that a tool for authors works on: one of the repository, a shipped one, or any component's file.
//!
//! Authors try what they have just built, so that nothing need be pinned here, and a plugin may do all that it asks for.
//! The limits are those of the user and the repository, as in a build.

use crate::cli::context::Context;
use crate::digest::Digest;
use crate::policy::{FaultKind, Role};
use crate::repository::choose::ChooseError;
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
}

impl Subject {
    /// The plugin with this name, or in this file. A name comes first.
    pub(super) fn find(context: &Context, plugin: &str) -> Result<Self, ChooseError> {
        let settings = context.place.settings.plugins.get(plugin);
        if let Some(PluginSettings { path: Some(path), configuration, capabilities, limits, .. }) = settings {
            let limits = context.place.user.limits.tightened(limits);
            let with = |source| PluginSource {
                configuration: configuration.clone(),
                capabilities: *capabilities,
                limits,
                ..source
            };
            return Self::of_file(context, plugin, path, with);
        }
        match context.plugin(plugin) {
            Err(ChooseError::Unknown(_)) if Path::new(plugin).is_file() => {
                Self::of_file(context, plugin, Path::new(plugin), |source| source)
            }
            Err(error) => Err(error),
            Ok(source) => match &source.bytes {
                Bytes::Embedded(bytes) => {
                    let component = bytes.to_vec();
                    Ok(Self { inspection: inspect(&component), component, source })
                }
                Bytes::File(path) => {
                    let path = path.clone();
                    Self::of_file(context, plugin, &path, |_| source)
                }
            },
        }
    }

    /// The role, where the component tells one.
    pub(super) fn role(&self) -> Option<Role> {
        self.inspection.as_ref().ok().map(|inspection| inspection.role)
    }

    fn of_file(
        context: &Context,
        name: &str,
        path: &Path,
        with: impl FnOnce(PluginSource) -> PluginSource,
    ) -> Result<Self, ChooseError> {
        let path = context.place.directory.join(path);
        let unread = |source| ChooseError::Unread { plugin: name.to_owned(), path: path.clone(), source };
        let component = fs::read(&path).map_err(unread)?;
        let source = PluginSource {
            name: name.to_owned(),
            bytes: Bytes::File(path.clone()),
            digest: Digest::of(&component),
            configuration: "{}".to_owned(),
            limits: context.place.user.limits,
            capabilities: Capabilities::ALL,
        };
        Ok(Self { inspection: inspect(&component), source: with(source), component })
    }
}
