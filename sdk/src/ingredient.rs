//! Making ingredients.

use crate::{Ingredient, Source};

impl Ingredient {
    /// Some labelled source.
    #[must_use]
    pub fn new(label: impl Into<String>, source: Source) -> Self {
        Self { label: label.into(), source }
    }

    /// A text, such as an argument.
    #[must_use]
    pub fn text(label: impl Into<String>, text: impl Into<String>) -> Self {
        Self::new(label, Source::Text(text.into()))
    }

    /// Some bytes, such as what is left of a file once that which does not matter is taken away.
    #[must_use]
    pub fn bytes(label: impl Into<String>, bytes: impl Into<Vec<u8>>) -> Self {
        Self::new(label, Source::Bytes(bytes.into()))
    }

    /// A file's content and whether it is executable; its absence is a value too.
    #[must_use]
    pub fn file(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, Source::File(path.into()))
    }

    /// A directory with all that is below it.
    #[must_use]
    pub fn tree(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, Source::Tree(path.into()))
    }

    /// The sorted names in a directory.
    #[must_use]
    pub fn listing(label: impl Into<String>, path: impl Into<String>) -> Self {
        Self::new(label, Source::Listing(path.into()))
    }

    /// The value of an environment variable; its absence is a value too.
    #[must_use]
    pub fn variable(label: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(label, Source::Variable(name.into()))
    }

    /// A program with its interpreters and libraries, found through `PATH` unless its name holds a `/`.
    #[must_use]
    pub fn program(label: impl Into<String>, name: impl Into<String>) -> Self {
        Self::new(label, Source::Program(name.into()))
    }

    /// The process's file mode creation mask.
    #[must_use]
    pub fn umask(label: impl Into<String>) -> Self {
        Self::new(label, Source::Umask)
    }

    /// Whether the operation's standard error is a terminal.
    #[must_use]
    pub fn terminal(label: impl Into<String>) -> Self {
        Self::new(label, Source::Terminal)
    }
}
