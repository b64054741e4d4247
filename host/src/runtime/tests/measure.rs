//! What the steps cost; run with `cargo test --release -p reviver --lib runtime::tests::measure -- --ignored --nocapture`.
#![allow(clippy::print_stdout)]

use super::*;
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
    let scratch = tempfile::tempdir().unwrap();
    let bytes = std::env::var_os("REVIVER_MEASURE")
        .map_or_else(|| component("key", GOOD), |path| std::fs::read(path).unwrap());
    println!("component of {} bytes", bytes.len());
    let source = source(bytes);
    let artifacts = scratch.path().join("artifacts");
    let fresh = || {
        let runtime = Arc::new(Runtime::new(Some(artifacts.clone())));
        WasmKey::new(runtime, source.clone())
    };
    let start = Instant::now();
    println!("{:?}", derive(&fresh()).map(|answer| answer.map(|derivation| derivation.label)));
    println!("compiled, kept and called: {:?}", start.elapsed());
    println!("engine: {:?}", median(|| drop(Runtime::new(None).engine().map(|_| ()))));
    println!("engine, mapped, instantiated, called: {:?}", median(|| drop(derive(&fresh()))));
    let key = fresh();
    println!("instantiated, called: {:?}", median(|| drop(derive(&key))));
    let clocked = source.clone();
    println!(
        "inspected: {:?}",
        median(|| drop(crate::runtime::inspect(match &clocked.bytes {
            Bytes::Embedded(bytes) => bytes,
            Bytes::File(_) => &[],
        })))
    );
}
