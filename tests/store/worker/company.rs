//! Writers, readers, a trimmer and a verifier that share few keys. Each tells what it did on one line of numbers.

use anyhow::{Context as _, Result, bail, ensure};
use reviver::store::{Damage, Remedy, StageError, TrimRequest, Trimmed};
use std::io::Write as _;
use std::path::Path;
use std::time::{Duration, Instant};
use tests::dice::Dice;
use tests::generation::{Generation, KEYS, key};
use tests::place::{Place, Revived, now};

fn tell(numbers: &[u64]) -> Result<()> {
    let line: Vec<_> = numbers.iter().map(u64::to_string).collect();
    writeln!(std::io::stdout(), "{}", line.join(" "))?;
    Ok(())
}

fn end(milliseconds: u64) -> Instant {
    Instant::now() + Duration::from_millis(milliseconds)
}

/// Adds generation after generation, and removes some. Tells additions and removals of what was bound.
pub(crate) fn write(directory: &Path, link: &str, who: u64, milliseconds: u64, removing: bool) -> Result<()> {
    let place = Place::named(directory, link)?;
    let (mut dice, end) = (Dice::new(who), end(milliseconds));
    let (mut added, mut removed) = (0, 0);
    while Instant::now() < end {
        let which = dice.below(KEYS);
        if removing && dice.once_in(20) {
            removed += u64::from(place.partition.remove(key(which), now())?);
        } else {
            added += 1;
            place.add(Generation::new(which, (who << 32) + added))?;
        }
    }
    tell(&[added, removed])
}

/// Revives, and proves what it got. Tells hits, misses, and hits whose objects went away before they were opened.
pub(crate) fn read(directory: &Path, link: &str, who: u64, milliseconds: u64) -> Result<()> {
    let place = Place::named(directory, link)?;
    let (mut dice, end) = (Dice::new(who), end(milliseconds));
    let (mut hits, mut misses, mut vanished) = (0, 0, 0);
    while Instant::now() < end {
        let which = dice.below(KEYS);
        let out = place.directory.join(format!("out{who}")).join(which.to_string());
        match place.revive(which, &out).with_context(|| format!("reader {who}"))? {
            Revived::Hit(_) => hits += 1,
            Revived::Miss => misses += 1,
            Revived::Damaged(StageError::Damaged { damage: Damage::Missing, .. }) => vanished += 1,
            Revived::Damaged(error) => bail!("reader {who}: {error}"),
        }
    }
    tell(&[hits, misses, vanished])
}

/// Verifies again and again: what others replace and remove is no damage. Tells how often.
pub(crate) fn verify(directory: &Path, milliseconds: u64) -> Result<()> {
    let place = Place::named(directory, "auto")?;
    let end = end(milliseconds);
    let mut times = 0;
    while Instant::now() < end {
        let verified = place.store.verify(Remedy::SetAside, &mut |_| {})?;
        let damage = verified.findings.iter().find(|finding| finding.kind.is_damage());
        ensure!(damage.is_none(), "{damage:?}");
        times += 1;
    }
    tell(&[times])
}

/// Trims to a quarter, again and again. Tells trims and entries that went.
pub(crate) fn trim(directory: &Path, milliseconds: u64) -> Result<()> {
    let place = Place::named(directory, "auto")?;
    let end = end(milliseconds);
    let (mut trims, mut removed) = (0, 0);
    while Instant::now() < end {
        let limit = place.store.usage()?.bytes / 4;
        match place.store.trim(&TrimRequest::new(limit, now()))? {
            Trimmed::Done(report) => {
                trims += 1;
                removed += report.removed;
            }
            Trimmed::Busy => bail!("there is no other trimmer"),
        }
    }
    tell(&[trims, removed])
}
