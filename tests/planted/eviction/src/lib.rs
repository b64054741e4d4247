//! An eviction plugin with the fault that its configuration asks for; with none it keeps all laws.

use reviver_sdk::{Budget, Candidate, EvictionPlugin, configuration};
use std::sync::atomic::{AtomicU32, Ordering};

/// How many candidates this instance scored.
static SCORED: AtomicU32 = AtomicU32::new(0);

/// Whatever is asked for.
#[derive(Debug)]
pub struct Planted;

impl EvictionPlugin for Planted {
    fn score(_: u64, _: &Budget, candidate: &Candidate) -> f64 {
        let fault = configuration().ok();
        let fault = fault.and_then(|fault| fault.text("fault").ok().flatten().map(str::to_owned));
        let scored = SCORED.fetch_add(1, Ordering::Relaxed);
        match fault.as_deref().unwrap_or_default() {
            // How much time a byte saves: nothing over nothing for what is empty and was quick.
            "nan" => candidate.cost as f64 / candidate.size as f64,
            "batch" => f64::from(scored),
            "reverse" => -(candidate.last_use as f64),
            _ => candidate.last_use as f64,
        }
    }
}

reviver_sdk::export!(eviction: Planted);
