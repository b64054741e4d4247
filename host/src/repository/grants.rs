//! `grants.toml`: what the user lets plugins of repositories do on this machine, beyond what `config.toml` allows to all.
//!
//! A grant is for one plugin file, by its digest, in one repository, by its partition: another version of the plugin has to be
//! granted anew, and so has a copy of the repository. Only `reviver plugin pin NAME --grant` writes the file; nothing that
//! a repository brings can reach it (law 10). It has mode 0600, and one that belongs to somebody else grants nothing.

use super::document::{Document, SettingError};
use super::lock::{LockError, digest, load, version};
use super::settings::capabilities;
use super::write::{list, quoted, replace};
use crate::digest::Digest;
use crate::runtime::{Capabilities, Capability};
use crate::store::PartitionId;
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

/// The version of its format.
const VERSION: u64 = 1;

const HEADER: &str = "# Written by `reviver plugin pin NAME --grant`: what plugins of repositories may do on this machine beyond what\n\
                      # config.toml allows. Take a grant back by removing its paragraph.\n";

/// A grant for one plugin file in one repository.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Grant {
    /// The plugin's name, for people.
    pub plugin: String,
    /// The repository's root, for people.
    pub root: String,
    /// What it may do.
    pub capabilities: Capabilities,
}

/// All that the user granted.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Grants {
    granted: BTreeMap<(PartitionId, Digest), Grant>,
}

impl Grants {
    /// Reads the grants in a file; none where there is no file. `user` is who asks.
    pub fn load(path: &Path, user: u32) -> Result<Self, LockError> {
        load(path, user, Self::parse)
    }

    /// The grants in a text.
    pub fn parse(path: &Path, text: &str) -> Result<Self, SettingError> {
        let document = Document::new(path, text);
        let parsed = document.parse()?;
        let top = document.top(&parsed);
        version(&top, VERSION)?;
        top.allow(&["version", "grant"])?;
        let mut granted = BTreeMap::new();
        for table in top.tables("grant")? {
            table.allow(&["plugin", "root", "partition", "digest", "capabilities"])?;
            let partition = table.required("partition")?;
            let partition = PartitionId::from_hex(&partition)
                .ok_or_else(|| table.wrong("partition", "`partition` is 32 lower-case hexadecimal digits"))?;
            let grant = Grant {
                plugin: table.required("plugin")?,
                root: table.required("root")?,
                capabilities: capabilities(&table, "capabilities")?,
            };
            granted.insert((partition, digest(&table, "digest")?), grant);
        }
        Ok(Self { granted })
    }

    /// What the plugin file with this digest was granted in a repository.
    #[must_use]
    pub fn of(&self, partition: PartitionId, digest: Digest) -> Capabilities {
        self.granted.get(&(partition, digest)).map_or(Capabilities::NONE, |grant| grant.capabilities)
    }

    /// Adds a grant to the file. Two who do so at once both have theirs in it.
    pub fn add(
        path: &Path,
        user: u32,
        (partition, digest): (PartitionId, Digest),
        grant: Grant,
    ) -> Result<(), LockError> {
        let unwritten = |source| LockError::Setting(SettingError::Unread { path: path.to_owned(), source });
        let _held = hold(path).map_err(unwritten)?;
        let mut all = Self::load(path, user)?;
        let before = all.of(partition, digest);
        let capabilities = before.or(grant.capabilities);
        all.granted.insert((partition, digest), Grant { capabilities, ..grant });
        replace(path, &all.to_text(), 0o600).map_err(unwritten)
    }

    /// The text of the file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = format!("{HEADER}version = {VERSION}\n");
        for ((partition, digest), Grant { plugin, root, capabilities }) in &self.granted {
            let capabilities = list(capabilities.iter().map(Capability::name));
            let (plugin, root) = (quoted(plugin), quoted(root));
            write!(
                text,
                "\n[[grant]]\nplugin = {plugin}\nroot = {root}\npartition = \"{partition}\"\ndigest = \"{digest}\"\n\
                 capabilities = {capabilities}\n",
            )
            .expect("invariant: a text takes what is written to it");
        }
        text
    }
}

/// The lock beside the file, held until it is dropped.
fn hold(path: &Path) -> io::Result<File> {
    if let Some(directory) = path.parent() {
        DirBuilder::new().recursive(true).mode(0o700).create(directory)?;
    }
    let lock =
        fs::OpenOptions::new().create(true).append(true).mode(0o600).open(path.with_extension("lock"))?;
    lock.lock()?;
    Ok(lock)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt as _;

    #[test]
    fn a_grant_is_for_one_plugin_file_in_one_repository() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("state/reviver/grants.toml");
        let user = rustix::process::geteuid().as_raw();
        let (here, there) = (PartitionId::new([1; 16]), PartitionId::new([2; 16]));
        let (this, other) = (Digest::of(b"this"), Digest::of(b"other"));
        assert_eq!(Grants::load(&path, user).unwrap(), Grants::default());
        let grant = |capability| Grant {
            plugin: "w\"".into(),
            root: "/r".into(),
            capabilities: Capabilities::NONE.with(capability),
        };
        Grants::add(&path, user, (here, this), grant(Capability::Query)).unwrap();
        Grants::add(&path, user, (here, this), grant(Capability::Read)).unwrap();
        Grants::add(&path, user, (there, other), grant(Capability::Read)).unwrap();
        let grants = Grants::load(&path, user).unwrap();
        let both = Capabilities::NONE.with(Capability::Query).with(Capability::Read);
        assert_eq!(grants.of(here, this), both, "a second grant takes nothing back");
        for (partition, digest) in [(here, other), (there, this)] {
            assert!(grants.of(partition, digest).is_empty());
        }
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        assert_eq!(Grants::parse(&path, &grants.to_text()).unwrap(), grants);
    }

    #[test]
    fn what_is_no_file_of_grants_says_where_and_is_not_written_over() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("grants.toml");
        let user = rustix::process::geteuid().as_raw();
        let text = "version = 1\n[[grant]]\npartition = \"x\"\n";
        fs::write(&path, text).unwrap();
        let grant = Grant { plugin: "p".into(), root: "/".into(), capabilities: Capabilities::ALL };
        let target = (PartitionId::new([0; 16]), Digest::of(b""));
        let error = Grants::add(&path, user, target, grant).unwrap_err().to_string();
        assert!(error.contains("grants.toml:3:13: `partition` is 32"), "{error}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}
