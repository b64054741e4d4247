//! The laws of the store, as tests.

mod entries;
mod races;
mod revive;
mod trim;
