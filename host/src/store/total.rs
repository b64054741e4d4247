//! The approximate number of bytes in the cache, so that an addition can tell whether it is time to trim.
//!
//! ```text
//! 0  bytes, little-endian      8
//! 8  the same, all bits turned 8
//! ```
//!
//! It is changed in place under a lock. Where it is torn or missing, what is there is measured.

use super::Store;
use super::error::StoreError;
use super::file::{self, with_parent};
use rustix::fs::FlockOperation;
use std::fs::{File, OpenOptions};
use std::os::unix::fs::{FileExt as _, OpenOptionsExt as _};

impl Store {
    /// Adds to the approximate total and gives the sum.
    pub fn grown(&self, bytes: u64) -> Result<u64, StoreError> {
        let file = self.open_total()?;
        let total = match read(&file) {
            Some(total) => total.saturating_add(bytes),
            // What has just been added is among what is measured.
            None => self.usage()?.bytes,
        };
        self.write_total(&file, total)?;
        Ok(total)
    }

    /// Sets the total to what was measured.
    pub(super) fn set_total(&self, total: u64) -> Result<(), StoreError> {
        let file = self.open_total()?;
        self.write_total(&file, total)
    }

    fn open_total(&self) -> Result<File, StoreError> {
        let path = self.layout().total();
        self.writable(&path)?;
        let file = with_parent("open", &path, || {
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&path)
        })?;
        file::lock(&file, FlockOperation::LockExclusive).map_err(StoreError::io("lock", &path))?;
        Ok(file)
    }

    fn write_total(&self, file: &File, total: u64) -> Result<(), StoreError> {
        let mut bytes = [0; 16];
        bytes[..8].copy_from_slice(&total.to_le_bytes());
        bytes[8..].copy_from_slice(&(!total).to_le_bytes());
        file.write_all_at(&bytes, 0).map_err(StoreError::io("write", self.layout().total()))
    }
}

fn read(file: &File) -> Option<u64> {
    let mut bytes = [0; 16];
    file.read_exact_at(&mut bytes, 0).ok()?;
    let total = u64::from_le_bytes(*bytes.first_chunk()?);
    let check = u64::from_le_bytes(*bytes.last_chunk()?);
    (check == !total).then_some(total)
}
