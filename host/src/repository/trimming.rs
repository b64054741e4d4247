//! Bringing the cache under its limit, with a repository's own policy for its own partition and the host's order for all
//! others.
//!
//! | the policy | the trim | told |
//! |---|---|---|
//! | may be used | goes by it | |
//! | may not be used | goes in the host's order | the [`ChooseError`] |
//! | is at fault | goes in the host's order | the plan's faults, which are counted in the journal |

use super::choose::ChooseError;
use super::opened::Opened;
use crate::key::Key;
use crate::policy::{Eviction, Role};
use crate::reviver::breaker::Guarded;
use crate::reviver::journal::{self, Record};
use crate::runtime::WasmEviction;
use crate::store::{PartitionId, Plan, PolicyFaultKind, StoreError, TrimRequest, Trimmed};
use std::rc::Rc;
use std::sync::Arc;

/// What came of a trim, and why the repository's own policy was not asked, where it was not.
#[derive(Debug)]
pub struct Asked<T> {
    /// What came of it.
    pub done: T,
    /// Why the policy may not be used.
    pub unusable: Option<ChooseError>,
}

/// Acts on a request with this repository's policy. `unused` entries go first.
pub fn with_request<T>(
    opened: &Opened,
    limit: u64,
    unused: &dyn Fn(&Key) -> bool,
    act: impl FnOnce(&TrimRequest<'_>) -> Result<T, StoreError>,
) -> Result<Asked<T>, StoreError> {
    let chosen = opened.trusted(&opened.place.settings.eviction, Role::Eviction);
    let (chosen, unusable) = match chosen {
        Ok(chosen) => (Some(chosen), None),
        Err(error) => (None, Some(error)),
    };
    let policy = chosen.map(|chosen| {
        let policy = WasmEviction::new(Arc::clone(&opened.runtime), chosen.source);
        Guarded::new(policy, &opened.store, &opened.partition, Rc::new(opened.clock))
    });
    let own = opened.partition.id();
    let policies =
        |id: PartitionId| policy.as_ref().filter(|_| id == own).map(|policy| -> &dyn Eviction { policy });
    let shares = |id: PartitionId| opened.place.settings.size.filter(|_| id == own).map(|share| share.0);
    let now = (opened.clock)();
    let done =
        act(&TrimRequest { policies: &policies, shares: &shares, unused, ..TrimRequest::new(limit, now) })?;
    Ok(Asked { done, unusable })
}

/// Trims to a limit, and counts the faults of policies.
pub fn trim(
    opened: &Opened,
    limit: u64,
    unused: &dyn Fn(&Key) -> bool,
) -> Result<Asked<Trimmed>, StoreError> {
    let asked = with_request(opened, limit, unused, |request| opened.store.trim(request))?;
    if let Trimmed::Done(report) = &asked.done {
        count(opened, &report.plan);
    }
    Ok(asked)
}

/// The limit to trim to, where the cache of `size` bytes outgrew what is said of it: nine tenths, so that the next runs need not.
#[must_use]
pub fn due(opened: &Opened, size: u64) -> Option<u64> {
    let limit = opened.place.user.size.0;
    let share = opened.place.settings.size.map_or(u64::MAX, |share| share.0);
    let over_share = || opened.partition.stats().is_ok_and(|stats| stats.bytes > share);
    if size <= limit && (share == u64::MAX || !over_share()) {
        return None;
    }
    Some(if size > limit { limit / 10 * 9 } else { limit })
}

/// Counts the faults of eviction plugins in the statistics of their repositories.
fn count(opened: &Opened, plan: &Plan) {
    for fault in &plan.faults {
        let code = match &fault.kind {
            PolicyFaultKind::Fault(fault) if fault.is_off() => continue,
            PolicyFaultKind::Fault(fault) => fault.kind.code(),
            _ => "protocol",
        };
        let partition = opened.store.partition(fault.partition);
        // Where the journal cannot be written the runs say so.
        journal::append(&opened.store, &partition, &Record::trim((opened.clock)(), &fault.policy, code)).ok();
    }
}
