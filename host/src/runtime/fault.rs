//! Which fault an error of the engine stands for. Types decide, never texts.
//!
//! | the error holds | fault |
//! |---|---|
//! | [`Halt`], the host's own reasons to end a call | `Memory`, `Time`, `Output` |
//! | a trap for fuel or the epoch | `Fuel`, `Time` |
//! | a trap of the canonical ABI, a string that is not UTF-8, a message of the engine about a value | `Protocol` |
//! | any other trap, after the guest told of a panic | `Panic` |
//! | any other trap | `Trap`, with the innermost function that has a name |
//! | another type: the engine copies no more out of the guest | `Output` |

use super::limits::Limits;
use crate::policy::FaultKind;
use std::fmt;
use std::str::Utf8Error;
use wasmtime::{Error, Trap, WasmBacktrace};

/// Why the host ended a call.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Halt {
    /// The guest wanted more memory than it may have.
    Memory,
    /// Its time is over.
    Time,
    /// It handed this many bytes to the host.
    Traffic(u64),
    /// It looked at something that the host cannot show; no fault of the guest.
    Look,
}

impl fmt::Display for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Memory => "more memory than allowed",
            Self::Time => "more time than allowed",
            Self::Traffic(_) => "more said than allowed",
            Self::Look => "something that cannot be looked at",
        })
    }
}

impl std::error::Error for Halt {}

/// What a guest said through the SDK's panic hook.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Panicked {
    pub(super) message: String,
    pub(super) file: String,
    pub(super) line: u32,
}

/// The fault behind an error of a call.
pub(super) fn of_call(error: &Error, limits: &Limits, panicked: Option<Panicked>) -> FaultKind {
    if let Some(halt) = error.downcast_ref::<Halt>() {
        return match halt {
            Halt::Memory => FaultKind::Memory { limit: limits.memory },
            Halt::Time => time(limits),
            Halt::Traffic(size) => FaultKind::Output { size: *size, limit: limits.traffic() },
            Halt::Look => FaultKind::Trap(halt.to_string()),
        };
    }
    if let Some(trap) = error.downcast_ref::<Trap>() {
        return of_trap(*trap, error, limits, panicked);
    }
    if error.is::<Utf8Error>() {
        return FaultKind::Protocol("a string in its answer is not UTF-8".into());
    }
    if error.is::<&'static str>() || error.is::<String>() {
        return FaultKind::Protocol(format!("a value in its answer is not what it should be: {error}"));
    }
    FaultKind::Output { size: limits.traffic().saturating_add(1), limit: limits.output }
}

fn of_trap(trap: Trap, error: &Error, limits: &Limits, panicked: Option<Panicked>) -> FaultKind {
    match trap {
        Trap::OutOfFuel => FaultKind::Fuel { limit: limits.fuel },
        Trap::Interrupt => time(limits),
        Trap::StringOutOfBounds
        | Trap::ListOutOfBounds
        | Trap::InvalidDiscriminant
        | Trap::InvalidChar
        | Trap::UnalignedPointer => FaultKind::Protocol(trap.to_string()),
        _ => match panicked {
            Some(Panicked { message, file, line }) => FaultKind::Panic { message, file, line },
            None => FaultKind::Trap(with_function(trap, error)),
        },
    }
}

fn time(limits: &Limits) -> FaultKind {
    FaultKind::Time { limit: limits.time.as_millis() as u64 }
}

fn with_function(trap: Trap, error: &Error) -> String {
    let frames = error.downcast_ref::<WasmBacktrace>().map(WasmBacktrace::frames).unwrap_or_default();
    match frames.iter().find_map(wasmtime::FrameInfo::func_name) {
        Some(function) => format!("{trap}, in `{function}`"),
        None => trap.to_string(),
    }
}
