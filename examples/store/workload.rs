//! What is added and revived.

use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};

/// Entries with so many contents of this size, and the files that they are added from.
pub(crate) struct Workload {
    pub(crate) entries: usize,
    pub(crate) files: usize,
    pub(crate) size: usize,
    pub(crate) sources: PathBuf,
}

impl Workload {
    pub(crate) fn new(place: &Path, entries: usize, files: usize, size: usize) -> Result<Self> {
        let workload = Self { entries, files, size, sources: place.join("sources") };
        for entry in 0..entries {
            let directory = workload.source(entry, 0);
            fs::create_dir_all(directory.parent().context("a parent")?)?;
            for file in 0..files {
                fs::write(workload.source(entry, file), workload.content(entry, file))?;
            }
        }
        Ok(workload)
    }

    pub(crate) fn source(&self, entry: usize, file: usize) -> PathBuf {
        self.sources.join(format!("d{}/e{entry}-{file}", entry / 100))
    }

    /// Bytes that no two contents share.
    pub(crate) fn content(&self, entry: usize, file: usize) -> Vec<u8> {
        noise((entry * self.files + file) as u64, self.size)
    }

    pub(crate) fn destination(&self, out: &Path, entry: usize, file: usize) -> PathBuf {
        debug_assert!(entry < self.entries, "invariant: it is one of the entries");
        out.join(format!("e{entry}/f{file}"))
    }

    pub(crate) fn verify(&self, out: &Path) -> Result<()> {
        for entry in 0..self.entries {
            for file in 0..self.files {
                let path = self.destination(out, entry, file);
                ensure!(fs::read(&path)? == self.content(entry, file), "{} is wrong", path.display());
            }
        }
        Ok(())
    }
}

/// Bytes that do not compress and that this number alone tells.
pub(crate) fn noise(number: u64, size: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(size / 8).flatten().collect()
}
