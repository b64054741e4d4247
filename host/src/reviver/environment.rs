//! What surrounds an operation: the library asks no process for it, it is told.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

/// Variables, working directory, file mode creation mask and standard error of an operation.
#[derive(Clone, Debug, Default)]
pub struct Environment {
    /// The environment variables.
    pub variables: BTreeMap<OsString, OsString>,
    /// The absolute working directory.
    pub directory: PathBuf,
    /// The bits that new files lack.
    pub umask: u32,
    /// Whether standard error is a terminal.
    pub terminal: bool,
}

impl Environment {
    /// The value of a variable.
    #[must_use]
    pub fn variable(&self, name: &str) -> Option<&OsStr> {
        self.variables.get(OsStr::new(name)).map(OsString::as_os_str)
    }

    /// The directories that programs are searched in. An empty element means the working directory, as in a shell.
    pub fn path(&self) -> impl Iterator<Item = PathBuf> + '_ {
        self.variable("PATH")
            .into_iter()
            .flat_map(std::env::split_paths)
            .map(|path| self.directory.join(path))
    }

    /// The absolute form of a path that an operation names.
    #[must_use]
    pub fn absolute<'p>(&self, path: &'p (impl AsRef<Path> + ?Sized)) -> Cow<'p, Path> {
        let path = path.as_ref();
        if path.is_absolute() { Cow::Borrowed(path) } else { Cow::Owned(self.directory.join(path)) }
    }
}
