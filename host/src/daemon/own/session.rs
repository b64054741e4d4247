//! What the requests of a connection are about, whichever of its threads answers them.

use super::repository::Repository;
use super::table::Operations;
use crate::daemon::shared::Shared;
use std::sync::{Arc, OnceLock};

/// What a client named and left open.
pub(super) struct Session<'a> {
    pub(super) shared: &'a Arc<Shared>,
    pub(super) repository: OnceLock<Repository>,
    pub(super) operations: Operations,
}

impl<'a> Session<'a> {
    /// Nothing so far.
    pub(super) fn new(shared: &'a Arc<Shared>) -> Self {
        Self { shared, repository: OnceLock::new(), operations: Operations::default() }
    }
}
