//! Tools for plugin authors.

pub mod build;
