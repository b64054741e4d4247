//! What the system refuses: room, rights, descriptors, links between file systems.
//!
//! A worker attempts one thing after another under the limit and tells what became of each. Then, without the limit, what it
//! said must be true, and everything else as before.

use super::Untouched;
use crate::support::{WORKER, is_root, skipped, told};
use anyhow::{Context as _, Result, ensure};
use reviver::store::LinkMode;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use tests::generation::{CONTENTS, Generation};
use tests::place::{Place, Revived};

const NOBODY: u32 = 65534;
const EACCES: &str = "13";
const EMFILE: &str = "24";
const EFBIG: &str = "27";

/// A store with three keys, destinations for one of them, and what a worker then attempts.
struct Attempt {
    directory: tempfile::TempDir,
    place: Place,
    old: Untouched,
}

impl Attempt {
    fn new() -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let place = Place::open(directory.path(), LinkMode::Auto)?;
        for number in 0..3 {
            place.add(Generation::new(number, 1))?;
        }
        let old = Untouched::within(&place.out(1))?;
        Ok(Self { directory, place, old })
    }

    /// The outcomes by name, of a worker that a shell starts behind these commands.
    fn behind(&self, commands: &str) -> Result<BTreeMap<String, String>> {
        let mut shell = Command::new("sh");
        shell.args(["-c", &format!("{commands}; exec \"$@\""), "sh", WORKER]);
        self.run(&mut shell)
    }

    fn run(&self, command: &mut Command) -> Result<BTreeMap<String, String>> {
        let directory = self.directory.path();
        let output = command.arg("attempt").arg(directory).arg(directory.join("cache")).output()?;
        let lines = told(output)?;
        let pairs = lines.lines().filter_map(|line| line.split_once(' '));
        Ok(pairs.map(|(name, outcome)| (name.to_owned(), outcome.to_owned())).collect())
    }

    /// What was told is true, each refusal is one of these, and nothing is left behind.
    fn holds(&self, outcomes: &BTreeMap<String, String>, refusals: &[&str]) -> Result<()> {
        let place = &self.place;
        let outcome = |name: &str| outcomes.get(name).map(String::as_str);
        for (name, outcome) in outcomes {
            let known = ["ok", "none"].contains(&&**outcome) || refusals.contains(&&**outcome);
            ensure!(known, "{name}: {outcome}");
        }
        for (at, name, new) in [(0, "add-small", 15), (1, "add-large", 16)] {
            let expected = Generation::new(at, if outcome(name) == Some("ok") { new } else { 1 });
            // The trim in the end takes the oldest, also where it then goes no further: whole or gone.
            let bound = place.bound(at)?;
            ensure!(bound.is_none_or(|bound| bound == expected), "{name}: {bound:?}");
        }
        if outcome("revive") == Some("ok") {
            let expected = Generation::new(1, if outcome("add-large") == Some("ok") { 16 } else { 1 });
            for (index, path) in self.old.paths.iter().enumerate() {
                ensure!(Generation::of_file(1, index, path)? == Some(expected));
            }
        } else {
            self.old.hold()?;
        }
        ensure!(place.unfinished()?.is_empty(), "something under tmp");
        place.nothing_was_damaged()?;
        place.add(Generation::new(0, 18))?;
        ensure!(place.bound(0)? == Some(Generation::new(0, 18)), "the next addition is as any");
        Ok(())
    }
}

#[test]
fn without_a_limit_everything_is_done() -> Result<()> {
    let attempt = Attempt::new()?;
    let outcomes = attempt.behind(":")?;
    ensure!(outcomes.len() == 13 && outcomes.values().all(|outcome| outcome == "ok"), "{outcomes:?}");
    attempt.holds(&outcomes, &[])
}

#[test]
fn too_few_descriptors_are_typed_errors() -> Result<()> {
    let mut all = 0;
    for limit in 3..12 {
        let attempt = Attempt::new()?;
        let outcomes = attempt.behind(&format!("ulimit -n {limit}"))?;
        let context = || format!("{limit} descriptors: {outcomes:?}");
        if limit == 3 {
            let refused =
                ["add-small", "add-large", "find", "keys", "stats", "usage", "trim", "verify", "used"];
            ensure!(refused.iter().all(|name| outcomes[*name] == EMFILE), context());
        }
        all += usize::from(outcomes.values().all(|outcome| outcome == "ok"));
        attempt.holds(&outcomes, &[EMFILE]).with_context(context)?;
    }
    ensure!(all > 0, "some are enough");
    Ok(())
}

#[test]
fn files_that_may_not_grow_are_typed_errors() -> Result<()> {
    // Blocks of 512 bytes. The index has three records and some, each entry less than a block or two.
    for blocks in [0, 1, 2, 4, 100, 130] {
        let attempt = Attempt::new()?;
        let outcomes = attempt.behind(&format!("trap '' XFSZ; ulimit -f {blocks}"))?;
        let context = || format!("{blocks} blocks: {outcomes:?}");
        ensure!(outcomes["add-large"] == if blocks == 130 { "ok" } else { EFBIG }, context());
        ensure!(blocks > 0 || outcomes["add-small"] == EFBIG, context());
        attempt.holds(&outcomes, &[EFBIG]).with_context(context)?;
    }
    Ok(())
}

/// In a mount namespace of its own, so that nothing can be left mounted.
#[test]
fn a_full_disk_changes_nothing_and_a_trim_makes_room() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let directory = tempfile::tempdir()?;
    let mount = "mount -t tmpfs -o size=768k tmpfs \"$1\" || exit 77; exec \"$0\" full \"$1\"";
    let apart = Command::new("unshare").args(["-m", "true"]).output().is_ok_and(|ran| ran.status.success());
    let output =
        Command::new("unshare").args(["-m", "sh", "-c", mount, WORKER]).arg(directory.path()).output();
    match output {
        Ok(output) if apart && output.status.code() != Some(77) => eprint!("{}", told(output)?),
        _ => skipped("no file system may be mounted in a namespace of its own here"),
    }
    Ok(())
}

/// Runs the worker as somebody whom permissions stop.
fn as_nobody(attempt: &Attempt) -> Result<BTreeMap<String, String>> {
    let worker = attempt.directory.path().join("worker");
    // By another process, as scripts are written: this one could not run what it just had open.
    ensure!(Command::new("cp").arg(WORKER).arg(&worker).status()?.success());
    fs::set_permissions(attempt.directory.path(), Permissions::from_mode(0o755))?;
    attempt.run(Command::new(worker).uid(NOBODY).gid(NOBODY).current_dir("/"))
}

fn give(path: &Path) -> Result<()> {
    chown(path, Some(NOBODY), Some(NOBODY))?;
    if path.is_dir() {
        for name in Place::names(path)? {
            give(&path.join(name))?;
        }
    }
    Ok(())
}

/// Names the directory whose rights are to be taken away.
type Arrange = fn(&Attempt) -> Result<PathBuf>;

/// Where new files come to be, without the parts that are there already.
fn bare_tmp(attempt: &Attempt) -> Result<PathBuf> {
    let tmp = attempt.place.store.layout().tmp();
    for part in Place::names(&tmp)? {
        fs::remove_dir(tmp.join(part))?;
    }
    Ok(tmp)
}

#[test]
fn missing_rights_are_typed_errors() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let id = |attempt: &Attempt| attempt.place.partition.id();
    // What is taken away from the worker, and which attempts that makes impossible.
    let cases: [(Arrange, &[&str]); 5] = [
        (|attempt| Ok(attempt.directory.path().join("nothing")), &[]),
        (
            |attempt| Ok(attempt.place.store.layout().root().to_owned()),
            &["add-small", "add-large", "find", "revive", "keys", "stats", "remove", "usage", "trim"],
        ),
        (|attempt| Ok(attempt.place.out(1)), &["revive"]),
        (bare_tmp, &["add-small", "add-large"]),
        (|attempt| Ok(attempt.place.store.layout().objects()), &[]),
    ];
    for (case, (arrange, impossible)) in cases.into_iter().enumerate() {
        let attempt = Attempt::new()?;
        give(attempt.directory.path())?;
        let taken = arrange(&attempt)?;
        if taken.exists() {
            chown(&taken, Some(0), Some(0))?;
            let mode = if taken.ends_with("v1") { 0o700 } else { 0o755 };
            fs::set_permissions(&taken, Permissions::from_mode(mode))?;
        }
        let outcomes = as_nobody(&attempt)?;
        let context = || format!("case {case}, without {}: {outcomes:?}", taken.display());
        for name in impossible {
            ensure!(outcomes[*name] == EACCES, context());
        }
        ensure!(case > 0 || outcomes.values().all(|outcome| outcome == "ok"), context());
        attempt.holds(&outcomes, &[EACCES]).with_context(context)?;
    }
    let attempt = Attempt::new()?;
    give(attempt.directory.path())?;
    let index = attempt.place.store.layout().index(id(&attempt));
    chown(&index, Some(0), Some(0))?;
    let outcomes = as_nobody(&attempt)?;
    for (name, expected) in [("add-small", EACCES), ("find", "ok"), ("revive", "ok"), ("remove", EACCES)] {
        ensure!(outcomes[name] == expected, "{outcomes:?}");
    }
    attempt.holds(&outcomes, &[EACCES])
}

/// An object had the permissions of its content, so one that its owner may not read was added and could not be read again:
/// each hit of it was an error for ever, and `verify` went no further than there. Root never saw that.
#[test]
fn a_content_that_nobody_may_read_is_found_again() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let attempt = Attempt::new()?;
    give(attempt.directory.path())?;
    let outcomes = as_nobody(&attempt)?;
    for name in ["add-unreadable", "find-unreadable", "verify"] {
        ensure!(outcomes[name] == "ok", "{outcomes:?}");
    }
    Ok(())
}

/// Links cannot lead from one file system to another.
#[test]
fn links_between_file_systems_become_copies() -> Result<()> {
    let memory = Path::new("/dev/shm");
    let directory = tempfile::tempdir()?;
    let device = |path: &Path| fs::metadata(path).map(|there| there.dev());
    if !device(memory)
        .is_ok_and(|device_there| device(directory.path()).is_ok_and(|here| here != device_there))
    {
        skipped("there are no two file systems to write to");
        return Ok(());
    }
    let cache = tempfile::tempdir_in(memory)?;
    for link in [LinkMode::Auto, LinkMode::Copy, LinkMode::Reflink, LinkMode::Hardlink] {
        let place = Place::apart(directory.path(), &cache.path().join(format!("{link:?}")), link)?;
        let generation = Generation::new(0, 16);
        let sources = directory.path().join("sources");
        generation.drafted(Some(&sources), |draft| {
            place.partition.add(tests::generation::key(0), draft, tests::place::now())
        })??;
        for _ in 0..2 {
            ensure!(
                matches!(place.revive(0, &place.out(0))?, Revived::Hit(revived) if revived == generation)
            );
            ensure!(Place::names(&place.out(0))? == ["0", "1", "2"]);
            for index in 0..CONTENTS {
                ensure!(fs::metadata(place.out(0).join(index.to_string()))?.nlink() == 1);
            }
        }
    }
    Ok(())
}
