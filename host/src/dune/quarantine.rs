//! Setting aside what is damaged.

use super::DuneStore;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Names to try for one file: as many damaged files of one name there can be.
const MOST: u32 = 10_000;

/// So many bytes a name keeps, beside its number: a file has at most 255.
const LONGEST: usize = 240;

/// Whether something in quarantine has a name that it got here: what others have put there is theirs.
pub(super) fn is_set_aside(name: &[u8]) -> bool {
    let number = name.rsplit(|byte| *byte == b'~').next().filter(|number| number.len() < name.len());
    ["v2-", "files-", "meta-"].iter().any(|from| name.starts_with(from.as_bytes()))
        && number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

impl DuneStore {
    /// Whether the quarantine is a link: what is in it for long is removed, and must not be somebody else's.
    pub(super) fn quarantine_leads_away(&self) -> bool {
        fs::symlink_metadata(self.layout().quarantine()).is_ok_and(|there| there.is_symlink())
    }

    /// Moves what is at a path below the root into quarantine, and tells where it is then. Build trees that link to it keep it.
    pub(super) fn set_aside(&self, path: &Path) -> io::Result<PathBuf> {
        let directory = self.layout().quarantine();
        // Of no kind that says that there is nothing to be put aside.
        if fs::symlink_metadata(&directory).is_ok_and(|there| !there.is_dir()) {
            return Err(io::Error::other("the quarantine is no directory"));
        }
        let place = path.strip_prefix(self.root()).unwrap_or(path);
        let parts: Vec<_> = place.iter().map(OsStrExt::as_bytes).collect();
        let mut name = String::from_utf8_lossy(&parts.join(&b'-')).into_owned();
        name.truncate(name.floor_char_boundary(LONGEST));
        for number in 1..=MOST {
            let to = directory.join(format!("{name}~{number}"));
            match renameat_with(CWD, path, CWD, &to, RenameFlags::NOREPLACE) {
                Ok(()) => return Ok(to),
                Err(Errno::NOENT) if !directory.exists() => fs::create_dir_all(&directory)?,
                // A file system that cannot refuse to replace.
                Err(Errno::INVAL | Errno::NOSYS) if !to.exists() => {
                    fs::rename(path, &to)?;
                    return Ok(to);
                }
                Err(Errno::EXIST | Errno::INVAL | Errno::NOSYS) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(io::ErrorKind::AlreadyExists.into())
    }
}
