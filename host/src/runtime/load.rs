//! From a plugin's source to something that can be instantiated: mapped where it was compiled before, else compiled.

use super::contract;
use super::engine::Runtime;
use super::inspect;
use super::plugin::PluginSource;
use super::state::State;
use crate::policy::{FaultKind, Role};
use wasmtime::component::{Component, Instance, InstancePre, Linker};
use wasmtime::{Engine, Result, Store};

/// The generated side of one role.
pub(super) trait World: 'static {
    /// The role.
    const ROLE: Role;
    /// Where the functions are in a component.
    type Indices: Send + Sync;
    /// The functions of an instance.
    type Guest;

    /// Links what a guest of this role may import.
    fn link(linker: &mut Linker<State>) -> Result<()>;
    /// Finds the functions.
    fn indices(pre: &InstancePre<State>) -> Result<Self::Indices>;
    /// Takes the functions of an instance.
    fn guest(indices: &Self::Indices, store: &mut Store<State>, instance: &Instance) -> Result<Self::Guest>;
}

/// A component that only waits for its instances.
pub(super) struct Loaded<W: World> {
    pub(super) pre: InstancePre<State>,
    pub(super) indices: W::Indices,
}

/// Loads a plugin for its role.
///
/// | | |
/// |---|---|
/// | whole, of this role and version, within the limits | `Ok` |
/// | of another role or version, or with functions of another shape | `Abi` |
/// | importing what it may not | `Import` |
/// | unreadable, another digest, malformed | `Load` |
/// | not compiled yet, by a runtime that does not compile | `Uncompiled` |
pub(super) fn load<W: World>(runtime: &Runtime, source: &PluginSource) -> Result<Loaded<W>, FaultKind> {
    let engine = runtime.engine()?;
    let component = component::<W>(runtime, engine, source)?;
    // The kept one may have been compiled for another role, and names say more than the linker does.
    let kind = component.component_type();
    contract::check(
        W::ROLE,
        kind.imports(engine).map(|(name, _)| name),
        kind.exports(engine).map(|(name, _)| name),
    )?;
    let mut linker = Linker::new(engine);
    W::link(&mut linker).expect("invariant: the contract's names are linked once");
    let shape = |error: wasmtime::Error| FaultKind::Abi {
        expected: contract::export(W::ROLE).to_owned(),
        found: format!("one of another shape ({error:#})"),
    };
    let pre = linker.instantiate_pre(&component).map_err(shape)?;
    let indices = W::indices(&pre).map_err(shape)?;
    Ok(Loaded { pre, indices })
}

fn component<W: World>(
    runtime: &Runtime,
    engine: &Engine,
    source: &PluginSource,
) -> Result<Component, FaultKind> {
    let artifacts = runtime.artifacts();
    if let Some(component) = artifacts.and_then(|artifacts| artifacts.find(engine, source.digest)) {
        return Ok(component);
    }
    if !runtime.compiles() {
        return Err(FaultKind::Uncompiled);
    }
    let bytes = source.read()?;
    inspect::check(&bytes, W::ROLE)?;
    let component = Component::from_binary(engine, &bytes)
        .map_err(|error| FaultKind::Load(format!("the component does not compile: {error:#}")))?;
    if let Some(artifacts) = artifacts {
        // An unusable directory costs the next process its time and nothing else.
        let _kept = artifacts.keep(engine, source.digest, &component);
    }
    Ok(component)
}
