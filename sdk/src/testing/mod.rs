//! Testing plugins natively.
//!
//! A [`TestHost`] stands for what the real host knows; [`conformance`] holds the laws of the roles, each as a function
//! that panics where it is broken.
//!
//! ```
//! use reviver_sdk::{read, testing::{Look, TestHost}};
//!
//! let host = TestHost::new().variable("PATH", "/bin").file("a.txt", b"one");
//! let length = host.run(|| read("a.txt").map(|content| content.len()));
//! assert_eq!(length, Ok(3));
//! assert_eq!(host.looks(), [Look::Read("a.txt".into())]);
//! ```

pub mod conformance;
pub(crate) mod host;
mod scan;

pub use crate::wire::key::reviver::plugin::host::Level;
pub use host::{Look, TestHost};
