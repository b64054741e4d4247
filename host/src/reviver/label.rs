//! The latest base keys of a label: where the nearest known operation is looked for when a miss is explained.
//!
//! The file: `"RVLABEL1" | digest of the rest | base keys, latest first`.

use super::explain::{Difference, Explained, differences};
use super::list::Lists;
use super::remember::{check, checked};
use crate::bytes::{Reader, Writer};
use crate::digest::{Digest, Framer};
use crate::store::{Partition, Store};
use std::fs;

const MAGIC: &[u8; 8] = b"RVLABEL1";
const MOST: usize = 8;

fn name(label: &str) -> Digest {
    Framer::new("reviver.label").text(label).finish()
}

/// The latest base keys of a label, latest first.
#[must_use]
pub fn latest(store: &Store, partition: &Partition, label: &str) -> Vec<Digest> {
    let read = || {
        let bytes = fs::read(store.layout().label(partition.id(), name(label))).ok()?;
        Reader::new(check(MAGIC, &bytes).ok()?).list().ok()
    };
    read().unwrap_or_default()
}

/// Puts a base key in front. Where it cannot be kept, a later miss is explained less well.
pub fn note(store: &Store, partition: &Partition, label: &str, base: Digest) {
    let mut known = latest(store, partition, label);
    if known.first() == Some(&base) {
        return;
    }
    known.retain(|other| *other != base);
    known.insert(0, base);
    known.truncate(MOST);
    let mut out = Writer::default();
    out.list(&known);
    store
        .publish(&store.layout().label(partition.id(), name(label)), &checked(MAGIC, &out.into_bytes()))
        .ok();
}

/// What differs from the nearest operation of the same label that is known; `None` where none is.
#[must_use]
pub fn nearest(
    store: &Store,
    partition: &Partition,
    label: &str,
    root: &str,
    now: &[Explained],
) -> Option<Vec<Difference>> {
    let load = |base: Digest| {
        let bytes = fs::read(store.layout().companion(partition.id(), base)).ok()?;
        Lists::from_bytes(&bytes, root).ok()
    };
    let known = latest(store, partition, label).into_iter().filter_map(load);
    known.map(|lists| differences(&lists.base, now)).filter(|found| !found.is_empty()).min_by_key(Vec::len)
}
