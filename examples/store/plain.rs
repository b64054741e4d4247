//! Against a plain cache.

use crate::cache::{Cache, Ours, Plain};
use crate::settle;
use crate::table::Table;
use crate::workload::Workload;
use anyhow::{Result, ensure};
use reviver::store::Options;
use std::fs;
use std::path::Path;
use std::time::Instant;

pub(crate) fn against_plain(medium: &str, place: &Path, workload: &Workload, rounds: usize) -> Result<()> {
    let Workload { entries, files, size, .. } = *workload;
    let mut table = Table::new([
        "add",
        "add again",
        "revive, new directories",
        "revive over existing",
        "miss",
        "trim to 50 %",
    ]);
    // Nothing is removed between the phases: file systems without a journal look long for inodes that were not just freed.
    let directories = (0..rounds).map(|_| Ok(tempfile::tempdir_in(place)?)).collect::<Result<Vec<_>>>()?;
    let path = |round: usize, name: &str| directories[round].path().join(name);
    let caches = (0..rounds)
        .map(|round| Ok((Plain(path(round, "plain")), Ours::new(&path(round, "ours"), Options::default())?)))
        .collect::<Result<Vec<_>>>()?;
    for (phase, round, turn) in (0..table.0.len())
        .flat_map(|phase| (0..rounds).flat_map(move |round| [(phase, round, 0), (phase, round, 1)]))
    {
        let at = (round + turn) % 2;
        let cache: &dyn Cache = if at == 0 { &caches[round].0 } else { &caches[round].1 };
        let out = path(round, ["out-plain", "out-ours"][at]);
        settle(place)?;
        let start = Instant::now();
        match phase {
            0 | 1 => (0..entries).try_for_each(|entry| cache.add(workload, entry))?,
            2 | 3 => {
                for entry in 0..entries {
                    ensure!(cache.revive(workload, entry, &out)?, "a hit was none");
                }
            }
            4 => {
                for entry in entries..2 * entries {
                    ensure!(!cache.revive(workload, entry, &out)?, "a miss was none");
                }
            }
            _ => cache.halve()?,
        }
        table.took(phase, at, start.elapsed());
        if at == 1 && matches!(phase, 2 | 3) {
            workload.verify(&out)?;
        }
        if phase == 5 {
            let left = cache.left(workload);
            ensure!(left.abs_diff(entries / 2) <= entries / 20, "{left} of {entries} were left");
        }
    }
    table.show(&format!("{medium}: {entries} entries of {files} × {} KiB", size / 1024), "plain", &["ours"]);
    Ok(())
}

/// The same additions, each time after a tree of as many files was deleted beside the cache, as a build tree is: file systems
/// without a journal look long for inodes that were not just freed.
pub(crate) fn after_deletion(medium: &str, place: &Path, workload: &Workload, rounds: usize) -> Result<()> {
    let Workload { entries, files, size, .. } = *workload;
    let mut table = Table::new(["add, after as many files were deleted"]);
    for (round, turn) in (0..rounds).flat_map(|round| [(round, 0), (round, 1)]) {
        let directory = tempfile::tempdir_in(place)?;
        let tree = directory.path().join("tree");
        fs::create_dir(&tree)?;
        for file in 0..entries * files {
            fs::write(tree.join(file.to_string()), b"")?;
        }
        fs::remove_dir_all(&tree)?;
        let path = directory.path().join("cache");
        let (plain, ours) = (Plain(path.clone()), Ours::new(&path, Options::default())?);
        let at = (round + turn) % 2;
        let cache: &dyn Cache = if at == 0 { &plain } else { &ours };
        settle(place)?;
        let start = Instant::now();
        (0..entries).try_for_each(|entry| cache.add(workload, entry))?;
        table.took(0, at, start.elapsed());
    }
    table.show(&format!("{medium}: {entries} entries of {files} × {} KiB", size / 1024), "plain", &["ours"]);
    Ok(())
}
