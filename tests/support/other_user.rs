//! Running as somebody whom permissions stop, which they do not do to root.

use super::{REVIVER, Ran, Repository};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::PathBuf;
use std::process::Command;

/// Nobody, on all systems that have one.
pub(crate) const NOBODY: u32 = 65534;

/// Another user to whom a repository belongs.
pub(crate) struct OtherUser<'a> {
    repository: &'a Repository,
    reviver: PathBuf,
}

impl<'a> OtherUser<'a> {
    /// Gives the repository and the home to that user, with a copy of the command that they can reach.
    pub(crate) fn of(repository: &'a Repository) -> Result<Self> {
        let reviver = repository.home.join("reviver");
        // By another process, as scripts are written: this one could not run what it just had open.
        ensure!(Command::new("cp").arg(REVIVER).arg(&reviver).status()?.success());
        if let Some(top) = repository.root.parent() {
            fs::set_permissions(top, fs::Permissions::from_mode(0o755))?;
        }
        for path in [&repository.root, &repository.home] {
            chown(path, Some(NOBODY), Some(NOBODY))?;
        }
        Ok(Self { repository, reviver })
    }

    /// `reviver run --verbose` as that user.
    pub(crate) fn run(&self, arguments: &[&str]) -> Result<Ran> {
        self.ask(&[&["run", "--verbose"], arguments].concat())
    }

    /// `reviver` as that user.
    pub(crate) fn ask(&self, arguments: &[&str]) -> Result<Ran> {
        Ran::of(&mut self.command(arguments))
    }

    /// The same, still to be run.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = self.repository.command(&self.reviver);
        command.uid(NOBODY).gid(NOBODY).args(arguments);
        command
    }
}
