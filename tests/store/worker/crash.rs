//! Doing everything that changes a cache or destinations, until the end.

use anyhow::{Context as _, Result, bail};
use reviver::store::{Remedy, TrimRequest};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use tests::dice::Dice;
use tests::generation::{Generation, KEYS, MANIFEST, key};
use tests::place::{Place, Revived, now};

/// Works until it is killed. Each operation's letter goes to standard output before it begins: `!` once, then `a` add,
/// `A` add again, `s` add from files, `d` remove, `r` revive, `R` revive over what is there, `t` trim, `v` verify and
/// repair, `m` add a manifest, `M` revive it, `u` note a use.
pub(crate) fn until_killed(directory: &Path, link: &str, seed: u64) -> Result<()> {
    let place = Place::named(directory, link)?;
    let sources = directory.join("sources");
    let mut dice = Dice::new(seed);
    let mut out = std::io::stdout();
    let mut tell = |letter: u8| -> Result<()> {
        out.write_all(&[letter])?;
        Ok(out.flush()?)
    };
    tell(b'!')?;
    for number in seed << 24.. {
        let which = dice.below(KEYS);
        match dice.below(23) {
            0..=6 => {
                tell(if place.partition.contains(key(which)) { b'A' } else { b'a' })?;
                place.add(Generation::new(which, number))?;
            }
            7..=9 => {
                tell(b's')?;
                let generation = Generation::new(which, number);
                generation
                    .drafted(Some(&sources), |draft| place.partition.add(key(which), draft, now()))??;
            }
            10 | 11 => {
                tell(b'd')?;
                place.partition.remove(key(which), now())?;
            }
            12..=16 => {
                let out = place.out(which);
                tell(if out.join("0").exists() { b'R' } else { b'r' })?;
                if let Revived::Damaged(error) = place.revive(which, &out)? {
                    bail!("nobody else is here, and yet: {error}");
                }
                if dice.once_in(4) {
                    std::fs::remove_dir_all(&out).or_else(|error| match error.kind() {
                        std::io::ErrorKind::NotFound => Ok(()),
                        _ => Err(error),
                    })?;
                }
            }
            17 => {
                tell(b'm')?;
                let generation = Generation::new(MANIFEST, number);
                let paths = generation.written(&sources)?;
                let paths: Vec<_> = paths.iter().map(PathBuf::as_path).collect();
                place.partition.manifest_add(
                    key(MANIFEST),
                    &generation.metadata(),
                    &sources,
                    &paths,
                    now(),
                )?;
            }
            18 => {
                tell(b'M')?;
                place.partition.manifest_revive(key(MANIFEST), &place.out(MANIFEST), now())?;
            }
            19 => {
                tell(b'v')?;
                place.store.verify(Remedy::Repair, &mut |_| {})?;
            }
            20 | 21 => {
                tell(b't')?;
                let used = place.store.usage()?.bytes;
                let limit = used * dice.below(100) as u64 / 100;
                place.store.trim(&TrimRequest::new(limit, now())).context("trim")?;
            }
            _ => {
                tell(b'u')?;
                place.partition.used(key(which), now())?;
            }
        }
    }
    Ok(())
}
