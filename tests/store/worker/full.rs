//! A store on a file system that is full, or will be after some more pages.

use anyhow::{Context as _, Result, bail, ensure};
use reviver::store::{LinkMode, Remedy, ReviveError, StoreError, TrimRequest, Trimmed};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use tests::generation::{CONTENTS, Generation, key};
use tests::place::{Place, Revived, now};

const PAGE: u64 = 4096;
/// As many pages as adding or reviving the largest generation takes, and some.
const PAGES: u64 = 44;

/// Adds and revives with each number of free pages, from none to enough. `directory` is a small file system.
pub(crate) fn full(directory: &Path) -> Result<()> {
    let place = Place::open(directory, LinkMode::Auto)?;
    let mut bound = [Generation::new(0, 3), Generation::new(1, 1)];
    for generation in bound {
        place.add(generation)?;
    }
    let mut out = bound[1];
    ensure!(matches!(place.revive(1, &place.out(1))?, Revived::Hit(revived) if revived == out));
    let (mut refused, mut done) = ([0, 0, 0], [0, 0, 0]);
    for pages in 0..PAGES {
        // What is not needed any more goes, so that each round has as much to do.
        drop(fs::remove_file(ballast(directory)));
        place.store.verify(Remedy::Repair, &mut |_| {})?;
        // All in the entry's file; then two objects.
        for (at, number) in [(0, 3 + 12 * (pages + 1)), (1, 4 + 12 * (pages + 1))] {
            leave(directory, pages)?;
            let new = Generation::new(at, number);
            match place.try_add(new)? {
                Ok(_) => {
                    bound[at] = new;
                    done[at] += 1;
                }
                Err(StoreError::Io { source, .. }) if source.kind() == ErrorKind::StorageFull => {
                    refused[at] += 1;
                }
                Err(error) => bail!("{pages} pages: {error}"),
            }
            for (at, generation) in bound.iter().enumerate() {
                ensure!(
                    place.bound(at)? == Some(*generation),
                    "{pages} pages, {new:?}: {generation:?} is lost"
                );
            }
        }
        leave(directory, pages)?;
        // What is right already takes no room.
        for index in 0..CONTENTS {
            fs::set_permissions(place.out(1).join(index.to_string()), Permissions::from_mode(0o600))?;
        }
        match revive(&place) {
            Ok(()) => {
                out = bound[1];
                done[2] += 1;
            }
            Err(ReviveError::Stage(error)) if is_full(&error) => refused[2] += 1,
            Err(error) => bail!("{pages} pages: {error}"),
        }
        for index in 0..CONTENTS {
            let there = Generation::of_file(1, index, &place.out(1).join(index.to_string()))?;
            ensure!(there == Some(out), "{pages} pages: {there:?} is there, not {out:?}");
        }
        ensure!(Place::names(&place.out(1))? == ["0", "1", "2"], "{pages} pages: something is beside them");
        ensure!(place.unfinished()?.is_empty(), "{pages} pages: something under tmp");
        place.nothing_was_damaged()?;
    }
    writeln!(
        io::stdout(),
        "refused {refused:?}, done {done:?} of small and large additions, and of revives"
    )?;
    ensure!(
        refused.iter().chain(&done).all(|&times| times > 0),
        "the sizes are wrong: {refused:?}, {done:?}"
    );
    a_torn_index_is_no_obstacle(&place).context("a torn index")?;
    Ok(())
}

/// Appends uses until one is refused, most likely in the middle, and then lets a trim make room.
fn a_torn_index_is_no_obstacle(place: &Place) -> Result<()> {
    leave(&place.directory, 0)?;
    let refused = (0..1_000).find_map(|_| place.partition.used(key(0), now()).err());
    let source = match refused.context("there is no end of room")? {
        StoreError::Io { source, .. } => source,
        error => bail!("{error}"),
    };
    ensure!(source.kind() == ErrorKind::StorageFull, "{source}");
    ensure!(place.bound(0)?.is_some() && place.bound(1)?.is_some());
    let Trimmed::Done(report) = place.store.trim(&TrimRequest::new(1_000, now()))? else { bail!("busy") };
    ensure!(report.removed == 2, "{report:?}");
    place.add(Generation::new(1, 1))?;
    ensure!(place.bound(1)? == Some(Generation::new(1, 1)));
    place.index_agrees()?;
    ensure!(place.unfinished()?.is_empty(), "something under tmp");
    Ok(())
}

fn revive(place: &Place) -> Result<(), ReviveError> {
    let paths: Vec<_> = (0..CONTENTS).map(|index| place.out(1).join(index.to_string())).collect();
    let paths: Vec<_> = paths.iter().map(std::path::PathBuf::as_path).collect();
    place.partition.revive(key(1), &paths, now()).map(drop)
}

fn is_full(error: &(dyn std::error::Error + 'static)) -> bool {
    let source = error.source().and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|source| source.kind() == ErrorKind::StorageFull)
}

fn ballast(directory: &Path) -> std::path::PathBuf {
    directory.join("ballast")
}

/// Fills the file system but for so many pages.
fn leave(directory: &Path, pages: u64) -> Result<()> {
    let mut file = OpenOptions::new().append(true).create(true).open(ballast(directory))?;
    let page = [0; PAGE as usize];
    let error = loop {
        if let Err(error) = file.write_all(&page) {
            break error;
        }
    };
    ensure!(error.kind() == ErrorKind::StorageFull, "{error}");
    let length = file.metadata()?.len();
    Ok(File::set_len(&file, length.saturating_sub(pages * PAGE))?)
}
