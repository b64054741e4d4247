//! The eviction role: a Wasm component as an [`Eviction`].
//!
//! Candidates are parted into shares of [`SHARE`], each of which an instance of its own scores in batches of [`BATCH`]. The
//! cores take shares in turn. How many cores there are changes nothing else: the shares are the same, and where several are
//! at fault, the first one's fault is the answer.

use super::bindings::eviction::{Eviction as Scorer, EvictionIndices};
use super::bindings::types;
use super::call::{Called, Plugin};
use super::capability::Capabilities;
use super::check;
use super::engine::Runtime;
use super::load::World;
use super::plugin::PluginSource;
use super::size::Size;
use super::state::State;
use super::usage::Usage;
use crate::policy::{Budget, Candidate, Eviction, Fault, FaultKind, PolicyId, Role};
use crate::time::Timestamp;
use std::fmt;
use std::num::NonZero;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Result, Store};

/// How many candidates one question holds. Scores do not depend on it; beyond this, larger questions cost the guest memory
/// and save no time.
const BATCH: usize = 4096;

/// How many candidates one instance scores: so many that making it does not count.
const SHARE: usize = 8 * BATCH;

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

    /// Each batch has the fuel of a call.
    fn score(
        &self,
        now: Timestamp,
        budget: Budget,
        candidates: &[Candidate],
    ) -> Result<Vec<f64>, Box<Fault>> {
        let shares: Vec<_> = candidates.chunks(SHARE).collect();
        let next = AtomicUsize::new(0);
        let stop = AtomicBool::new(false);
        let take = || {
            let mut done = Vec::new();
            while !stop.load(Ordering::Relaxed) {
                let index = next.fetch_add(1, Ordering::Relaxed);
                let Some(share) = shares.get(index) else { break };
                let scored = self.share(now, budget, share, BATCH);
                // Whoever took an earlier share still finishes it, so the first fault of all is found.
                stop.fetch_or(scored.answer.is_err(), Ordering::Relaxed);
                done.push((index, scored));
            }
            done
        };
        let cores = thread::available_parallelism().map_or(1, NonZero::get).min(shares.len());
        let mut scored = thread::scope(|scope| {
            let others: Vec<_> = (1..cores).map(|_| scope.spawn(take)).collect();
            let mut scored = take();
            for other in others {
                scored.extend(other.join().expect("invariant: a guest cannot make its host panic"));
            }
            scored
        });
        scored.sort_unstable_by_key(|(index, _)| *index);
        let all = Usage::default();
        self.0.note(scored.iter().fold(all, |all, (_, share)| all.and(share.usage)));
        let mut scores = Vec::with_capacity(candidates.len());
        for (_, share) in scored {
            scores.extend(share.answer?);
        }
        Ok(scores)
    }
}

/// The scores of one share, and what they took.
struct Scored {
    answer: Result<Vec<f64>, Box<Fault>>,
    usage: Usage,
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
        self.share(now, budget, candidates, size.max(1)).answer
    }

    /// The scores of candidates that one instance is given in batches of this size.
    fn share(&self, now: Timestamp, budget: Budget, candidates: &[Candidate], size: usize) -> Scored {
        let called = self.0.call_with(None, |session| {
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
        });
        let (answer, usage) = match called {
            Ok(Called { answer, usage, .. }) => (answer, usage),
            Err(kind) => return Scored { answer: Err(self.0.fault("", kind)), usage: Usage::default() },
        };
        let answer = answer
            .and_then(|scores| scores.map_err(FaultKind::Protocol))
            .map_err(|kind| self.0.fault("score", kind));
        let output = answer.as_ref().map_or(0, Size::size);
        let usage = Usage { output, ..usage };
        Scored { answer, usage }
    }
}

impl fmt::Debug for WasmEviction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmEviction({})", self.0.id().name)
    }
}
