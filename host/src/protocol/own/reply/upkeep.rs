//! What is answered about a repository, its files, and the cache.

use super::Answer;
use crate::digest::Digest;
use crate::protocol::Sexp;
#[cfg(doc)]
use crate::protocol::own::Request;
use crate::protocol::own::fields::{self, Fields, Malformed, bytes_of, field, needed, yes};
use std::path::PathBuf;

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
