//! The Wasm engine behind the traits of [`policy`](crate::policy), and the only place that knows there is one.
//!
//! A [`PluginSource`] says where a component is and what it may use. [`WasmKey`], [`WasmCodec`] and [`WasmEviction`] make a
//! policy of it; they share a [`Runtime`]. None of these does anything until a policy is asked its first question. Then the
//! component is mapped from a directory of compiled ones, or read, inspected and compiled; each question is put to a
//! fresh instance, and what comes back is translated, checked and measured.
//!
//! Laws:
//! - Nothing links but the contract: a component that imports anything else is refused, by name.
//! - Equal questions and equal looks have equal answers. Time on the wall can end a call and never change its answer.
//! - Fuel, memory, stack, time, output, and what is handed to the host meanwhile are bounded.
//! - Whatever a guest does is an answer or a [`Fault`](crate::policy::Fault); the next call finds nothing of it.
//! - Types of the engine do not leave this module.

mod artifact;
mod bindings;
mod call;
mod capability;
mod check;
mod codec;
mod contract;
mod engine;
mod eviction;
mod fault;
mod inspect;
mod key;
mod limits;
mod load;
mod looks;
mod memory;
mod plugin;
mod settings;
mod size;
mod state;
mod translate;
mod usage;
mod watchdog;

#[cfg(test)]
mod tests;

pub use capability::{Capabilities, Capability};
pub use codec::WasmCodec;
pub use contract::ABI;
pub use engine::{Level, LogLine, Runtime};
pub use eviction::WasmEviction;
pub use inspect::{Inspection, Names, inspect, names};
pub use key::WasmKey;
pub use limits::Limits;
pub use plugin::{Bytes, PluginSource};
pub use settings::{Setting, SettingKind, SettingsError, settings};
pub use usage::Usage;
