//! What stands between a plugin file of a repository and its use: the lock file, and what the user granted.
//!
//! Both are read when they are first needed, and once: shipped plugins need neither, and a plugin that asks for no more than
//! `config.toml` allows to all needs no grants.

use super::grants::Grants;
use super::lock::{LOCK, Lock, LockError};
use crate::digest::Digest;
use crate::runtime::Capabilities;
use crate::store::PartitionId;
use std::path::{Path, PathBuf};
use std::sync::{Arc, OnceLock};

/// The trust in the plugin files of one repository.
#[derive(Debug)]
pub struct Trust {
    lock_path: PathBuf,
    grants_path: Option<PathBuf>,
    partition: PartitionId,
    user: u32,
    lock: OnceLock<Result<Lock, Arc<LockError>>>,
    grants: OnceLock<Result<Grants, Arc<LockError>>>,
}

impl Trust {
    /// The trust in what lies under a root. `grants` is the user's file, where he has a place for it; `user` is who asks.
    #[must_use]
    pub fn new(root: &Path, partition: PartitionId, grants: Option<PathBuf>, user: u32) -> Self {
        Self {
            lock_path: root.join(LOCK),
            grants_path: grants,
            partition,
            user,
            lock: OnceLock::new(),
            grants: OnceLock::new(),
        }
    }

    /// Where the lock file is, or would be.
    #[must_use]
    pub fn lock_path(&self) -> &Path {
        &self.lock_path
    }

    /// Where the user's grants are, or would be.
    #[must_use]
    pub fn grants_path(&self) -> Option<&Path> {
        self.grants_path.as_deref()
    }

    /// Who asks.
    #[must_use]
    pub const fn user(&self) -> u32 {
        self.user
    }

    /// What the repository pins.
    pub fn lock(&self) -> Result<&Lock, Arc<LockError>> {
        let load = || Lock::load(&self.lock_path, self.user).map_err(Arc::new);
        self.lock.get_or_init(load).as_ref().map_err(Arc::clone)
    }

    /// What the user granted to the plugin file with this digest in this repository.
    pub fn granted(&self, digest: Digest) -> Result<Capabilities, Arc<LockError>> {
        let Some(path) = &self.grants_path else { return Ok(Capabilities::NONE) };
        let load = || Grants::load(path, self.user).map_err(Arc::new);
        let grants = self.grants.get_or_init(load).as_ref().map_err(Arc::clone)?;
        Ok(grants.of(self.partition, digest))
    }
}
