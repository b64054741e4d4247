//! A repository with its part of the cache: what every command works on, and every connection of the daemon.
//!
//! Nothing in here looks around by itself: the working directory, the user, the cache and the clock are told.
//!
//! | step | gives | error |
//! |---|---|---|
//! | [`Place::around`] | root and settings | a setting that is wrong |
//! | [`Opened::new`] | the partition, the table of hashes, the runtime of plugins | the cache's place is taken |
//! | [`Opened::trusted`] | a plugin that may serve builds | it may not, or is not there |

use super::choose::{self, ChooseError, Trusted};
use super::document::SettingError;
use super::root::{self, Root};
use super::settings::Settings;
use super::trust::Trust;
use super::user::UserSettings;
use crate::digest::Digest;
use crate::identity::Identity;
use crate::policy::Role;
use crate::reviver::files::Files;
use crate::reviver::table::Table;
use crate::runtime::{PluginSource, Runtime};
use crate::store::{Options, Partition, PartitionId, Store, StoreError};
use crate::time::Timestamp;
use rustix::io::Errno;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;

/// A directory's repository, and what its user and it say.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory that is worked in, without symbolic links.
    pub directory: PathBuf,
    /// The repository.
    pub root: Root,
    /// What it says.
    pub settings: Settings,
    /// What its user says.
    pub user: UserSettings,
}

/// Who asks, and where that user's grants are.
#[derive(Clone, Debug)]
pub struct Asker {
    /// The user.
    pub uid: u32,
    /// The file of what this user granted, where there is a place for it.
    pub grants: Option<PathBuf>,
}

/// A repository with its part of the cache.
#[derive(Debug)]
pub struct Opened {
    /// Where it is, and what is said of it.
    pub place: Place,
    /// The cache.
    pub store: Store,
    /// The repository's partition.
    pub partition: Partition,
    /// The known digests of files.
    pub table: Rc<Table>,
    /// What runs its plugins.
    pub runtime: Arc<Runtime>,
    /// The trust in its plugin files.
    pub trust: Arc<Trust>,
    /// Where the time comes from.
    pub clock: fn() -> Timestamp,
}

impl Place {
    /// The repository around `around`, while `directory` is worked in, which need not lie in it. Both are without symbolic
    /// links.
    pub fn around(
        directory: PathBuf,
        around: &Path,
        user: UserSettings,
        uid: u32,
    ) -> Result<Self, SettingError> {
        let root = root::find(around, uid);
        let settings = root.settings.as_deref().map_or_else(|| Ok(Settings::default()), Settings::load)?;
        Ok(Self { directory, root, settings, user })
    }

    /// Which partition is the repository's.
    #[must_use]
    pub fn partition(&self) -> PartitionId {
        self.root.partition(&self.user.joined)
    }

    /// The directory relative to the root: upward first where it lies outside.
    #[must_use]
    pub fn relative(&self) -> PathBuf {
        relative(&self.root.path, &self.directory)
    }

    /// The trust in the repository's plugin files.
    #[must_use]
    pub fn trust(&self, asker: &Asker) -> Trust {
        Trust::new(&self.root.path, self.partition(), asker.grants.clone(), asker.uid)
    }
}

/// A directory relative to a root: upward first where it lies outside.
#[must_use]
pub fn relative(root: &Path, directory: &Path) -> PathBuf {
    if let Ok(inside) = directory.strip_prefix(root) {
        return inside.to_owned();
    }
    let normal = |path: &Path| path.components().filter(|part| matches!(part, Component::Normal(_))).count();
    let mut relative: PathBuf = std::iter::repeat_n("..", normal(root)).collect();
    relative.extend(directory.components().filter(|part| matches!(part, Component::Normal(_))));
    relative
}

impl Opened {
    /// A repository with a cache, which may be only read. Nothing is made on disk.
    pub fn new(
        place: Place,
        cache: &Path,
        asker: &Asker,
        read_only: bool,
        clock: fn() -> Timestamp,
    ) -> Result<Self, StoreError> {
        let options = Options { link: place.user.link, verify: place.user.verify, read_only };
        let store = Store::open(cache, options)?;
        let artifacts = store.layout().artifacts();
        let runtime =
            if read_only { Runtime::only_mapping(artifacts) } else { Runtime::new(Some(artifacts)) };
        let trust = Arc::new(place.trust(asker));
        Ok(Self::with(place, store, Arc::new(runtime), trust, clock))
    }

    /// A repository with a store that is open, a runtime that others use too, and the trust that they have.
    #[must_use]
    pub fn with(
        place: Place,
        store: Store,
        runtime: Arc<Runtime>,
        trust: Arc<Trust>,
        clock: fn() -> Timestamp,
    ) -> Self {
        let partition = store.partition(place.partition());
        let (hashes, read_only) = (store.layout().hashes(), store.options().read_only);
        let table = Rc::new(if read_only { Table::only_read(hashes) } else { Table::new(hashes) });
        Self { place, store, partition, table, runtime, trust, clock }
    }

    /// The plugin with a name, for its author and for those who look at it: pinned or not.
    pub fn plugin(&self, name: &str) -> Result<PluginSource, ChooseError> {
        choose::plugin(name, &self.place.settings, &self.place.user, &|path| self.digest(path))
    }

    /// The plugin with a name, for builds: only as it was pinned.
    pub fn trusted(&self, name: &str, role: Role) -> Result<Trusted, ChooseError> {
        let Place { settings, user, .. } = &self.place;
        choose::trusted(name, role, settings, user, &self.trust, &|path| self.digest(path))
    }

    /// Notes, once, which repository the partition is of.
    pub fn note_place(&self) {
        let path = self.store.layout().place(self.partition.id());
        if !path.exists()
            && let Some(root) = self.place.root.path.to_str()
        {
            // For people alone; `cache stats` does without it.
            self.store.publish(&path, root.as_bytes()).ok();
        }
    }

    /// The digest of a file, remembered where it can be.
    pub fn digest(&self, path: &Path) -> io::Result<Digest> {
        self.identified(path).map(|(_, digest)| digest)
    }

    /// The same, and which file it is of.
    pub fn identified(&self, path: &Path) -> io::Result<(Identity, Digest)> {
        let files = Files::new(Rc::clone(&self.table), Rc::new(self.clock));
        let absent = || io::Error::from(Errno::NOENT);
        let identity = files.identity(path)?.ok_or_else(absent)?;
        if !identity.is_file() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is not a file"));
        }
        files.content(path, &identity).map(|digest| (identity, digest))
    }
}
