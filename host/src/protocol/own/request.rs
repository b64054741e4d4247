//! What a client asks.

use super::code::Code;
use super::fields::{self, Fields, Malformed, bytes_of, field, needed, os};
use super::{Id, reply};
use crate::key::{Key, Name};
use crate::outcome::{Chunk, Exit};
use crate::protocol::Sexp;
use std::ffi::OsString;
use std::path::PathBuf;

/// What a client asks.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request {
    /// Which repository all else is about: the one around this directory.
    Repository {
        /// A directory in it, absolute.
        path: PathBuf,
    },
    /// Bind a name to files.
    Record(Record),
    /// What is bound to a key?
    Find(Which),
    /// Make an entry's files again.
    Revive(Revive),
    /// What is this operation called, and is it known?
    Derive(Derive),
    /// Make again what an open operation did, and close it.
    ReviveOperation {
        /// Its number.
        operation: u64,
    },
    /// An open operation was run: record it, and close it.
    RecordOperation(Ran),
    /// Close an open operation.
    Forget {
        /// Its number.
        operation: u64,
    },
    /// The digest of a file.
    Hash {
        /// The file.
        path: PathBuf,
    },
    /// How much is there, and how often what happened.
    Stats,
    /// Bring the cache under a limit.
    Trim {
        /// The limit in bytes; without it, that of the user.
        size: Option<u64>,
    },
}

/// Which entry is meant.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Which {
    /// The one with this name.
    Name(Name),
    /// The one with this key.
    Key(Key),
}

impl Which {
    /// The key of it.
    #[must_use]
    pub fn key(&self) -> Key {
        match self {
            Self::Name(name) => Key::named(name),
            Self::Key(key) => *key,
        }
    }
}

/// A name, and what it is to be bound to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// The name.
    pub name: Name,
    /// What is kept with the files.
    pub metadata: Vec<u8>,
    /// The files, in order.
    pub files: Vec<PathBuf>,
    /// The directory that they are kept with their places below; without files, all that is in it.
    pub root: Option<PathBuf>,
}

/// An entry, and where its files go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Revive {
    /// The entry.
    pub which: Which,
    /// Where its files go.
    pub to: Destination,
    /// What is taken off the permissions of an operation's files, where the entry is one's.
    pub umask: Option<u32>,
}

/// Where an entry's files go.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Destination {
    /// Each to its own path, in the order in which they were recorded.
    Each(Vec<PathBuf>),
    /// To their places below this directory.
    Root(PathBuf),
}

/// An operation as its caller knows it.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Derive {
    /// The program, then its arguments.
    pub argv: Vec<String>,
    /// The directory that it runs in; the root where none is said.
    pub directory: Option<PathBuf>,
    /// What it reads: files, directories, globs.
    pub reads: Vec<String>,
    /// What it writes.
    pub writes: Vec<String>,
    /// The variables that matter to it.
    pub variables: Vec<String>,
    /// All variables that it runs with.
    pub environment: Vec<(OsString, OsString)>,
    /// The bits that new files lack.
    pub umask: Option<u32>,
    /// Whether its standard output and its standard error are one file.
    pub joined: bool,
    /// The exit statuses that are recorded, besides 0.
    pub exits: Vec<u8>,
}

/// How an open operation went.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Ran {
    /// Its number.
    pub operation: u64,
    /// How it ended.
    pub exit: Exit,
    /// When it started, in nanoseconds since the epoch.
    pub started: u64,
    /// When it had ended.
    pub ended: u64,
    /// What it said, in order.
    pub output: Vec<Chunk>,
}

/// What is no request: nobody knows whom to answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoRequest;

/// A request that cannot be done, before anything was tried.
pub type Slip = (Code, String);

/// The request that a message is, by its ID.
pub fn read(message: Sexp) -> Result<(Id, Result<Request, Slip>), NoRequest> {
    let mut values = fields::into_list(message).ok_or(NoRequest)?.into_iter();
    let id = values.next().and_then(|id| Id::new(id.as_atom()?)).ok_or(NoRequest)?;
    let Some(command) = values.next().and_then(|command| Some(command.as_text()?.to_owned())) else {
        return Ok((id, Err((Code::Malformed, "a request is an id, a command and fields".to_owned()))));
    };
    let request = Fields::of(values.collect()).and_then(|fields| Request::of(&command, fields));
    let request =
        request.map_err(|malformed| (Code::Malformed, format!("{}: {malformed}", command.escape_debug())));
    Ok((id, request.and_then(|known| known.ok_or_else(|| unknown(&command)))))
}

fn unknown(command: &str) -> Slip {
    (Code::UnknownCommand, format!("there is no command `{}`", command.escape_debug()))
}

impl Request {
    /// What it asks to be done.
    #[must_use]
    pub const fn command(&self) -> &'static str {
        match self {
            Self::Repository { .. } => "repository",
            Self::Record(_) | Self::RecordOperation(_) => "record",
            Self::Find(_) => "find",
            Self::Revive(_) | Self::ReviveOperation { .. } => "revive",
            Self::Derive(_) => "derive",
            Self::Forget { .. } => "forget",
            Self::Hash { .. } => "hash",
            Self::Stats => "stats",
            Self::Trim { .. } => "trim",
        }
    }

    /// The message that asks it.
    #[must_use]
    pub fn to_sexp(&self, id: &Id) -> Sexp {
        let head = [Sexp::atom(id.as_bytes()), Sexp::atom(self.command())];
        Sexp::list(head.into_iter().chain(self.fields()))
    }

    /// The request that a command with these fields is; `None` where there is no such command.
    fn of(command: &str, mut fields: Fields) -> Result<Option<Self>, Malformed> {
        let request = match command {
            "repository" => Self::Repository { path: needed("path", fields.path("path")?)? },
            "record" => match fields.number("operation")? {
                Some(operation) => Self::RecordOperation(Ran::of(operation, &mut fields)?),
                None => Self::Record(Record::of(&mut fields)?),
            },
            "find" => Self::Find(Which::of(&mut fields)?),
            "revive" => match fields.number("operation")? {
                Some(operation) => Self::ReviveOperation { operation },
                None => Self::Revive(Revive::of(&mut fields)?),
            },
            "derive" => Self::Derive(Derive::of(&mut fields)?),
            "forget" => Self::Forget { operation: needed("operation", fields.number("operation")?)? },
            "hash" => Self::Hash { path: needed("path", fields.path("path")?)? },
            "stats" => Self::Stats,
            "trim" => Self::Trim { size: fields.number("size")? },
            _ => return Ok(None),
        };
        fields.end()?;
        Ok(Some(request))
    }

    fn fields(&self) -> Vec<Sexp> {
        match self {
            Self::Repository { path } | Self::Hash { path } => vec![field("path", bytes_of(path))],
            Self::Record(record) => record.fields(),
            Self::Find(which) => vec![which.field()],
            Self::Revive(revive) => revive.fields(),
            Self::Derive(derive) => derive.fields(),
            Self::ReviveOperation { operation } | Self::Forget { operation } => {
                vec![fields::number("operation", *operation)]
            }
            Self::RecordOperation(ran) => ran.fields(),
            Self::Stats => Vec::new(),
            Self::Trim { size } => size.iter().map(|size| fields::number("size", *size)).collect(),
        }
    }
}

impl Which {
    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        match (fields.text("name")?, fields.key("key")?) {
            (Some(text), None) => name(&text).map(Self::Name),
            (None, Some(key)) => Ok(Self::Key(key)),
            _ => Err(Malformed::because("either `name` or `key` says which entry is meant")),
        }
    }

    fn field(&self) -> Sexp {
        match self {
            Self::Name(name) => field("name", name.as_str()),
            Self::Key(key) => field("key", key.to_string()),
        }
    }
}

fn name(text: &str) -> Result<Name, Malformed> {
    Name::new(text).map_err(|invalid| Malformed::because(invalid.to_string()))
}

impl Record {
    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let (files, root) = (fields.paths("files")?, fields.path("root")?);
        if files.is_none() && root.is_none() {
            return Err(Malformed::because("the field `files` is missing"));
        }
        Ok(Self {
            name: name(&needed("name", fields.text("name")?)?)?,
            metadata: fields.bytes("metadata")?.unwrap_or_default(),
            files: files.unwrap_or_default(),
            root,
        })
    }

    fn fields(&self) -> Vec<Sexp> {
        let mut all = vec![field("name", self.name.as_str())];
        if !self.metadata.is_empty() {
            all.push(field("metadata", self.metadata.as_slice()));
        }
        if !self.files.is_empty() || self.root.is_none() {
            all.push(fields::paths("files", &self.files));
        }
        all.extend(self.root.iter().map(|root| field("root", bytes_of(root))));
        all
    }
}

impl Revive {
    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let to = match (fields.paths("to")?, fields.path("root")?) {
            (Some(to), None) => Destination::Each(to),
            (None, Some(root)) => Destination::Root(root),
            _ => return Err(Malformed::because("either `to` or `root` says where the files go")),
        };
        Ok(Self { which: Which::of(fields)?, to, umask: fields.octal("umask")? })
    }

    fn fields(&self) -> Vec<Sexp> {
        let to = match &self.to {
            Destination::Each(paths) => fields::paths("to", paths),
            Destination::Root(root) => field("root", bytes_of(root)),
        };
        let umask = self.umask.map(|umask| field("umask", format!("{umask:o}")));
        [self.which.field(), to].into_iter().chain(umask).collect()
    }
}

impl Derive {
    fn of(fields: &mut Fields) -> Result<Self, Malformed> {
        let argv = needed("argv", fields.texts("argv")?)?;
        if argv.is_empty() {
            return Err(Malformed::because("the field `argv` names no program"));
        }
        Ok(Self {
            argv,
            directory: fields.path("directory")?,
            reads: fields.texts("reads")?.unwrap_or_default(),
            writes: fields.texts("writes")?.unwrap_or_default(),
            variables: fields.texts("variables")?.unwrap_or_default(),
            environment: fields.variables("environment")?.unwrap_or_default(),
            umask: fields.octal("umask")?,
            joined: fields.yes("joined")?.unwrap_or_default(),
            exits: fields.statuses("exits")?.unwrap_or_default(),
        })
    }

    fn fields(&self) -> Vec<Sexp> {
        let mut all = vec![fields::texts("argv", &self.argv)];
        all.extend(self.directory.iter().map(|directory| field("directory", bytes_of(directory))));
        let declared = [("reads", &self.reads), ("writes", &self.writes), ("variables", &self.variables)];
        let declared = declared.into_iter().filter(|(_, texts)| !texts.is_empty());
        all.extend(declared.map(|(name, texts)| fields::texts(name, texts)));
        let pairs = self.environment.iter().map(|(name, value)| Sexp::list([os(name), os(value)]));
        all.push(Sexp::named("environment", pairs));
        all.extend(self.umask.map(|umask| field("umask", format!("{umask:o}"))));
        if self.joined {
            all.push(fields::yes("joined", true));
        }
        if !self.exits.is_empty() {
            all.push(Sexp::named("exits", self.exits.iter().map(|exit| Sexp::number(u64::from(*exit)))));
        }
        all
    }
}

impl Ran {
    fn of(operation: u64, fields: &mut Fields) -> Result<Self, Malformed> {
        let exit = needed("exit", reply::exit(fields)?)?;
        let started = needed("started", fields.number("started")?)?;
        let ended = needed("ended", fields.number("ended")?)?;
        Ok(Self { operation, exit, started, ended, output: reply::output(fields)? })
    }

    fn fields(&self) -> Vec<Sexp> {
        let exit = reply::exit_field(self.exit);
        let (started, ended) = (fields::number("started", self.started), fields::number("ended", self.ended));
        let output = (!self.output.is_empty()).then(|| reply::output_field(&self.output));
        [fields::number("operation", self.operation), exit, started, ended]
            .into_iter()
            .chain(output)
            .collect()
    }
}
