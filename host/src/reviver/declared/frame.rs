//! What of a declaration enters its key beside the values of what it reads. Every part is preceded by its length and every
//! choice by a tag, so no two declarations can be taken for one.
//!
//! | kind | holds |
//! |---|---|
//! | spawn | stamped arguments, stamped variables, directory, accepted ends, whether there is standard input, for both streams where they go and which write that is, whether they are one pipe, stamp |
//! | write | mode, stamp |
//! | copy | mode, line, the source's path where there is a line |
//! | native | name, stamp |
//! | all | the number of writes; with a manifest their relative paths |

use super::content::{Copy, Write};
use super::declare::{Declared, Kind};
use super::native::Native;
use super::spawn::{Accepted, Sink, Spawn};
use crate::digest::Framer;
use crate::outcome::Exit;
use std::os::unix::ffi::OsStrExt as _;

/// Adds a declaration; whether it can have a key at all.
pub(super) fn frame(framer: &mut Framer, declared: &Declared<'_>) -> bool {
    match &declared.kind {
        Kind::Spawn(spawn) => frame_spawn(framer.text("spawn"), spawn, declared),
        Kind::Write(Write { mode, stamp, .. }) => {
            framer.text("write").number(u64::from(*mode)).bytes(stamp);
        }
        Kind::Copy(Copy { source, mode, line, .. }) => {
            framer.text("copy").number(u64::from(*mode));
            match line {
                None => framer.number(0),
                Some(line) => framer.number(1).number(u64::from(*line)).bytes(source.as_os_str().as_bytes()),
            };
        }
        Kind::Native(Native { name, stamp, .. }) => {
            framer.text("native").text(name).bytes(stamp);
        }
        Kind::Passing(_) => return false,
    }
    let writes = declared.write_paths();
    framer.number(u64::from(declared.manifest.is_some())).number(writes.len() as u64);
    for write in writes {
        framer.bytes(declared.label(write));
    }
    true
}

fn frame_spawn(framer: &mut Framer, spawn: &Spawn, declared: &Declared<'_>) {
    framer.number(spawn.stamped().count() as u64);
    for argument in spawn.stamped() {
        framer.bytes(argument.as_bytes());
    }
    let variables = || spawn.variables.iter().filter(|(_, value)| value.stamped);
    framer.number(variables().count() as u64);
    for (name, value) in variables() {
        framer.bytes(name.as_bytes()).bytes(value.text.as_bytes());
    }
    framer.bytes(spawn.directory.as_os_str().as_bytes());
    match &spawn.accepted {
        Accepted::AnyStatus => {
            framer.number(0);
        }
        Accepted::These(exits) => {
            framer.number(1).number(exits.len() as u64);
            for exit in exits {
                let (kind, number) = match exit {
                    Exit::Code(code) => (0, *code),
                    Exit::Signal(signal) => (1, *signal),
                };
                framer.number(kind).number(u64::from(number.cast_unsigned()));
            }
        }
    }
    framer.number(u64::from(spawn.stdin.is_some()));
    let writes = declared.write_paths();
    for sink in [&spawn.stdout, &spawn.stderr] {
        let kind = match sink {
            Sink::Shown => 0,
            Sink::File(_) => 1,
            Sink::Tee(_) => 2,
        };
        let which = sink.path().and_then(|path| writes.iter().position(|write| *write == path));
        framer.number(kind).number(which.map_or(0, |which| which as u64 + 1));
    }
    framer.number(u64::from(spawn.is_joined())).bytes(&spawn.stamp);
}
