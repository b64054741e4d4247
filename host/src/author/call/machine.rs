//! What a plugin sees where a question has no host: the machine, as a run would show it.

use crate::operation::Operation;
use crate::policy::SharedInputs;
use crate::reviver::environment::Environment;
use crate::reviver::look::{Looks, SharedLooks};
use crate::reviver::resolve::Resolver;
use crate::reviver::table::Table;
use crate::store::{Partition, Store};
use crate::time::Clock;
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::Path;
use std::rc::Rc;

/// The machine with a repository and its part of the cache, where answers to queries are remembered.
#[derive(Clone)]
pub struct Machine {
    /// The cache.
    pub store: Store,
    /// The repository's part of it.
    pub partition: Partition,
    /// Known digests of files.
    pub table: Rc<Table>,
    /// What tells the time.
    pub clock: Rc<dyn Clock>,
    /// The environment variables of every operation.
    pub variables: BTreeMap<OsString, OsString>,
    /// The file mode creation mask of every operation.
    pub umask: u32,
    /// Whether the standard error of every operation is a terminal.
    pub terminal: bool,
}

impl Machine {
    /// What is to see of an operation, and during `discover` of its report.
    pub(super) fn inputs(&self, operation: &Operation, report: Option<&[u8]>) -> SharedInputs {
        let environment = Environment {
            variables: self.variables.clone(),
            directory: Path::new(&operation.root).join(&operation.directory),
            umask: self.umask,
            terminal: self.terminal,
        };
        let resolver = Resolver::fresh(
            Rc::new(environment),
            Rc::clone(&self.table),
            Rc::clone(&self.clock),
            &self.store,
            &self.partition,
        );
        let looks = Looks {
            operation: Rc::new(operation.clone()),
            resolver,
            store: self.store.clone(),
            partition: self.partition.clone(),
            report: report.map(<[u8]>::to_vec),
            conditions: Vec::new(),
            failed: false,
        };
        SharedLooks::new(looks).inputs()
    }
}

impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine").field("partition", &self.partition).finish_non_exhaustive()
    }
}
