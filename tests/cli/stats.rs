//! What happened, on one screen, of one build alone where that is wanted.

use crate::support::{Repository, settle};
use anyhow::{Result, ensure};
use serde_json::Value as Json;

fn counted(repository: &Repository, words: &[&str]) -> Result<[u64; 2]> {
    let stats = repository.ask(&[&["stats", "--json"], words].concat())?;
    let stats: Json = serde_json::from_slice(&stats.stdout)?;
    Ok(["hits", "misses"].map(|name| stats[name].as_u64().unwrap_or(u64::MAX)))
}

#[test]
fn counting_can_begin_anew_and_nothing_is_lost() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "out", "--", "sh", "-c", "echo made >out"];
    ensure!(repository.ask(&["stats", "--zero"])?.code == Some(0), "before there is a cache");
    ensure!(!repository.cache.exists());
    repository.run(&run)?.miss()?;
    repository.run(&run)?.hit()?;
    assert_eq!(counted(&repository, &[])?, [1, 1]);
    repository.ask(&["stats", "--zero"])?;
    assert_eq!((counted(&repository, &[])?, counted(&repository, &["--total"])?), ([0, 0], [1, 1]));
    repository.run(&run)?.hit()?;
    assert_eq!((counted(&repository, &[])?, counted(&repository, &["--total"])?), ([1, 0], [2, 1]));
    assert_eq!(
        (counted(&repository, &["--all"])?, counted(&repository, &["--since", "1h"])?),
        ([1, 0], [2, 1])
    );
    std::thread::sleep(std::time::Duration::from_millis(1100));
    assert_eq!(counted(&repository, &["--since", "1s"])?, [0, 0]);
    repository.run(&run)?.hit()?;
    assert_eq!(counted(&repository, &["--since", "1s"])?, [1, 0]);
    for wrong in [
        &["--since", "yesterday"][..],
        &["--zero", "--total"],
        &["--since", "1h", "--zero"],
        &["--zero", "--json"],
    ] {
        assert_eq!(repository.ask(&[&["stats"], wrong].concat())?.code, Some(2), "{wrong:?}");
    }
    // With the cache goes what was counted.
    ensure!(repository.ask(&["cache", "rm", "--whole-cache"])?.code == Some(0));
    repository.run(&run)?.miss()?;
    assert_eq!((counted(&repository, &[])?, counted(&repository, &["--total"])?), ([0, 1], [0, 1]));
    Ok(())
}

#[test]
fn reasons_that_differ_by_a_name_are_one_line_and_json_has_them_all() -> Result<()> {
    let repository = Repository::new()?;
    for number in 0..12 {
        repository.write(&format!("a{number}.c"), "int a;\n")?;
        let source = format!("a{number}.c");
        repository.run(&["--", "gcc", "-c", &source, "a0.c"])?.without(0, "several")?;
    }
    settle();
    repository.run(&["--out", "out", "--", "sh", "-c", "echo made >out"])?.miss()?;
    let told = repository.ask(&["stats"])?.out();
    ensure!(told.lines().count() <= 24, "{told}");
    ensure!(
        told.lines().any(|line| line.trim_start().starts_with("12   because: ") && line.contains("several")),
        "{told}"
    );
    ensure!(
        told.contains("by key-cc: ") && told.contains("by key-command: 0 hits (0.0 %), 1 misses"),
        "{told}"
    );
    let stats = repository.stats()?;
    assert_eq!(stats["uncached"].as_object().map(serde_json::Map::len), Some(12), "{stats}");
    assert_eq!(stats["plugins"]["key-cc"]["uncached"], 12);
    Ok(())
}
