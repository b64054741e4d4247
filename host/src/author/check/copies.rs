//! Copies of what an operation reads, as far as it lies in the repository.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// The most that is copied for one operation.
const BYTES: u64 = 256 << 20;

/// What is copied for one operation.
pub(super) struct Copies {
    from: PathBuf,
    to: PathBuf,
    scratch: PathBuf,
    left: u64,
}

impl Copies {
    /// Copies of what is below `from`, to below `to`, all in the directory `scratch`.
    pub(super) const fn new(from: PathBuf, to: PathBuf, scratch: PathBuf) -> Self {
        Self { from, to, scratch, left: BYTES }
    }

    /// Where the path of a copy comes from; nothing outside of the repository.
    fn origin(&self, path: &Path) -> Option<PathBuf> {
        path.strip_prefix(&self.to).ok().map(|within| self.from.join(within))
    }

    /// Whether there is something to be copied.
    pub(super) fn lacks(&self, path: &Path) -> bool {
        self.origin(path).is_some_and(|origin| fs::metadata(origin).is_ok() && fs::metadata(path).is_err())
    }

    /// Copies what belongs at this path, where it is absent; whether it was.
    pub(super) fn bring(&mut self, path: &Path) -> Result<bool, String> {
        let Some(origin) = self.origin(path) else { return Ok(false) };
        let Ok(metadata) = fs::metadata(&origin) else { return Ok(false) };
        if metadata.is_file() && path.is_file() {
            return Ok(false);
        }
        let cannot = |error: io::Error| format!("cannot copy {}: {error}", origin.display());
        if let Some(above) = path.parent() {
            fs::create_dir_all(above).map_err(cannot)?;
        }
        self.node(&origin, path, &metadata).map_err(cannot)
    }

    fn node(&mut self, from: &Path, to: &Path, metadata: &fs::Metadata) -> io::Result<bool> {
        if metadata.is_dir() {
            // Where the scratch directory lies in the repository a copy would hold itself.
            if fs::canonicalize(from)? == self.scratch {
                return Ok(false);
            }
            fs::create_dir_all(to)?;
            let mut new = false;
            for entry in fs::read_dir(from)? {
                let entry = entry?;
                let (from, to) = (entry.path(), to.join(entry.file_name()));
                if fs::symlink_metadata(&to).is_ok_and(|there| !there.is_dir()) {
                    continue;
                }
                let metadata = entry.metadata()?;
                if metadata.is_symlink() {
                    std::os::unix::fs::symlink(fs::read_link(&from)?, &to)?;
                    new = true;
                } else {
                    new |= self.node(&from, &to, &metadata)?;
                }
            }
            return Ok(new);
        }
        if !metadata.is_file() {
            return Ok(false);
        }
        let too_much = || io::Error::other(format!("an operation reads more than {BYTES} bytes"));
        self.left = self.left.checked_sub(metadata.len()).ok_or_else(too_much)?;
        fs::copy(from, to)?;
        Ok(true)
    }
}

/// A text with another root wherever the former stands as a path.
pub(super) fn replaced(text: &str, from: &str, to: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(from) {
        let behind = &rest[at + from.len()..];
        out.push_str(&rest[..at]);
        out.push_str(if behind.is_empty() || behind.starts_with('/') { to } else { from });
        rest = behind;
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_root_is_replaced_where_it_is_a_path() {
        assert_eq!(replaced("-I/r/x,/r/y", "/r", "/new"), "-I/new/x,/new/y");
        assert_eq!(replaced("/r", "/r", "/new"), "/new");
        assert_eq!(replaced("/repo", "/r", "/new"), "/repo");
        assert_eq!(replaced("a", "/r", "/new"), "a");
    }
}
