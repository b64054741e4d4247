//! Bringing the cache under its budget.
//!
//! | outcome | the cache afterwards |
//! |---|---|
//! | [`Trimmed::Done`] | what the plan named is gone, and what only it needed; `total` is what was measured |
//! | [`Trimmed::Busy`] | unchanged; another trim is at it |
//! | error | some of it is gone; every entry that is there is whole |
//!
//! What others remove meanwhile is as good as removed here.

use super::Store;
use super::error::StoreError;
use super::file;
use super::plan::{Plan, TrimRequest};
use crate::key::Key;
use std::collections::BTreeMap;
use std::fs;

/// What came of a trim.
#[derive(Clone, PartialEq, Debug)]
pub enum Trimmed {
    /// The cache is within its budget.
    Done(TrimReport),
    /// Another trim is at it.
    Busy,
}

/// What a trim did.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct TrimReport {
    /// What was decided.
    pub plan: Plan,
    /// How many entries were removed; fewer than the victims where others removed some first.
    pub removed: u64,
}

impl Store {
    /// Lets go what [`Store::plan`] names; see the [module](self) for the outcomes.
    pub fn trim(&self, request: &TrimRequest<'_>) -> Result<Trimmed, StoreError> {
        if !self.layout().root().exists() {
            return Ok(Trimmed::Done(TrimReport::default()));
        }
        let Some(held) = self.try_hold("trim")? else { return Ok(Trimmed::Busy) };
        self.clean_temporaries(request.now);
        let plan = self.plan(request)?;
        let mut removed = 0;
        if plan.due {
            for file in &plan.auxiliaries {
                file::if_there(fs::remove_file(&file.path)).map_err(StoreError::io("remove", &file.path))?;
            }
            removed = self.evict(&plan, request)?;
            self.sweep_objects()?;
        }
        for id in self.partitions()? {
            self.partition(id).compact()?;
        }
        self.set_total(plan.left)?;
        drop(held);
        Ok(Trimmed::Done(TrimReport { plan, removed }))
    }

    fn evict(&self, plan: &Plan, request: &TrimRequest<'_>) -> Result<u64, StoreError> {
        let mut victims: BTreeMap<_, Vec<Key>> = BTreeMap::new();
        for victim in &plan.victims {
            victims.entry(victim.partition).or_default().push(victim.key);
        }
        let mut removed = 0;
        for id in self.partitions()? {
            let partition = self.partition(id);
            let keys = victims.remove(&id).unwrap_or_default();
            removed += partition.evict(&keys, request.now)?.len() as u64;
            partition.reconcile()?;
        }
        Ok(removed)
    }
}
