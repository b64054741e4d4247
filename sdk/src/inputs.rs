//! What a key plugin may look at. Each answer becomes a condition of the plugin's own: that one is remembered, and holds
//! as long as all of its conditions do.
//!
//! Of use to key plugins alone: a component of another role that calls any of these is refused by the host, since it
//! imports what its role does not have.

use crate::{Answer, Failure, Match};

#[cfg(target_arch = "wasm32")]
use crate::wire::key::reviver::plugin::inputs as host;

/// The value of an environment variable of the operation, `None` where it is not set.
#[must_use]
pub fn variable(name: &str) -> Option<String> {
    #[cfg(target_arch = "wasm32")]
    return host::variable(name);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::host::current(|host| host.look_at_variable(name))
}

/// Whether the operation's standard error is a terminal. The command itself writes to a pipe: whoever wants of it what it
/// would show on a terminal has to ask for that in its arguments.
#[must_use]
pub fn terminal() -> bool {
    #[cfg(target_arch = "wasm32")]
    return host::terminal();
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::host::current(crate::testing::TestHost::look_at_terminal)
}

/// The content of a file in the repository; `path` is relative to the operation's working directory or absolute. Needs
/// the capability `read`.
pub fn read(path: &str) -> Result<Vec<u8>, Failure> {
    #[cfg(target_arch = "wasm32")]
    return host::read(path);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::host::current(|host| host.read(path))
}

/// The lines of a file that hold any of the needles, in order, one [`Match`] for each needle that a line holds, searched
/// natively. Lines that end with a backslash are joined with the next one. Allowed in `discover`, for files that the
/// report names, and for files in the repository. At most 16 needles of 64 bytes, at most 10000 matches.
pub fn scan(path: &str, needles: &[&str]) -> Result<Vec<Match>, Failure> {
    let needles: Vec<String> = needles.iter().map(|needle| (*needle).to_owned()).collect();
    #[cfg(target_arch = "wasm32")]
    return host::scan(path, &needles);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::host::current(|host| host.scan(path, needles))
}

/// What the operation's own program answers to these arguments, in an empty directory, with nothing but `PATH` and
/// `LC_ALL=C` in its environment. Remembered as long as the program stays the same. Needs the capability `query`.
pub fn query(arguments: &[&str]) -> Result<Answer, Failure> {
    let arguments: Vec<String> = arguments.iter().map(|argument| (*argument).to_owned()).collect();
    #[cfg(target_arch = "wasm32")]
    return host::query(&arguments);
    #[cfg(not(target_arch = "wasm32"))]
    crate::testing::host::current(|host| host.query(arguments))
}
