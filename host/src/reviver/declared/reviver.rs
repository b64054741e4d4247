//! What declared operations are recorded in and revived from.

use super::super::environment::Environment;
use super::super::files::Files;
use super::super::hashes::Hashes;
use super::super::program::Programs;
use super::super::resolve::Resolver;
use super::super::table::Table;
use super::declare::{Declared, Kind};
use crate::policy::Codec;
use crate::store::Partition;
use crate::time::Clock;
use std::fmt;
use std::path::PathBuf;
use std::rc::Rc;

/// Records and revives declared operations in one partition. It may live as long as its process: the digests that it knows
/// of files hold for the identities that they were found under, and each operation looks at the file system anew.
///
/// ```
/// use reviver::policy::Plain;
/// use reviver::reviver::declared::{Copy, Declared, DeclaredReviver, Ran};
/// use reviver::reviver::execute::Outputs;
/// use reviver::store::{Options, PartitionId, Store};
/// use reviver::{digest::Digest, time::Timestamp};
/// use std::{fs, io, rc::Rc, time::SystemTime};
///
/// let directory = tempfile::tempdir()?;
/// let store = Store::open(&directory.path().join("cache"), Options::default())?;
/// let partition = store.partition(PartitionId::of(Digest::of(b"a project")));
/// let codec = Plain::default();
/// let clock = Rc::new(|| Timestamp::of(SystemTime::now()));
/// let reviver = DeclaredReviver::new(&partition, &codec, clock, 0o022);
///
/// let (source, copy) = (directory.path().join("a"), directory.path().join("b"));
/// fs::write(&source, "some text")?;
/// let operation = Declared::new(Copy::new(&source, &copy));
/// let outputs = &mut Outputs { stdout: &mut io::stdout(), stderr: &mut io::stderr() };
///
/// assert!(matches!(reviver.run(&operation, outputs), Ran::Executed { recorded: Ok(_), .. }));
/// fs::remove_file(&copy)?;
/// assert!(matches!(reviver.run(&operation, outputs), Ran::Revived(_)));
/// assert_eq!(fs::read(&copy)?, b"some text");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct DeclaredReviver<'a> {
    pub(super) partition: &'a Partition,
    pub(super) codec: &'a dyn Codec,
    pub(super) clock: Rc<dyn Clock>,
    pub(super) umask: u32,
    table: Rc<Table>,
    hashes: Rc<Hashes>,
}

impl<'a> DeclaredReviver<'a> {
    /// The reviver of a partition. `umask` is the process's own: modes are recorded without what it takes away.
    #[must_use]
    pub fn new(partition: &'a Partition, codec: &'a dyn Codec, clock: Rc<dyn Clock>, umask: u32) -> Self {
        let table = Rc::new(Table::new(partition.store().layout().hashes()));
        Self { partition, codec, clock, umask, table, hashes: Rc::default() }
    }

    /// The known digests of files, and what it cost to find them.
    #[must_use]
    pub fn file_hashes(&self) -> &Hashes {
        &self.hashes
    }

    /// A fresh look at the file system, as the operation would see it.
    pub(super) fn look_around(&self, declared: &Declared<'_>) -> Resolver {
        let (variables, directory) = match &declared.kind {
            Kind::Spawn(spawn) => {
                let variables =
                    spawn.variables.iter().map(|(name, value)| (name.clone(), value.text.clone()));
                (variables.collect(), spawn.directory.clone())
            }
            _ => (std::collections::BTreeMap::new(), PathBuf::from("/")),
        };
        let environment = Rc::new(Environment { variables, directory, umask: self.umask, terminal: false });
        let (table, hashes, clock) = (&self.table, &self.hashes, &self.clock);
        let files = Rc::new(Files::counted(Rc::clone(table), Rc::clone(hashes), Rc::clone(clock)));
        let programs = Rc::new(Programs::kept_in(self.partition.store().clone(), self.partition.id()));
        Resolver { environment, files, programs }
    }
}

impl fmt::Debug for DeclaredReviver<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DeclaredReviver").field("partition", &self.partition.id()).finish_non_exhaustive()
    }
}
