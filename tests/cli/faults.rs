//! A cache that cannot be used costs one warning, never a build.

use crate::support::other_user::{NOBODY, OtherUser};
use crate::support::{Ran, Repository, Verdict, is_root, settle};
use anyhow::{Result, ensure};
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;
use std::process::Command;

/// A command that is cached, says something, and ends as it is told.
fn ends(status: &str) -> [&str; 9] {
    ["--ok-exit", "3", "--out", "out", "--", "sh", "-c", "echo said; echo made >out; exit $0", status]
}

/// The command ran, its status is the answer, and there is one warning that names the cache.
#[track_caller]
fn ran_with_one_warning(mut ran: Ran, repository: &Repository) -> Result<()> {
    let at = std::panic::Location::caller();
    ensure!(ran.code == Some(3) && ran.out() == "said\n", "at {at}: {ran:?}");
    ensure!(repository.text("out")? == "made\n", "at {at}");
    ran.said.retain(|line| !line.starts_with("uncached"));
    ensure!(ran.said.len() == 1 && ran.warnings().len() == 1, "at {at}: {:?}", ran.said);
    ensure!(ran.warnings()[0].contains(&*repository.cache.to_string_lossy()), "at {at}: {:?}", ran.said);
    Ok(())
}

#[test]
fn a_cache_that_is_a_file_costs_one_warning() -> Result<()> {
    let repository = Repository::new()?;
    fs::write(&repository.cache, "not a directory")?;
    for _ in 0..2 {
        ran_with_one_warning(repository.run(&ends("3"))?, &repository)?;
        repository.remove(&["out"])?;
    }
    let strict = repository.run(&[&["--strict"], &ends("3")[..]].concat())?;
    assert_eq!(strict.code, Some(125), "{strict:?}");
    ensure!(!repository.exists("out"), "nothing ran");
    assert_eq!(repository.ask(&["cache", "stats"])?.code, Some(4));
    Ok(())
}

/// The one warning was that the run could not be noted in the journal: nobody learnt from it that nothing is cached, nor where.
/// With `--strict` the command ran all the same.
#[test]
fn a_cache_that_may_not_be_written_costs_one_warning() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let other = OtherUser::of(&repository)?;
    fs::create_dir(&repository.cache)?;
    for mode in [0o000, 0o555] {
        fs::set_permissions(&repository.cache, fs::Permissions::from_mode(mode))?;
        ran_with_one_warning(other.run(&ends("3"))?, &repository)?;
        repository.remove(&["out"])?;
        let strict = other.run(&[&["--strict"], &ends("3")[..]].concat())?;
        ensure!(strict.code == Some(125) && !repository.exists("out"), "{strict:?}");
    }
    Ok(())
}

#[test]
fn a_cache_that_may_no_longer_be_written_costs_one_warning_at_most() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let other = OtherUser::of(&repository)?;
    fs::create_dir(&repository.cache)?;
    chown(&repository.cache, Some(NOBODY), Some(NOBODY))?;
    let made = other.run(&ends("3"))?;
    ensure!(made.code == Some(3) && made.verdict == Verdict::Miss, "{made:?}");
    for path in crate::support::files(&repository.cache) {
        chown(path, Some(0), Some(0))?;
    }
    // Files of somebody else, which nobody may read.
    let ran = other.run(&ends("3"))?;
    ensure!(ran.code == Some(3) && ran.out() == "said\n" && ran.warnings().len() <= 1, "{ran:?}");
    Ok(())
}

/// A small file system in a directory, gone in the end.
pub(crate) struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    pub(crate) fn on(directory: &'a Path, size: &str) -> Result<Option<Self>> {
        fs::create_dir(directory)?;
        let mut mount = Command::new("mount");
        let mounted = mount.args(["-t", "tmpfs", "-o", size, "tmpfs"]).arg(directory).output();
        if mounted.is_ok_and(|output| output.status.success()) {
            return Ok(Some(Self(directory)));
        }
        crate::support::skipped("nothing may be mounted here");
        Ok(None)
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        Command::new("umount").arg(self.0).status().ok();
    }
}

#[test]
fn a_full_disk_costs_one_warning() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let Some(_mounted) = Mounted::on(&repository.cache, "size=64k")? else { return Ok(()) };
    fs::write(repository.cache.join("ballast"), vec![0; 65536]).ok();
    ran_with_one_warning(repository.run(&ends("3"))?, &repository)?;
    Ok(())
}

#[test]
fn no_room_for_an_entry_costs_the_entry() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let Some(_mounted) = Mounted::on(&repository.cache, "size=4m")? else { return Ok(()) };
    let large = ["--out", "large", "--", "sh", "-c", "head -c 9000000 /dev/zero >large; echo said"];
    for _ in 0..2 {
        let ran = repository.run(&large)?.without(0, "cannot use the cache")?;
        ensure!(ran.out() == "said\n" && ran.warnings().len() <= 1, "{ran:?}");
        assert_eq!(repository.read("large")?.len(), 9_000_000);
    }
    ensure!(repository.cached("tmp").is_empty());
    // What has room is recorded all the same.
    let small = ["--out", "small", "--", "sh", "-c", "echo >small"];
    repository.run(&small)?.miss()?;
    repository.run(&small)?.hit()?;
    Ok(())
}

/// Changes a byte in the middle of a file.
fn flip(path: &Path, at: usize) -> Result<()> {
    let mode = fs::metadata(path)?.permissions();
    let mut bytes = fs::read(path)?;
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x40;
    fs::remove_file(path)?;
    fs::write(path, bytes)?;
    Ok(fs::set_permissions(path, mode)?)
}

#[test]
fn a_damaged_entry_is_a_miss_and_replaced() -> Result<()> {
    let repository = Repository::new()?;
    let made = "a long line that makes up most of the entry, so that a byte in the end is a byte of it";
    let text = format!("echo said; echo {made} >out");
    let run = ["--out", "out", "--", "sh", "-c", &text];
    repository.run(&run)?.miss()?;
    let entries = repository.cached("entries");
    let [entry] = &entries[..] else { panic!("one entry was expected: {entries:?}") };
    let size = fs::metadata(entry)?.len() as usize;
    for at in [0, 9, 20, 40, 100, 150, size / 2, size - 50, size - 1] {
        flip(entry, at)?;
        repository.remove(&["out"])?;
        let ran = repository.run(&run)?;
        ensure!(ran.code == Some(0) && ran.verdict == Verdict::Miss, "byte {at}: {ran:?}");
        ensure!(ran.warnings().len() <= 1 && ran.out() == "said\n", "byte {at}: {ran:?}");
        assert_eq!(repository.text("out")?, format!("{made}\n"));
        repository.run(&run)?.hit()?;
    }
    // Cut short, and empty.
    for length in [size / 2, 1, 0] {
        fs::OpenOptions::new().write(true).open(entry)?.set_len(length as u64)?;
        repository.run(&run)?.miss()?;
        repository.run(&run)?.hit()?;
    }
    Ok(())
}

#[test]
fn a_damaged_object_is_a_miss_and_replaced() -> Result<()> {
    let repository = Repository::new()?;
    let run = ["--out", "out", "--", "sh", "-c", "head -c 200000 /dev/zero >out"];
    repository.run(&run)?.miss()?;
    let objects = repository.cached("objects");
    flip(&objects[0], 100_000)?;
    repository.remove(&["out"])?;
    repository.run(&run)?.miss()?;
    repository.remove(&["out"])?;
    repository.run(&run)?.hit()?;
    ensure!(repository.read("out")? == vec![0; 200_000]);
    // Gone altogether.
    fs::remove_file(&repository.cached("objects")[0])?;
    repository.remove(&["out"])?;
    repository.run(&run)?.miss()?;
    repository.run(&run)?.hit()?;
    Ok(())
}

#[test]
fn whatever_else_is_damaged_the_object_is_right() -> Result<()> {
    if !crate::support::installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "#include \"a.h\"\nint f(void) { return A; }\n")?;
    repository.write("a.h", "#define A 1\n")?;
    settle();
    let run = ["--", "gcc", "-c", "a.c"];
    repository.run(&run)?.miss()?;
    let object = repository.read("a.o")?;
    let damages: [fn(&Path) -> Result<()>; 3] = [
        |path| flip(path, usize::MAX),
        |path| flip(path, fs::metadata(path)?.len() as usize / 2),
        |path| Ok(fs::write(path, "garbage")?),
    ];
    for directory in ["companions", "derivations", "labels", "tables", "artifacts", "partitions", "v1"] {
        for damage in damages {
            for path in repository.cached(directory) {
                if fs::metadata(&path)?.len() > 0 {
                    damage(&path)?;
                }
            }
            fs::remove_file(repository.path("a.o"))?;
            let ran = repository.run(&run)?;
            ensure!(matches!(ran.verdict, Verdict::Hit | Verdict::Miss), "{directory}: {ran:?}");
            ensure!(ran.code == Some(0) && repository.read("a.o")? == object, "{directory}: {ran:?}");
            repository.run(&run)?.hit()?;
        }
    }
    Ok(())
}

#[test]
fn settings_that_somebody_else_put_above_us_are_passed_over() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("reviver.toml", "nonsense")?;
    chown(repository.path("reviver.toml"), Some(NOBODY), Some(NOBODY))?;
    let ran = repository.run(&["--out", "out", "--", "sh", "-c", ": >out"])?.miss()?;
    ensure!(ran.warnings().len() == 1 && ran.warnings()[0].contains("belongs to another user"), "{ran:?}");
    Ok(())
}
