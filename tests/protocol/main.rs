//! The codec and the messages, without a socket.
//!
//! | file | is given | what must hold |
//! |---|---|---|
//! | `golden.rs` | what clients and daemons of Dune 2.0, 2.5 and 2.9 said | it is understood, and written it is the same bytes |
//! | `values.rs` | random values and messages, split anywhere | read they are the same, in each version that knows them |
//! | `mutation.rs` | those transcripts with damage, and bytes that nobody wrote | an error, or what is written and read as the same |
//! | `bombs.rs` | little that asks for much | memory within the limits, stacks too |
//!
//! `REVIVER_PROTOCOL_SEED` repeats what a failure's seed led to, `REVIVER_PROTOCOL_ROUNDS` makes it more:
//!
//! ```console
//! $ REVIVER_PROTOCOL_ROUNDS=1000000 cargo test -p tests --test protocol -- --nocapture
//! ```
#![allow(clippy::print_stderr, missing_docs, reason = "tests tell figures to whoever asks with --nocapture")]

mod bombs;
mod golden;
mod mutation;
mod rounds;
mod transcript;
mod values;
mod weight;
