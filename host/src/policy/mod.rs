//! What the host asks of its plugins, as traits of plain Rust: everything above is written, and tested, without Wasm.
//!
//! | role | asked | a fault means |
//! |---|---|---|
//! | [`KeyPolicy`] | what identifies an operation | the operation runs uncached |
//! | [`Codec`] | how an outcome is written down | the run is not recorded, or the hit is a miss |
//! | [`Eviction`] | what goes first | the host's own order ([`order::least_recent`]) |

pub mod codec;
pub mod eviction;
pub mod fault;
pub mod key;
pub mod order;
pub mod plain;
pub mod score;

pub use codec::Codec;
pub use eviction::{Budget, Candidate, Eviction};
pub use fault::{Fault, FaultKind, Role};
pub use key::{Inputs, KeyPolicy, LookFailure, Match, QueryAnswer, SharedInputs};
pub use plain::Plain;
pub use score::PolicyFaultKind;

use crate::digest::{Digest, Framer};

/// What stands for a plugin in keys: whatever changes its answers changes this.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PolicyId {
    /// The name that the repository gave it, or that it was shipped under. For people; it does not enter keys.
    pub name: String,
    /// The digest of the component's bytes.
    pub component: Digest,
    /// Its configuration, a JSON object with sorted keys.
    pub configuration: String,
    /// The version of the contract that it was built for.
    pub abi: String,
}

impl PolicyId {
    /// The digest that enters keys.
    #[must_use]
    pub fn digest(&self) -> Digest {
        Framer::new("reviver.policy")
            .digest(self.component)
            .text(&self.configuration)
            .text(&self.abi)
            .finish()
    }
}
