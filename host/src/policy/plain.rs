//! A codec of the host's own, for those who use the library without plugins.

use super::{Codec, Fault, PolicyId};
use crate::bytes::{from_bytes, to_bytes};
use crate::digest::Digest;
use crate::outcome::Outcome;

/// Writes outcomes down in the layout of the cache's own files.
#[derive(Clone, Debug)]
pub struct Plain(PolicyId);

impl Default for Plain {
    fn default() -> Self {
        // What it writes is decided by this name: another layout gets another one, and finds nothing of this.
        let component = Digest::of(b"reviver.plain.1");
        Self(PolicyId { name: "plain".into(), component, configuration: "{}".into(), abi: "0.1.0".into() })
    }
}

impl Codec for Plain {
    fn id(&self) -> &PolicyId {
        &self.0
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        Ok(Ok(to_bytes(outcome)))
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        Ok(from_bytes(hunk).map_err(|error| error.to_string()))
    }
}
