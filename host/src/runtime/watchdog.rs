//! The clock on the wall beside a call: a thread that ends it when its time is over.
//!
//! A thread costs more than a whole call of a typical plugin (about 50 µs against 20 µs), so most calls go without; see
//! [`call`](super::call). Where there is one, it lives as long as the call and not longer: it waits for a channel to close.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;
use wasmtime::Engine;

/// Ends a call when its time is over; dropping it calls that off.
#[derive(Debug)]
pub(super) struct Watchdog {
    _alive: Sender<()>,
    over: Arc<AtomicBool>,
}

impl Watchdog {
    /// Starts the clock. Without a thread to spare there is none, and fuel alone bounds the call.
    pub(super) fn start(engine: &Engine, time: Duration) -> Option<Self> {
        let (alive, ended) = mpsc::channel::<()>();
        let over = Arc::new(AtomicBool::new(false));
        let (engine, flag) = (engine.clone(), Arc::clone(&over));
        let run = move || {
            if ended.recv_timeout(time) == Err(RecvTimeoutError::Timeout) {
                // The epoch is the whole engine's. The flag tells this call from the others that wake up with it.
                flag.store(true, Ordering::Release);
                engine.increment_epoch();
            }
        };
        thread::Builder::new().name("plugin-watchdog".into()).spawn(run).ok()?;
        Some(Self { _alive: alive, over })
    }

    /// What is set as soon as the time is over.
    pub(super) fn over(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.over)
    }
}
