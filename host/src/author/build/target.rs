//! Making sure that the compiler has the target of plugins.

use std::path::Path;
use std::process::{Command, Stdio};

use super::{BuildError, TARGET};

/// Nothing, once the compiler that is in force in `crate_directory` has the target; adds it where `install` says so.
pub(super) fn ensure(crate_directory: &Path, install: bool) -> Result<(), BuildError> {
    if present(crate_directory)? {
        return Ok(());
    }
    if !install {
        return Err(BuildError::TargetMissing);
    }
    let added = Command::new("rustup")
        .args(["target", "add", TARGET])
        .current_dir(crate_directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|_| BuildError::TargetMissing)?;
    if !added.status.success() {
        return Err(BuildError::Tool {
            call: format!("rustup target add {TARGET}"),
            output: String::from_utf8_lossy(&added.stderr).into_owned(),
        });
    }
    if present(crate_directory)? { Ok(()) } else { Err(BuildError::TargetMissing) }
}

/// Whether the compiler that is in force in a directory has the target of plugins. It names their directory also where it does not exist.
pub fn present(crate_directory: &Path) -> Result<bool, BuildError> {
    let asked = Command::new("rustc")
        .args(["--print", "target-libdir", "--target", TARGET])
        .current_dir(crate_directory)
        .stdin(Stdio::null())
        .output()
        .map_err(|source| BuildError::Start { tool: "rustc", source })?;
    let directory = String::from_utf8_lossy(&asked.stdout);
    Ok(asked.status.success() && Path::new(directory.trim_end()).is_dir())
}
