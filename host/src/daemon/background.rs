//! What is done from time to time, in a thread of its own, so that no session waits for it.
//!
//! The thread is not waited for in the end: what it does may be killed anywhere (law 7).

use super::shared::Shared;
use crate::dune::trim::{Bound, TrimRequest};
use crate::policy::Eviction;
use crate::repository::size::ByteSize;
use std::fmt;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

/// Something to be done in each period.
pub type Work = Box<dyn Fn(&Shared) + Send>;

/// What is done from time to time.
pub struct Background {
    /// How often.
    pub period: Duration,
    /// What, in this order.
    pub work: Vec<Work>,
}

impl fmt::Debug for Background {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Background({} every {:?})", self.work.len(), self.period)
    }
}

impl Background {
    /// Begins, a period from now.
    pub(super) fn start(self, shared: &Arc<Shared>) -> std::io::Result<()> {
        let shared = Arc::clone(shared);
        let rounds = move || {
            while !shared.is_ending() {
                std::thread::sleep(self.period);
                for work in &self.work {
                    if catch_unwind(AssertUnwindSafe(|| work(&shared))).is_err() {
                        shared.log(format_args!("what is done in the background broke"));
                    }
                }
                shared.clients.wake();
            }
        };
        std::thread::Builder::new().name("background".to_owned()).spawn(rounds).map(drop)
    }
}

/// Brings Dune's caches below a size, with a policy or in Dune's own order.
pub fn trim_dune(shared: &Shared, size: u64, policy: Option<&dyn Eviction>) {
    let Some(store) = &shared.given.dune else { return };
    let request = TrimRequest {
        bound: Bound::Size(size),
        now: (shared.given.now)(),
        policy,
        all: false,
        dry_run: false,
        sweep: false,
    };
    match store.trim(&request) {
        Ok(trimmed) if trimmed.freed > 0 => {
            shared.counts.trims.add(1);
            shared.counts.freed.add(trimmed.freed);
            let (before, freed) = (ByteSize(trimmed.overhead), ByteSize(trimmed.freed));
            let (files, rules) = (trimmed.files, trimmed.metas);
            shared.log(format_args!(
                "trimmed {}: {files} files and {rules} rules, {freed} of {before}",
                store.root().display()
            ));
        }
        Ok(_) => {}
        Err(error) => shared.log(format_args!("cannot trim: {error}")),
    }
}
