//! The role of writing outcomes down.

use crate::Outcome;

/// Says how an [`Outcome`] is written down.
///
/// What `encode` makes is decoded before an entry becomes visible: the exit status must come back, and so must the
/// output, unless the repository grants the plugin that it may lose some. What was decoded is what later hits show.
///
/// | answer | to `encode` | to `decode` |
/// |---|---|---|
/// | `Ok` | the hunk is kept beside the entry's files | the outcome is shown |
/// | `Err` | the run is not recorded, for that reason | the hit is a miss |
pub trait MetadataPlugin {
    /// The bytes that stand for `outcome`.
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String>;

    /// The outcome that `hunk` stands for. It may hold anything: a disk lies, and so may whoever shares a cache.
    fn decode(hunk: &[u8]) -> Result<Outcome, String>;
}
