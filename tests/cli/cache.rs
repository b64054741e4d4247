//! The cache in the hands of people: entries that they name.

use crate::support::Repository;
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;
use std::io::Write as _;
use std::path::Path;

fn ask(repository: &Repository, arguments: &[&str], code: i32) -> Result<String> {
    let ran = repository.ask(arguments)?;
    ensure!(ran.code == Some(code), "{arguments:?}: {ran:?}");
    Ok(ran.out())
}

fn json(repository: &Repository, arguments: &[&str]) -> Result<Json> {
    Ok(serde_json::from_str(&ask(repository, arguments, 0)?)?)
}

/// A repository with a small file, a large one, and the entries `plain` and `tree`.
fn with_entries() -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("small", "small\n")?;
    repository.write("dir/large", "x".repeat(100_000))?;
    fs::create_dir(repository.path("dir/empty"))?;
    std::os::unix::fs::symlink("../small", repository.path("dir/link"))?;
    ask(&repository, &["cache", "add", "plain", "small", "dir/large", "--metadata", "note"], 0)?;
    ask(&repository, &["cache", "add", "tree", "--root", ".", "dir", "small"], 0)?;
    Ok(repository)
}

fn object(repository: &Repository) -> Result<std::path::PathBuf> {
    let shard = fs::read_dir(repository.cache.join("v1/objects"))?.next().context("a shard")??;
    Ok(fs::read_dir(shard.path())?.next().context("an object")??.path())
}

#[test]
fn files_that_were_added_by_name_are_revived_anywhere() -> Result<()> {
    let repository = with_entries()?;
    ask(&repository, &["cache", "revive", "plain", "new/a", "b"], 0)?;
    assert_eq!(fs::read(repository.path("new/a"))?, b"small\n");
    assert_eq!(fs::read(repository.path("b"))?.len(), 100_000);
    let revived = json(&repository, &["cache", "revive", "tree", "--root", "other", "--json"])?;
    let paths: Vec<_> =
        revived["files"].as_array().context("a list")?.iter().map(|file| &file["path"]).collect();
    assert_eq!(paths, ["other/dir", "other/dir/empty", "other/dir/large", "other/dir/link", "other/small"]);
    assert_eq!(fs::read_link(repository.path("other/dir/link"))?, Path::new("../small"));
    ensure!(repository.path("other/dir/empty").is_dir());
    Ok(())
}

#[test]
fn what_cannot_be_revived_writes_nothing_and_says_why() -> Result<()> {
    let repository = with_entries()?;
    for (arguments, word) in [
        (&["plain", "new/a"][..], "2 files"),
        (&["plain", "--root", "new"], "no places"),
        (&["none", "new/a"], "no entry `none`"),
    ] {
        let ran = repository.ask(&[&["cache", "revive"], arguments].concat())?;
        assert_eq!(ran.code, Some(1));
        ensure!(ran.said.concat().contains(word), "{ran:?}");
    }
    ensure!(!repository.path("new").exists());
    fs::create_dir(repository.path("taken"))?;
    ask(&repository, &["cache", "revive", "plain", "new", "taken"], 4)?;
    ensure!(!repository.path("new").exists());
    Ok(())
}

#[test]
fn names_and_sources_are_checked_before_anything_is_added() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("f", "f")?;
    let (long, key) = ("n".repeat(201), "0".repeat(64));
    for name in ["", ".", "..", "../x", "x/y", "a\nb", &long, &key] {
        ask(&repository, &["cache", "add", name, "f"], 2)?;
    }
    ask(&repository, &["cache", "add", "k", "f", "missing"], 1)?;
    ask(&repository, &["cache", "add", "k", "."], 2)?;
    ask(&repository, &["cache", "add", "k", "--root", "sub", "f"], 2)?;
    ask(&repository, &["cache", "add", "k", "--root", ".", "sub/../../f"], 2)?;
    // Nothing was added, so there is no cache at all.
    ask(&repository, &["cache", "find", "k"], 1)?;
    Ok(())
}

#[test]
fn an_entry_is_written_out_whole() -> Result<()> {
    let repository = with_entries()?;
    ask(&repository, &["cache", "find", "plain", "--extract", "out"], 0)?;
    assert_eq!(fs::read_to_string(repository.path("out/metadata"))?, "note");
    assert_eq!(fs::read(repository.path("out/contents/0"))?, b"small\n");
    assert_eq!(fs::read(repository.path("out/contents/1"))?.len(), 100_000);
    let manifest = fs::read_to_string(repository.path("out/manifest"))?;
    ensure!(manifest.lines().count() == 2 && manifest.starts_with("0 file 644 6 "), "{manifest}");
    Ok(())
}

#[test]
fn verify_finds_damage_and_the_next_add_heals_it() -> Result<()> {
    let repository = with_entries()?;
    ensure!(ask(&repository, &["cache", "verify"], 0)?.contains("all is as it was added"));
    let object = object(&repository)?;
    let mut bytes = fs::read(&object)?;
    bytes[50_000] ^= 1;
    fs::remove_file(&object)?;
    fs::write(&object, bytes)?;
    ask(&repository, &["cache", "verify", "--dry-run"], 4)?;
    ensure!(object.exists());
    let told = repository.ask(&["cache", "verify", "--json"])?;
    assert_eq!(told.code, Some(4));
    let told: Json = serde_json::from_slice(&told.stdout)?;
    let found = told["findings"].as_array().context("a list")?;
    ensure!(found.len() == 3 && found.iter().all(|finding| finding["remedied"] == true), "{told}");
    ask(&repository, &["cache", "verify"], 0)?;
    ask(&repository, &["cache", "revive", "plain", "a", "b"], 1)?;
    ask(&repository, &["cache", "add", "plain", "small", "dir/large"], 0)?;
    ask(&repository, &["cache", "revive", "plain", "a", "b"], 0)?;
    Ok(())
}

#[test]
fn keys_are_listed_and_removed_by_their_last_use() -> Result<()> {
    let repository = with_entries()?;
    let names = |arguments: &[&str]| -> Result<Vec<Json>> {
        let list = json(&repository, &[&["cache", "keys", "--json"], arguments].concat())?;
        Ok(list.as_array().context("a list")?.iter().map(|key| key["name"].clone()).collect())
    };
    assert_eq!(names(&[])?, ["plain", "tree"]);
    assert_eq!(names(&["--used", "1h"])?, ["plain", "tree"]);
    ensure!(names(&["--unused", "1h"])?.is_empty());
    assert_eq!(ask(&repository, &["cache", "rm", "--unused", "1h"], 0)?, "0 entries removed\n");
    let gone = json(&repository, &["cache", "rm", "--unused", "0s", "--dry-run", "--json"])?;
    assert_eq!(gone["removed"].as_array().map(Vec::len), Some(2));
    assert_eq!(names(&[])?.len(), 2);
    assert_eq!(ask(&repository, &["cache", "rm", "tree"], 0)?, "1 entry removed\n");
    assert_eq!(
        ask(&repository, &["cache", "rm", "--whole-cache"], 0)?,
        "1 entry removed; the cache is empty\n"
    );
    ensure!(names(&[])?.is_empty());
    ask(&repository, &["cache", "add", "again", "small"], 0)?;
    Ok(())
}

/// The kernel makes up the content of such files: their size says nothing, and what was added was empty, or padded with zeros.
#[test]
fn a_file_that_is_not_as_long_as_it_says_is_refused() -> Result<()> {
    let repository = Repository::new()?;
    for liar in ["/proc/self/status", "/sys/kernel/mm/transparent_hugepage/enabled"] {
        if !Path::new(liar).exists() {
            writeln!(std::io::stderr(), "SKIPPED: there is no {liar}")?;
            continue;
        }
        let ran = repository.ask(&["cache", "add", "k", liar])?;
        assert_eq!(ran.code, Some(4), "{ran:?}");
        ensure!(ran.said.concat().contains("not as long as it says"), "{ran:?}");
    }
    let socket = repository.path("socket");
    let _listener = std::os::unix::net::UnixListener::bind(&socket)?;
    ask(&repository, &["cache", "add", "k", "socket"], 2)?;
    Ok(())
}

#[test]
fn all_of_a_directory_is_added_where_no_path_is_named() -> Result<()> {
    let repository = with_entries()?;
    ask(&repository, &["cache", "add", "all", "--root", "dir"], 0)?;
    ask(&repository, &["cache", "revive", "all", "--root", "copy"], 0)?;
    assert_eq!(fs::read(repository.path("copy/large"))?.len(), 100_000);
    ensure!(repository.path("copy/empty").is_dir());
    Ok(())
}

/// The first dry run compiled the policy's plugin after it had measured, and the trim let more go than it had said.
#[test]
fn a_trim_lets_go_what_its_dry_run_said() -> Result<()> {
    let repository = Repository::new()?;
    for number in 0..20 {
        let name = format!("f{number}");
        repository.write(&name, vec![number; 50_000])?;
        ask(&repository, &["cache", "add", &name, &name], 0)?;
    }
    let arguments = ["cache", "trim", "--size", "500 KB", "--json"];
    let mut plan = json(&repository, &[&arguments[..], &["--dry-run"]].concat())?;
    let done = json(&repository, &arguments)?;
    ensure!(plan["victims"].as_array().is_some_and(|victims| victims.len() > 5), "{plan}");
    plan["dry_run"] = false.into();
    assert_eq!(plan, done);
    Ok(())
}

#[test]
fn the_files_of_a_run_have_the_modes_that_the_umask_leaves() -> Result<()> {
    let repository = Repository::new()?;
    repository.run(&["--out", "o", "--", "sh", "-c", "echo o >o"])?.miss()?;
    let keys = json(&repository, &["cache", "keys", "--json"])?;
    let key = keys[0]["key"].as_str().context("a key")?;
    ask(&repository, &["cache", "revive", key, "again"], 0)?;
    let mode = |name: &str| Ok::<_, anyhow::Error>(fs::metadata(repository.path(name))?.permissions());
    assert_eq!(mode("again")?, mode("o")?);
    Ok(())
}

#[test]
fn a_list_that_cannot_be_written_is_no_success() -> Result<()> {
    let repository = with_entries()?;
    let mut command = repository.reviver(&["cache", "keys"]);
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full")?);
    assert_eq!(command.status()?.code(), Some(4));
    Ok(())
}

/// Whoever holds a lock and is stopped keeps it. Every other process waited for it, however long.
#[test]
fn a_lock_that_nobody_gives_back_does_not_stop_a_build() -> Result<()> {
    let repository = with_entries()?;
    let index = repository.cached("partitions").into_iter().find(|path| path.ends_with("index"));
    let index = fs::File::open(index.context("an index")?)?;
    index.lock()?;
    // The use is not noted, and the files are there.
    ask(&repository, &["cache", "revive", "plain", "a", "b"], 0)?;
    let ran = repository.run(&["--out", "o", "--", "sh", "-c", "echo o >o"])?;
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ensure!(ran.warnings().len() == 1, "{ran:?}");
    assert_eq!(fs::read(repository.path("o"))?, b"o\n");
    Ok(())
}

#[test]
fn a_cache_that_is_not_there_is_said_to_be_absent() -> Result<()> {
    let repository = Repository::new()?;
    for arguments in [
        &["cache", "keys"][..],
        &["cache", "find", "k"],
        &["cache", "verify"],
        &["cache", "trim"],
        &["cache", "stats"],
    ] {
        let ran = repository.ask(arguments)?;
        assert_eq!(ran.code, Some(1), "{arguments:?}");
        ensure!(ran.said.concat().contains("there is no cache in"), "{ran:?}");
    }
    // What happened can be asked before anything has, by a script that counts hits say.
    assert_eq!(json(&repository, &["stats", "--json"])?["hits"], 0);
    ensure!(!repository.cache.exists());
    Ok(())
}
