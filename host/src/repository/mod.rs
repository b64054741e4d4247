//! What a repository and its user configure.
