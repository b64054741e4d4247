//! What a repository's own metadata plugin adds to what is kept of a rule.

use crate::protocol::Version;
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::RuleKey;
use crate::time::Timestamp;
use std::path::Path;

/// What is known of where a promotion comes from.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// The rule.
    pub key: RuleKey,
    /// The client's build root.
    pub build_root: &'a Path,
    /// The repository that the client said it was made in.
    pub repository: Option<&'a crate::protocol::dune::Repository>,
    /// What is spoken with the client.
    pub version: Version,
    /// The time now.
    pub now: Timestamp,
}

/// Adds to what is kept of a rule.
pub trait Annotate {
    /// One value for the end of the rule's metadata; `None` where there is nothing to add.
    ///
    /// Errors: something was to be added and could not be. The promotion goes on without it.
    fn annotate(&mut self, of: &Provenance<'_>) -> Result<Option<Sexp>, String>;
}
