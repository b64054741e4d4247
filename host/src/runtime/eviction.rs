//! The eviction role: a Wasm component as an [`Eviction`].

use super::bindings::eviction::{Eviction as Scorer, EvictionIndices};
use super::bindings::types;
use super::call::Plugin;
use super::check;
use super::engine::Runtime;
use super::load::World;
use super::plugin::PluginSource;
use super::state::State;
use super::usage::Usage;
use crate::policy::{Budget, Candidate, Eviction, Fault, FaultKind, PolicyId, Role};
use crate::time::Timestamp;
use std::fmt;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Result, Store};

/// How many candidates one question holds. Scores do not depend on it; beyond this, larger questions cost the guest memory
/// and save no time.
const BATCH: usize = 4096;

/// An eviction plugin. It is loaded when it is first asked something.
pub struct WasmEviction(Plugin<Guest>);

struct Guest;

impl World for Guest {
    const ROLE: Role = Role::Eviction;
    type Indices = EvictionIndices;
    type Guest = Scorer;

    fn link(linker: &mut Linker<State>) -> Result<()> {
        Scorer::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    }

    fn indices(pre: &InstancePre<State>) -> Result<EvictionIndices> {
        EvictionIndices::new(pre)
    }

    fn guest(indices: &EvictionIndices, store: &mut Store<State>, instance: &Instance) -> Result<Scorer> {
        indices.load(store, instance)
    }
}

impl WasmEviction {
    /// The eviction plugin with this source. Does nothing yet.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>, source: PluginSource) -> Self {
        Self(Plugin::new(runtime, source))
    }

    /// What the last call used.
    #[must_use]
    pub fn usage(&self) -> Usage {
        self.0.usage()
    }
}

impl Eviction for WasmEviction {
    fn id(&self) -> &PolicyId {
        self.0.id()
    }

    /// One instance scores all candidates, in batches that have the fuel of a call each.
    fn score(
        &self,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
    ) -> Result<Vec<f64>, Box<Fault>> {
        self.score_in_batches(now, budget, candidates, BATCH)
    }
}

impl WasmEviction {
    /// The scores where one instance is given so many candidates at once, at least one.
    pub fn score_in_batches(
        &self,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
        size: usize,
    ) -> Result<Vec<f64>, Box<Fault>> {
        let size = size.max(1);
        let answer = self.0.call("score", |session| {
            let mut scores = Vec::with_capacity(candidates.len());
            let mut batch = Vec::with_capacity(size.min(candidates.len()));
            for candidates in candidates.chunks(size) {
                batch.clear();
                batch.extend(candidates.iter().map(types::Candidate::from));
                session.refuel()?;
                let score = session.guest.reviver_plugin_eviction_role();
                let answer = score.call_score(&mut session.store, now.0, budget.into(), &batch)?;
                if let Err(what) = check::scores(&answer, candidates.len()) {
                    return Ok(Err(what));
                }
                scores.extend(answer);
            }
            Ok(Ok(scores))
        })?;
        answer.map_err(|what| self.0.fault("score", FaultKind::Protocol(what)))
    }
}

impl fmt::Debug for WasmEviction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmEviction({})", self.0.id().name)
    }
}
