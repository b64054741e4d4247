//! Many processes on few keys.
//!
//! | company | must hold |
//! |---|---|
//! | 4 writers, 4 readers | every find is a hit, for nothing is ever unbound |
//! | the same with removals, a trimmer and a verifier | a miss is a removal's or a trim's; whatever is a hit is whole |
//!
//! Readers prove each hit: metadata, contents and destinations are of one generation. Nobody sees an error, nothing is found
//! damaged, and in the end the index knows what is there, once a trim has looked.

use crate::support::{fast_directory, told, worker};
use anyhow::{Context as _, Result, ensure};
use reviver::store::{LinkMode, TrimRequest};
use std::process::Child;
use tests::generation::{Generation, KEYS};
use tests::place::{Place, now};

const WRITERS: u64 = 4;
const READERS: u64 = 4;

#[test]
fn company_is_served_well() -> Result<()> {
    company("auto", LinkMode::Auto, 3_000)
}

#[test]
fn company_that_links_is_served_well() -> Result<()> {
    company("hardlink", LinkMode::Hardlink, 3_000)
}

#[test]
#[ignore = "takes a minute"]
fn company_that_stays_is_served_well() -> Result<()> {
    company("auto", LinkMode::Auto, 20_000)?;
    company("hardlink", LinkMode::Hardlink, 20_000)?;
    company("copy", LinkMode::Copy, 20_000)
}

fn company(name: &str, link: LinkMode, milliseconds: u64) -> Result<()> {
    let directory = fast_directory()?;
    let place = Place::open(directory.path(), link)?;
    for number in 0..KEYS {
        place.add(Generation::new(number, 1))?;
    }
    let [added, removed, hits, misses, vanished, ..] = meet(&place, name, milliseconds / 3, false)?;
    eprintln!("{name}: {added} added; {hits} hits, {misses} misses, {vanished} vanished");
    ensure!(added > 0 && hits > 0 && removed == 0, "nobody came");
    ensure!(misses == 0 && vanished == 0, "nothing was ever unbound");
    place.nothing_was_damaged()?;

    let [added, removed, hits, misses, vanished, trims, evicted, verified] =
        meet(&place, name, milliseconds * 2 / 3, true)?;
    eprintln!(
        "{name}: {added} added, {removed} removed, {evicted} evicted in {trims} trims; {hits} hits, {misses} misses, \
         {vanished} vanished; {verified} times verified"
    );
    ensure!(added > 0 && hits > 0 && trims > 0 && verified > 0, "nobody came");
    ensure!(misses + vanished == 0 || removed + evicted > 0, "nothing was unbound");
    place.nothing_was_damaged()?;
    // Until the next trim that has something to do, two additions at once may have left the wrong record last.
    place.add(Generation::new(0, 1))?;
    let used = place.store.usage()?.bytes;
    place.store.trim(&TrimRequest::new(used - 1, now()))?;
    place.index_agrees()?;
    ensure!(place.unfinished()?.is_empty(), "all have ended, and left something");
    for reader in WRITERS..WRITERS + READERS {
        for number in 0..KEYS {
            let out = directory.path().join(format!("out{reader}")).join(number.to_string());
            let names = Place::names(&out)?;
            ensure!(names.is_empty() || names == ["0", "1", "2"], "{names:?} in {}", out.display());
        }
    }
    Ok(())
}

/// Lets them meet, and gives the sums of additions, removals, hits, misses, vanished objects, trims, evictions and verifications.
fn meet(place: &Place, link: &str, milliseconds: u64, unbinding: bool) -> Result<[u64; 8]> {
    let directory = place.directory.to_str().context("a readable path")?;
    let time = milliseconds.to_string();
    let start = |arguments: &[&str]| -> Result<Child> { Ok(worker(arguments).spawn()?) };
    let mut all = Vec::new();
    for who in 0..WRITERS + READERS {
        let number = who.to_string();
        let part = if who < WRITERS { "write" } else { "read" };
        let removing = if unbinding { "removing" } else { "adding" };
        all.push((
            if who < WRITERS { 0 } else { 2 },
            start(&[part, directory, link, &number, &time, removing])?,
        ));
    }
    if unbinding {
        all.push((5, start(&["trim", directory, &time])?));
        all.push((7, start(&["verify", directory, &time])?));
    }
    let mut sums = [0; 8];
    let mut failure = None;
    for (first, child) in all {
        // All are waited for, or those that are left would work in a directory that is gone.
        match told(child.wait_with_output()?) {
            Ok(line) => {
                for (at, number) in line.split_whitespace().enumerate() {
                    sums[first + at] += number.parse::<u64>()?;
                }
            }
            Err(error) => failure = Some(error),
        }
    }
    failure.map_or(Ok(sums), Err)
}
