//! The engine, and the runtime that the plugins of a process share.
//!
//! The configuration is what makes guests deterministic: NaN canonicalised, no relaxed SIMD, no threads (the feature is not
//! compiled in), fuel as the decisive limit, failing growth of a memory a trap. Whatever is changed here changes the
//! compatibility hash, so that compiled components of another configuration are never even looked at.

use super::artifact::Artifacts;
use crate::policy::FaultKind;
use std::path::PathBuf;
use std::sync::{Mutex, OnceLock, PoisonError};
use wasmtime::{Config, Engine, InstanceAllocationStrategy, OptLevel};

/// What all plugins of a process share: one engine, the directory of compiled components, and what plugins logged.
///
/// Making one does nothing; the engine is made by the first call of a plugin.
#[derive(Debug)]
pub struct Runtime {
    artifacts: Option<Artifacts>,
    /// Whether what is not compiled yet is.
    compiles: bool,
    engine: OnceLock<Result<Engine, FaultKind>>,
    log: Mutex<Vec<LogLine>>,
}

/// How much a log line matters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Level {
    /// For the plugin's author.
    Debug,
    /// For the user who asks.
    Info,
    /// For the user.
    Warning,
}

impl Level {
    /// The name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warning => "warning",
        }
    }
}

/// Something that a plugin logged.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogLine {
    /// The plugin's name in the repository.
    pub plugin: String,
    /// How much it matters.
    pub level: Level,
    /// What it said.
    pub message: String,
}

impl Runtime {
    /// A runtime that keeps compiled components in the directory `artifacts`, or in memory alone.
    #[must_use]
    pub fn new(artifacts: Option<PathBuf>) -> Self {
        Self {
            artifacts: artifacts.map(Artifacts::new),
            compiles: true,
            engine: OnceLock::new(),
            log: Mutex::new(Vec::new()),
        }
    }

    /// A runtime that uses what was compiled into the directory `artifacts`, and neither compiles nor keeps anything: a plugin
    /// that is not there cannot be loaded ([`FaultKind::Uncompiled`]).
    #[must_use]
    pub fn only_mapping(artifacts: PathBuf) -> Self {
        Self { compiles: false, ..Self::new(Some(artifacts)) }
    }

    /// Starts the engine now, which the first plugin that is loaded does otherwise.
    pub fn start(&self) -> Result<(), FaultKind> {
        self.engine().map(drop)
    }

    /// What plugins logged since the last time, in order; what one question was parted into, in the order in which the
    /// parts were done.
    #[must_use]
    pub fn take_log(&self) -> Vec<LogLine> {
        std::mem::take(&mut *self.log.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn append_log(&self, lines: impl Iterator<Item = LogLine>) {
        self.log.lock().unwrap_or_else(PoisonError::into_inner).extend(lines);
    }

    pub(super) fn engine(&self) -> Result<&Engine, FaultKind> {
        let engine = self.engine.get_or_init(|| {
            Engine::new(&configuration())
                .map_err(|error| FaultKind::Load(format!("the engine does not start: {error:#}")))
        });
        engine.as_ref().map_err(FaultKind::clone)
    }

    pub(super) const fn compiles(&self) -> bool {
        self.compiles
    }

    pub(super) const fn artifacts(&self) -> Option<&Artifacts> {
        self.artifacts.as_ref()
    }
}

pub(super) fn configuration() -> Config {
    let mut config = Config::new();
    config
        .allocation_strategy(InstanceAllocationStrategy::OnDemand)
        .cranelift_opt_level(OptLevel::Speed)
        .cranelift_nan_canonicalization(true)
        .wasm_relaxed_simd(false)
        .consume_fuel(true)
        .epoch_interruption(true)
        .max_wasm_stack(1 << 20)
        // Neither is needed for the names of functions in a trap, and both cost time when a component is loaded.
        .generate_address_map(false)
        .native_unwind_info(false);
    config
}
