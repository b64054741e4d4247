//! Where everything lies. All paths of the cache, those of the upper layers too, are built here and nowhere else.
//!
//! ```text
//! CACHE/v1/                            the format's version; another one lies beside it
//!   partitions/<32 hex>/               one repository's part
//!     entries/<2 hex>/<62 hex>         one file per entry
//!     companions/<2 hex>/<62 hex>      what the upper layer keeps with entries; goes with the last that names it
//!     derivations/<2 hex>/<62 hex>     remembered pure calls
//!     labels/<2 hex>/<62 hex>          the latest keys of a label
//!     outputs/<2 hex>/<62 hex>         what is known of outputs
//!     breakers/<64 hex>                plugins that were at fault in their last call
//!     index                            additions, uses and removals of entries, appended
//!     journal  journal.old  counters   what runs did
//!     baseline                         the counters when counting began anew
//!     place                            the path of the repository, for people
//!   objects/<2 hex>/<62 hex>-<octal>   large contents: digest, and permissions of the object
//!   artifacts/                         compiled plugins
//!   tables/hashes                      known digests of files
//!   locks/                             empty files to lock
//!   locks/paths/                       those of output paths that are held
//!   tmp/<2 hex>/                       entries and objects that are being written
//!   tmp/                               what else is being written; leftovers of killed processes
//!   quarantine/                        what was found damaged
//!   secret                             32 random bytes
//!   total                              approximate number of bytes since the last trim
//! ```
//!
//! Directories are made when something is first put into them, with mode 0700; files have mode 0600, objects theirs.

use crate::digest::Digest;
use crate::key::Key;
use std::fmt;
use std::path::{Path, PathBuf};

/// Which repository's part of the cache.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PartitionId([u8; 16]);

impl PartitionId {
    /// The identifier with these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The identifier that a digest stands for: its first half.
    #[must_use]
    pub fn of(digest: Digest) -> Self {
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&digest.as_bytes()[..16]);
        Self(bytes)
    }

    /// The bytes.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// The identifier that 32 lower-case hexadecimal digits stand for.
    #[must_use]
    pub fn from_hex(hex: &str) -> Option<Self> {
        // A digest is twice as long, and knows how to be read.
        if hex.len() != 32 {
            return None;
        }
        Digest::from_hex(&hex.repeat(2)).map(Self::of)
    }
}

impl fmt::Display for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for PartitionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartitionId({self})")
    }
}

/// How many parts the directory of what is being written has.
pub(super) const PARTS: u8 = 64;

/// Builds the paths of one cache.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of the cache in this directory.
    #[must_use]
    pub fn new(cache: &Path) -> Self {
        Self { root: cache.join("v1") }
    }

    /// The directory of this version's format.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory of all partitions.
    #[must_use]
    pub fn partitions(&self) -> PathBuf {
        self.root.join("partitions")
    }

    /// The directory of one partition.
    #[must_use]
    pub fn partition(&self, id: PartitionId) -> PathBuf {
        let mut path = self.partitions();
        path.push(id.to_string());
        path
    }

    /// The directory of a partition's entries.
    #[must_use]
    pub fn entries(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("entries")
    }

    /// The file of an entry.
    #[must_use]
    pub fn entry(&self, id: PartitionId, key: Key) -> PathBuf {
        sharded(self.entries(id), key.digest())
    }

    /// The directory of a partition's companions.
    #[must_use]
    pub fn companions(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("companions")
    }

    /// The file of a companion.
    #[must_use]
    pub fn companion(&self, id: PartitionId, name: Digest) -> PathBuf {
        sharded(self.companions(id), name)
    }

    /// The directory of a partition's remembered pure calls.
    #[must_use]
    pub fn derivations(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("derivations")
    }

    /// The file of a remembered pure call.
    #[must_use]
    pub fn derivation(&self, id: PartitionId, name: Digest) -> PathBuf {
        sharded(self.derivations(id), name)
    }

    /// The directory of a partition's labels.
    #[must_use]
    pub fn labels(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("labels")
    }

    /// The file of a label.
    #[must_use]
    pub fn label(&self, id: PartitionId, name: Digest) -> PathBuf {
        sharded(self.labels(id), name)
    }

    /// The directory of what is known of a partition's outputs.
    #[must_use]
    pub fn outputs(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("outputs")
    }

    /// The file of what is known of an output.
    #[must_use]
    pub fn output(&self, id: PartitionId, name: Digest) -> PathBuf {
        sharded(self.outputs(id), name)
    }

    /// The directory of a partition's breakers.
    #[must_use]
    pub fn breakers(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("breakers")
    }

    /// The breaker of a plugin in a partition.
    #[must_use]
    pub fn breaker(&self, id: PartitionId, plugin: Digest) -> PathBuf {
        self.breakers(id).join(plugin.to_hex())
    }

    /// The index of a partition.
    #[must_use]
    pub fn index(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("index")
    }

    /// The journal of a partition.
    #[must_use]
    pub fn journal(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("journal")
    }

    /// The older part of a partition's journal.
    #[must_use]
    pub fn journal_old(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("journal.old")
    }

    /// The counters of a partition.
    #[must_use]
    pub fn counters(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("counters")
    }

    /// The counters of a partition as they were when counting began anew.
    #[must_use]
    pub fn baseline(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("baseline")
    }

    /// The file that tells people which repository a partition belongs to.
    #[must_use]
    pub fn place(&self, id: PartitionId) -> PathBuf {
        self.partition(id).join("place")
    }

    /// The directory of all objects.
    #[must_use]
    pub fn objects(&self) -> PathBuf {
        self.root.join("objects")
    }

    /// The file of an object with these permissions, as [`object_mode`] has them.
    #[must_use]
    pub fn object(&self, digest: Digest, mode: u32) -> PathBuf {
        let hex = digest.to_hex();
        let mut path = self.objects();
        path.push(&hex[..2]);
        path.push(format!("{}-{:o}", &hex[2..], object_mode(mode)));
        path
    }

    /// The directory of compiled plugins.
    #[must_use]
    pub fn artifacts(&self) -> PathBuf {
        self.root.join("artifacts")
    }

    /// The directory of tables.
    #[must_use]
    pub fn tables(&self) -> PathBuf {
        self.root.join("tables")
    }

    /// The table of known digests of files.
    #[must_use]
    pub fn hashes(&self) -> PathBuf {
        self.tables().join("hashes")
    }

    /// The directory of the files to lock.
    #[must_use]
    pub fn locks(&self) -> PathBuf {
        self.root.join("locks")
    }

    /// A file to lock.
    #[must_use]
    pub fn lock(&self, name: &str) -> PathBuf {
        self.locks().join(name)
    }

    /// The directory of the locks on output paths, there only while somebody holds one.
    #[must_use]
    pub fn path_locks(&self) -> PathBuf {
        self.locks().join("paths")
    }

    /// The directory of what is being written.
    #[must_use]
    pub fn tmp(&self) -> PathBuf {
        self.root.join("tmp")
    }

    /// A part of that directory, of which there are [`PARTS`].
    #[must_use]
    pub fn tmp_part(&self, part: u8) -> PathBuf {
        self.tmp().join(format!("{part:02x}"))
    }

    /// The directory of what was found damaged.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// The secret of this cache.
    #[must_use]
    pub fn secret(&self) -> PathBuf {
        self.root.join("secret")
    }

    /// The approximate number of bytes.
    #[must_use]
    pub fn total(&self) -> PathBuf {
        self.root.join("total")
    }
}

/// The permissions of an object whose content has these: none to write, and the one to read that the cache itself needs.
pub(super) const fn object_mode(mode: u32) -> u32 {
    mode & 0o555 | 0o400
}

fn sharded(mut directory: PathBuf, name: Digest) -> PathBuf {
    let hex = name.to_hex();
    directory.push(&hex[..2]);
    directory.push(&hex[2..]);
    directory
}

/// The digest that the names of a shard and of a file in it make up.
pub(super) fn unsharded(shard: &str, file: &str) -> Option<Digest> {
    if shard.len() == 2 && file.len() == 62 { Digest::from_hex(&format!("{shard}{file}")) } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers_round_trip_and_refuse_what_is_none() {
        let id = PartitionId::of(Digest::of(b"x"));
        assert_eq!(PartitionId::from_hex(&id.to_string()), Some(id));
        for wrong in ["", "..", &"A".repeat(32), &"0".repeat(31), &"0".repeat(64)] {
            assert_eq!(PartitionId::from_hex(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn paths_are_those_of_the_drawing() {
        let layout = Layout::new(Path::new("/c"));
        let zero = Digest::new([0; 32]);
        let id = PartitionId::new([0xab; 16]);
        let partition = format!("/c/v1/partitions/{}", "ab".repeat(16));
        assert_eq!(
            layout.entry(id, Key::new(zero)),
            PathBuf::from(format!("{partition}/entries/00/{}", "0".repeat(62)))
        );
        assert_eq!(
            layout.object(zero, 0o755),
            PathBuf::from(format!("/c/v1/objects/00/{}-555", "0".repeat(62)))
        );
    }
}
