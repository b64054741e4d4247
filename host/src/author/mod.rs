//! Tools for plugin authors.

pub mod bench;
pub mod build;
pub mod call;
