//! What a client is answered.
//!
//! Each answer is a type with its fields: those that are written are read again, and what a newer minor version adds is passed
//! over.

use super::Id;
use super::code::Code;
use super::fields::{self, Fields, Malformed, bytes_of, field, into_list, needed, octal, path, yes};
use crate::digest::Digest;
use crate::key::Key;
use crate::operation::WriteKind;
use crate::outcome::{Chunk, Exit, Stream};
use crate::protocol::Sexp;
use crate::store::ItemKind;
use std::path::PathBuf;

/// An answer to one kind of request.
pub trait Answer: Sized {
    /// Its fields.
    fn fields(&self) -> Vec<Sexp>;

    /// The answer that fields are.
    fn of(fields: &mut Fields) -> Result<Self, Malformed>;
}

/// What comes back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// It is done: these fields tell more.
    Ok(Vec<Sexp>),
    /// It is not.
    Error {
        /// Why not, for programs.
        code: Code,
        /// Why not, for people.
        message: String,
    },
}

impl Reply {
    /// The reply that an answer is.
    pub fn ok(answer: &impl Answer) -> Self {
        Self::Ok(answer.fields())
    }

    /// The reply that says why there is no answer.
    pub fn error(code: Code, message: impl Into<String>) -> Self {
        Self::Error { code, message: message.into() }
    }

    /// The message that it is, to the request with this ID.
    #[must_use]
    pub fn into_sexp(self, id: &Id) -> Sexp {
        let id = Sexp::atom(id.as_bytes());
        match self {
            Self::Ok(fields) => Sexp::list([id, Sexp::atom("ok")].into_iter().chain(fields)),
            Self::Error { code, message } => {
                Sexp::list([id, Sexp::atom("error"), Sexp::atom(code.name()), Sexp::atom(message)])
            }
        }
    }

    /// The reply that a message is, with the bytes of the ID of its request.
    pub fn of(message: Sexp) -> Result<(Vec<u8>, Self), Malformed> {
        let wrong = || Malformed::because("a reply is an id, `ok` or `error`, and what is said");
        let mut values = into_list(message).ok_or_else(wrong)?.into_iter();
        let mut atom = || values.next().and_then(|value| Some(value.as_atom()?.to_vec()));
        let (id, word) = (atom().ok_or_else(wrong)?, atom().ok_or_else(wrong)?);
        match &word[..] {
            b"ok" => Ok((id, Self::Ok(values.collect()))),
            b"error" => {
                let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
                let (code, message) = (atom().ok_or_else(wrong)?, atom().ok_or_else(wrong)?);
                let code = Code::from_name(&text(code)).unwrap_or(Code::Internal);
                Ok((id, Self::Error { code, message: text(message) }))
            }
            _ => Err(wrong()),
        }
    }
}

/// To [`Request::Repository`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// The repository's root.
    pub root: PathBuf,
    /// Its partition.
    pub partition: String,
    /// The plugins that name operations here: those of rules first, then those that are usual.
    pub key_plugins: Vec<String>,
    /// The one that writes outcomes down.
    pub metadata: String,
    /// The one that says what goes first.
    pub eviction: String,
    /// Whether the cache is only read.
    pub read_only: bool,
}

impl Answer for Named {
    fn fields(&self) -> Vec<Sexp> {
        vec![
            field("root", bytes_of(&self.root)),
            field("partition", self.partition.as_str()),
            fields::texts("key-plugins", &self.key_plugins),
            field("metadata", self.metadata.as_str()),
            field("eviction", self.eviction.as_str()),
            yes("read-only", self.read_only),
        ]
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        Ok(Self {
            root: needed("root", fields.path("root")?)?,
            partition: needed("partition", fields.text("partition")?)?,
            key_plugins: needed("key-plugins", fields.texts("key-plugins")?)?,
            metadata: needed("metadata", fields.text("metadata")?)?,
            eviction: needed("eviction", fields.text("eviction")?)?,
            read_only: needed("read-only", fields.yes("read-only")?)?,
        })
    }
}

/// To [`Request::Record`] and [`Request::RecordOperation`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Recorded {
    /// The key is bound.
    Yes(Key),
    /// Nothing was recorded.
    No {
        /// Why not, for people.
        reason: String,
        /// Whether the command is to run once more as it was derived, its output thrown away: what it ran with left a file out
        /// that it would have written.
        again: bool,
    },
}

impl Answer for Recorded {
    fn fields(&self) -> Vec<Sexp> {
        match self {
            Self::Yes(key) => vec![yes("recorded", true), field("key", key.to_string())],
            Self::No { reason, again } => {
                vec![yes("recorded", false), field("reason", reason.as_str()), yes("again", *again)]
            }
        }
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        if needed("recorded", fields.yes("recorded")?)? {
            return Ok(Self::Yes(needed("key", fields.key("key")?)?));
        }
        let reason = needed("reason", fields.text("reason")?)?;
        Ok(Self::No { reason, again: fields.yes("again")?.unwrap_or_default() })
    }
}

/// To [`Request::Find`]: the entry, where there is one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Found(pub Option<Entry>);

/// An entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Its key.
    pub key: Key,
    /// What was recorded with the files.
    pub metadata: Vec<u8>,
    /// What it holds, in order.
    pub items: Vec<Item>,
}

/// What an entry holds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Item {
    /// Where it belongs below a root; nothing for a plain file.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: ItemKind,
    /// Its permissions.
    pub mode: u32,
    /// How many bytes it has.
    pub size: u64,
    /// The digest of them.
    pub digest: Digest,
}

impl Answer for Found {
    fn fields(&self) -> Vec<Sexp> {
        let Some(Entry { key, metadata, items }) = &self.0 else { return vec![yes("found", false)] };
        vec![
            yes("found", true),
            field("key", key.to_string()),
            field("metadata", metadata.as_slice()),
            Sexp::named("items", items.iter().map(Item::to_sexp)),
        ]
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        if !needed("found", fields.yes("found")?)? {
            return Ok(Self(None));
        }
        let items = needed("items", fields.take("items"))?.into_iter().map(Item::of).collect::<Option<_>>();
        Ok(Self(Some(Entry {
            key: needed("key", fields.key("key")?)?,
            metadata: needed("metadata", fields.bytes("metadata")?)?,
            items: needed("items", items)?,
        })))
    }
}

impl Item {
    fn to_sexp(&self) -> Sexp {
        let kind = match self.kind {
            ItemKind::File => "file",
            ItemKind::Directory => "directory",
            ItemKind::Link => "link",
        };
        Sexp::list([
            Sexp::atom(self.path.as_slice()),
            Sexp::atom(kind),
            Sexp::atom(format!("{:o}", self.mode)),
            Sexp::number(self.size),
            Sexp::atom(self.digest.to_hex()),
        ])
    }

    fn of(value: Sexp) -> Option<Self> {
        let [path, kind, mode, size, digest] = value.as_list()? else { return None };
        Some(Self {
            path: path.as_atom()?.to_vec(),
            kind: match kind.as_atom()? {
                b"file" => ItemKind::File,
                b"directory" => ItemKind::Directory,
                b"link" => ItemKind::Link,
                _ => return None,
            },
            mode: octal(mode.as_atom()?)?,
            size: size.as_number()?,
            digest: Digest::from_hex(digest.as_text()?)?,
        })
    }
}

/// To [`Request::Revive`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Revived {
    /// All files are there.
    Yes {
        /// The key of the entry.
        key: Key,
        /// What was recorded with the files.
        metadata: Vec<u8>,
        /// The files, in the order of the entry.
        files: Vec<PathBuf>,
    },
    /// Nothing was written.
    No(Unrevived),
}

/// Why nothing was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unrevived {
    /// Nothing is bound to the key.
    Absent,
    /// What was bound to it was damaged, and is in quarantine.
    Damaged,
    /// It holds another number of files than there are places.
    Number,
    /// It has no places below a root.
    Places,
}

impl Unrevived {
    const ALL: [(Self, &'static str); 4] = [
        (Self::Absent, "absent"),
        (Self::Damaged, "damaged"),
        (Self::Number, "number"),
        (Self::Places, "places"),
    ];

    fn name(self) -> &'static str {
        Self::ALL.into_iter().find(|(why, _)| *why == self).map_or("", |(_, name)| name)
    }
}

impl Answer for Revived {
    fn fields(&self) -> Vec<Sexp> {
        match self {
            Self::Yes { key, metadata, files } => vec![
                yes("revived", true),
                field("key", key.to_string()),
                field("metadata", metadata.as_slice()),
                fields::paths("files", files),
            ],
            Self::No(why) => vec![yes("revived", false), field("reason", why.name())],
        }
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        if needed("revived", fields.yes("revived")?)? {
            return Ok(Self::Yes {
                key: needed("key", fields.key("key")?)?,
                metadata: needed("metadata", fields.bytes("metadata")?)?,
                files: needed("files", fields.paths("files")?)?,
            });
        }
        let reason = needed("reason", fields.text("reason")?)?;
        let why = Unrevived::ALL.into_iter().find(|(_, name)| *name == reason).map(|(why, _)| why);
        needed("reason", why).map(Self::No)
    }
}

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

/// To [`Request::Hash`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Hashed {
    /// The digest of the file's content.
    pub digest: Digest,
    /// How many bytes it has.
    pub size: u64,
}

impl Answer for Hashed {
    fn fields(&self) -> Vec<Sexp> {
        vec![field("digest", self.digest.to_hex()), fields::number("size", self.size)]
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let digest = needed("digest", fields.digest("digest")?)?;
        Ok(Self { digest, size: needed("size", fields.number("size")?)? })
    }
}

/// To [`Request::Stats`].
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Stats {
    /// Entries of the repository.
    pub entries: u64,
    /// Their bytes, shared ones counted for each.
    pub bytes: u64,
    /// How often they were revived.
    pub uses: u64,
    /// Operations that were revived, since counting began.
    pub hits: u64,
    /// Operations that were not.
    pub misses: u64,
    /// Operations that have no key.
    pub uncached: u64,
    /// Entries of the whole cache.
    pub cache_entries: u64,
    /// Its bytes.
    pub cache_bytes: u64,
    /// The bytes that it may have.
    pub limit: u64,
}

impl Answer for Stats {
    fn fields(&self) -> Vec<Sexp> {
        let Self { entries, bytes, uses, hits, misses, uncached, cache_entries, cache_bytes, limit } = *self;
        let all = [entries, bytes, uses, hits, misses, uncached, cache_entries, cache_bytes, limit];
        STATS.into_iter().zip(all).map(|(name, value)| fields::number(name, value)).collect()
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let mut next = STATS.into_iter().map(|name| needed(name, fields.number(name)?));
        let mut one = || next.next().unwrap_or(Ok(0));
        Ok(Self {
            entries: one()?,
            bytes: one()?,
            uses: one()?,
            hits: one()?,
            misses: one()?,
            uncached: one()?,
            cache_entries: one()?,
            cache_bytes: one()?,
            limit: one()?,
        })
    }
}

const STATS: [&str; 9] =
    ["entries", "bytes", "uses", "hits", "misses", "uncached", "cache-entries", "cache-bytes", "limit"];

/// To [`Request::Trim`]; `None` where another trim is at it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trimmed(pub Option<Trim>);

/// What a trim did.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Trim {
    /// Bytes that were there.
    pub used: u64,
    /// Bytes that are left.
    pub left: u64,
    /// Entries that went.
    pub entries: u64,
}

impl Answer for Trimmed {
    fn fields(&self) -> Vec<Sexp> {
        let Some(Trim { used, left, entries }) = self.0 else { return vec![yes("trimmed", false)] };
        let numbers = [("used", used), ("left", left), ("entries", entries)];
        let numbers = numbers.into_iter().map(|(name, value)| fields::number(name, value));
        std::iter::once(yes("trimmed", true)).chain(numbers).collect()
    }

    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        if !needed("trimmed", fields.yes("trimmed")?)? {
            return Ok(Self(None));
        }
        let mut number = |name| needed(name, fields.number(name)?);
        Ok(Self(Some(Trim { used: number("used")?, left: number("left")?, entries: number("entries")? })))
    }
}

/// How something ended, where the fields say it.
pub(super) fn exit(fields: &mut Fields) -> Result<Option<Exit>, Malformed> {
    match (fields.small("exit")?, fields.small("signal")?) {
        (Some(code), None) => Ok(Some(Exit::Code(code))),
        (None, Some(signal)) => Ok(Some(Exit::Signal(signal))),
        (None, None) => Ok(None),
        (Some(_), Some(_)) => Err(Malformed::because("either `exit` or `signal` says how it ended")),
    }
}

pub(super) fn exit_field(exit: Exit) -> Sexp {
    let (name, number) = match exit {
        Exit::Code(code) => ("exit", code),
        Exit::Signal(signal) => ("signal", signal),
    };
    fields::number(name, u64::from(number.unsigned_abs()))
}

/// What was said, in order; nothing where no field tells.
pub(super) fn output(fields: &mut Fields) -> Result<Vec<Chunk>, Malformed> {
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

pub(super) fn output_field(output: &[Chunk]) -> Sexp {
    let chunk = |chunk: &Chunk| field(chunk.stream.name(), chunk.bytes.as_slice());
    Sexp::named("output", output.iter().map(chunk))
}
