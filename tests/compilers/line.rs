//! What the table says of a command line.

/// What becomes of a line.
#[derive(Clone, Copy, Debug)]
pub(crate) enum End {
    /// It is understood, and its second run is a hit.
    Understood,
    /// It runs uncached, or is not recorded, for a reason with this text in it.
    Refused(&'static str),
}

/// A change behind which a line is run again.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Change {
    /// A shell command that changes the tree. Edits stay.
    Edit(&'static str),
    /// Another command line.
    Line(&'static str),
    /// Another directory.
    In(&'static str),
    /// A variable, `NAME=value`.
    With(&'static str),
}

/// A command line of the table. `CC` and `CXX` in it stand for both compilers.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Line {
    pub(crate) command: &'static str,
    pub(crate) end: End,
    /// The files that it makes.
    pub(crate) writes: &'static str,
    /// A shell command that comes before.
    pub(crate) before: &'static str,
    /// Where it runs.
    pub(crate) directory: &'static str,
    /// What must not change the key.
    pub(crate) holds: &'static [Change],
    /// What must change the key.
    pub(crate) misses: &'static [Change],
    /// Whether the compiler itself makes something else each time, so that only names are compared.
    pub(crate) varies: bool,
    /// Whether the compiler fails.
    pub(crate) fails: bool,
}

/// A line that is understood.
pub(crate) const fn ok(command: &'static str, writes: &'static str) -> Line {
    Line {
        command,
        end: End::Understood,
        writes,
        before: "",
        directory: ".",
        holds: &[],
        misses: &[],
        varies: false,
        fails: false,
    }
}

/// A line that is not, with a word of the reason and what it makes all the same.
pub(crate) const fn no(command: &'static str, reason: &'static str, writes: &'static str) -> Line {
    Line { end: End::Refused(reason), ..ok(command, writes) }
}

impl Line {
    pub(crate) const fn before(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    pub(crate) const fn within(self, directory: &'static str) -> Self {
        Self { directory, ..self }
    }

    pub(crate) const fn holds(self, holds: &'static [Change]) -> Self {
        Self { holds, ..self }
    }

    pub(crate) const fn misses(self, misses: &'static [Change]) -> Self {
        Self { misses, ..self }
    }

    pub(crate) const fn varies(self) -> Self {
        Self { varies: true, ..self }
    }

    pub(crate) const fn fails(self) -> Self {
        Self { fails: true, ..self }
    }
}
