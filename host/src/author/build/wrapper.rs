//! The compiler's wrapper, which makes components independent of the places of their crates.
//!
//! Two things depend on them. Paths stand in the messages of panics; the compiler writes others for them if it is told
//! to. And cargo tells crates apart by a hash that holds the absolute path of those outside of the workspace, such as an
//! SDK taken by path; symbols, and with them the order and the names of functions, depend on it. A plugin has no two
//! crates of one name and version, so these are enough.
//!
//! Cargo does not see what is done here. That spares it compiling the SDK again for each plugin, as other flags would.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::BuildError;

/// What the script does, as a flag that cargo sees: another script needs another number here, or what the former one
/// compiled would be used again.
pub(super) const RECIPE: &str = "--cfg=reviver_recipe=\"1\"";

/// The variable that holds the places and what stands for them, `PLACE=NAME`, one a line, the outer before the inner.
pub(super) const PLACES: &str = "REVIVER_PLACES";

const SCRIPT: &str = r#"#!/bin/sh
# Tells crates apart by name and version instead of by the place where they lie.
[ -n "${CARGO_PKG_NAME-}" ] || exec "$@"
for argument do
    shift
    case $argument in
        metadata=*) argument=metadata=$CARGO_PKG_NAME-$CARGO_PKG_VERSION ;;
    esac
    set -- "$@" "$argument"
done
set -f
IFS='
'
for place in ${REVIVER_PLACES-}; do
    set -- "$@" "--remap-path-prefix=$place"
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
