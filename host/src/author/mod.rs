//! Tools for plugin authors.
