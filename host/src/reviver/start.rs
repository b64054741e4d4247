//! Starting commands in a process of several threads.
//!
//! Between the birth of a child and its command's own begin the child holds every descriptor of this process, the pipes of
//! all other commands too. Whoever wants to know who else holds a pipe must not ask meanwhile. All that a reviver starts
//! goes through here, so that this can be told; what others in the process start does not.

use std::io;
use std::process::{Child, Command};
use std::sync::{RwLock, RwLockWriteGuard, TryLockError};

/// Shared by all that start something.
static STARTS: RwLock<()> = RwLock::new(());

/// Starts a command. The child holds nothing of this process any more when this returns, but for what it was given.
pub(super) fn start(command: &mut Command) -> io::Result<Child> {
    during(|| command.spawn())
}

/// That nothing starts while it is there.
#[derive(Debug)]
pub(super) struct NoStart(#[expect(dead_code, reason = "what is held")] RwLockWriteGuard<'static, ()>);

impl NoStart {
    /// `None` while something starts: that may take as long as a file system needs to hand out a program.
    pub(super) fn now() -> Option<Self> {
        match STARTS.try_write() {
            Ok(alone) => Some(Self(alone)),
            Err(TryLockError::Poisoned(alone)) => Some(Self(alone.into_inner())),
            Err(TryLockError::WouldBlock) => None,
        }
    }
}

fn during<T>(start: impl FnOnce() -> T) -> T {
    let _shared = STARTS.read().unwrap_or_else(std::sync::PoisonError::into_inner);
    start()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outcome::Stream;
    use crate::reviver::execute::{ChildInput, Outputs, Spawn, execute};
    use crate::reviver::topology::Topology;
    use crate::time::Timestamp;
    use std::ffi::OsStr;
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::{Duration, SystemTime};

    /// On a busy machine a child of another thread held a pipe for longer than anybody waited for it: a run that had left
    /// nothing behind was not recorded.
    #[test]
    fn who_holds_a_pipe_is_not_judged_while_something_starts() {
        let (begun, begins) = channel();
        let (judged, is_judged) = channel();
        let (program, argv) = ("/bin/sh".as_ref(), ["sh", "-c", "sleep 5 & echo said"].map(OsStr::new));
        thread::scope(|scope| {
            scope.spawn(move || {
                during(|| {
                    begun.send(()).unwrap();
                    assert!(is_judged.recv_timeout(Duration::from_millis(400)).is_err(), "judged too early");
                });
            });
            begins.recv().unwrap();
            let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
            let outputs = &mut Outputs { stdout: &mut stdout, stderr: &mut stderr };
            let command = Spawn {
                program,
                argv: &argv,
                directory: None,
                variables: None,
                told: &[],
                input: ChildInput::Null,
                output: Topology::Piped { joined: false },
            };
            let executed = execute(command, &|| Timestamp::of(SystemTime::now()), outputs).unwrap();
            // Whoever waited for it may have gone.
            judged.send(()).ok();
            assert!(executed.held);
            assert_eq!(
                (executed.output[0].stream, &*executed.output[0].bytes),
                (Stream::Stdout, &b"said\n"[..])
            );
        });
    }

    #[test]
    fn nothing_is_said_to_be_quiet_while_something_starts() {
        during(|| assert!(NoStart::now().is_none()));
    }
}
