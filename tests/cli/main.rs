//! The command from end to end: real tools, real files, one process for each run.
//!
//! Each test has a repository, a cache and a home of its own. What a test needs of the machine and does not find makes a
//! line with the word SKIPPED, never silence.

#[path = "../support/mod.rs"]
mod support;

mod asking;
mod breaker;
mod cache;
mod calls;
mod check;
mod completions;
mod concurrency;
mod custom_key;
mod diff;
mod doctor;
mod dropin;
mod dune_cache;
mod faults;
mod hostile;
mod inputs;
mod location;
mod lua;
mod masquerade;
mod other_languages;
mod outputs;
mod partitions;
mod pinning;
mod planted;
mod readonly;
mod recheck;
mod remembered;
mod rustc;
mod settings;
mod stats;
mod stdin;
mod terminal;
mod transparency;
mod walk;
mod worktrees;
