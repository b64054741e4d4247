//! Against `cp`.

use crate::cache::{Cache as _, Ours, key};
use crate::table::Table;
use crate::workload::Workload;
use crate::{run, settle};
use anyhow::{Context as _, Result, ensure};
use reviver::store::{LinkMode, Options, Staging};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::scope;
use std::time::Instant;

/// A tree of small files, revived by one thread and by all, against `cp -a` of it.
pub(crate) fn against_cp(
    medium: &str,
    place: &Path,
    files: usize,
    rounds: usize,
    cores: usize,
) -> Result<()> {
    let workload = Workload::new(place, files, 1, 4096)?;
    let sources: Vec<_> = (0..files).map(|entry| workload.source(entry, 0)).collect();
    let directory = tempfile::tempdir_in(place)?;
    let ours = Ours::new(&directory.path().join("cache"), Options::default())?;
    let whole = key(usize::MAX);
    ours.add_all(whole, &sources)?;
    for entry in 0..files {
        ours.add(&workload, entry)?;
    }
    let mut table = Table::new(["revived as a tree"]);
    for round in 0..rounds {
        for turn in 0..5 {
            let (at, out) = ((round + turn) % 5, directory.path().join(format!("out-{round}-{turn}")));
            let place_of =
                |source: &Path| Ok::<_, anyhow::Error>(out.join(source.strip_prefix(&workload.sources)?));
            let places = sources.iter().map(|source| place_of(source)).collect::<Result<Vec<_>>>()?;
            settle(place)?;
            let start = Instant::now();
            match at {
                0 => run(Command::new("cp").arg("-a").arg(&workload.sources).arg(&out))?,
                1 => {
                    let entry = ours.partition.find(whole)?.context("a hit")?;
                    let mut staging = Staging::new(&ours.store);
                    for (index, to) in places.iter().enumerate() {
                        staging.file(&entry, index, to, 0o644)?;
                    }
                    staging.commit()?;
                }
                2 => {
                    let entry = ours.partition.find(whole)?.context("a hit")?;
                    let mut staging = Staging::new(&ours.store);
                    let steps: Vec<_> =
                        places.iter().enumerate().map(|(index, to)| (index, to.as_path(), 0o644)).collect();
                    staging.files(&entry, &steps)?;
                    staging.commit()?;
                }
                3 => one_by_one(&ours, 0, &places)?,
                _ => {
                    let (share, ours) = (files.div_ceil(cores), &ours);
                    scope(|scope| {
                        let threads: Vec<_> = places
                            .chunks(share)
                            .enumerate()
                            .map(|(at, places)| scope.spawn(move || one_by_one(ours, at * share, places)))
                            .collect();
                        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that ends"))
                    })?;
                }
            }
            table.took(0, at, start.elapsed());
            for (entry, path) in places.iter().enumerate() {
                ensure!(fs::read(path)? == workload.content(entry, 0), "{} is wrong", path.display());
            }
        }
    }
    let contenders = [
        "one entry, one thread",
        "one entry, all cores",
        "an entry each, one thread",
        "an entry each, all cores",
    ];
    table.show(&format!("{medium}: {files} × 4 KiB"), "cp -a", &contenders);
    Ok(fs::remove_dir_all(&workload.sources)?)
}

/// Revives entries that have one content each.
fn one_by_one(ours: &Ours, first: usize, places: &[PathBuf]) -> Result<()> {
    for (at, to) in places.iter().enumerate() {
        let entry = ours.partition.find(key(first + at))?.context("a hit")?;
        let mut staging = Staging::new(&ours.store);
        staging.file(&entry, 0, to, 0o644)?;
        staging.commit()?;
    }
    Ok(())
}

/// Objects that are linked into place, against `cp -al`, which verifies nothing.
pub(crate) fn against_links(medium: &str, place: &Path, objects: usize, rounds: usize) -> Result<()> {
    let workload = Workload::new(place, objects, 1, 65_536)?;
    let directory = tempfile::tempdir_in(place)?;
    let cache = directory.path().join("cache");
    let sources: Vec<_> = (0..objects).map(|entry| workload.source(entry, 0)).collect();
    let options = Options { link: LinkMode::Hardlink, ..Options::default() };
    let verifying = Ours::new(&cache, options)?;
    verifying.add_all(key(0), &sources)?;
    let trusting = Ours::new(&cache, Options { verify: false, ..options })?;
    let mut table = Table::new(["linked as a tree"]);
    for round in 0..rounds {
        for turn in 0..5 {
            let (at, out) = ((round + turn) % 5, directory.path().join(format!("out-{round}-{turn}")));
            let places: Vec<_> =
                (0..objects).map(|entry| out.join(format!("d{}/e{entry}-0", entry / 100))).collect();
            settle(place)?;
            let start = Instant::now();
            if at == 0 {
                run(Command::new("cp").arg("-al").arg(&workload.sources).arg(&out))?;
            } else {
                let ours = if at < 3 { &trusting } else { &verifying };
                let entry = ours.partition.find(key(0))?.context("a hit")?;
                let mut staging = Staging::new(&ours.store);
                let steps: Vec<_> =
                    places.iter().enumerate().map(|(index, to)| (index, to.as_path(), 0o444)).collect();
                if at % 2 == 1 {
                    steps.iter().try_for_each(|(index, to, mode)| staging.file(&entry, *index, to, *mode))?;
                } else {
                    staging.files(&entry, &steps)?;
                }
                staging.commit()?;
            }
            table.took(0, at, start.elapsed());
            for (entry, path) in places.iter().enumerate().step_by(10) {
                ensure!(fs::read(path)? == workload.content(entry, 0), "{} is wrong", path.display());
            }
            ensure!(at == 0 || fs::metadata(&places[0])?.nlink() >= 2, "nothing was linked");
        }
    }
    let contenders = [
        "not verified, one thread",
        "not verified, all cores",
        "verified, one thread",
        "verified, all cores",
    ];
    table.show(&format!("{medium}: {objects} objects of 64 KiB by hard link"), "cp -al", &contenders);
    Ok(fs::remove_dir_all(&workload.sources)?)
}
