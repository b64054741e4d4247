//! Telling people something. Nothing flows back, so that no answer can depend on it.

use crate::wire::key::reviver::plugin::host::Level;

/// Shows `message` to whoever looks for the reasons of a fault.
pub fn debug(message: impl AsRef<str>) {
    log(Level::Debug, message.as_ref());
}

/// Shows `message` to a user who asked for more words.
pub fn info(message: impl AsRef<str>) {
    log(Level::Info, message.as_ref());
}

/// Shows `message` to the user.
pub fn warning(message: impl AsRef<str>) {
    log(Level::Warning, message.as_ref());
}

#[cfg(target_arch = "wasm32")]
use crate::wire::key::reviver::plugin::host::log;

#[cfg(not(target_arch = "wasm32"))]
fn log(level: Level, message: &str) {
    crate::testing::host::current(|host| host.log(level, message));
}
