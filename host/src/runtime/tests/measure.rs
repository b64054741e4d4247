//! What the steps cost: `cargo test --release -p reviver --lib runtime::tests::measure -- --ignored --nocapture`.
//!
//! `MEASURE_KEY_PLUGIN` names another key plugin than the good guest, `MEASURE_ARTIFACTS` a directory of artefacts that
//! stays, so that the second run tells what the first derivation of a process costs.

#![allow(clippy::print_stdout)]

use super::*;
use crate::policy::{Budget, Eviction as _};
use crate::time::Timestamp;
use std::time::{Duration, Instant};

fn median(mut run: impl FnMut()) -> Duration {
    let mut times: Vec<_> = (0..200)
        .map(|_| {
            let start = Instant::now();
            run();
            start.elapsed()
        })
        .collect();
    times.sort();
    times[times.len() / 2]
}

#[test]
#[ignore = "prints figures"]
fn measure() {
    let of = |name| std::env::var_os(name).map(std::path::PathBuf::from);
    let scratch = tempfile::tempdir().unwrap();
    let artifacts = of("MEASURE_ARTIFACTS").unwrap_or_else(|| scratch.path().join("artifacts"));
    let bytes =
        of("MEASURE_KEY_PLUGIN").map_or_else(|| component("key", GOOD), |path| std::fs::read(path).unwrap());
    println!("component of {} bytes", bytes.len());
    let source = source(bytes);
    let fresh = || WasmKey::new(Arc::new(Runtime::new(Some(artifacts.clone()))), source.clone());
    let start = Instant::now();
    let first = derive(&fresh());
    println!("first in this process: {:?}", start.elapsed());
    println!("{:?}", first.map(|answer| answer.map(|derivation| derivation.label)));
    println!("engine: {:?}", median(|| assert!(Runtime::new(None).engine().is_ok())));
    let mapped = || {
        let runtime = Runtime::new(Some(artifacts.clone()));
        let engine = runtime.engine().unwrap();
        assert!(runtime.artifacts().unwrap().find(engine, source.digest).is_some());
    };
    println!("engine, mapped: {:?}", median(mapped));
    println!("engine, mapped, instantiated, called: {:?}", median(|| assert!(derive(&fresh()).is_ok())));
    let key = fresh();
    println!("instantiated, called: {:?}", median(|| assert!(derive(&key).is_ok())));
    let Bytes::Embedded(bytes) = source.bytes else { return };
    println!("inspected: {:?}", median(|| assert!(crate::runtime::inspect(bytes).is_ok())));
}

#[test]
#[ignore = "prints figures"]
fn measure_scoring() {
    let eviction = match std::env::var_os("MEASURE_EVICTION_PLUGIN") {
        Some(path) => WasmEviction::new(runtime(), source(std::fs::read(path).unwrap())),
        None => eviction(guest!("eviction-good")),
    };
    let candidates: Vec<_> = (0..1_000_000).map(roles::candidate).collect();
    let budget = Budget { limit: 0, used: 0, entries: 0 };
    for _ in 0..3 {
        let start = Instant::now();
        let scores = eviction.score(Timestamp(0), budget, &candidates).unwrap();
        println!("{} candidates: {:?}", scores.len(), start.elapsed());
    }
}
