//! Puts questions to a plugin.
//!
//! The component is loaded once, whatever configurations and capabilities the questions have. Each question is put to a fresh
//! instance, as everywhere.

use super::answer::{Answer, Reply};
use super::host::{Host, Scripted};
use super::look::Noted;
use super::machine::Machine;
use super::question::{Asked, Question};
use crate::operation::{Operation, Refusal};
use crate::policy::{Codec as _, Eviction as _, Fault, KeyPolicy as _, Role, SharedInputs};
use crate::runtime::{
    Capabilities, Capability, PluginSource, Runtime, Usage, WasmCodec, WasmEviction, WasmKey,
};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// Nanoseconds of a clock that never goes back; the library has none.
pub type Ticks = Rc<dyn Fn() -> u64>;

/// Puts questions to a plugin.
pub struct Caller {
    runtime: Arc<Runtime>,
    source: PluginSource,
    machine: Machine,
    ticks: Ticks,
    key: WasmKey,
    codec: WasmCodec,
    eviction: WasmEviction,
}

impl Caller {
    /// Somebody who asks this plugin. Does nothing yet.
    #[must_use]
    pub fn new(runtime: Arc<Runtime>, source: PluginSource, machine: Machine, ticks: Ticks) -> Self {
        // Of the three only those are ever loaded that are asked: one, where all questions are of one role.
        let key = WasmKey::new(Arc::clone(&runtime), source.clone());
        let codec = WasmCodec::new(Arc::clone(&runtime), source.clone());
        let eviction = WasmEviction::new(Arc::clone(&runtime), source.clone());
        Self { runtime, source, machine, ticks, key, codec, eviction }
    }

    /// The plugin that is asked.
    #[must_use]
    pub const fn source(&self) -> &PluginSource {
        &self.source
    }

    /// What it runs in.
    #[must_use]
    pub const fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Loads the component anew in a runtime, for a role, and tells how many nanoseconds that took.
    pub fn load(&self, role: Role, runtime: &Arc<Runtime>) -> Result<u64, Box<Fault>> {
        let (runtime, source) = (Arc::clone(runtime), self.source.clone());
        let (loaded, time) = self.timed(|| match role {
            Role::Key => WasmKey::new(runtime, source).load(),
            Role::Metadata => WasmCodec::new(runtime, source).load(),
            Role::Eviction => WasmEviction::new(runtime, source).load(),
        });
        loaded.map(|()| time)
    }

    /// Asks one question. Whatever comes of it is an answer.
    #[must_use]
    pub fn ask(&self, question: &Question) -> Answer {
        let host = question.host.as_ref();
        match &question.asked {
            Asked::Derive(operation) => self.ask_key(host, operation, None),
            Asked::Discover(operation, report) => self.ask_key(host, operation, Some(report)),
            Asked::Encode(outcome) => {
                self.ask_codec(host, |codec| Ok(codec.encode(outcome)?.map(Reply::Hunk)))
            }
            Asked::Decode(hunk) => self.ask_codec(host, |codec| Ok(codec.decode(hunk)?.map(Reply::Outcome))),
            Asked::Score { now, budget, candidates } => {
                self.ask_eviction(host, |eviction| eviction.score(*now, *budget, candidates))
            }
        }
    }

    fn ask_key(&self, host: Option<&Host>, operation: &Operation, report: Option<&[u8]>) -> Answer {
        let inputs: SharedInputs = match host {
            Some(host) => Rc::new(RefCell::new(Scripted(host.clone()))),
            None => self.machine.inputs(operation, report),
        };
        let (configuration, capabilities) = self.bounds(host);
        let key = self.key.under(configuration, capabilities);
        let noted = Noted::new(inputs);
        let inputs: SharedInputs = Rc::<RefCell<Noted>>::clone(&noted);
        let ask = || -> Result<Result<Reply, Refusal>, Box<Fault>> {
            Ok(match report {
                None => key.derive(operation, inputs)?.map(Reply::Derivation),
                Some(report) => key.discover(operation, report, inputs)?.map(Reply::Discovery),
            })
        };
        // What fails here fails below again, and is told there.
        key.load().ok();
        let (answered, time) = self.timed(ask);
        let reply = answered.map_or_else(Reply::Fault, |answer| answer.unwrap_or_else(Reply::Refused));
        let looks = noted.borrow_mut().take_looks();
        Answer { looks, ..self.answer(reply, key.usage(), time) }
    }

    fn ask_codec(
        &self,
        host: Option<&Host>,
        ask: impl FnOnce(&WasmCodec) -> Result<Result<Reply, String>, Box<Fault>>,
    ) -> Answer {
        let (configuration, capabilities) = self.bounds(host);
        let codec = self.codec.under(configuration, capabilities);
        codec.load().ok();
        let (answered, time) = self.timed(|| ask(&codec));
        let reply = answered.map_or_else(Reply::Fault, |answer| answer.unwrap_or_else(Reply::Declined));
        self.answer(reply, codec.usage(), time)
    }

    fn ask_eviction(
        &self,
        host: Option<&Host>,
        ask: impl FnOnce(&WasmEviction) -> Result<Vec<f64>, Box<Fault>>,
    ) -> Answer {
        let (configuration, capabilities) = self.bounds(host);
        let eviction = self.eviction.under(configuration, capabilities);
        eviction.load().ok();
        let (answered, time) = self.timed(|| ask(&eviction));
        self.answer(answered.map_or_else(Reply::Fault, Reply::Scores), eviction.usage(), time)
    }

    /// The configuration and the capabilities under which a question is asked.
    fn bounds(&self, host: Option<&Host>) -> (String, Capabilities) {
        let own = &self.source;
        let configuration = host.and_then(|host| host.configuration.as_ref()).unwrap_or(&own.configuration);
        let capabilities = match host {
            None => own.capabilities,
            // The host itself denies looks, so that they are noted all the same.
            Some(host) if host.capabilities.has(Capability::Arguments) => Capabilities::ALL,
            Some(_) => Capabilities::NONE.with(Capability::Query).with(Capability::Read),
        };
        (configuration.clone(), capabilities)
    }

    fn timed<T>(&self, ask: impl FnOnce() -> T) -> (T, u64) {
        let start = (self.ticks)();
        let answer = ask();
        (answer, (self.ticks)().saturating_sub(start))
    }

    fn answer(&self, reply: Reply, usage: Usage, time: u64) -> Answer {
        Answer { reply, looks: Vec::new(), log: self.runtime.take_log(), usage, time }
    }
}

impl std::fmt::Debug for Caller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Caller").field("source", &self.source).finish_non_exhaustive()
    }
}
