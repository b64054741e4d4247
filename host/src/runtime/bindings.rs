//! The host's side of the contract, generated from the normative text. Nothing in here leaves `runtime`.
//!
//! The worlds share the types and the common interface of the first one, so that one translation serves all of them.

/// The world of key plugins, with the types and interfaces that all worlds share.
#[allow(clippy::pedantic, missing_docs, reason = "generated")]
pub(super) mod key {
    wasmtime::component::bindgen!({
        path: "../sdk/wit/v0.1.0",
        world: "key",
        imports: { default: trappable },
    });
}

/// The world of metadata plugins.
#[allow(clippy::pedantic, missing_docs, reason = "generated")]
pub(super) mod metadata {
    wasmtime::component::bindgen!({
        path: "../sdk/wit/v0.1.0",
        world: "metadata",
        with: {
            "reviver:plugin/types@0.1.0": crate::runtime::bindings::key::reviver::plugin::types,
            "reviver:plugin/host@0.1.0": crate::runtime::bindings::key::reviver::plugin::host,
        },
    });
}

/// The world of eviction plugins.
#[allow(clippy::pedantic, missing_docs, reason = "generated")]
pub(super) mod eviction {
    wasmtime::component::bindgen!({
        path: "../sdk/wit/v0.1.0",
        world: "eviction",
        with: {
            "reviver:plugin/types@0.1.0": crate::runtime::bindings::key::reviver::plugin::types,
            "reviver:plugin/host@0.1.0": crate::runtime::bindings::key::reviver::plugin::host,
        },
    });
}

pub(super) use key::reviver::plugin::{host, inputs, types};
