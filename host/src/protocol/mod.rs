//! What is said over a socket: canonical s-expressions, which versions two peers share, and the messages themselves.
//!
//! Nothing in here opens a socket or a file. Bytes go in and messages come out, and the other way round.
//!
//! | module | is |
//! |---|---|
//! | [`csexp`] | a value of the wire, and how it is written |
//! | [`parse`] | values from bytes as they come, within limits |
//! | [`version`] | the greeting of both languages, and the version that two peers settle on |
//! | [`dune`] | the messages of Dune's cache protocol |
//! | [`own`] | the messages of Reviver's own protocol |

pub mod csexp;
pub mod dune;
pub mod own;
pub mod parse;
pub mod version;

pub use csexp::Sexp;
pub use parse::{Limits, ParseError, Parser};
pub use version::{Lang, Version};
