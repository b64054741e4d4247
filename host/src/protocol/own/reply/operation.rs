//! What is answered about operations.

use super::Answer;
use crate::digest::Digest;
use crate::key::Key;
use crate::operation::WriteKind;
use crate::outcome::{Chunk, Exit, Stream};
use crate::protocol::Sexp;
#[cfg(doc)]
use crate::protocol::own::Request;
use crate::protocol::own::fields::{self, Fields, Malformed, bytes_of, field, into_list, needed, path, yes};
use std::path::PathBuf;

/// To [`Request::Derive`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Derived {
    /// The number that it is called by until it is closed.
    pub operation: u64,
    /// What it is called, for people.
    pub label: String,
    /// The key of its entry, where it is found.
    pub key: Option<Key>,
    /// What is to be run, where it is not.
    pub open: Option<Open>,
}

/// What is to be run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Open {
    /// The base key.
    pub base: Digest,
    /// The program, then its arguments, which may be others than those that were derived.
    pub arguments: Vec<String>,
    /// The file that it reports to, where it does.
    pub report: Option<PathBuf>,
    /// What it writes.
    pub writes: Vec<Write>,
    /// Why it will not be recorded however it goes, where that is known.
    pub unrecorded: Option<String>,
}

/// Something that an operation writes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// What the plugin calls it.
    pub label: String,
    /// Where it is.
    pub path: PathBuf,
    /// What it may turn out to be.
    pub kind: WriteKind,
}

impl Answer for Derived {
    fn fields(&self) -> Vec<Sexp> {
        let mut all = vec![
            yes("found", self.key.is_some()),
            fields::number("operation", self.operation),
            field("label", self.label.as_str()),
        ];
        all.extend(self.key.map(|key| field("key", key.to_string())));
        all.extend(self.open.iter().flat_map(Open::fields));
        all
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let found = needed("found", fields.yes("found")?)?;
        Ok(Self {
            operation: needed("operation", fields.number("operation")?)?,
            label: needed("label", fields.text("label")?)?,
            key: if found { Some(needed("key", fields.key("key")?)?) } else { None },
            open: if found { None } else { Some(Open::of(fields)?) },
        })
    }
}

impl Open {
    fn fields(&self) -> Vec<Sexp> {
        let write = |Write { label, path, kind }: &Write| {
            Sexp::list([Sexp::atom(label.as_str()), Sexp::atom(bytes_of(path)), Sexp::atom(kind.name())])
        };
        let mut all = vec![field("base", self.base.to_hex()), fields::texts("arguments", &self.arguments)];
        all.extend(self.report.iter().map(|report| field("report", bytes_of(report))));
        all.push(Sexp::named("writes", self.writes.iter().map(write)));
        all.extend(self.unrecorded.iter().map(|reason| field("unrecorded", reason.as_str())));
        all
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let kinds = [WriteKind::File, WriteKind::Directory, WriteKind::Either];
        let write = |value: Sexp| {
            let [label, place, kind] = value.as_list()? else { return None };
            Some(Write {
                label: label.as_text()?.to_owned(),
                path: path(place.as_atom()?.to_vec())?,
                kind: kinds.into_iter().find(|known| Some(known.name()) == kind.as_text())?,
            })
        };
        let writes = needed("writes", fields.take("writes"))?.into_iter().map(write).collect::<Option<_>>();
        Ok(Self {
            base: needed("base", fields.digest("base")?)?,
            arguments: needed("arguments", fields.texts("arguments")?)?,
            report: fields.path("report")?,
            writes: needed("writes", writes)?,
            unrecorded: fields.text("unrecorded")?,
        })
    }
}

/// To [`Request::ReviveOperation`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Again {
    /// All that it wrote is there.
    Yes {
        /// The key of its entry.
        key: Key,
        /// How it ended.
        exit: Exit,
        /// What it said, in order, which is for the client to pass on.
        output: Vec<Chunk>,
        /// How long it ran, in nanoseconds.
        duration: u64,
    },
    /// Nothing was written: the operation is open, and is to be run.
    No(Open),
}

impl Answer for Again {
    fn fields(&self) -> Vec<Sexp> {
        match self {
            Self::Yes { key, exit, output, duration } => vec![
                yes("revived", true),
                field("key", key.to_string()),
                exit_field(*exit),
                output_field(output),
                fields::number("duration", *duration),
            ],
            Self::No(open) => std::iter::once(yes("revived", false)).chain(open.fields()).collect(),
        }
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        if !needed("revived", fields.yes("revived")?)? {
            return Ok(Self::No(Open::of(fields)?));
        }
        Ok(Self::Yes {
            key: needed("key", fields.key("key")?)?,
            exit: needed("exit", exit(fields)?)?,
            output: output(fields)?,
            duration: needed("duration", fields.number("duration")?)?,
        })
    }
}

/// To [`Request::Forget`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Forgotten;

impl Answer for Forgotten {
    fn fields(&self) -> Vec<Sexp> {
        Vec::new()
    }

    fn of(_: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self)
    }
}

/// How something ended, where the fields say it.
pub(in crate::protocol::own) fn exit(fields: &mut Fields) -> Result<Option<Exit>, Malformed> {
    match (fields.small("exit")?, fields.small("signal")?) {
        (Some(code), None) => Ok(Some(Exit::Code(code))),
        (None, Some(signal)) => Ok(Some(Exit::Signal(signal))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Malformed::because("either `exit` or `signal` says how it ended")),
    }
}

pub(in crate::protocol::own) fn exit_field(exit: Exit) -> Sexp {
    let (name, number) = match exit {
        Exit::Code(code) => ("exit", code),
        Exit::Signal(signal) => ("signal", signal),
    };
    fields::number(name, u64::from(number.unsigned_abs()))
}

/// What was said, in order; nothing where no field tells.
pub(in crate::protocol::own) fn output(fields: &mut Fields) -> Result<Vec<Chunk>, Malformed> {
    let chunk = |value: Sexp| {
        let [stream, Sexp::Atom(bytes)] = <[Sexp; 2]>::try_from(into_list(value)?).ok()? else { return None };
        let stream = Stream::ALL.into_iter().find(|known| Some(known.name()) == stream.as_text())?;
        Some(Chunk { stream, bytes })
    };
    let wrong =
        || Malformed::because("the field `output` is lists of `stdout`, `stderr` or `both`, and bytes");
    let pieces = fields.take("output").unwrap_or_default();
    pieces.into_iter().map(chunk).collect::<Option<_>>().ok_or_else(wrong)
}

pub(in crate::protocol::own) fn output_field(output: &[Chunk]) -> Sexp {
    let chunk = |chunk: &Chunk| field(chunk.stream.name(), chunk.bytes.as_slice());
    Sexp::named("output", output.iter().map(chunk))
}
