//! The metadata role.

use super::{Fault, PolicyId};
use crate::outcome::Outcome;

/// Writes outcomes down. The inner error is the codec's own refusal, in its words.
pub trait Codec {
    /// What stands for this codec in keys.
    fn id(&self) -> &PolicyId;

    /// Whether it would be asked at all. What would not be asked is better known before a command runs than after it.
    fn ready(&self) -> Result<(), Box<Fault>> {
        Ok(())
    }

    /// The bytes that stand for the outcome.
    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>>;

    /// The outcome that the bytes stand for.
    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>>;
}
