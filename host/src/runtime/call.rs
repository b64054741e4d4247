//! One call of a plugin: a fresh store and instance, bounded, and dropped whatever came of it.
//!
//! Laws:
//! - Equal arguments and equal looks give equal answers and equal faults, except for `Time`.
//! - Nothing that a guest does reaches the next call.
//!
//! A call is tried with [little fuel](FIRST) and no clock first. What fuel bounds cannot take long, since bytes that are
//! copied cost fuel and what is handed to the host is counted, so that no thread has to watch it; starting one would cost
//! more than the call. Only a call that wants more fuel is started over with all of it, under a [`Watchdog`]. Guests are pure,
//! so starting over changes nothing but the time it takes: a few milliseconds for a guest that takes many.

use super::capability::Capabilities;
use super::engine::{LogLine, Runtime};
use super::fault::{self, Halt};
use super::load::{self, Loaded, World};
use super::memory::Budget;
use super::plugin::PluginSource;
use super::state::State;
use super::usage::Usage;
use super::watchdog::Watchdog;
use crate::policy::key::SharedInputs;
use crate::policy::{Fault, FaultKind, PolicyId};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use wasmtime::{Error, Result, Store, Trap, UpdateDeadline};

/// The fuel of the first try: about ten milliseconds, and a hundred times what a derivation of some size needs.
const FIRST: u64 = 20_000_000;

/// Never, for an engine whose epoch counts overstepped times.
const NEVER: u64 = u64::MAX / 2;

/// A plugin of one role that is loaded when it is first called.
pub(super) struct Plugin<W: World> {
    runtime: Arc<Runtime>,
    source: PluginSource,
    id: PolicyId,
    loaded: Arc<OnceLock<Result<Loaded<W>, FaultKind>>>,
    usage: Mutex<Usage>,
}

/// An instance that is being called.
pub(super) struct Session<W: World> {
    pub(super) store: Store<State>,
    pub(super) guest: W::Guest,
    fuel: u64,
    /// What was used before the fuel was last given.
    used: u64,
}

impl<W: World> Session<W> {
    /// Gives the instance the fuel of a call anew.
    pub(super) fn refuel(&mut self) -> Result<()> {
        self.used = self.used();
        self.store.set_fuel(self.fuel)
    }

    /// All the fuel that was used so far.
    fn used(&self) -> u64 {
        let left = self.store.get_fuel().unwrap_or_default();
        self.used.saturating_add(self.fuel.saturating_sub(left))
    }
}

/// What came of a call.
pub(super) struct Called<R> {
    /// The answer, or why there is none.
    pub(super) answer: Result<R, FaultKind>,
    /// Why the operation has no key, where a look failed.
    pub(super) failed: Option<String>,
    /// What the call used.
    pub(super) usage: Usage,
}

impl<W: World> Plugin<W> {
    pub(super) fn new(runtime: Arc<Runtime>, source: PluginSource) -> Self {
        let id = source.id();
        Self { runtime, source, id, loaded: Arc::default(), usage: Mutex::default() }
    }

    /// The same component under another configuration and with other capabilities. What is loaded is shared.
    pub(super) fn under(&self, configuration: String, capabilities: Capabilities) -> Self {
        let source = PluginSource { configuration, capabilities, ..self.source.clone() };
        let (runtime, loaded) = (Arc::clone(&self.runtime), Arc::clone(&self.loaded));
        Self { loaded, ..Self::new(runtime, source) }
    }

    /// Loads the component, unless that was tried before.
    pub(super) fn load(&self) -> Result<(), Box<Fault>> {
        self.loaded().map(drop).map_err(|kind| self.fault("", kind))
    }

    fn loaded(&self) -> Result<&Loaded<W>, FaultKind> {
        let loaded = self.loaded.get_or_init(|| load::load(&self.runtime, &self.source));
        loaded.as_ref().map_err(FaultKind::clone)
    }

    pub(super) const fn id(&self) -> &PolicyId {
        &self.id
    }

    pub(super) const fn capabilities(&self) -> Capabilities {
        self.source.capabilities
    }

    /// The fault of this plugin in `function`.
    pub(super) fn fault(&self, function: &'static str, kind: FaultKind) -> Box<Fault> {
        let (plugin, digest) = (self.source.name.clone(), self.source.digest);
        Box::new(Fault { plugin, digest, role: W::ROLE, function, kind })
    }

    /// What the last call used.
    pub(super) fn usage(&self) -> Usage {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes what the last call used, where that was more than one to the engine.
    pub(super) fn note(&self, usage: Usage) {
        *self.usage.lock().unwrap_or_else(PoisonError::into_inner) = usage;
    }

    /// How many bytes the guest may hand to the host in one call.
    pub(super) const fn traffic(&self) -> u64 {
        self.source.limits.traffic()
    }

    /// Notes the size of an answer.
    pub(super) fn answered(&self, size: u64) {
        self.usage.lock().unwrap_or_else(PoisonError::into_inner).output = size;
    }

    /// Notes and checks the size of an answer.
    pub(super) fn bounded<T>(&self, answer: T, size: u64) -> Result<T, FaultKind> {
        self.answered(size);
        let limit = self.source.limits.output;
        if size > limit { Err(FaultKind::Output { size, limit }) } else { Ok(answer) }
    }

    /// Calls a plugin that looks at nothing.
    pub(super) fn call<R>(
        &self,
        function: &'static str,
        body: impl FnMut(&mut Session<W>) -> Result<R>,
    ) -> Result<R, Box<Fault>> {
        let called = self.call_with(None, body).map_err(|kind| self.fault("", kind))?;
        called.answer.map_err(|kind| self.fault(function, kind))
    }

    /// Calls a plugin that looks at `inputs`. The error is one of loading.
    pub(super) fn call_with<R>(
        &self,
        inputs: Option<&SharedInputs>,
        mut body: impl FnMut(&mut Session<W>) -> Result<R>,
    ) -> Result<Called<R>, FaultKind> {
        let loaded = self.loaded()?;
        let all = self.source.limits.fuel;
        let fuel = all.min(FIRST);
        let first = self.attempt(loaded, fuel, false, inputs, &mut body);
        let (result, used, state) = match first {
            (Err(error), _, state) if fuel < all && error.downcast_ref() == Some(&Trap::OutOfFuel) => {
                drop(state);
                self.attempt(loaded, all, true, inputs, &mut body)
            }
            other => other,
        };
        let usage = Usage { fuel: used, memory: self.source.limits.memory - state.memory.left(), output: 0 };
        self.note(usage);
        let State { log, panicked, failed, .. } = state;
        if !log.is_empty() {
            let line = |(level, message)| LogLine { plugin: self.source.name.clone(), level, message };
            self.runtime.append_log(log.into_iter().map(line));
        }
        let answer = result.map_err(|error| fault::of_call(&error, &self.source.limits, panicked));
        Ok(Called { answer, failed, usage })
    }

    fn attempt<R>(
        &self,
        loaded: &Loaded<W>,
        fuel: u64,
        watched: bool,
        inputs: Option<&SharedInputs>,
        body: &mut impl FnMut(&mut Session<W>) -> Result<R>,
    ) -> (Result<R>, u64, State) {
        let PluginSource { limits, configuration, capabilities, .. } = &self.source;
        if let Some(inputs) = inputs {
            inputs.borrow_mut().begin();
        }
        let engine = loaded.pre.engine();
        let mut store = Store::new(
            engine,
            State {
                configuration: configuration.clone(),
                capabilities: *capabilities,
                inputs: inputs.cloned(),
                memory: Budget::new(limits.memory),
                traffic: limits.traffic(),
                said: 0,
                log: Vec::new(),
                logged: 0,
                panicked: None,
                failed: None,
            },
        );
        store.limiter(|state| &mut state.memory);
        store.set_hostcall_fuel(usize::try_from(limits.traffic()).unwrap_or(usize::MAX));
        store.set_epoch_deadline(NEVER);
        let watchdog = if watched { Watchdog::start(engine, limits.time) } else { None };
        if let Some(watchdog) = &watchdog {
            let over = watchdog.over();
            store.set_epoch_deadline(1);
            store.epoch_deadline_callback(move |_| {
                if over.load(Ordering::Acquire) {
                    return Err(Error::new(Halt::Time));
                }
                Ok(UpdateDeadline::Continue(1))
            });
        }
        let started = store.set_fuel(fuel).and_then(|()| {
            let instance = loaded.pre.instantiate(&mut store)?;
            W::guest(&loaded.indices, &mut store, &instance)
        });
        let guest = match started {
            Ok(guest) => guest,
            Err(error) => {
                let used = fuel.saturating_sub(store.get_fuel().unwrap_or_default());
                return (Err(error), used, store.into_data());
            }
        };
        let mut session = Session { store, guest, fuel, used: 0 };
        let result = body(&mut session);
        (result, session.used(), session.store.into_data())
    }
}
