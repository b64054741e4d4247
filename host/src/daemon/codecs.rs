//! Metadata plugins that are loaded once for all sessions.
//!
//! The latest 32 stay loaded. A session has one for as long as it wants, also where the daemon let it go meanwhile.

use crate::outcome::Outcome;
use crate::policy::{Codec, Fault, PolicyId};
use crate::runtime::{PluginSource, Runtime, WasmCodec};
use std::sync::{Arc, Mutex, PoisonError};

/// The metadata plugins that were used, each once.
#[derive(Default)]
pub(super) struct Codecs(Mutex<Vec<(PluginSource, Lent)>>);

/// One of them, in the hands of a session.
#[derive(Clone)]
pub(super) struct Lent(Arc<WasmCodec>);

impl Codec for Lent {
    fn id(&self) -> &PolicyId {
        self.0.id()
    }

    fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
        self.0.encode(outcome)
    }

    fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
        self.0.decode(hunk)
    }
}

/// So many are kept loaded.
const KEPT: usize = 32;

impl Codecs {
    /// The plugin from this source.
    pub(super) fn get(&self, source: PluginSource, runtime: &Arc<Runtime>) -> Lent {
        let mut codecs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, codec)) = codecs.iter().find(|(known, _)| *known == source) {
            return codec.clone();
        }
        if codecs.len() == KEPT {
            codecs.remove(0);
        }
        let codec = Lent(Arc::new(WasmCodec::new(Arc::clone(runtime), source.clone())));
        codecs.push((source, codec.clone()));
        codec
    }
}
