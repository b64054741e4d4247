//! What a command works on: the repository around the working directory, the user's settings, the cache.

use super::Global;
use crate::policy::Fault;
use crate::repository::document::SettingError;
use crate::repository::opened::{Asker, Opened};
use crate::repository::user::UserSettings;
use crate::store::StoreError;
use crate::time::Timestamp;
use anyhow::Context as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

pub(super) use crate::repository::opened::{Opened as Context, Place};

/// The time now.
pub(super) fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// Who runs this command.
pub(super) fn asker() -> Asker {
    let grants = xdg("XDG_STATE_HOME", ".local/state").map(|state| state.join("reviver/grants.toml"));
    Asker { uid: rustix::process::geteuid().as_raw(), grants }
}

impl Place {
    /// Reads the settings around the working directory.
    pub(super) fn here() -> anyhow::Result<Self> {
        Self::about(None)
    }

    /// Reads the settings around another directory, whose repository the working directory need not be in.
    pub(super) fn about(other: Option<&Path>) -> anyhow::Result<Self> {
        let directory = std::env::current_dir().context("cannot tell the working directory")?;
        let real = |other: &Path| {
            std::fs::canonicalize(other).with_context(|| format!("cannot look at {}", other.display()))
        };
        let other = other.map(real).transpose()?;
        let around = other.unwrap_or_else(|| directory.clone());
        Ok(Self::around(directory, &around, user_settings()?, asker().uid)?)
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
    directory(variable).or_else(|| Some(directory("HOME")?.join(below_home)))
}

/// A directory that a variable names.
pub(super) fn directory(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute())
}

impl Opened {
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
        let cache = Self::cache(global, &place);
        Self::new(place, &cache, &asker(), read_only, now)
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
}

/// What a fault means for a command whose subject is the plugin.
pub(super) fn faulty(fault: Fault) -> anyhow::Error {
    anyhow::Error::new(fault)
}
