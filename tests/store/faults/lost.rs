//! A store that lost a part.

use super::Scene;
use anyhow::{Result, ensure};
use reviver::store::{LinkMode, TrimRequest, Trimmed};
use std::fs;
use tests::generation::{Generation, key};
use tests::place::now;

#[test]
fn a_lost_object_is_a_miss() -> Result<()> {
    for link in [LinkMode::Auto, LinkMode::Copy, LinkMode::Hardlink] {
        let scene = Scene::new(link, 1)?;
        fs::remove_file(scene.object()?)?;
        scene.misses_and_heals()?;
    }
    Ok(())
}

#[test]
fn a_lost_entry_is_a_miss_and_leaves_the_index_with_the_next_trim() -> Result<()> {
    let scene = Scene::new(LinkMode::Auto, 1)?;
    fs::remove_file(scene.entry())?;
    scene.misses_and_heals()?;
    fs::remove_file(scene.entry())?;
    let used = scene.place.store.usage()?.bytes;
    scene.place.store.trim(&TrimRequest::new(used - 1, now()))?;
    scene.place.index_agrees()?;
    ensure!(scene.place.partition.stats()?.entries == 0 && scene.place.store.usage()?.objects == 0);
    Ok(())
}

type Act = dyn Fn(&Scene) -> Result<()>;

#[test]
fn a_lost_index_is_made_anew() -> Result<()> {
    let lost: [&Act; 4] = [
        &|scene| scene.place.index_agrees(),
        &|scene| scene.place.add(Generation::new(1, 1)),
        &|scene| {
            let trimmed = scene.place.store.trim(&TrimRequest::new(1, now()))?;
            ensure!(matches!(trimmed, Trimmed::Done(report) if report.removed == 1), "it goes all the same");
            scene.place.add(scene.generation)
        },
        &|scene| Ok(scene.place.partition.used(key(0), now())?),
    ];
    for act in lost {
        let scene = Scene::new(LinkMode::Auto, 1)?;
        fs::remove_file(scene.place.store.layout().index(scene.place.partition.id()))?;
        act(&scene)?;
        ensure!(scene.place.bound(0)? == Some(scene.generation));
        scene.place.index_agrees()?;
    }
    Ok(())
}

#[test]
fn a_lost_cache_is_an_empty_one() -> Result<()> {
    let scene = Scene::new(LinkMode::Auto, 1)?;
    fs::remove_dir_all(scene.place.store.layout().root())?;
    ensure!(scene.place.partition.keys()?.is_empty() && scene.place.store.usage()?.bytes == 0);
    ensure!(matches!(scene.place.store.trim(&TrimRequest::new(0, now()))?, Trimmed::Done(_)));
    ensure!(!scene.place.partition.remove(key(0), now())?);
    scene.misses_and_heals()
}
