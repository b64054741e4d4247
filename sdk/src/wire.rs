//! What `wit-bindgen` makes of the contract: the only unsafe code of the SDK.
//!
//! One module per world, so that a component of one role neither exports nor imports what belongs to another. The
//! shapes are those of the first world; the others take them over, or the same record would be a different type in each.

/// The world of key plugins, and the shapes that all worlds share.
pub mod key {
    wit_bindgen::generate!({
        path: "wit/v0.1.0",
        world: "reviver:plugin/key",
        additional_derives: [Clone, PartialEq, Eq],
        pub_export_macro: true,
        export_macro_name: "export_key",
        default_bindings_module: "::reviver_sdk::wire::key",
    });
}

/// The world of metadata plugins.
pub mod metadata {
    wit_bindgen::generate!({
        path: "wit/v0.1.0",
        world: "reviver:plugin/metadata",
        with: {
            "reviver:plugin/types@0.1.0": crate::wire::key::reviver::plugin::types,
            "reviver:plugin/host@0.1.0": crate::wire::key::reviver::plugin::host,
        },
        pub_export_macro: true,
        export_macro_name: "export_metadata",
        default_bindings_module: "::reviver_sdk::wire::metadata",
    });
}

/// The world of eviction plugins.
pub mod eviction {
    wit_bindgen::generate!({
        path: "wit/v0.1.0",
        world: "reviver:plugin/eviction",
        with: {
            "reviver:plugin/types@0.1.0": crate::wire::key::reviver::plugin::types,
            "reviver:plugin/host@0.1.0": crate::wire::key::reviver::plugin::host,
        },
        pub_export_macro: true,
        export_macro_name: "export_eviction",
        default_bindings_module: "::reviver_sdk::wire::eviction",
    });
}
