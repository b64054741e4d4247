//! The key role: a Wasm component as a [`KeyPolicy`].
//!
//! | the guest | the answer |
//! |---|---|
//! | answers within the contract | what it answered |
//! | looks at something that fails | [`Refusal::NotCacheable`] with that reason |
//! | replaces arguments without the capability | [`Refusal::NotCacheable`] that names the capability |
//! | breaks the contract, traps, oversteps a limit, cannot be loaded | a [`Fault`] |

use super::bindings::key::{Key, KeyIndices};
use super::bindings::types;
use super::call::{Called, Plugin, Session};
use super::capability::{Capabilities, Capability};
use super::check;
use super::engine::Runtime;
use super::load::World;
use super::plugin::PluginSource;
use super::size::Size;
use super::state::State;
use super::usage::Usage;
use crate::operation::{Derivation, Discovery, Operation, Refusal};
use crate::policy::{Fault, FaultKind, KeyPolicy, PolicyId, Role, SharedInputs};
use std::fmt;
use std::sync::Arc;
use wasmtime::component::{HasSelf, Instance, InstancePre, Linker};
use wasmtime::{Result, Store};

/// A key plugin. It is loaded when it is first asked something.
pub struct WasmKey(Plugin<Guest>);

/// An answer as it came, and why there is none where a look failed.
type Heard = (Result<types::Derivation, types::Refusal>, Option<String>);

struct Guest;

impl World for Guest {
    const ROLE: Role = Role::Key;
    type Indices = KeyIndices;
    type Guest = Key;

    fn link(linker: &mut Linker<State>) -> Result<()> {
        Key::add_to_linker::<State, HasSelf<State>>(linker, |state| state)
    }

    fn indices(pre: &InstancePre<State>) -> Result<KeyIndices> {
        KeyIndices::new(pre)
    }

    fn guest(indices: &KeyIndices, store: &mut Store<State>, instance: &Instance) -> Result<Key> {
        indices.load(store, instance)
    }
}

impl WasmKey {
    /// The key plugin with this source. Does nothing yet.
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

    /// Asks one instance, kept alive, about one operation after the other: what no run ever does. An author learns from it
    /// whether an answer depends on what was asked before.
    ///
    /// Each question has the fuel and the traffic of a call of its own; memory that the guest keeps is counted for all. A
    /// look that ends a call ends the turn: there are no answers to the questions behind it.
    pub fn derive_in_turn(
        &self,
        questions: &[(&Operation, SharedInputs)],
    ) -> Result<Vec<Result<Derivation, Refusal>>, Box<Fault>> {
        let all: Vec<_> = questions.iter().map(|(operation, _)| types::Operation::from(*operation)).collect();
        let mut answers: Vec<Heard> = Vec::new();
        let Some((_, first)) = questions.first() else { return Ok(Vec::new()) };
        let asked = self.0.call_with(Some(first), |session| {
            answers.clear();
            for (operation, (_, inputs)) in all.iter().zip(questions) {
                session.refuel()?;
                session.store.data_mut().turn(inputs);
                let role = session.guest.reviver_plugin_key_role();
                let answer = role.call_derive(&mut session.store, operation)?;
                answers.push((answer, session.store.data_mut().failed.take()));
            }
            Ok(())
        });
        let Called { answer, failed, .. } = asked.map_err(|kind| self.0.fault("", kind))?;
        if let Err(kind) = answer {
            let Some(why) = failed else { return Err(self.0.fault("derive", kind)) };
            let mut answers = self.settled(answers)?;
            answers.push(Err(Refusal::NotCacheable(why)));
            return Ok(answers);
        }
        self.settled(answers)
    }

    /// Answers of one instance, checked as those of a call of its own are.
    fn settled(&self, answers: Vec<Heard>) -> Result<Vec<Result<Derivation, Refusal>>, Box<Fault>> {
        let settle = |(answer, failed): Heard| {
            if let Some(why) = failed {
                return Ok(Err(Refusal::NotCacheable(why)));
            }
            let settled = match answer {
                Ok(answer) => {
                    let size = answer.size();
                    self.0.bounded(answer, size).and_then(|answer| self.checked(answer))
                }
                Err(refusal) => {
                    let size = refusal.size();
                    self.0.bounded(Err(refusal.into()), size)
                }
            };
            settled.map_err(|kind| self.0.fault("derive", kind))
        };
        answers.into_iter().map(settle).collect()
    }

    /// A derivation that keeps to the contract and to what the plugin may do.
    fn checked(&self, answer: types::Derivation) -> Result<Result<Derivation, Refusal>, FaultKind> {
        let derivation = Derivation::from(answer);
        check::derivation(&derivation).map_err(FaultKind::Protocol)?;
        if derivation.arguments.is_some() && !self.0.capabilities().has(Capability::Arguments) {
            let capability = Capability::Arguments;
            let why = format!("the key plugin replaces arguments, which needs the capability `{capability}`");
            return Ok(Err(Refusal::NotCacheable(why)));
        }
        Ok(Ok(derivation))
    }

    fn ask<A: Size, B>(
        &self,
        function: &'static str,
        inputs: &SharedInputs,
        body: impl FnMut(&mut Session<Guest>) -> Result<Result<A, types::Refusal>>,
        check: impl FnOnce(A) -> Result<Result<B, Refusal>, FaultKind>,
    ) -> Result<Result<B, Refusal>, Box<Fault>> {
        let Called { answer, failed, .. } =
            self.0.call_with(Some(inputs), body).map_err(|kind| self.0.fault("", kind))?;
        if let Some(why) = failed {
            return Ok(Err(Refusal::NotCacheable(why)));
        }
        let checked = answer.and_then(|answer| match answer {
            Ok(answer) => {
                let size = answer.size();
                self.0.bounded(answer, size).and_then(check)
            }
            Err(refusal) => {
                let size = refusal.size();
                self.0.bounded(Err(refusal.into()), size)
            }
        });
        checked.map_err(|kind| self.0.fault(function, kind))
    }
}

impl KeyPolicy for WasmKey {
    fn id(&self) -> &PolicyId {
        self.0.id()
    }

    fn derive(
        &self,
        operation: &Operation,
        inputs: SharedInputs,
    ) -> Result<Result<Derivation, Refusal>, Box<Fault>> {
        let operation = types::Operation::from(operation);
        let ask = |session: &mut Session<Guest>| {
            session.guest.reviver_plugin_key_role().call_derive(&mut session.store, &operation)
        };
        self.ask("derive", &inputs, ask, |answer| self.checked(answer))
    }

    fn discover(
        &self,
        operation: &Operation,
        report: &[u8],
        inputs: SharedInputs,
    ) -> Result<Result<Discovery, Refusal>, Box<Fault>> {
        let operation = types::Operation::from(operation);
        let ask = |session: &mut Session<Guest>| {
            session.guest.reviver_plugin_key_role().call_discover(&mut session.store, &operation, report)
        };
        self.ask("discover", &inputs, ask, |answer| {
            let discovery = Discovery::from(answer);
            check::discovery(&discovery).map_err(FaultKind::Protocol)?;
            Ok(Ok(discovery))
        })
    }
}

impl fmt::Debug for WasmKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "WasmKey({})", self.0.id().name)
    }
}
