//! Operations and what key plugins say of them: the vocabulary of the key role.
//!
//! The shapes are those of the contract in `sdk/wit`; what each field means is written there and not repeated here.

use crate::bytes::{Layout, Malformed, Reader, Writer};

/// A command with the files that it reads and writes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Operation {
    /// The program first, as it was invoked.
    pub argv: Vec<String>,
    /// The absolute path of the repository's root.
    pub root: String,
    /// The working directory relative to the root; empty at the root.
    pub directory: String,
    /// Declared reads, sorted; directories end with `/`.
    pub reads: Vec<String>,
    /// Declared writes, sorted; directories may end with `/`.
    pub writes: Vec<String>,
    /// Declared environment variables, sorted.
    pub variables: Vec<String>,
}

/// What the host resolves and hashes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Source {
    /// The text itself.
    Text(String),
    /// The bytes themselves.
    Bytes(Vec<u8>),
    /// A file's content and executable bit, or its absence.
    File(String),
    /// A directory with all that is below it.
    Tree(String),
    /// The sorted names in a directory.
    Listing(String),
    /// An environment variable, or its absence.
    Variable(String),
    /// A program with what it needs to run.
    Program(String),
    /// The file mode creation mask.
    Umask,
    /// Whether standard error is a terminal.
    Terminal,
}

/// One labelled thing that identifies an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ingredient {
    /// What the plugin calls it.
    pub label: String,
    /// Where its value comes from.
    pub source: Source,
}

/// What a write may turn out to be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WriteKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// Whichever is there after the run.
    Either,
}

impl WriteKind {
    /// The name in the contract.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Directory => "directory",
            Self::Either => "either",
        }
    }
}

/// Something that an operation writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// Unique within the derivation, not empty, without `/`.
    pub label: String,
    /// Relative to the working directory, or absolute.
    pub path: String,
    /// What it may turn out to be.
    pub kind: WriteKind,
    /// Whether its absence after the run is fine.
    pub optional: bool,
}

/// Whether standard input matters.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Input {
    /// The command does not read it.
    Unused,
    /// Its content is an ingredient.
    Read,
}

/// What a key plugin answers for an operation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Derivation {
    /// What the operation is called.
    pub label: String,
    /// What is known before the run.
    pub ingredients: Vec<Ingredient>,
    /// What the run writes.
    pub writes: Vec<Write>,
    /// Whether standard input matters.
    pub input: Input,
    /// What replaces the arguments behind the program.
    pub arguments: Option<Vec<String>>,
    /// `{report}`, or the label of the write that is the report.
    pub report: Option<String>,
}

/// What a run told about further inputs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Discovery {
    /// What else identifies the operation.
    pub ingredients: Vec<Ingredient>,
    /// Contents of writes that the plugin makes itself, by label.
    pub produced: Vec<(String, Vec<u8>)>,
    /// Why the run must not be recorded.
    pub uncacheable: Option<String>,
}

/// Why there is no key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Refusal {
    /// Understood, and not a function of known inputs.
    NotCacheable(String),
    /// Not what it should be.
    Malformed(String),
}

impl Refusal {
    /// The plugin's words.
    #[must_use]
    pub fn reason(&self) -> &str {
        match self {
            Self::NotCacheable(reason) | Self::Malformed(reason) => reason,
        }
    }
}

/// The place-holder for the path of the private report.
pub const REPORT: &str = "{report}";

impl Source {
    /// The name of the kind, as it enters keys and explanations.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "text",
            Self::Bytes(_) => "bytes",
            Self::File(_) => "file",
            Self::Tree(_) => "tree",
            Self::Listing(_) => "listing",
            Self::Variable(_) => "variable",
            Self::Program(_) => "program",
            Self::Umask => "umask",
            Self::Terminal => "terminal",
        }
    }

    /// The path, name or text in it; empty where there is none to show.
    #[must_use]
    pub fn place(&self) -> &str {
        match self {
            Self::Text(place)
            | Self::File(place)
            | Self::Tree(place)
            | Self::Listing(place)
            | Self::Variable(place)
            | Self::Program(place) => place,
            Self::Bytes(_) | Self::Umask | Self::Terminal => "",
        }
    }
}

impl Layout for Operation {
    fn put(&self, out: &mut Writer) {
        out.list(&self.argv);
        out.text(&self.root);
        out.text(&self.directory);
        out.list(&self.reads);
        out.list(&self.writes);
        out.list(&self.variables);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            argv: from.list()?,
            root: String::take(from)?,
            directory: String::take(from)?,
            reads: from.list()?,
            writes: from.list()?,
            variables: from.list()?,
        })
    }
}

/// How a file is told from other sources where one is laid out: what reads hundreds of them looks for no more.
pub(crate) const FILE: u8 = 2;

impl Layout for Source {
    fn put(&self, out: &mut Writer) {
        match self {
            Self::Text(text) => (out.u8(0), out.text(text)).1,
            Self::Bytes(bytes) => (out.u8(1), out.bytes(bytes)).1,
            Self::File(path) => (out.u8(FILE), out.text(path)).1,
            Self::Tree(path) => (out.u8(3), out.text(path)).1,
            Self::Listing(path) => (out.u8(4), out.text(path)).1,
            Self::Variable(name) => (out.u8(5), out.text(name)).1,
            Self::Program(name) => (out.u8(6), out.text(name)).1,
            Self::Umask => out.u8(7),
            Self::Terminal => out.u8(8),
        }
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(match from.u8()? {
            0 => Self::Text(String::take(from)?),
            1 => Self::Bytes(from.bytes()?.to_vec()),
            FILE => Self::File(String::take(from)?),
            3 => Self::Tree(String::take(from)?),
            4 => Self::Listing(String::take(from)?),
            5 => Self::Variable(String::take(from)?),
            6 => Self::Program(String::take(from)?),
            7 => Self::Umask,
            8 => Self::Terminal,
            _ => return Err(Malformed { expected: "a kind of source" }),
        })
    }
}

impl Layout for Ingredient {
    fn put(&self, out: &mut Writer) {
        out.text(&self.label);
        self.source.put(out);
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self { label: String::take(from)?, source: Source::take(from)? })
    }
}

impl Layout for Write {
    fn put(&self, out: &mut Writer) {
        out.text(&self.label);
        out.text(&self.path);
        out.u8(match self.kind {
            WriteKind::File => 0,
            WriteKind::Directory => 1,
            WriteKind::Either => 2,
        });
        out.u8(u8::from(self.optional));
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            label: String::take(from)?,
            path: String::take(from)?,
            kind: match from.u8()? {
                0 => WriteKind::File,
                1 => WriteKind::Directory,
                2 => WriteKind::Either,
                _ => return Err(Malformed { expected: "a kind of write" }),
            },
            optional: from.u8()? != 0,
        })
    }
}

impl Layout for Derivation {
    fn put(&self, out: &mut Writer) {
        out.text(&self.label);
        out.list(&self.ingredients);
        out.list(&self.writes);
        out.u8(u8::from(self.input == Input::Read));
        out.u8(u8::from(self.arguments.is_some()));
        out.list(self.arguments.as_deref().unwrap_or_default());
        out.option(self.report.as_ref());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            label: String::take(from)?,
            ingredients: from.list()?,
            writes: from.list()?,
            input: if from.u8()? == 0 { Input::Unused } else { Input::Read },
            arguments: {
                let replaced = from.u8()? != 0;
                let arguments = from.list()?;
                replaced.then_some(arguments)
            },
            report: from.option()?,
        })
    }
}

impl Layout for Refusal {
    fn put(&self, out: &mut Writer) {
        out.u8(u8::from(matches!(self, Self::Malformed(_))));
        out.text(self.reason());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        let malformed = from.u8()? != 0;
        let reason = String::take(from)?;
        Ok(if malformed { Self::Malformed(reason) } else { Self::NotCacheable(reason) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::{from_bytes, to_bytes};

    #[test]
    fn derivations_round_trip() {
        let all = [
            Source::Text("t".into()),
            Source::Bytes(vec![0, 255]),
            Source::File("f".into()),
            Source::Tree("d/".into()),
            Source::Listing("d".into()),
            Source::Variable("V".into()),
            Source::Program("gcc".into()),
            Source::Umask,
            Source::Terminal,
        ];
        for (arguments, report) in [(None, None), (Some(vec![]), Some(REPORT.to_owned()))] {
            let derivation = Derivation {
                label: "cc a.c".into(),
                ingredients: all
                    .iter()
                    .map(|source| Ingredient { label: source.kind().into(), source: source.clone() })
                    .collect(),
                writes: vec![Write {
                    label: "object".into(),
                    path: "a.o".into(),
                    kind: WriteKind::Either,
                    optional: true,
                }],
                input: Input::Read,
                arguments,
                report,
            };
            assert_eq!(from_bytes(&to_bytes(&derivation)), Ok(derivation));
        }
    }
}
