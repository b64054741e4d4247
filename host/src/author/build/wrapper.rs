//! The compiler's wrapper, which makes symbols independent of the place where a crate lies.
//!
//! Cargo tells crates apart by a hash that holds the absolute path of those outside of the workspace, such as an SDK
//! taken by path; symbols, and with them the order and the names of functions, would depend on it. A plugin has
//! no two crates of one name and version, so these are enough.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::BuildError;

const SCRIPT: &str = r#"#!/bin/sh
# Tells crates apart by name and version instead of by the place where they lie.
for argument do
    shift
    case $argument in
        metadata=*) argument=metadata=$CARGO_PKG_NAME-$CARGO_PKG_VERSION ;;
    esac
    set -- "$@" "$argument"
done
exec "$@"
"#;

/// Puts the wrapper into `target_directory`; its path.
pub(super) fn write(target_directory: &Path) -> Result<PathBuf, BuildError> {
    let path = target_directory.join("reviver-rustc");
    let error = |source| BuildError::Io { path: path.clone(), source };
    // Left alone where it is right: cargo asks the compiler for its version again when the wrapper's time changes.
    if std::fs::read(&path).is_ok_and(|script| script == SCRIPT.as_bytes()) {
        return Ok(path);
    }
    // Renamed into place, since another build may be starting the old one just now.
    let mut file = tempfile::Builder::new()
        .permissions(std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .tempfile_in(target_directory)
        .map_err(error)?;
    file.write_all(SCRIPT.as_bytes()).map_err(error)?;
    file.into_temp_path().persist(&path).map_err(|failed| error(failed.error))?;
    Ok(path)
}
