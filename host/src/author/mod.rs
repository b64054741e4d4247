//! Tools for plugin authors.

pub mod build;
pub mod check;
pub mod diff;
