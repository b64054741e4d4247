//! The role of naming operations.

use crate::{Derivation, Discovery, Operation, Refusal};

/// The place-holder that the host replaces by the path of a private file in [`Derivation::arguments`], and the name of
/// that file in [`Derivation::report`].
pub const REPORT: &str = "{report}";

/// Says what identifies an operation.
///
/// | answer | what the host does |
/// |---|---|
/// | `Ok` | resolves and hashes the ingredients; revives the entry that is bound, or runs and records |
/// | [`Refusal`] | runs the operation uncached and shows the reason to whoever asks; no fault of the plugin |
/// | panic, limit exceeded | runs the operation uncached, with a warning; repeated, the plugin is not asked any more |
pub trait KeyPlugin {
    /// What identifies `operation` before it ran.
    fn derive(operation: &Operation) -> Result<Derivation, Refusal>;

    /// What further identifies `operation`, from the `report` of its run: the file that
    /// [`Derivation::report`] named. Never called without one.
    fn discover(operation: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        let _ = (operation, report);
        Err(Refusal::malformed("no report was asked for"))
    }
}
