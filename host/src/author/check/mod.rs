//! Whether a plugin keeps the laws of its role.
//!
//! Two fresh instances that agree prove little: they start from the same memory. So each law is put to the test by a
//! *change* of which it is known what it must do: an instance kept alive, a list in another order, a repository in another
//! place must change nothing; a byte of an input must change the key. The keys that are compared are those that the host
//! would make. All of it happens to copies, in a directory that the caller gives.
//!
//! | role | what is asked | module |
//! |---|---|---|
//! | any | the component's code alone | [`purity`] |
//! | key | operations that ran here, that are [given], or an [example] | [`key`] |
//! | metadata | generated outcomes, and damaged hunks | [`metadata`] |
//! | eviction | generated candidates | [`eviction`] |
//!
//! A law is *held* where it was tested and nothing was found, *broken* where something was, and *unchecked* where there was
//! nothing to test it with, which is said and is no praise.

mod copies;
pub mod eviction;
pub mod example;
pub mod given;
pub mod key;
pub mod metadata;
pub mod purity;
mod random;
mod scene;
mod verdict;

pub use scene::{Scenes, ScenesError};
pub use verdict::{Finding, Law, Verdict};

use crate::runtime::{PluginSource, Runtime};
use std::sync::Arc;

/// What is checked.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The engine.
    pub runtime: Arc<Runtime>,
    /// The plugin.
    pub source: PluginSource,
}
