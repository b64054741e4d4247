//! The commands that tell what is there and what happened.

use crate::support::{Ran, Repository, Verdict, installed, settle};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;

fn json(ran: &Ran) -> Result<Json> {
    ensure!(ran.code == Some(0), "{ran:?}");
    Ok(serde_json::from_slice(&ran.stdout)?)
}

/// A repository with the entries `a` and `b`.
fn with_entries() -> Result<Repository> {
    let repository = Repository::new()?;
    for name in ["a", "b"] {
        repository.run(&["--out", name, "--", "sh", "-c", &format!("echo {name} >{name}")])?.miss()?;
    }
    Ok(repository)
}

fn keys(repository: &Repository) -> Result<Vec<String>> {
    let list = json(&repository.ask(&["cache", "keys", "--json"])?)?;
    list.as_array()
        .context("a list")?
        .iter()
        .map(|key| Ok(key["key"].as_str().context("a key")?.to_owned()))
        .collect()
}

#[test]
fn explain_names_the_header_that_changed() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "#include \"sub/a.h\"\n#include \"b.h\"\n")?;
    repository.write("sub/a.h", "int a;\n")?;
    repository.write("b.h", "int b;\n")?;
    settle();
    let run = ["--", "gcc", "-I.", "-c", "a.c"];
    assert_eq!(repository.ask(&["explain"])?.code, Some(1), "nothing to tell yet");
    repository.run(&run)?.miss()?;
    ensure!(repository.ask(&["explain"])?.out().contains("nothing with this label was known"));
    repository.write("sub/a.h", "long a;\n")?;
    settle();
    repository.run(&run)?.miss()?;
    let told = repository.ask(&["explain", "-n", "1"])?;
    ensure!(told.code == Some(0) && told.out().starts_with("miss "), "{told:?}");
    ensure!(told.out().contains("sub/a.h") && told.out().contains("changed"), "{}", told.out());
    ensure!(!told.out().contains("b.h"), "{}", told.out());
    let list = json(&repository.ask(&["explain", "--json", "--misses"])?)?;
    ensure!(list.as_array().is_some_and(|list| list.len() == 2), "{list}");
    ensure!(list[1]["differences"].to_string().contains("sub/a.h"), "{list}");

    repository.run(&[&run[..], &["-DX=1"]].concat())?.miss()?;
    let told = repository.ask(&["explain", "-n", "1"])?.out();
    ensure!(told.contains("argument") && told.contains("-DX=1"), "{told}");
    repository.run(&run)?.hit()?;
    ensure!(repository.ask(&["explain", "-n", "1"])?.out().starts_with("hit "));
    ensure!(repository.ask(&["explain", "-i", "-n", "1"])?.out().contains("sub/a.h"));
    assert_eq!(repository.ask(&["explain", "no such label"])?.code, Some(1));
    Ok(())
}

#[test]
fn explain_tells_a_declared_input_a_variable_and_what_was_not_recorded() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("tree/one", "1")?;
    settle();
    let run = |mode: &str, status: &str| {
        let mut command = repository.runs(&["--in", "tree", "--out", "out", "--env", "MODE", "--"]);
        Ran::of(command.args(["sh", "-c", "echo >out; exit $MODE"]).env("MODE", mode).env("LANG", status))
    };
    run("0", "a")?.miss()?;
    run("7", "a")?.without(7, "exit status 7")?;
    let told = repository.ask(&["explain", "-n", "1"])?.out();
    ensure!(told.contains("MODE") && told.contains("not recorded: exit status 7"), "{told}");
    repository.write("tree/two", "2")?;
    settle();
    run("0", "a")?.miss()?;
    let told = repository.ask(&["explain", "-n", "1"])?.out();
    ensure!(told.contains("tree") && !told.contains("MODE"), "{told}");
    Ok(())
}

#[test]
fn statistics_have_the_fields_that_are_documented() -> Result<()> {
    let repository = with_entries()?;
    repository.run(&["--out", "a", "--", "sh", "-c", "echo a >a"])?.hit()?;
    repository.run(&["--", "true"])?.without(0, "nothing is declared")?;
    let stats = repository.stats()?;
    for (field, number) in [("hits", 1), ("misses", 2), ("faults", 0), ("entries", 2)] {
        assert_eq!(stats[field], number, "{field} in {stats}");
    }
    assert_eq!(stats["uncached"], serde_json::json!({"nothing is declared: say --in, --out or --env": 1}));
    ensure!(stats["bytes"].as_u64().is_some_and(|bytes| bytes > 0), "{stats}");
    assert_eq!(json(&repository.ask(&["stats", "--json"])?)?, stats);
    assert_eq!(json(&repository.ask(&["stats", "--all", "--json"])?)?["entries"], 2);
    let told = repository.ask(&["stats"])?.out();
    ensure!(
        told.contains("hits") && told.contains("33.3 %") && told.contains("nothing is declared"),
        "{told}"
    );
    Ok(())
}

#[test]
fn keys_are_listed_found_and_removed() -> Result<()> {
    let repository = with_entries()?;
    let keys = keys(&repository)?;
    assert_eq!(keys.len(), 2);
    let listed = repository.ask(&["cache", "keys"])?.out();
    ensure!(listed.lines().zip(&keys).all(|(line, key)| line.starts_with(key.as_str())), "{listed}");

    let found = repository.ask(&["cache", "find", &keys[0]])?;
    ensure!(found.code == Some(0) && found.out().contains("exit status 0"), "{found:?}");
    let found = json(&repository.ask(&["cache", "find", "--json", &keys[0][..10]])?)?;
    assert_eq!((&found["key"], &found["items"][0]["kind"]), (&keys[0].as_str().into(), &"file".into()));
    assert_eq!(found["outcome"]["exit"], 0);

    let absent = "0".repeat(64);
    for command in ["find", "rm"] {
        let ran = repository.ask(&["cache", command, &absent])?;
        ensure!(ran.code == Some(1) && ran.said.len() == 1, "{ran:?}");
    }
    assert_eq!(repository.ask(&["cache", "rm", &keys[0]])?.code, Some(0));
    assert_eq!(repository.ask(&["cache", "rm", &keys[0], &keys[1]])?.code, Some(1));
    assert_eq!(repository.counts()?[2], 0);
    repository.run(&["--out", "a", "--", "sh", "-c", "echo a >a"])?.miss()?;
    ensure!(repository.ask(&["cache", "rm", "--all"])?.out().contains('1'));
    assert_eq!(repository.counts()?[2], 0);
    Ok(())
}

#[test]
fn a_dry_run_of_a_trim_removes_nothing() -> Result<()> {
    let repository = with_entries()?;
    let plan = json(&repository.ask(&["cache", "trim", "--dry-run", "--size", "1 B", "--json"])?)?;
    ensure!(
        plan["dry_run"] == true && plan["victims"].as_array().is_some_and(|all| all.len() == 2),
        "{plan}"
    );
    assert_eq!(repository.counts()?[2], 2);
    let told = repository.ask(&["cache", "trim", "--dry-run", "--size", "1 B"])?.out();
    ensure!(told.contains("2 entries would go"), "{told}");
    assert_eq!(repository.ask(&["cache", "trim"])?.code, Some(0));
    assert_eq!(repository.counts()?[2], 2, "it is under its limit");
    assert_eq!(repository.ask(&["cache", "trim", "--size", "1 B"])?.code, Some(0));
    assert_eq!(repository.counts()?[2], 0);
    Ok(())
}

#[test]
fn a_cache_over_its_limit_is_trimmed_by_the_run_that_finds_it_so() -> Result<()> {
    let repository = Repository::new()?;
    fs::write(repository.home.join("config/reviver/config.toml"), "size = \"4 MB\"\n")?;
    for number in 0..12 {
        let text = format!("head -c 900000 /dev/zero | tr '\\0' '\\{:03o}' >out", 65 + number);
        repository.run(&["--out", "out", "--", "sh", "-c", &text])?.miss()?;
    }
    let stats = repository.stats()?;
    ensure!(stats["entries"].as_u64().is_some_and(|entries| (1..6).contains(&entries)), "{stats}");
    // The last one is still there.
    repository
        .run(&["--out", "out", "--", "sh", "-c", "head -c 900000 /dev/zero | tr '\\0' '\\114' >out"])?
        .hit()?;
    Ok(())
}

#[test]
fn usage_ends_with_two_and_the_path_is_the_users() -> Result<()> {
    let repository = Repository::new()?;
    for wrong in
        [&["nonsense"][..], &["cache", "find"], &["cache", "trim", "--size", "much"], &["stats", "--jsn"]]
    {
        assert_eq!(repository.ask(wrong)?.code, Some(2), "{wrong:?}");
    }
    let path = repository.ask(&["cache", "path"])?;
    assert_eq!((path.code, path.out()), (Some(0), format!("{}\n", repository.cache.display())));
    for right in [&["--version"][..], &["--help"], &["run", "--help"]] {
        assert_eq!(repository.ask(right)?.code, Some(0), "{right:?}");
    }
    assert_eq!(repository.ask(&["plugin", "list"])?.code, Some(0));
    ensure!(!repository.cache.exists(), "asking makes nothing");
    Ok(())
}

/// An option that was put in front of others was told as a change of every one behind it.
#[test]
fn an_inserted_argument_is_told_as_one() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "int a;\n")?;
    settle();
    for options in [&["-O2", "-Wall", "-c", "a.c"][..], &["-pipe", "-O2", "-Wall", "-c", "a.c"]] {
        let ran = repository.run(&[&["--", "gcc"], options].concat())?;
        assert_eq!(ran.verdict, Verdict::Miss);
    }
    let told = repository.ask(&["explain", "-n", "1"])?.out();
    let changes: Vec<&str> = told.lines().skip(1).map(str::trim).collect();
    assert_eq!(changes, ["text argument is new: \"-pipe\""], "{told}");
    Ok(())
}

/// A mistyped setting of a plugin had everything run uncached, in silence.
#[test]
fn settings_that_a_plugin_does_not_know_are_warned_of() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("reviver.toml", "[plugin.key-cc]\nconfig = { relocateable = true }\n")?;
    repository.write("a.c", "int a;\n")?;
    settle();
    for _ in 0..2 {
        let ran = repository.run(&["--", "gcc", "-c", "a.c"])?;
        let [warning] = ran.warnings()[..] else { anyhow::bail!("{ran:?}") };
        ensure!(warning.contains("unknown setting `relocateable`"), "{warning}");
        ensure!(ran.code == Some(0) && repository.exists("a.o"));
    }
    Ok(())
}
