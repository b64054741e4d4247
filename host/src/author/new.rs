//! Making a new plugin's crate, with the SDK beside it.
//!
//! ```text
//! DIRECTORY/NAME/         Cargo.toml  README.md  .gitignore  src/lib.rs: a plugin of the role, with its tests
//! DIRECTORY/reviver-sdk/  the SDK, which all crates in DIRECTORY share
//! ```
//!
//! Both are put together out of sight and appear by rename, so there is all of it or nothing. What is there already is
//! left as it is: a crate is never written over, and an SDK of another version is replaced only where that is asked for.
//!
//! | outcome | `DIRECTORY/NAME` | `DIRECTORY/reviver-sdk` |
//! |---|---|---|
//! | `Ok` | new | as [`SdkOutcome`] says |
//! | [`NewError::Name`], [`NewError::Exists`], [`NewError::Foreign`] | as it was | as it was |
//! | [`NewError::Io`] | as it was | as it was |

mod error;
mod name;

use super::sdk::{self, State};
use crate::policy::Role;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

pub use error::NewError;

/// What is made.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Options<'a> {
    /// What the plugin is for.
    pub role: Role,
    /// The name of the plugin and of its crate.
    pub name: &'a str,
    /// Where the crate's directory is made. Made itself where it is missing.
    pub directory: &'a Path,
    /// Whether an SDK of another version is replaced.
    pub replace_sdk: bool,
}

/// What became of the SDK.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum SdkOutcome {
    /// It was not there and is now.
    Written,
    /// It was there already.
    Same,
    /// Another one was there, and still is.
    Kept,
    /// Another one was there, and this program's is now.
    Replaced,
}

/// What was made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Made {
    /// The crate's directory.
    pub crate_directory: PathBuf,
    /// What became of the SDK.
    pub sdk: SdkOutcome,
}

/// Makes a plugin's crate; outcomes see the [module](self).
pub fn new(options: &Options<'_>) -> Result<Made, NewError> {
    name::check(options.name)?;
    let crate_directory = options.directory.join(options.name);
    match fs::symlink_metadata(&crate_directory) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(source) => return Err(NewError::io(&crate_directory, source)),
        Ok(_) => return Err(NewError::Exists(crate_directory)),
    }
    let sdk = Sdk::prepare(options.directory, options.replace_sdk)?;
    let crate_staged = sdk.staging.path().join("crate");
    write(&crate_staged, options).map_err(|source| NewError::io(&crate_directory, source))?;
    let placed = sdk.place()?;
    if let Err(source) = appear(&crate_staged, &crate_directory) {
        placed.undo()?;
        return Err(match source.kind() {
            io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty => {
                NewError::Exists(crate_directory)
            }
            _ => NewError::io(&crate_directory, source),
        });
    }
    Ok(Made { crate_directory, sdk: placed.sdk.outcome })
}

/// Replaces the SDK in `directory` by the one that this program carries, or writes it.
pub fn renew_sdk(directory: &Path) -> Result<SdkOutcome, NewError> {
    Ok(Sdk::prepare(directory, true)?.place()?.sdk.outcome)
}

/// The files of the crate of a role: path and text, `@name@` standing for the name.
const fn templates(role: Role) -> [(&'static str, &'static str); 4] {
    let (source, readme) = match role {
        Role::Key => (include_str!("new/templates/key/lib.rs"), include_str!("new/templates/key/README.md")),
        Role::Metadata => {
            (include_str!("new/templates/metadata/lib.rs"), include_str!("new/templates/metadata/README.md"))
        }
        Role::Eviction => {
            (include_str!("new/templates/eviction/lib.rs"), include_str!("new/templates/eviction/README.md"))
        }
    };
    [
        ("Cargo.toml", include_str!("new/templates/Cargo.toml.in")),
        ("README.md", readme),
        (".gitignore", "/target/\n"),
        ("src/lib.rs", source),
    ]
}

fn write(directory: &Path, options: &Options<'_>) -> io::Result<()> {
    fs::create_dir_all(directory.join("src"))?;
    for (path, text) in templates(options.role) {
        fs::write(directory.join(path), text.replace("@name@", options.name))?;
    }
    Ok(())
}

/// Renames a directory to a name that nothing may have.
fn appear(staged: &Path, destination: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    use rustix::io::Errno;
    match renameat_with(CWD, staged, CWD, destination, RenameFlags::NOREPLACE) {
        // Not every file system can promise it. A directory that is not empty is replaced by none of them.
        Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => fs::rename(staged, destination),
        renamed => Ok(renamed?),
    }
}

/// The SDK on its way to its place.
struct Sdk {
    /// Where things are put together: in the directory itself, or renaming might not be possible.
    staging: TempDir,
    destination: PathBuf,
    outcome: SdkOutcome,
}

/// The SDK in its place.
struct Placed {
    sdk: Sdk,
}

impl Sdk {
    fn prepare(directory: &Path, replace: bool) -> Result<Self, NewError> {
        let destination = directory.join(sdk::DIRECTORY);
        let outcome = match sdk::state(&destination).map_err(|source| NewError::io(&destination, source))? {
            State::Absent => SdkOutcome::Written,
            State::Same => SdkOutcome::Same,
            State::Other if replace => SdkOutcome::Replaced,
            State::Other => SdkOutcome::Kept,
            State::Foreign => return Err(NewError::Foreign(destination)),
        };
        fs::create_dir_all(directory).map_err(|source| NewError::io(directory, source))?;
        let staging = tempfile::Builder::new().prefix(".reviver-new-").tempdir_in(directory);
        let staging = staging.map_err(|source| NewError::io(directory, source))?;
        let prepared = Self { staging, destination, outcome };
        if matches!(outcome, SdkOutcome::Written | SdkOutcome::Replaced) {
            sdk::write(&prepared.staged()).map_err(|source| NewError::io(&prepared.destination, source))?;
        }
        Ok(prepared)
    }

    fn staged(&self) -> PathBuf {
        self.staging.path().join("sdk")
    }

    fn former(&self) -> PathBuf {
        self.staging.path().join("former-sdk")
    }

    fn place(self) -> Result<Placed, NewError> {
        let error = |source| NewError::io(&self.destination, source);
        if self.outcome == SdkOutcome::Replaced {
            fs::rename(&self.destination, self.former()).map_err(error)?;
        }
        if matches!(self.outcome, SdkOutcome::Written | SdkOutcome::Replaced)
            && let Err(source) = appear(&self.staged(), &self.destination)
        {
            if self.outcome == SdkOutcome::Replaced {
                fs::rename(self.former(), &self.destination).map_err(error)?;
            }
            return Err(error(source));
        }
        Ok(Placed { sdk: self })
    }
}

impl Placed {
    /// Puts back what was there before.
    fn undo(&self) -> Result<(), NewError> {
        let Sdk { destination, outcome, .. } = &self.sdk;
        let undone = match outcome {
            SdkOutcome::Same | SdkOutcome::Kept => Ok(()),
            SdkOutcome::Written => fs::rename(destination, self.sdk.staged()),
            SdkOutcome::Replaced => fs::rename(destination, self.sdk.staged())
                .and_then(|()| fs::rename(self.sdk.former(), destination)),
        };
        undone.map_err(|source| NewError::io(destination, source))
    }
}

#[cfg(test)]
mod tests;
