//! Hits that run again: what an entry does not hold any more is found, told, and never revived again.

use crate::support::{Ran, Repository, Verdict, installed, settle};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::os::unix::process::CommandExt as _;
use std::process::{Command, Stdio};
use std::time::Duration;

/// Reads what nobody declared, and leaves a line for each time that it runs.
const HIDDEN: [&str; 6] = ["--out", "out", "--", "sh", "-c", "cat hidden >out; echo ran >>log"];

fn rechecked(repository: &Repository, words: &[&str]) -> Result<Ran> {
    repository.run(&[&["--recheck"], words].concat())
}

#[track_caller]
fn same(ran: Ran) -> Result<Ran> {
    let at = std::panic::Location::caller();
    ensure!(
        ran.verdict == Verdict::Rechecked(String::new()) && ran.said.is_empty() && ran.code == Some(0),
        "at {at}: {ran:?}"
    );
    Ok(ran)
}

/// It differs, and its one warning holds these.
#[track_caller]
fn differs(ran: Ran, code: i32, parts: &[&str]) -> Result<Ran> {
    let at = std::panic::Location::caller();
    let warnings = ran.warnings();
    ensure!(ran.code == Some(code) && warnings.len() == 1, "at {at}: {ran:?}");
    ensure!(matches!(&ran.verdict, Verdict::Rechecked(why) if !why.is_empty()), "at {at}: {ran:?}");
    for part in parts.iter().chain(&["is not what the command does now", "set aside", "explain -i "]) {
        ensure!(warnings[0].contains(part), "at {at}: `{part}` is not in {warnings:?}");
    }
    Ok(ran)
}

fn runs(repository: &Repository) -> Result<usize> {
    Ok(repository.text("log")?.lines().count())
}

#[test]
fn an_input_that_nobody_declared_is_found() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("hidden", "1\n")?;
    repository.run(&HIDDEN)?.miss()?;
    repository.write("hidden", "2\n")?;
    repository.run(&HIDDEN)?.hit()?;
    assert_eq!(
        (&*repository.text("out")?, runs(&repository)?),
        ("1\n", 1),
        "the wrong hit that nobody promised"
    );
    let ran = differs(
        rechecked(&repository, &HIDDEN)?,
        0,
        &["out differs from byte 0 of 2", "program", "never does the same twice"],
    )?;
    assert_eq!((&*repository.text("out")?, runs(&repository)?), ("2\n", 2), "the run's own result: {ran:?}");
    // The entry is kept to be looked at, found by nobody, and its ingredients are told.
    assert_eq!((repository.cached("quarantine").len(), repository.cached("entries").len()), (1, 0));
    let told = repository.ask(&["explain", "-i", "differs"])?;
    ensure!(told.code == Some(0) && told.out().contains("the entry was set aside: "), "{told:?}");
    ensure!(told.out().contains("program ") && told.out().contains("variable"), "{told:?}");
    repository.run(&HIDDEN)?.miss()?;
    repository.run(&HIDDEN)?.hit()?;
    assert_eq!((&*repository.text("out")?, runs(&repository)?), ("2\n", 3));
    let stats = repository.stats()?;
    assert_eq!(
        (&stats["differing"], &stats["rechecked"], &stats["hits"], &stats["misses"]),
        (&1.into(), &0.into(), &2.into(), &2.into())
    );
    let told = repository.ask(&["stats"])?.out();
    ensure!(told.contains("1 did something else, and the entry was set aside"), "{told}");
    Ok(())
}

#[test]
fn what_does_the_same_again_is_counted_and_stays() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "#include \"a.h\"\nint a(void) { int unused; return A; }\n")?;
    repository.write("a.h", "#define A 1\n")?;
    repository.write("in", "1\n")?;
    settle();
    let compile = ["--", "gcc", "-Wall", "-MMD", "-c", "a.c"];
    let generate = [
        "--in",
        "in",
        "--out",
        "d/",
        "--out",
        "l",
        "--",
        "sh",
        "-c",
        "mkdir -p d/e; cp in d/e/f; chmod +x d/e/f; ln -sf in l; echo said; echo warned >&2",
    ];
    let plain = repository.run(&compile)?.miss()?;
    let (object, depfile) = (repository.read("a.o")?, repository.read("a.d")?);
    repository.run(&generate)?.miss()?;
    for round in 0..2 {
        repository.remove(&["a.o", "a.d", "d", "l"])?;
        let ran = same(rechecked(&repository, &compile)?)?;
        assert_eq!(
            (ran.err(), repository.read("a.o")?, repository.read("a.d")?),
            (plain.err(), object.clone(), depfile.clone()),
            "{round}"
        );
        let ran = same(rechecked(&repository, &generate)?)?;
        assert_eq!((ran.out().as_str(), ran.err().as_str()), ("said\n", "warned\n"));
        // Over what is there already.
        same(rechecked(&repository, &compile)?)?;
    }
    repository.run(&compile)?.hit()?;
    repository.run(&generate)?.hit()?;
    let stats = repository.stats()?;
    assert_eq!(
        (&stats["rechecked"], &stats["differing"], &stats["entries"]),
        (&6.into(), &0.into(), &2.into())
    );
    ensure!(repository.cached("quarantine").is_empty());
    // A header that changed is a miss, as ever.
    repository.write("a.h", "#define A 2\n")?;
    settle();
    rechecked(&repository, &compile)?.miss()?;
    Ok(())
}

/// What differs, by a command that does as `hidden` says, and what is told of it.
const DIFFERENCES: [(&str, i32, &str); 9] = [
    ("echo other", 0, "standard output differs from byte 0"),
    ("echo said; echo more >&2", 0, "standard error differs from byte 0: 5 bytes instead of 0"),
    ("echo said; exit 3", 3, "ends with exit status 3 instead of exit status 0"),
    ("echo said; kill -9 $$", 137, "ends with signal 9 instead of exit status 0"),
    ("echo said; rm out", 0, "out is missing"),
    ("echo said; echo x >d/further", 0, "d/further is written too"),
    ("echo said; rm d/f; ln -s x d/f", 0, "d/f "),
    ("echo said; chmod +x out", 0, "out can be executed, or cannot any more"),
    ("echo said; printf longer >out", 0, "out differs from byte 0: 6 bytes instead of 5"),
];

#[test]
fn every_way_to_differ_is_told() -> Result<()> {
    let repository = Repository::new()?;
    let run = [
        "--out",
        "out",
        "--out",
        "d/",
        "--",
        "sh",
        "-c",
        "rm -rf out d; mkdir d; echo made >out; echo made >d/f; . ./hidden",
    ];
    for (hidden, code, told) in DIFFERENCES {
        repository.write("hidden", "echo said\n")?;
        repository.run(&run)?.miss()?;
        repository.write("hidden", format!("{hidden}\n"))?;
        differs(rechecked(&repository, &run)?, code, &[told]).with_context(|| hidden.to_owned())?;
        ensure!(repository.cached("entries").is_empty(), "{hidden}");
        // Strictness is about us, and the command did what it does.
        repository.write("hidden", "echo said\n")?;
        repository.run(&run)?.miss()?;
        repository.write("hidden", format!("{hidden}\n"))?;
        differs(repository.run(&[&["--strict", "--recheck"], &run[..]].concat())?, code, &[told])?;
    }
    // What never does the same twice.
    let random = ["--out", "out", "--", "sh", "-c", "head -c 20 /dev/urandom >out"];
    repository.run(&random)?.miss()?;
    differs(rechecked(&repository, &random)?, 0, &["never does the same twice"])?;
    Ok(())
}

#[test]
fn the_share_is_set_by_option_variable_and_settings_and_a_repository_may_raise_it() -> Result<()> {
    let repository = Repository::new()?;
    let config = repository.home.join("config/reviver/config.toml");
    repository.write("hidden", "1\n")?;
    repository.run(&HIDDEN)?.miss()?;
    let by_variable = |share: &str| Ran::of(repository.runs(&HIDDEN).env("REVIVER_RECHECK", share));
    repository.run(&HIDDEN)?.hit()?;
    same(by_variable("1")?)?;
    by_variable("0")?.hit()?;
    by_variable("")?.hit()?;
    fs::write(&config, "recheck = 1\n")?;
    same(repository.run(&HIDDEN)?)?;
    by_variable("0")?.hit()?;
    fs::write(&config, "recheck = 0\n")?;
    repository.run(&HIDDEN)?.hit()?;
    repository.write("reviver.toml", "recheck = 1.0\n")?;
    same(repository.run(&HIDDEN)?)?;
    same(by_variable("0")?)?;
    repository.write("reviver.toml", "recheck = 0\n")?;
    fs::write(&config, "recheck = 1\n")?;
    same(repository.run(&HIDDEN)?)?;
    // A cache that is only read cannot set aside what differs.
    let before = runs(&repository)?;
    Ran::of(repository.runs(&HIDDEN).env("REVIVER_READ_ONLY", "1"))?.hit()?;
    assert_eq!(runs(&repository)?, before);
    for (text, place) in
        [("recheck = 2\n", "config.toml:1:11: "), ("size = '1 GB'\nrecheck = '1%'\n", "config.toml:2:11: ")]
    {
        fs::write(&config, text)?;
        let ran = repository.run(&HIDDEN)?;
        ensure!(ran.code == Some(125) && ran.said[0].contains(place), "{ran:?}");
        ensure!(ran.said[0].contains("`recheck` is a number from 0 to 1"), "{ran:?}");
    }
    fs::write(&config, "")?;
    for wrong in ["1.1", "-1", "often", "nan"] {
        let ran = by_variable(wrong)?;
        ensure!(
            ran.code == Some(125) && ran.said[0].contains("REVIVER_RECHECK") && ran.said[0].contains(wrong),
            "{ran:?}"
        );
    }
    assert_eq!(runs(&repository)?, before);
    // Of many hits with a share some are taken, and some are not.
    let all = (0..60).map(|_| by_variable("0.5")).collect::<Result<Vec<_>>>()?;
    let taken = all.iter().filter(|ran| ran.verdict != Verdict::Hit).count();
    ensure!((10..50).contains(&taken), "{taken} of 60");
    assert_eq!(runs(&repository)?, before + taken);
    Ok(())
}

#[test]
fn an_input_that_changes_meanwhile_is_no_difference() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("in", "1\n")?;
    settle();
    let run = ["--in", "in", "--out", "out", "--", "sh", "-c", "[ ! -e edit ] || cp edit in; cat in >out"];
    repository.run(&run)?.miss()?;
    repository.write("edit", "2\n")?;
    let ran = rechecked(&repository, &run)?;
    ensure!(
        matches!(&ran.verdict, Verdict::Rechecked(why) if why.contains("not compared: ") && why.contains("changed")),
        "{ran:?}"
    );
    ensure!(ran.code == Some(0) && ran.warnings().is_empty() && repository.text("out")? == "2\n", "{ran:?}");
    assert_eq!(repository.cached("entries").len(), 1);
    // A command that leaves alone what is there does not say what it would have made.
    let lazy = ["--out", "made", "--", "sh", "-c", "[ -e made ] || cat hidden >made"];
    repository.write("hidden", "1\n")?;
    repository.run(&lazy)?.miss()?;
    same(rechecked(&repository, &lazy)?)?;
    repository.write("made", "of somebody else\n")?;
    let ran = rechecked(&repository, &lazy)?;
    ensure!(matches!(&ran.verdict, Verdict::Rechecked(why) if why.contains("did not write it")), "{ran:?}");
    Ok(())
}

#[test]
fn killed_in_the_middle_it_leaves_the_cache_as_it_was() -> Result<()> {
    let repository = Repository::new()?;
    let run =
        ["--out", "out", "--", "sh", "-c", "echo ran >>log; [ ! -e wait ] || sleep 60; cat hidden >out"];
    repository.write("hidden", "1\n")?;
    repository.run(&run)?.miss()?;
    repository.write("wait", "")?;
    repository.write("hidden", "2\n")?;
    let mut command = repository.runs(&[&["--recheck"], &run[..]].concat());
    let mut process = command.stdout(Stdio::piped()).stderr(Stdio::null()).process_group(0).spawn()?;
    for _ in 0..500 {
        if runs(&repository)? == 2 {
            break;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert_eq!(runs(&repository)?, 2, "it runs");
    ensure!(Command::new("kill").args(["-KILL", "--", &format!("-{}", process.id())]).status()?.success());
    process.wait()?;
    repository.remove(&["wait"])?;
    assert_eq!((repository.cached("entries").len(), repository.cached("quarantine").len()), (1, 0));
    repository.run(&run)?.hit()?;
    assert_eq!(repository.text("out")?, "1\n");
    differs(rechecked(&repository, &run)?, 0, &["out differs"])?;
    repository.run(&run)?.miss()?;
    Ok(())
}

#[test]
fn two_at_once_hinder_nobody() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("hidden", "1\n")?;
    let run = ["--out", "out", "--", "sh", "-c", "sleep 0.2; cat hidden >out; echo said"];
    repository.run(&run)?.miss()?;
    let words = [&["--recheck"], &run[..]].concat();
    let start = || repository.runs(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn();
    for _ in 0..5 {
        let processes = [start()?, start()?, start()?];
        for process in processes {
            let ran = Ran::from(process.wait_with_output()?);
            ensure!(ran.code == Some(0) && ran.out() == "said\n" && ran.warnings().is_empty(), "{ran:?}");
            ensure!(matches!(ran.verdict, Verdict::Hit | Verdict::Rechecked(_)), "{ran:?}");
        }
        assert_eq!((&*repository.text("out")?, repository.cached("entries").len()), ("1\n", 1));
    }
    // What differs is set aside by one of them, and recorded by none.
    repository.write("hidden", "2\n")?;
    let processes = [start()?, start()?];
    for process in processes {
        let ran = Ran::from(process.wait_with_output()?);
        ensure!(ran.code == Some(0) && ran.out() == "said\n", "{ran:?}");
    }
    ensure!(repository.cached("locks").is_empty() && repository.cached("tmp").is_empty());
    Ok(())
}
