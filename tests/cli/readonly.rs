//! A cache that others fill: hits are revived, all else runs as it is, and not one byte of the cache changes.

use crate::support::other_user::OtherUser;
use crate::support::{Ran, Repository, Verdict, files, installed, is_root, settle};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// All that could change of a tree when somebody writes to it.
fn seen(directory: &Path) -> Result<Vec<(PathBuf, i64, i64, u64)>> {
    let mut seen = Vec::new();
    let mut open = vec![directory.to_owned()];
    while let Some(path) = open.pop() {
        let metadata = fs::symlink_metadata(&path)?;
        seen.push((path.clone(), metadata.ctime(), metadata.ctime_nsec(), metadata.len()));
        if metadata.is_dir() {
            open.extend(
                fs::read_dir(&path)?.collect::<Result<Vec<_>, _>>()?.into_iter().map(|entry| entry.path()),
            );
        }
    }
    seen.sort();
    Ok(seen)
}

/// Directories that everybody may enter.
const PLAIN: &str = "/usr/local/bin:/usr/bin:/bin";
const GENERATE: [&str; 9] = ["--in", "in", "--out", "out", "--out", "dir/", "--", "sh", "./generate"];
const COMPILE: [&str; 6] = ["--", "gcc", "-MMD", "-c", "a.c", "-O1"];

/// A repository with a script and a source, both done once.
fn filled() -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("in", "1\n")?;
    repository.write("generate", "cat in >out; mkdir -p dir; cp in dir/copy; echo said\n")?;
    repository.write("a.c", "#include \"a.h\"\nint a = A;\n")?;
    repository.write("a.h", "#define A 1\n")?;
    settle();
    for run in [&GENERATE[..], &COMPILE] {
        Ran::of(repository.runs(run).env("PATH", PLAIN))?.miss()?;
    }
    Ok(repository)
}

fn read_only(repository: &Repository, words: &[&str]) -> Result<Ran> {
    let ran = Ran::of(repository.runs(words).env("REVIVER_READ_ONLY", "1").env("PATH", PLAIN))?;
    ensure!(ran.warnings().is_empty(), "{ran:?}");
    Ok(ran)
}

#[test]
fn hits_are_revived_and_misses_run_and_the_cache_is_as_it_was() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = filled()?;
    let object = repository.read("a.o")?;
    let before = seen(&repository.cache)?;
    repository.remove(&["out", "dir", "a.o", "a.d"])?;
    let ran = read_only(&repository, &GENERATE)?.hit()?;
    assert_eq!((ran.out().as_str(), &*repository.text("dir/copy")?), ("said\n", "1\n"));
    read_only(&repository, &COMPILE)?.hit()?;
    ensure!(repository.read("a.o")? == object && repository.exists("a.d"));
    // Over what is there, and with all sources touched.
    for name in ["a.c", "a.h", "in", "generate"] {
        let text = repository.read(name)?;
        repository.write(name, text)?;
    }
    settle();
    read_only(&repository, &GENERATE)?.hit()?;
    read_only(&repository, &COMPILE)?.hit()?;
    // Misses: known and new questions.
    repository.write("in", "2\n")?;
    repository.write("a.h", "#define A 2\n")?;
    settle();
    for _ in 0..2 {
        let ran = read_only(&repository, &GENERATE)?.without(0, "only read")?;
        assert_eq!((ran.out().as_str(), &*repository.text("out")?), ("said\n", "2\n"));
        read_only(&repository, &COMPILE)?.without(0, "only read")?;
        ensure!(repository.read("a.o")? != object);
        read_only(&repository, &["--", "gcc", "-O2", "-c", "a.c"])?.without(0, "only read")?;
        read_only(&repository, &["--", "gcc", "-c", "absent.c"])?.without(1, "")?;
        read_only(&repository, &["--out", "new", "--", "sh", "-c", "cat >new", "x"])?.without(0, "")?;
    }
    ensure!(seen(&repository.cache)? == before, "something was written");
    // Who may write goes on where it was.
    Ran::of(repository.runs(&GENERATE).env("PATH", PLAIN))?.miss()?;
    ensure!(seen(&repository.cache)? != before);
    Ok(())
}

#[test]
fn it_is_asked_for_by_option_variable_and_both_settings() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "out", "--", "sh", "-c", "echo made >out"];
    let config = repository.home.join("config/reviver/config.toml");
    ensure!(!repository.cache.exists());
    repository.run(&[&["--read-only"], &run[..]].concat())?.without(0, "only read")?;
    read_only(&repository, &run)?.without(0, "only read")?;
    fs::write(&config, "read-only = true\n")?;
    repository.run(&run)?.without(0, "only read")?;
    fs::remove_file(&config)?;
    repository.write("reviver.toml", "read-only = true\n")?;
    repository.run(&run)?.without(0, "only read")?;
    ensure!(!repository.cache.exists(), "nothing is made where nothing is");
    ensure!(repository.ask(&["doctor"])?.out().contains("set in reviver.toml, so nothing is recorded"));
    // A repository may tighten, and not loosen.
    repository.write("reviver.toml", "read-only = false\n")?;
    fs::write(&config, "read-only = true\n")?;
    repository.run(&run)?.without(0, "only read")?;
    fs::write(&config, "read-only = false\n")?;
    repository.run(&run)?.miss()?;
    Ok(())
}

#[test]
fn what_is_damaged_is_no_hit_and_stays_where_it_is() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "out", "--", "sh", "-c", "echo made >out"];
    repository.run(&run)?.miss()?;
    let [entry] = &repository.cached("entries")[..] else { panic!("one entry") };
    let mut bytes = fs::read(entry)?;
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(entry, &bytes)?;
    repository.remove(&["out"])?;
    let before = seen(&repository.cache)?;
    let ran = Ran::of(repository.runs(&run).env("REVIVER_READ_ONLY", "1"))?;
    ensure!(ran.code == Some(0) && matches!(ran.verdict, Verdict::Unrecorded(_)), "{ran:?}");
    ensure!(seen(&repository.cache)? == before);
    Ok(())
}

#[test]
fn a_cache_of_another_user_serves_without_a_warning() -> Result<()> {
    if !is_root() || !installed("gcc") {
        return Ok(());
    }
    let repository = filled()?;
    ensure!(Command::new("chmod").args(["-R", "a+rX"]).arg(&repository.cache).status()?.success());
    let before = seen(&repository.cache)?;
    let other = OtherUser::of(&repository)?;
    repository.remove(&["out", "dir", "a.o", "a.d"])?;
    let with = |words: &[&str]| {
        let mut command = other.command(&[&["run", "-v", "--read-only"], words].concat());
        Ran::of(command.env("PATH", PLAIN))
    };
    for _ in 0..2 {
        for run in [&GENERATE[..], &COMPILE] {
            let ran = with(run)?.hit()?;
            ensure!(ran.said.is_empty(), "{ran:?}");
        }
    }
    // What was never asked: the plugin cannot be asked, since what it is compiled to is another user's.
    let ran = with(&["--", "gcc", "-O3", "-c", "a.c", "-o", "b.o"])?.without(0, "not compiled yet")?;
    ensure!(ran.said.is_empty() && repository.exists("b.o"), "{ran:?}");
    ensure!(seen(&repository.cache)? == before && !files(&repository.cache).is_empty());
    Ok(())
}
