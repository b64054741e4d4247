//! What entries are of, for people: keys alone tell nothing.

use super::context::Context;
use crate::key::Key;
use crate::reviver::journal;
use crate::store::StoreError;
use std::collections::HashMap;

/// What is known of this repository's entries.
pub(super) struct What(HashMap<Key, String>);

impl What {
    /// By the names that people gave, and by the journal as far as it reaches back.
    pub(super) fn of(context: &Context) -> Result<Self, StoreError> {
        let named =
            context.partition.keys()?.into_iter().filter_map(|info| Some((info.key, info.name?.to_string())));
        Ok(Self(labels(context).chain(named).collect()))
    }

    /// By the journal alone.
    pub(super) fn told(context: &Context) -> Self {
        Self(labels(context).collect())
    }

    /// What a key's entry is of; empty where nobody knows.
    pub(super) fn is(&self, key: Key) -> &str {
        self.0.get(&key).map_or("", String::as_str)
    }
}

fn labels(context: &Context) -> impl Iterator<Item = (Key, String)> {
    let runs = journal::latest(&context.store, &context.partition, usize::MAX).into_iter();
    runs.filter_map(|run| Some((Key::new(crate::digest::Digest::from_hex(&run.key)?), run.label)))
}
