//! What a client named, and what each thread has of it.
//!
//! Settings are read once, when the repository is named, and its lock file when a plugin of its own is first needed: what they say
//! later is for later connections. That lock is read once for all threads of a connection.
//! What a thread works with holds files open and counts references without a lock, so each has its own.

use super::refusal::Refused;
use crate::daemon::shared::Shared;
use crate::protocol::own::Code;
use crate::protocol::own::reply::Named;
use crate::repository::opened::{Asker, Opened, Place};
use crate::repository::trust::Trust;
use crate::reviver::breaker::Guarded;
use crate::runtime::{PluginSource, Runtime, WasmCodec, WasmKey};
use crate::store::{Options, Store};
use crate::time::Timestamp;
use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// The key plugins that name what no rule is for.
const USUAL: [&str; 3] = ["key-cc", "key-rustc", "key-command"];

/// A repository that was named, for all threads of its connection.
#[derive(Debug)]
pub(super) struct Repository {
    place: Place,
    store: Store,
    runtime: Arc<Runtime>,
    trust: Arc<Trust>,
    clock: fn() -> Timestamp,
}

impl Repository {
    /// The repository around a directory.
    pub(super) fn around(path: &Path, shared: &Shared) -> Result<Self, Refused> {
        let given = &shared.given;
        let settings = |error: &dyn std::fmt::Display| Refused::because(Code::Settings, error);
        if !path.is_absolute() {
            return Err(settings(&format_args!("`{}` is not absolute", path.display())));
        }
        let unseen = |error| settings(&format_args!("cannot look at `{}`: {error}", path.display()));
        let directory = fs::canonicalize(path).map_err(unseen)?;
        if !directory.is_dir() {
            return Err(settings(&format_args!("`{}` is no directory", path.display())));
        }
        let asker = Asker { uid: rustix::process::geteuid().as_raw(), grants: given.grants.clone() };
        let place = Place::around(directory.clone(), &directory, given.user.clone(), asker.uid);
        let place = place.map_err(|error| settings(&error))?;
        let trust = Arc::new(place.trust(&asker));
        let read_only = given.store.options().read_only || place.user.read_only || place.settings.read_only;
        let clock = given.now;
        if !read_only {
            let (store, runtime) = (given.store.clone(), Arc::clone(&given.runtime));
            return Ok(Self { place, store, runtime, trust, clock });
        }
        let options = Options { read_only, ..given.store.options() };
        // The layout's root is the format's own directory below the one that the user names.
        let root = given.store.layout().root();
        let store = Store::open(root.parent().unwrap_or(root), options);
        let store = store.map_err(|error| Refused::because(Code::Store, error))?;
        let runtime = Arc::new(Runtime::only_mapping(store.layout().artifacts()));
        Ok(Self { place, store, runtime, trust, clock })
    }

    /// What the client is told of it.
    pub(super) fn named(&self) -> Named {
        let settings = &self.place.settings;
        let mut key_plugins: Vec<String> = Vec::new();
        let usual = USUAL.into_iter().map(str::to_owned);
        for name in settings.rules.iter().map(|rule| rule.plugin.clone()).chain(usual) {
            if !key_plugins.contains(&name) {
                key_plugins.push(name);
            }
        }
        Named {
            root: self.place.root.path.clone(),
            partition: self.place.partition().to_string(),
            key_plugins,
            metadata: settings.metadata.clone(),
            eviction: settings.eviction.clone(),
            read_only: self.store.options().read_only,
        }
    }

    /// What one thread has of it.
    pub(super) fn bench(&self) -> Bench {
        let (store, runtime) = (self.store.clone(), Arc::clone(&self.runtime));
        let opened = Opened::with(self.place.clone(), store, runtime, Arc::clone(&self.trust), self.clock);
        Bench { opened, keys: HashMap::new(), codec: None }
    }
}

/// What one thread of a connection works with.
#[derive(Debug)]
pub(super) struct Bench {
    pub(super) opened: Opened,
    keys: HashMap<String, (PluginSource, Guarded<WasmKey>)>,
    codec: Option<(PluginSource, Guarded<WasmCodec>)>,
}

impl Bench {
    /// A path that the client names: absolute, or seen from the root.
    pub(super) fn absolute(&self, path: &Path) -> PathBuf {
        self.opened.place.root.path.join(path)
    }

    /// The plugins behind these sources. They stay loaded as long as the sources stay the same.
    pub(super) fn policies(
        &mut self,
        key: &PluginSource,
        codec: PluginSource,
    ) -> (&Guarded<WasmKey>, &Guarded<WasmCodec>) {
        let Self { opened, keys, codec: codecs } = self;
        if keys.get(&key.name).is_none_or(|(source, _)| source != key) {
            let policy = guarded(opened, WasmKey::new(Arc::clone(&opened.runtime), key.clone()));
            keys.insert(key.name.clone(), (key.clone(), policy));
        }
        if codecs.as_ref().is_none_or(|(source, _)| *source != codec) {
            *codecs = None;
        }
        let codec = codecs.get_or_insert_with(|| {
            let policy = guarded(opened, WasmCodec::new(Arc::clone(&opened.runtime), codec.clone()));
            (codec, policy)
        });
        (&keys[&key.name].1, &codec.1)
    }
}

fn guarded<P>(opened: &Opened, policy: P) -> Guarded<P> {
    Guarded::new(policy, &opened.store, &opened.partition, Rc::new(opened.clock))
}
