//! Users of a store that are killed at any point.
//!
//! Each worker adds, adds again, removes, trims, verifies and revives, entries and a manifest, as fast as it can, on few keys and few destinations, and is
//! killed after a random time. It says what it begins, so that the test knows what it killed.
//!
//! After each kill:
//!
//! * every key is unbound or bound to one generation, all of it, and nothing was found damaged;
//! * every destination is absent, or a whole content of one generation;
//! * the next process revives and adds as if nothing had happened.
//!
//! In the end, when enough time has passed, nothing is left of any of them.

use crate::support::{seed, skipped, told, worker};
use anyhow::{Context as _, Result, ensure};
use reviver::store::{LinkMode, Remedy, TrimRequest};
use reviver::time::Timestamp;
use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::time::{Duration, Instant};
use tests::dice::Dice;
use tests::generation::{CONTENTS, Generation, KEYS, MANIFEST, key};
use tests::place::{Place, Revived, now};
use tests::record::added;

/// Kinds of work that must be met by kills, by the letters that workers tell.
const GROUPS: [&str; 7] = ["A", "s", "rR", "d", "t", "v", "mM"];

#[test]
fn killed_users_leave_the_old_or_the_new() -> Result<()> {
    let (directory, place) = killed(110, LinkMode::Auto)?;
    nothing_stays(&place)?;
    drop(directory);
    Ok(())
}

#[test]
fn killed_users_who_link_leave_the_old_or_the_new() -> Result<()> {
    let (directory, place) = killed(110, LinkMode::Hardlink)?;
    nothing_stays(&place)?;
    drop(directory);
    Ok(())
}

/// Kills that many workers, and looks at what each left.
fn killed(kills: u64, link: LinkMode) -> Result<(tempfile::TempDir, Place)> {
    let seed = seed()?;
    // On the disk, where the system takes longer over each step: kills come too late for what is done in memory.
    let directory = tempfile::tempdir()?;
    let place = Place::open(directory.path(), link)?;
    let name = if link == LinkMode::Hardlink { "hardlink" } else { "auto" };
    let mut dice = Dice::new(seed);
    let mut during: BTreeMap<char, u32> = BTreeMap::new();
    for kill in 1..=kills {
        // A third of them at any time, the others soon after the beginning of what might be met too seldom by chance.
        let soon = GROUPS[dice.below(GROUPS.len())];
        let (letters, longest) =
            if dice.once_in(3) { ("!", 12_000) } else { (soon, dice.one(&[1, 60, 600])) };
        let delay = Duration::from_micros(dice.below(longest) as u64);
        let doing = kill_one(directory.path(), name, seed + kill, letters, delay)?;
        *during.entry(doing).or_default() += 1;
        let context =
            || format!("seed {seed}, kill {kill}, during `{doing}` in {}", directory.path().display());
        everything_is_whole(&place).with_context(context)?;
    }
    eprintln!("{kills} kills with {name}, by what was being done: {during:?}");
    // Of most, or the test shows less than it says. Where the disk is memory, or much else is going on, some may slip.
    let met = |letters: &&&str| letters.chars().any(|letter| during.contains_key(&letter));
    let met: Vec<_> = GROUPS.iter().filter(met).collect();
    ensure!(met.len() > GROUPS.len() / 2, "seed {seed}: only {met:?} were met by a kill");
    Ok((directory, place))
}

/// Starts a worker, waits until it begins one of these, and a while longer, kills it, and gives the letter of what it was
/// doing.
fn kill_one(directory: &Path, link: &str, seed: u64, begins: &str, delay: Duration) -> Result<char> {
    let seed = seed.to_string();
    let mut child =
        worker(&["crash".as_ref(), directory.as_os_str(), link.as_ref(), seed.as_ref()]).spawn()?;
    let mut pipe = child.stdout.take().context("a pipe")?;
    let (mut letter, mut last) = ([0], '!');
    while pipe.read_exact(&mut letter).is_ok() {
        last = char::from(letter[0]);
        if begins.contains(last) {
            // Shorter than the granularity of sleeping, as most are, so that all points are met.
            let end = Instant::now() + delay;
            while Instant::now() < end {
                std::thread::yield_now();
            }
            break;
        }
    }
    child.kill()?;
    let mut letters = Vec::new();
    pipe.read_to_end(&mut letters)?;
    let output = child.wait_with_output()?;
    if output.status.code().is_some() {
        told(output)?;
    }
    Ok(letters.last().map_or(last, |&letter| char::from(letter)))
}

fn everything_is_whole(place: &Place) -> Result<()> {
    for number in (0..KEYS).chain([MANIFEST]) {
        let out = place.out(number);
        for index in 0..CONTENTS {
            Generation::of_file(number, index, &out.join(index.to_string()))?;
        }
        let bound = place.bound(number)?;
        match (bound, place.revive(number, &out)?) {
            (None, Revived::Miss) => {}
            (Some(bound), Revived::Hit(revived)) if bound == revived => {}
            other => anyhow::bail!("key {number}: {other:?}"),
        }
    }
    place.nothing_was_damaged()?;
    // A new process may add what it likes, whatever is being held or half written.
    place.add(Generation::new(KEYS, 1))?;
    ensure!(place.bound(KEYS)? == Some(Generation::new(KEYS, 1)));
    Ok(())
}

/// Two hours later, after a trim that has something to do, all that is left is what is bound.
fn nothing_stays(place: &Place) -> Result<()> {
    let later = Timestamp(now().0 + 2 * 3600 * 1_000_000_000);
    place.store.clean_temporaries(later);
    let layout = place.store.layout();
    ensure!(place.unfinished()?.is_empty(), "{:?}", place.unfinished()?);
    ensure!(Place::names(&layout.locks())?.iter().all(|name| name.len() < 64), "a lock of a path");
    for number in 0..KEYS {
        place.add(Generation::new(number, 1))?;
    }
    let used = place.store.usage()?.bytes;
    place.store.trim(&TrimRequest::new(used - 1, later))?;
    place.index_agrees()?;
    let mut needed = HashSet::new();
    for info in place.partition.keys()? {
        let entry = place.partition.find(info.key)?.context("an entry that is listed")?;
        needed.extend(entry.items().iter().map(|item| item.digest.to_hex()));
    }
    for shard in Place::names(&layout.objects())? {
        for name in Place::names(&layout.objects().join(&shard))? {
            let digest = format!("{shard}{}", name.split('-').next().unwrap_or_default());
            ensure!(needed.contains(&digest), "nobody needs the object {digest}");
        }
    }
    let verified = place.store.verify(Remedy::SetAside, &mut |_| {})?;
    ensure!(verified.findings.is_empty() && verified.entries > 0, "{:?}", verified.findings);
    place.nothing_was_damaged()
}

/// A process that is killed while it adds a key again, between its record and its entry, leaves an index that says of the
/// old entry what would have been true of the new one. Where the new one needed no objects, the next sweep took those of
/// the old one, and a good entry was gone.
#[test]
fn an_entry_whose_replacement_was_killed_keeps_its_objects() -> Result<()> {
    let directory = tempfile::tempdir()?;
    let place = Place::open(directory.path(), LinkMode::Auto)?;
    // The second content of generation 1 is an object, all of generation 3 is small.
    place.add(Generation::new(1, 3))?;
    place.add(Generation::new(0, 1))?;
    let index = place.store.layout().index(place.partition.id());
    fs::OpenOptions::new().append(true).open(index)?.write_all(&added(key(0), 3, 1_000, 0, now()))?;
    let used = place.store.usage()?.bytes;
    place.store.trim(&TrimRequest::new(used - 1, now()))?;
    ensure!(place.bound(0)? == Some(Generation::new(0, 1)));
    place.index_agrees()
}

/// What a killed process left beside a destination goes with the next revive that finds it older than a minute.
#[test]
#[ignore = "waits for a minute"]
fn what_was_staged_by_the_killed_goes_after_a_minute() -> Result<()> {
    let (directory, place) = killed(60, LinkMode::Auto)?;
    let staged = |usual: bool| -> Result<Vec<String>> {
        let mut found = Vec::new();
        for number in 0..KEYS {
            let names = Place::names(&place.out(number))?;
            let is_usual = |name: &String| (0..CONTENTS).any(|index| *name == format!(".{index}.reviver"));
            let is_staged = |name: &String| name.ends_with(".reviver");
            found.extend(names.into_iter().filter(|name| is_staged(name) && is_usual(name) == usual));
        }
        Ok(found)
    };
    eprintln!("staged by the killed: {:?}, and beside these {:?}", staged(true)?, staged(false)?);
    if staged(true)?.is_empty() {
        skipped("no process was killed between staging and renaming");
    }
    std::thread::sleep(Duration::from_secs(61));
    for number in 0..KEYS {
        place.add(Generation::new(number, 1))?;
        ensure!(matches!(place.revive(number, &place.out(number))?, Revived::Hit(_)));
    }
    ensure!(staged(true)?.is_empty(), "{:?}", staged(true)?);
    drop(directory);
    Ok(())
}
