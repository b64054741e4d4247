//! What is answered about entries.

use super::Answer;
use crate::digest::Digest;
use crate::key::Key;
use crate::protocol::Sexp;
#[cfg(doc)]
use crate::protocol::own::Request;
use crate::protocol::own::fields::{self, Fields, Malformed, field, needed, octal, yes};
use crate::store::ItemKind;
use std::path::PathBuf;

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
        let items = needed("items", fields.take("items"))?.iter().map(Item::of).collect::<Option<_>>();
        Ok(Self(Some(Entry {
            key: needed("key", fields.key("key")?)?,
            metadata: needed("metadata", fields.bytes("metadata")?)?,
            items: needed("items", items)?,
        })))
    }
}

impl Item {
    fn to_sexp(&self) -> Sexp {
        Sexp::list([
            Sexp::atom(self.path.as_slice()),
            Sexp::atom(self.kind.word()),
            Sexp::atom(format!("{:o}", self.mode)),
            Sexp::number(self.size),
            Sexp::atom(self.digest.to_hex()),
        ])
    }

    fn of(value: &Sexp) -> Option<Self> {
        let [path, kind, mode, size, digest] = value.as_list()? else { return None };
        Some(Self {
            path: path.as_atom()?.to_vec(),
            kind: ItemKind::ALL.into_iter().find(|known| Some(known.word()) == kind.as_text())?,
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
