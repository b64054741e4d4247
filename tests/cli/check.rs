//! Plugins put to the test of their laws: each planted fault is found, by the law that it breaks, and what is shipped keeps
//! all of them.

use crate::planted::{component, planted};
use crate::support::{Ran, Repository, settle};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;

/// What `plugin check --json` says, with its status.
fn check(repository: &Repository, arguments: &[&str]) -> Result<(Json, Ran)> {
    let ran = repository.ask(&[&["plugin", "check", "--json"], arguments].concat())?;
    let told = serde_json::from_slice(&ran.stdout).with_context(|| format!("{ran:?}"))?;
    Ok((told, ran))
}

/// The laws with this finding.
fn laws<'a>(told: &'a Json, finding: &str) -> Vec<&'a str> {
    let verdicts = told["verdicts"].as_array().map_or(&[][..], Vec::as_slice);
    let such = verdicts.iter().filter(|verdict| verdict["finding"] == finding);
    such.filter_map(|verdict| verdict["law"].as_str()).collect()
}

/// What a law's verdict rests on.
fn grounds(told: &Json, law: &str) -> String {
    let verdicts = told["verdicts"].as_array().map_or(&[][..], Vec::as_slice);
    verdicts
        .iter()
        .find(|verdict| verdict["law"] == law)
        .map_or_else(String::new, |verdict| format!("{} {}", verdict["grounds"], verdict["notes"]))
}

/// A repository whose plugin has this fault.
fn faulty(role: &str, fault: &str) -> Result<Repository> {
    let repository = Repository::new()?;
    planted(&repository, role, fault)?;
    Ok(repository)
}

/// The faults of planted plugins, the law that must find each and others that may, and a word of the grounds. Seeds of maps and
/// addresses depend on what else is in memory, and so on whatever a test changes.
const FAULTS: [(&str, &str, &[&str], &str); 16] = [
    ("key", "hash-order", &["reused", "order", "place", "unrelated"], "seen"),
    ("key", "kept-map", &["reused"], "known"),
    ("key", "counter", &["reused"], "asked"),
    ("key", "address", &["reused", "order", "place", "unrelated"], "address"),
    ("key", "root", &["place"], "root"),
    ("key", "variable-order", &["order"], "variables in another order"),
    ("key", "whole-directory", &["unrelated"], "whole directory"),
    ("key", "reads-ignored", &["reads"], "in.txt"),
    ("key", "variables-ignored", &["variables"], "REVIVER_EXAMPLE_1"),
    ("key", "arguments-ignored", &["arguments"], "argument"),
    ("key", "panic", &["answers"], "planted"),
    ("metadata", "loses-a-byte", &["round-trip"], "comes back with"),
    ("metadata", "counter", &["reused"], "another hunk"),
    ("metadata", "careless", &["damage"], "panic"),
    ("eviction", "nan", &["finite"], "NaN"),
    ("eviction", "batch", &["batches"], "another score"),
];

#[test]
fn each_planted_fault_is_found_by_its_law() -> Result<()> {
    for (role, fault, broken, word) in FAULTS {
        let repository = faulty(role, fault)?;
        let (told, ran) = check(&repository, &["planted"])?;
        ensure!(ran.code == Some(3), "{fault}: {ran:?}");
        let found = laws(&told, "broken");
        ensure!(found.iter().all(|law| broken.contains(law)), "{fault}: {found:?} in {told}");
        let grounds = grounds(&told, broken[0]);
        ensure!(found.contains(&broken[0]) && grounds.contains(word), "{fault}: {grounds}");
    }
    Ok(())
}

#[test]
fn without_a_fault_the_same_plugins_keep_all_laws() -> Result<()> {
    for role in ["key", "metadata", "eviction"] {
        let repository = faulty(role, "")?;
        let (told, ran) = check(&repository, &["planted"])?;
        ensure!(ran.code == Some(0) && laws(&told, "broken").is_empty(), "{told}");
        ensure!(laws(&told, "unchecked").is_empty() && laws(&told, "held").len() > 4, "{told}");
        // The same component as a bare file, which nothing configures.
        let (told, ran) = check(&repository, &["planted.wasm"])?;
        ensure!(ran.code == Some(0), "{told}");
    }
    Ok(())
}

#[test]
fn what_is_shipped_keeps_all_laws() -> Result<()> {
    let repository = Repository::new()?;
    repository.write(
        "reviver.toml",
        "[plugin.here]\nshipped = \"key-command\"\nconfig = { relocatable = true }\n",
    )?;
    let list = repository.ask(&["plugin", "list", "--json"])?;
    let list: Vec<Json> = serde_json::from_slice(&list.stdout)?;
    let mut names: Vec<_> = list.iter().filter_map(|plugin| plugin["name"].as_str()).collect();
    ensure!(names.contains(&"here") && names.contains(&"key-cc"));
    names.retain(|name| *name != "key-command");
    for name in names {
        let (told, ran) = check(&repository, &[name])?;
        ensure!(ran.code == Some(0), "{name}: {told}");
    }
    // This one means its keys to depend on the place, unless it is told otherwise.
    let (told, ran) = check(&repository, &["key-command"])?;
    ensure!(ran.code == Some(3) && laws(&told, "broken") == ["place"], "{told}");
    let (told, ran) = check(&repository, &["key-command", "--located"])?;
    ensure!(ran.code == Some(0) && laws(&told, "unchecked") == ["place"], "{told}");
    Ok(())
}

#[test]
fn operations_that_ran_here_are_asked_about_and_left_as_they_are() -> Result<()> {
    let repository = Repository::new()?;
    planted(&repository, "key", "reads-ignored")?;
    repository.write("sub/words.txt", "one\n")?;
    repository.script("sub/gen.sh", "cat words.txt >out.txt\n")?;
    settle();
    let settings = repository.text("reviver.toml")?;
    repository.write(
        "reviver.toml",
        format!("{settings}\n[[rule]]\ncommand = \"gen.sh\"\nplugin = \"planted\"\n"),
    )?;
    repository.pin()?;
    let run = ["run", "--in", "words.txt", "--out", "out.txt", "--", "./gen.sh"];
    let ran = Ran::of(repository.reviver(&run).current_dir(repository.path("sub")))?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let before = snapshot(&repository)?;
    let (told, ran) = check(&repository, &["planted"])?;
    ensure!(ran.code == Some(3) && told["operations"] == 1, "{told}");
    ensure!(told["operations_from"] == "that ran here", "{told}");
    ensure!(laws(&told, "broken") == ["reads"] && grounds(&told, "reads").contains("words.txt"), "{told}");
    ensure!(snapshot(&repository)? == before, "the repository is another");
    Ok(())
}

#[test]
fn operations_can_be_given_and_what_cannot_be_checked_is_told() -> Result<()> {
    let repository = faulty("key", "")?;
    repository.write("a.txt", "a")?;
    repository
        .write("one.json", r#"{"argv":["true"],"writes":["b"]} {"argv":["true"],"reads":["a.txt"]}"#)?;
    let (told, ran) = check(&repository, &["planted", "--operation", "one.json"])?;
    ensure!(ran.code == Some(0) && told["operations"] == 2, "{told}");
    ensure!(laws(&told, "unchecked") == ["variables"], "{told}");
    ensure!(grounds(&told, "variables").contains("declares no variable"), "{told}");

    let (told, ran) = check(&repository, &["key-cc", "--operation", "one.json"])?;
    ensure!(ran.code == Some(0) && laws(&told, "unchecked").contains(&"reads"), "{told}");
    ensure!(grounds(&told, "place").contains("names none of the operations"), "{told}");

    // Where temporary directories lie in the repository, a copy of all of it is no copy of itself.
    repository.write("all.json", r#"{"argv":["true"],"reads":["./"]}"#)?;
    let mut all = repository.reviver(&["plugin", "check", "planted", "--json", "--operation", "all.json"]);
    let ran = Ran::of(all.env("TMPDIR", &repository.root))?;
    let told: Json = serde_json::from_slice(&ran.stdout)?;
    ensure!(ran.code == Some(0) && laws(&told, "held").contains(&"reads"), "{told}");
    ensure!(grounds(&told, "unrelated").contains("declares the directory that it runs in"), "{told}");

    repository.write("two.json", r#"{"argv":["true"],"read":[]}"#)?;
    let ran = repository.ask(&["plugin", "check", "planted", "--operation", "two.json"])?;
    ensure!(ran.code == Some(2) && ran.said.join("\n").contains("no member `read`"), "{ran:?}");
    let ran = repository.ask(&["plugin", "check", "nobody"])?;
    ensure!(ran.code == Some(3) && ran.said.join("\n").contains("no plugin `nobody`"), "{ran:?}");
    repository.write("none.wasm", "x")?;
    let ran = repository.ask(&["plugin", "check", "none.wasm"])?;
    ensure!(ran.code == Some(3) && ran.said.join("\n").contains("no WebAssembly"), "{ran:?}");
    Ok(())
}

#[test]
fn people_are_told_each_law_with_its_grounds() -> Result<()> {
    let repository = faulty("key", "root")?;
    let ran = repository.ask(&["plugin", "check", "planted"])?;
    let told = String::from_utf8(ran.stdout)?;
    for line in ["FAIL  place", "pass  purity", "no floating-point instruction", "1 law is broken."] {
        ensure!(told.contains(line), "{told}");
    }
    ensure!(fs::read(repository.path("planted.wasm"))? == component("key")?);
    Ok(())
}

/// All files with their contents and times.
fn snapshot(repository: &Repository) -> Result<Vec<(std::path::PathBuf, Vec<u8>, std::time::SystemTime)>> {
    let all = crate::support::files(&repository.root);
    all.into_iter()
        .map(|path| Ok((path.clone(), fs::read(&path)?, fs::metadata(&path)?.modified()?)))
        .collect()
}
