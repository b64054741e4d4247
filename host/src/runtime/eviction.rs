//! The eviction role: a Wasm component as an [`Eviction`].

use super::bindings::eviction::{Eviction as Scorer, EvictionIndices};
use super::bindings::types;
use super::call::Plugin;
use super::capability::Capabilities;
use super::check;
use super::engine::Runtime;
use super::load::World;
use super::plugin::PluginSource;
use super::size::Size as _;
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

    /// The same plugin under another configuration and with other capabilities; the component is loaded once for both.
    #[must_use]
    pub fn under(&self, configuration: String, capabilities: Capabilities) -> Self {
        Self(self.0.under(configuration, capabilities))
    }

    /// Loads the component now instead of with the first question.
    pub fn load(&self) -> Result<(), Box<Fault>> {
        self.0.load()
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
        let answer = self.0.call("score", |session| {
            let mut scores = Vec::with_capacity(candidates.len());
            let mut batch = Vec::with_capacity(BATCH.min(candidates.len()));
            for candidates in candidates.chunks(BATCH) {
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
        if let Ok(scores) = &answer {
            self.0.answered(scores.size());
        }
        answer.map_err(|what| self.0.fault("score", FaultKind::Protocol(what)))
    }
}

impl fmt::Debug for WasmEviction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmEviction({})", self.0.id().name)
    }
}
