//! Writing a file in one step.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

/// Makes `destination` a file with these permissions, of which `0o777` count, which is filled beside it and renamed then. A
/// link there is replaced, not followed. After an error it is as it was.
pub(super) fn place(
    destination: &Path,
    mode: u32,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let parent = destination.parent().unwrap_or(destination);
    fs::create_dir_all(parent)?;
    let mut staged = tempfile::Builder::new().prefix(".").suffix(".reviver").tempfile_in(parent)?;
    fill(staged.as_file_mut())?;
    staged.as_file().set_permissions(Permissions::from_mode(mode & 0o777))?;
    staged.persist(destination).map_err(|error| error.error)?;
    Ok(())
}
