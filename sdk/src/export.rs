//! Exporting a plugin from its crate.

use std::marker::PhantomData;

use crate::{Budget, Candidate, Derivation, Discovery, Operation, Outcome, Refusal};
use crate::{EvictionPlugin, KeyPlugin, MetadataPlugin, wire};

/// Makes a type the plugin of its crate: `export!(key: Mine);`, `export!(metadata: Mine);` or `export!(eviction: Mine);`,
/// once per crate. Does nothing natively, where there is nobody to export to.
///
/// A plugin that has settings says so, for people to read with `reviver plugin inspect`. Names that are no identifiers
/// are written as texts; a setting is a `text`, a `boolean`, an `integer`, or `texts`, a list of them.
///
/// ```
/// # use reviver_sdk::{Derivation, KeyPlugin, Operation, Refusal};
/// # struct Mine;
/// # impl KeyPlugin for Mine {
/// #     fn derive(_: &Operation) -> Result<Derivation, Refusal> {
/// #         Ok(Derivation::new("mine"))
/// #     }
/// # }
/// reviver_sdk::export!(key: Mine, settings: {
///     comment: text = "what starts a comment; `#` unless it is set",
///     "search-in": texts = "directories where words are looked for",
/// });
/// ```
#[macro_export]
macro_rules! export {
    ($role:ident: $plugin:ty, settings: { $($name:tt: $kind:ident = $about:literal),* $(,)? }) => {
        $crate::export!($role: $plugin);

        const _: () = {
            const SETTINGS: &str = concat!($($crate::setting!($name $kind $about)),*);
            const SECTION: [u8; SETTINGS.len()] = $crate::section::<{ SETTINGS.len() }>(SETTINGS);
            #[cfg(target_arch = "wasm32")]
            #[used]
            #[unsafe(link_section = "reviver:settings")]
            static KEPT: [u8; SETTINGS.len()] = SECTION;
            // What does not compile as a guest does not compile natively.
            #[cfg(not(target_arch = "wasm32"))]
            const _: [u8; SETTINGS.len()] = SECTION;
        };
    };
    (key: $plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::ExportedKey<$plugin>;
            $crate::wire::key::export_key!(Exported with_types_in $crate::wire::key);
        };
    };
    (metadata: $plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::ExportedMetadata<$plugin>;
            $crate::wire::metadata::export_metadata!(Exported with_types_in $crate::wire::metadata);
        };
    };
    (eviction: $plugin:ty) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            type Exported = $crate::ExportedEviction<$plugin>;
            $crate::wire::eviction::export_eviction!(Exported with_types_in $crate::wire::eviction);
        };
    };
}

/// The guest that a key plugin is to the host.
#[doc(hidden)]
#[derive(Debug)]
pub struct ExportedKey<P>(PhantomData<P>);

impl<P: KeyPlugin> wire::key::exports::reviver::plugin::key_role::Guest for ExportedKey<P> {
    fn derive(operation: Operation) -> Result<Derivation, Refusal> {
        enter();
        P::derive(&operation)
    }

    fn discover(operation: Operation, report: Vec<u8>) -> Result<Discovery, Refusal> {
        enter();
        P::discover(&operation, &report)
    }
}

/// The guest that a metadata plugin is to the host.
#[doc(hidden)]
#[derive(Debug)]
pub struct ExportedMetadata<P>(PhantomData<P>);

impl<P: MetadataPlugin> wire::metadata::exports::reviver::plugin::metadata_role::Guest
    for ExportedMetadata<P>
{
    fn encode(outcome: Outcome) -> Result<Vec<u8>, String> {
        enter();
        P::encode(&outcome)
    }

    fn decode(hunk: Vec<u8>) -> Result<Outcome, String> {
        enter();
        P::decode(&hunk)
    }
}

/// The guest that an eviction plugin is to the host.
#[doc(hidden)]
#[derive(Debug)]
pub struct ExportedEviction<P>(PhantomData<P>);

impl<P: EvictionPlugin> wire::eviction::exports::reviver::plugin::eviction_role::Guest
    for ExportedEviction<P>
{
    fn score(now: u64, budget: Budget, candidates: Vec<Candidate>) -> Vec<f64> {
        enter();
        candidates.iter().map(|candidate| P::score(now, &budget, candidate)).collect()
    }
}

/// Reports panics in the author's own words: without this, all that the host sees of one is an unreachable instruction.
#[cfg(target_arch = "wasm32")]
fn enter() {
    std::panic::set_hook(Box::new(|panic| {
        let message = panic.payload_as_str().unwrap_or("a panic without a message");
        let (file, line) = panic.location().map_or(("", 0), |place| (place.file(), place.line()));
        wire::key::reviver::plugin::host::panicked(message, file, line);
    }));
}

#[cfg(not(target_arch = "wasm32"))]
const fn enter() {}
