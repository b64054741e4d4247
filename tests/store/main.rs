//! The store in the hands of many processes that are killed, crowded, starved and lied to.
//!
//! | file | what is done to a store | what must hold |
//! |---|---|---|
//! | `crash.rs` | its users are killed at any point | entries and destinations are old or new, and nothing stays for ever |
//! | `company.rs` | writers, readers, a trimmer and a verifier meet on few keys | a hit is of one generation, and nobody sees an error |
//! | `faults/` | it is refused room, rights, descriptors and links, loses parts, and has bits flipped | a miss or a typed error; destinations untouched |
//! | `mutation.rs` | it is given bytes that nobody wrote | refused, or right; never a panic, nothing outside of the root |
//!
//! Plain `cargo test` runs all of it for a bounded time. More of it, minutes of it in all, and what has to wait longer:
//!
//! ```console
//! $ cargo test -p tests --test store -- --ignored --nocapture --test-threads 1
//! ```
//!
//! `REVIVER_STORE_SEED` repeats what a failure's seed led to, as far as the system's scheduler lets it.
#![allow(clippy::print_stderr, missing_docs, reason = "tests tell figures to whoever asks with --nocapture")]

mod company;
mod crash;
mod faults;
mod mutation;
mod support;
