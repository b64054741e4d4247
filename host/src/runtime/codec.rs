//! The metadata role: a Wasm component as a [`Codec`].

use super::bindings::metadata::{Metadata, MetadataIndices};
use super::bindings::types;
use super::call::{Plugin, Session};
use super::capability::Capabilities;
use super::engine::Runtime;
use super::load::World;
use super::plugin::PluginSource;
use super::size::Size;
use super::state::State;
use super::usage::Usage;
use crate::outcome::Outcome;
use crate::policy::{Codec, Fault, PolicyId, Role};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Result, Store};

/// A metadata plugin. It is loaded when it is first asked something.
pub struct WasmCodec(Plugin<Guest>);

struct Guest;

impl World for Guest {
    const ROLE: Role = Role::Metadata;
    type Indices = MetadataIndices;
    type Guest = Metadata;

    fn link(linker: &mut Linker<State>) -> Result<()> {
        Metadata::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    }

    fn indices(pre: &InstancePre<State>) -> Result<MetadataIndices> {
        MetadataIndices::new(pre)
    }

    fn guest(indices: &MetadataIndices, store: &mut Store<State>, instance: &Instance) -> Result<Metadata> {
        indices.load(store, instance)
    }
}

impl WasmCodec {
    /// The metadata plugin with this source. Does nothing yet.
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

    /// Has one instance, kept alive, encode one outcome after the other, which recording never does. An author learns from
    /// it whether a hunk depends on what was encoded before.
    pub fn encode_in_turn(&self, outcomes: &[Outcome]) -> Result<Vec<Result<Vec<u8>, String>>, Box<Fault>> {
        let outcomes: Vec<_> = outcomes.iter().map(types::Outcome::from).collect();
        self.0.call("encode", |session| {
            let encode = |outcome| {
                session.refuel()?;
                let role = session.guest.reviver_plugin_metadata_role();
                role.call_encode(&mut session.store, outcome)
            };
            outcomes.iter().map(encode).collect()
        })
    }

    /// Has one instance, kept alive, decode one hunk after the other.
    pub fn decode_in_turn(&self, hunks: &[Vec<u8>]) -> Result<Vec<Result<Outcome, String>>, Box<Fault>> {
        self.0.call("decode", |session| {
            let decode = |hunk: &Vec<u8>| {
                session.refuel()?;
                let role = session.guest.reviver_plugin_metadata_role();
                Ok(role.call_decode(&mut session.store, hunk)?.map(Into::into))
            };
            hunks.iter().map(decode).collect()
        })
    }

    /// Asks about `given` bytes. A codec gives back what it was given, however much the command said: only what it adds is
    /// bounded as its own, and what is too much for any codec is refused here, which is nobody's fault.
    fn ask<A: Size>(
        &self,
        function: &'static str,
        given: u64,
        body: impl FnMut(&mut Session<Guest>) -> Result<Result<A, String>>,
    ) -> Result<Result<A, String>, Box<Fault>> {
        let most = self.0.traffic() / 2;
        if given > most {
            return Ok(Err(format!(
                "{given} bytes are more than the {most} that a metadata plugin is given"
            )));
        }
        let answer = self.0.call(function, body)?;
        let size = answer.as_ref().map_or_else(Size::size, Size::size);
        self.0.bounded(answer, size.saturating_sub(given)).map_err(|kind| self.0.fault(function, kind))
    }
}

impl Codec for WasmCodec {
    fn id(&self) -> &PolicyId {
        self.0.id()
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        let outcome = types::Outcome::from(outcome);
        self.ask("encode", outcome.size(), |session| {
            session.guest.reviver_plugin_metadata_role().call_encode(&mut session.store, &outcome)
        })
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        let answer = self.ask("decode", hunk.len() as u64, |session| {
            session.guest.reviver_plugin_metadata_role().call_decode(&mut session.store, hunk)
        })?;
        Ok(answer.map(Into::into))
    }
}

impl fmt::Debug for WasmCodec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmCodec({})", self.0.id().name)
    }
}
