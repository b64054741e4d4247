//! The laws of the store, as tests.

mod entries;
mod golden;
mod manifest;
mod races;
mod revive;
mod trim;
mod verify;
