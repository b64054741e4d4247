//! Bits that turn. Every byte of an entry is covered by a digest, and so is every byte of an object.

use super::Scene;
use anyhow::{Context as _, Result, ensure};
use reviver::store::{LinkMode, Remedy};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tests::dice::Dice;

/// Puts these bytes where a file of the cache is, with its permissions.
fn put(path: &Path, bytes: &[u8]) -> Result<()> {
    let mode = fs::metadata(path)?.permissions().mode();
    fs::remove_file(path)?;
    fs::write(path, bytes)?;
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

/// Damage is told by `verify`, is a miss, and is healed.
fn found(scene: &Scene) -> Result<()> {
    let verified = scene.place.store.verify(Remedy::Tell, &mut |_| {})?;
    ensure!(verified.findings.iter().any(|finding| finding.kind.is_damage()), "verify sees nothing");
    scene.misses_and_heals()
}

/// One bit of each byte, all bits of each byte of the first 24.
#[test]
fn no_bit_of_an_entry_may_turn() -> Result<()> {
    let mut dice = Dice::new(1);
    // All three contents in the entry; one of them in an object.
    for number in [3, 1] {
        let scene = Scene::new(LinkMode::Auto, number)?;
        let whole = fs::read(scene.entry())?;
        for at in 0..whole.len() {
            let bits = if at < 24 { 0..8 } else { dice.below(8)..8 };
            for bit in if at < 24 { bits } else { bits.start..bits.start + 1 } {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                put(&scene.entry(), &bytes)?;
                // Reading everything each time would take long.
                let look = if at % 16 == 0 { found } else { Scene::misses_and_heals };
                look(&scene).with_context(|| format!("generation {number}, bit {bit} of byte {at}"))?;
            }
        }
    }
    Ok(())
}

#[test]
fn no_entry_may_be_shorter_or_longer() -> Result<()> {
    let scene = Scene::new(LinkMode::Auto, 3)?;
    let whole = fs::read(scene.entry())?;
    for length in (0..whole.len()).step_by(17).chain([whole.len() - 1, whole.len() + 1, whole.len() + 4096]) {
        let mut bytes = whole.clone();
        bytes.resize(length, 0);
        put(&scene.entry(), &bytes)?;
        found(&scene).with_context(|| format!("{length} of {} bytes", whole.len()))?;
    }
    Ok(())
}

#[test]
fn no_region_of_an_object_may_change() -> Result<()> {
    let mut dice = Dice::new(2);
    for link in [LinkMode::Auto, LinkMode::Copy, LinkMode::Hardlink] {
        let scene = Scene::new(link, 1)?;
        let object = scene.object()?;
        let whole = fs::read(&object)?;
        let regions =
            (0..whole.len()).step_by(4096).map(|start| start + dice.below(4096).min(whole.len() - start - 1));
        for at in regions.collect::<Vec<_>>().into_iter().chain([0, whole.len() - 1]) {
            let mut bytes = whole.clone();
            bytes[at] ^= 1 << dice.below(8);
            put(&object, &bytes)?;
            found(&scene).with_context(|| format!("{link:?}, byte {at}"))?;
        }
        for length in [0, 1, 4096, whole.len() - 1, whole.len() + 1] {
            let mut bytes = whole.clone();
            bytes.resize(length, 0);
            put(&object, &bytes)?;
            found(&scene).with_context(|| format!("{link:?}, {length} bytes"))?;
        }
    }
    Ok(())
}
