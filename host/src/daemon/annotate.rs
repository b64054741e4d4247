//! What a repository's metadata plugin says of a promotion, for the metadata of the rule.
//!
//! | around the build root | promotions |
//! |---|---|
//! | there is no `reviver.toml`, or it names no metadata plugin | are kept as they are |
//! | it names one that may serve builds | get its [annotation] |
//! | it cannot be read, or the plugin may not be used | are kept as they are, and the log says why, once for each client |
//!
//! Plugins are loaded once for all clients. One that keeps being at fault is not asked for a while, as in runs.

use super::codecs::Lent;
use super::shared::Shared;
use crate::digest::Digest;
use crate::dune::annotate::{Annotate, AnnotateError, Provenance, annotation};
use crate::policy::{Codec as _, Role};
use crate::protocol::Sexp;
use crate::repository::choose;
use crate::repository::root;
use crate::repository::settings::Settings;
use crate::repository::trust::Trust;
use crate::reviver::breaker::Guarded;
use crate::store::Partition;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// Annotates the promotions of one client.
pub(super) struct Annotator {
    shared: Arc<Shared>,
    client: u64,
    /// The last build root, and what is around it.
    around: Option<(PathBuf, Option<Plugin>)>,
}

struct Plugin {
    partition: Partition,
    codec: Lent,
}

impl Annotator {
    pub(super) fn new(shared: &Arc<Shared>, client: u64) -> Self {
        Self { shared: Arc::clone(shared), client, around: None }
    }

    /// The plugin for what is built there.
    fn find(&self, build_root: &Path) -> Option<Plugin> {
        let given = &self.shared.given;
        let user = rustix::process::geteuid().as_raw();
        let note = |why: &dyn std::fmt::Display| {
            self.shared.log(format_args!("client {}: no metadata of a plugin: {why}", self.client));
        };
        let directory = fs::canonicalize(build_root.parent()?).ok()?;
        let root = root::find(&directory, user);
        let settings = match Settings::load(root.settings.as_deref()?) {
            Ok(settings) => settings,
            Err(error) => {
                note(&error);
                return None;
            }
        };
        if !settings.is_metadata_named {
            return None;
        }
        let id = root.partition(&given.user.joined);
        let trust = Trust::new(&root.path, id, given.grants.clone(), user);
        let chosen =
            choose::trusted(&settings.metadata, Role::Metadata, &settings, &given.user, &trust, &digest);
        match chosen {
            Ok(chosen) => {
                let codec = self.shared.codecs.get(chosen.source, &given.runtime);
                Some(Plugin { partition: given.store.partition(id), codec })
            }
            Err(error) => {
                note(&error);
                None
            }
        }
    }
}

impl Annotate for Annotator {
    fn annotate(&mut self, of: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError> {
        if self.around.as_ref().is_none_or(|(root, _)| root != of.build_root) {
            self.around = Some((of.build_root.to_owned(), self.find(of.build_root)));
        }
        let Some((_, Some(plugin))) = &self.around else { return Ok(None) };
        let given = &self.shared.given;
        let codec = Guarded::new(plugin.codec.clone(), &given.store, &plugin.partition, Rc::new(given.now));
        // That it is switched off was told when it was at fault.
        if codec.ready().is_err() {
            return Ok(None);
        }
        annotation(&codec, of).map(Some)
    }
}

/// The digest of a plugin's file.
pub(super) fn digest(path: &Path) -> io::Result<Digest> {
    // A pipe of that name must not be waited for.
    let nonblocking = rustix::fs::OFlags::NONBLOCK.bits().cast_signed();
    let file = File::options().read(true).custom_flags(nonblocking).open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is not a file"));
    }
    Digest::of_reader(file).map(|(digest, _)| digest)
}
