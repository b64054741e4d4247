//! What a command works on: the repository around the working directory, the user's settings, the cache.

use super::Global;
use crate::digest::Digest;
use crate::policy::{Fault, Role};
use crate::repository::choose::{self, ChooseError, Trusted};
use crate::repository::document::SettingError;
use crate::repository::root::{self, Root};
use crate::repository::settings::Settings;
use crate::repository::trust::Trust;
use crate::repository::user::UserSettings;
use crate::reviver::files::Files;
use crate::reviver::table::Table;
use crate::runtime::{PluginSource, Runtime};
use crate::store::{Options, Partition, PartitionId, Store, StoreError};
use crate::time::Timestamp;
use anyhow::Context as _;
use std::io;
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::SystemTime;

/// The time now.
pub(super) fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// The working directory's repository, and what its user and it say.
pub(super) struct Place {
    pub(super) directory: PathBuf,
    pub(super) root: Root,
    pub(super) settings: Settings,
    pub(super) user: UserSettings,
}

impl Place {
    /// Reads the settings around the working directory.
    pub(super) fn here() -> anyhow::Result<Self> {
        Self::around(None)
    }

    /// Reads the settings around another directory, whose repository the working directory need not be in.
    pub(super) fn around(other: Option<&Path>) -> anyhow::Result<Self> {
        let directory = std::env::current_dir().context("cannot tell the working directory")?;
        let real = |other: &Path| {
            std::fs::canonicalize(other).with_context(|| format!("cannot look at {}", other.display()))
        };
        let around = other.map(real).transpose()?;
        let user = rustix::process::geteuid().as_raw();
        let root = root::find(around.as_deref().unwrap_or(&directory), user);
        let settings = root.settings.as_deref().map_or_else(|| Ok(Settings::default()), Settings::load)?;
        Ok(Self { directory, root, settings, user: user_settings()? })
    }

    /// The working directory relative to the root: upward first where it lies outside.
    pub(super) fn relative(&self) -> PathBuf {
        self.directory.strip_prefix(&self.root.path).map_or_else(|_| self.outside(), Path::to_owned)
    }

    /// The trust in the repository's plugin files.
    pub(super) fn trust(&self, partition: PartitionId) -> Trust {
        let grants = xdg("XDG_STATE_HOME", ".local/state").map(|state| state.join("reviver/grants.toml"));
        Trust::new(&self.root.path, partition, grants, rustix::process::geteuid().as_raw())
    }

    fn outside(&self) -> PathBuf {
        let normal =
            |path: &Path| path.components().filter(|part| matches!(part, Component::Normal(_))).count();
        let mut relative: PathBuf = std::iter::repeat_n("..", normal(&self.root.path)).collect();
        relative.extend(self.directory.components().filter(|part| matches!(part, Component::Normal(_))));
        relative
    }
}

/// The user's settings, where they are.
pub(super) fn user_settings() -> Result<UserSettings, SettingError> {
    match xdg("XDG_CONFIG_HOME", ".config") {
        Some(directory) => UserSettings::load(&directory.join("reviver/config.toml")),
        None => Ok(UserSettings::default()),
    }
}

/// A directory of the XDG base directory specification; a relative one is none.
pub(super) fn xdg(variable: &str, below_home: &str) -> Option<PathBuf> {
    let given = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    let home = || std::env::var_os("HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    given.or_else(|| Some(home()?.join(below_home)))
}

/// A repository with its part of the cache.
pub(super) struct Context {
    pub(super) place: Place,
    pub(super) store: Store,
    pub(super) partition: Partition,
    pub(super) table: Rc<Table>,
    pub(super) runtime: Arc<Runtime>,
    pub(super) trust: Trust,
}

impl Context {
    /// The repository around the working directory, with the cache that the user chose.
    pub(super) fn here(global: &Global) -> anyhow::Result<Self> {
        let place = Place::here()?;
        Ok(Self::at(global, place)?)
    }

    /// A repository with the cache that the user chose. Nothing is made on disk.
    pub(super) fn at(global: &Global, place: Place) -> Result<Self, StoreError> {
        Self::of(global, place, false)
    }

    /// The same, with a cache that may be only read.
    pub(super) fn of(global: &Global, place: Place, read_only: bool) -> Result<Self, StoreError> {
        let options = Options { link: place.user.link, verify: place.user.verify, read_only };
        let store = Store::open(&Self::cache(global, &place), options)?;
        let id = place.root.partition(&place.user.joined);
        let partition = store.partition(id);
        let (hashes, artifacts) = (store.layout().hashes(), store.layout().artifacts());
        let table = Rc::new(if read_only { Table::only_read(hashes) } else { Table::new(hashes) });
        let runtime =
            if read_only { Runtime::only_mapping(artifacts) } else { Runtime::new(Some(artifacts)) };
        let runtime = Arc::new(runtime);
        let trust = place.trust(id);
        Ok(Self { place, store, partition, table, runtime, trust })
    }

    /// The cache directory that the user chose.
    pub(super) fn cache(global: &Global, place: &Place) -> PathBuf {
        let usual = || xdg("XDG_CACHE_HOME", ".cache").map(|cache| cache.join("reviver"));
        let cache = global.cache_dir().or_else(|| place.user.cache.clone()).or_else(usual);
        // Without a home there is no better place that is ours.
        place.directory.join(cache.unwrap_or_else(|| place.root.path.join(".reviver-cache")))
    }

    /// Whether there is a cache at all. Where there is none, that is said: the directory may be mistyped.
    pub(super) fn is_there(&self) -> bool {
        let root = self.store.layout().root();
        let there = root.is_dir();
        if !there {
            eprintln!("reviver: there is no cache in `{}` yet", root.parent().unwrap_or(root).display());
        }
        there
    }

    /// The plugin with a name, for its author and for those who look at it: pinned or not.
    pub(super) fn plugin(&self, name: &str) -> Result<PluginSource, ChooseError> {
        choose::plugin(name, &self.place.settings, &self.place.user, &|path| self.digest(path))
    }

    /// The plugin with a name, for builds: only as it was pinned.
    pub(super) fn trusted(&self, name: &str, role: Role) -> Result<Trusted, ChooseError> {
        let Place { settings, user, .. } = &self.place;
        choose::trusted(name, role, settings, user, &self.trust, &|path| self.digest(path))
    }

    /// The digest of a file, remembered where it can be.
    pub(super) fn digest(&self, path: &Path) -> io::Result<Digest> {
        let files = Files::new(Rc::clone(&self.table), Rc::new(now));
        let absent = || io::Error::from(io::ErrorKind::NotFound);
        let identity = files.identity(path)?.ok_or_else(absent)?;
        if !identity.is_file() {
            return Err(io::Error::new(io::ErrorKind::IsADirectory, "it is not a file"));
        }
        files.content(path, &identity)
    }
}

/// What a fault means for a command whose subject is the plugin.
pub(super) fn faulty(fault: Fault) -> anyhow::Error {
    anyhow::Error::new(fault)
}
