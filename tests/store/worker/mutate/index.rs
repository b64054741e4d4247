//! The reader of an index. Whatever an index says, entries stay right, and a new index says what is true.

use super::Round;
use super::mutator::mutated;
use anyhow::{Result, ensure};
use reviver::store::{LinkMode, TrimRequest, Trimmed};
use std::fs;
use std::path::Path;
use tests::generation::{Generation, KEYS, key};
use tests::place::{Place, now};
use tests::record::{RECORD, added, sign};

/// What each round does.
pub(super) fn rounds(directory: &Path) -> Result<Round> {
    let place = Place::open(directory, LinkMode::Auto)?;
    let path = place.store.layout().index(place.partition.id());
    let mut seeds = vec![Vec::new()];
    for round in 0..3 {
        for number in 0..KEYS {
            place.add(Generation::new(number, 1 + round))?;
            place.partition.used(key(number), now())?;
        }
        place.partition.remove(key(round as usize), now())?;
        seeds.push(fs::read(&path)?);
    }
    seeds.push(added(key(0), 1, 1, u64::MAX, now()).to_vec());
    seeds.push(added(key(1), u32::MAX, u64::MAX, 0, now()).repeat(2));

    Ok(Box::new(move |dice| {
        for number in 0..KEYS {
            if place.bound(number)?.is_none() {
                place.add(Generation::new(number, 1))?;
            }
        }
        let mut bytes = mutated(dice, &seeds);
        if !dice.once_in(3) {
            for record in bytes.chunks_exact_mut(RECORD) {
                sign(record);
            }
        }
        place.store.publish(&path, &bytes)?;
        // The first who looks may make the index anew, if it is seen to be damaged.
        let accepted = place.partition.stats()?.entries != KEYS as u64;
        place.partition.candidates()?;
        let keys = place.partition.keys()?;
        ensure!(keys.len() == KEYS, "{} of {KEYS} keys", keys.len());
        place.store.publish(&path, &bytes)?;
        place.store.usage()?;
        place.store.plan(&TrimRequest::new(100_000, now()))?;
        place.partition.used(key(0), now())?;
        for number in 0..KEYS {
            ensure!(place.bound(number)?.is_some(), "looking unbound {number}");
        }
        if dice.once_in(2) {
            ensure!(matches!(place.store.trim(&TrimRequest::new(150_000, now()))?, Trimmed::Done(_)));
            for number in 0..KEYS {
                // Whole or gone, and not half of either.
                place.bound(number)?;
            }
            place.nothing_was_damaged()?;
        }
        place.add(Generation::new(0, 3))?;
        ensure!(place.bound(0)? == Some(Generation::new(0, 3)));
        place.partition.reindex()?;
        place.index_agrees()?;
        Ok(accepted)
    }))
}
