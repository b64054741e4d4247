//! What the host keeps for one call, and what every guest may ask of it.
//!
//! Laws:
//! - Nothing in here outlives the call except what was logged.
//! - Whatever a guest hands over is counted before it is used, and above the limit the call ends: so a small amount of fuel
//!   cannot make the host do a large amount of work.

use super::bindings::{host, types};
use super::capability::Capabilities;
use super::engine::Level;
use super::fault::{Halt, Panicked};
use super::memory::Budget;
use crate::policy::key::SharedInputs;
use wasmtime::{Error, Result};

/// What is kept of a call's log. The rest is dropped: it is for people.
const LOG: usize = 64 << 10;

/// What a call of a host function counts for, whatever it hands over.
const CALL: u64 = 64;

/// The host's side of one call.
pub(super) struct State {
    pub(super) configuration: String,
    pub(super) capabilities: Capabilities,
    /// What a key plugin looks at; nothing for the other roles.
    pub(super) inputs: Option<SharedInputs>,
    pub(super) memory: Budget,
    /// How many more bytes the guest may hand to the host.
    pub(super) traffic: u64,
    /// How many bytes it handed over.
    pub(super) said: u64,
    pub(super) log: Vec<(Level, String)>,
    pub(super) logged: usize,
    pub(super) panicked: Option<Panicked>,
    /// Why a look failed in a way that leaves the operation without a key, whatever the guest answers.
    pub(super) failed: Option<String>,
}

impl State {
    /// Begins another question of an instance that is kept alive.
    pub(super) fn turn(&mut self, inputs: &SharedInputs) {
        self.inputs = Some(SharedInputs::clone(inputs));
        self.said = 0;
    }

    /// Counts a call of a host function with these texts.
    pub(super) fn hear<'a>(&mut self, texts: impl IntoIterator<Item = &'a String>) -> Result<()> {
        self.said += CALL + texts.into_iter().map(|text| text.len() as u64 + 8).sum::<u64>();
        if self.said > self.traffic { Err(Error::new(Halt::Traffic(self.said))) } else { Ok(()) }
    }
}

impl types::Host for State {}

impl host::Host for State {
    fn configuration(&mut self) -> Result<String> {
        self.hear([])?;
        Ok(self.configuration.clone())
    }

    fn log(&mut self, level: host::Level, message: String) -> Result<()> {
        self.hear([&message])?;
        self.logged += message.len();
        if self.logged <= LOG {
            let level = match level {
                host::Level::Debug => Level::Debug,
                host::Level::Info => Level::Info,
                host::Level::Warning => Level::Warning,
            };
            self.log.push((level, message));
        }
        Ok(())
    }

    fn panicked(&mut self, message: String, file: String, line: u32) -> Result<()> {
        self.hear([&message, &file])?;
        self.panicked = Some(Panicked { message, file, line });
        Ok(())
    }
}
