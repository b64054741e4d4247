//! Making writes.

use crate::{Write, WriteKind};

impl Write {
    /// A regular file. Labels are unique within a derivation, not empty and without `/`.
    #[must_use]
    pub fn file(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, path, WriteKind::File)
    }

    /// A directory with all that the run puts below it.
    #[must_use]
    pub fn directory(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, path, WriteKind::Directory)
    }

    /// A file or a directory, whichever is there after the run.
    #[must_use]
    pub fn either(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, path, WriteKind::Either)
    }

    /// The same, but the run is recorded also where this write is absent afterwards.
    #[must_use]
    pub fn optional(self) -> Self {
        Self { optional: true, ..self }
    }

    fn new(label: impl Into<String>, path: impl Into<String>, kind: WriteKind) -> Self {
        Self { label: label.into(), path: path.into(), kind, optional: false }
    }
}
