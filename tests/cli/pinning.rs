//! Plugin files are used as they were pinned, may do what their user grants, and what is wrong is told with its repair.

use crate::support::{Ran, Repository, Verdict, is_root, other_user::NOBODY};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::path::Path;

const RUN: [&str; 6] = ["--out", "out", "--", "sh", "-c", "echo ran; echo ran >out"];

/// The component of a guest that does its work.
fn guest(role: &str, name: &str) -> Result<Vec<u8>> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile");
    let text = |name: &str| fs::read_to_string(directory.join(format!("{name}.wat")));
    let mut whole = text(name)?;
    if whole.contains("(core module $guest") {
        whole = text(&format!("shell-{role}"))?.replacen("  GUEST\n", &whole, 1);
    }
    Ok(wat::parse_str(whole)?)
}

/// A component that does what it did, with another digest: a custom section at its end.
fn changed(mut component: Vec<u8>) -> Vec<u8> {
    component.extend([0, 2, 1, b'x']);
    component
}

/// A repository whose shells are named by its own plugin `words`, which asks for these capabilities.
fn repository(guest_name: &str, capabilities: &str) -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("words.wasm", guest("key", guest_name)?)?;
    asks(&repository, capabilities)?;
    Ok(repository)
}

fn asks(repository: &Repository, capabilities: &str) -> Result<()> {
    let text = format!(
        "[plugin.words]\npath = \"words.wasm\"\ncapabilities = [{capabilities}]\n[[rule]]\ncommand = \"sh\"\nplugin = \"words\"\n"
    );
    repository.write("reviver.toml", text)
}

/// One warning that holds all of this, the command ran uncached; strictly it does not run.
#[track_caller]
fn not_used(repository: &Repository, holds: &[&str]) -> Result<()> {
    let ran = repository.run(&RUN)?;
    ensure!(ran.code == Some(0) && ran.out() == "ran\n" && ran.verdict == Verdict::Silent, "{ran:?}");
    let [warning] = ran.warnings()[..] else { panic!("one warning was expected: {ran:?}") };
    ensure!(ran.said.len() == 1 && warning.ends_with("; the command runs uncached"), "{ran:?}");
    for part in holds {
        ensure!(warning.contains(part), "{part}: {warning}");
    }
    assert_eq!(repository.text("out")?, "ran\n");
    repository.remove(&["out"])?;
    let strict = repository.run(&[&["--strict"], &RUN[..]].concat())?;
    ensure!(strict.code == Some(125) && strict.out().is_empty() && !repository.exists("out"), "{strict:?}");
    Ok(())
}

/// The plugin names the operation now, and nobody warns.
#[track_caller]
fn used(repository: &Repository) -> Result<()> {
    let ran = repository.run(&["--", "sh", "-c", ": >out"])?;
    repository.remove(&["out"])?;
    ensure!(ran.warnings().is_empty() && [Verdict::Hit, Verdict::Miss].contains(&ran.verdict), "{ran:?}");
    Ok(())
}

fn json(ran: &Ran) -> Result<Json> {
    Ok(serde_json::from_slice(&ran.stdout)?)
}

const PIN: &str = "`reviver plugin pin words`";

#[test]
fn a_plugin_file_is_used_as_it_was_pinned_and_not_otherwise() -> Result<()> {
    let repository = repository("good", "")?;
    let component = repository.read("words.wasm")?;
    not_used(&repository, &["plugin `words` is not pinned", PIN])?;
    repository.pin()?;
    used(&repository)?;

    repository.write("words.wasm", changed(component.clone()))?;
    let digest = |bytes: &[u8]| reviver::digest::Digest::of(bytes).short();
    let digests = [digest(&changed(component.clone())), digest(&component)];
    not_used(&repository, &[&format!("is {}, and {} was pinned", digests[0], digests[1]), PIN])?;
    let pinned = repository.ask(&["plugin", "pin", "words"])?;
    ensure!(pinned.out().contains(&format!("{} -> {}", digests[1], digests[0])), "{pinned:?}");
    used(&repository)?;

    asks(&repository, "\"read\"")?;
    not_used(&repository, &["asks for `read`, which it was not pinned with", PIN])?;
    repository.pin()?;
    used(&repository)?;
    asks(&repository, "")?;
    used(&repository).context("less than was pinned may be asked for at any time")?;

    repository.remove(&["words.wasm"])?;
    not_used(&repository, &["words.wasm", "`reviver plugin build DIR -o "])?;
    Ok(())
}

#[test]
fn a_lock_file_that_cannot_be_relied_on_pins_nothing() -> Result<()> {
    let repository = repository("good", "")?;
    repository.pin()?;
    let good = repository.text("reviver.lock")?;
    for (text, holds) in [
        (good.replace("version = 1", "version = 2"), "reviver.lock:3:11: this is version 2"),
        (good.replace("size = ", "size = x"), "reviver.lock:9:8: "),
        (good.replace("digest", "dgest"), "did you mean `digest`?"),
    ] {
        ensure!(text != good);
        repository.write("reviver.lock", text)?;
        not_used(&repository, &["plugin `words` cannot be trusted", holds, "`reviver plugin pin`"])?;
        let named = repository.ask(&["plugin", "pin", "words"])?;
        ensure!(named.code == Some(2), "the pins of others would be lost: {named:?}");
        repository.pin()?;
        assert_eq!(repository.text("reviver.lock")?, good);
        used(&repository)?;
    }
    repository.write("reviver.lock", b"\xff\xfe\0")?;
    not_used(&repository, &["reviver.lock", "`reviver plugin pin`"])?;
    repository.remove(&["reviver.lock"])?;
    fs::create_dir(repository.path("reviver.lock"))?;
    not_used(&repository, &["reviver.lock"])?;
    Ok(())
}

#[test]
fn a_lock_file_of_another_user_pins_nothing() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = repository("good", "")?;
    repository.pin()?;
    chown(repository.path("reviver.lock"), Some(NOBODY), Some(NOBODY))?;
    not_used(&repository, &["reviver.lock belongs to another user", "`reviver plugin pin`"])?;
    repository.pin()?;
    used(&repository)
}

#[test]
fn a_metadata_plugin_has_to_be_pinned_too() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("words.wasm", guest("metadata", "metadata-good")?)?;
    repository.write("reviver.toml", "metadata = \"words\"\n[plugin.words]\npath = \"words.wasm\"\n")?;
    not_used(&repository, &["plugin `words` is not pinned", PIN])?;
    repository.pin()?;
    repository.run(&["--out", "b", "--", "sh", "-c", ": >b"])?.miss()?;
    repository.run(&["--out", "b", "--", "sh", "-c", ": >b"])?.hit()?;
    Ok(())
}

#[test]
fn an_eviction_plugin_that_is_not_pinned_leaves_the_order_to_the_host() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("words.wasm", guest("eviction", "eviction-good")?)?;
    repository.write("reviver.toml", "eviction = \"words\"\n[plugin.words]\npath = \"words.wasm\"\n")?;
    ensure!(repository.run(&RUN)?.miss()?.warnings().is_empty(), "a run that trims nothing asks no policy");
    let trimmed = repository.ask(&["cache", "trim", "--size", "1 B"])?;
    let [warning] = trimmed.warnings()[..] else { panic!("one warning was expected: {trimmed:?}") };
    ensure!(warning.contains("plugin `words` is not pinned") && warning.contains(PIN), "{warning}");
    ensure!(trimmed.code == Some(0) && repository.counts()?[2] == 0, "{trimmed:?}");
    repository.pin()?;
    let trimmed = repository.ask(&["cache", "trim", "--size", "1 B"])?;
    ensure!(trimmed.said.is_empty(), "{trimmed:?}");
    Ok(())
}

/// A repository that is cloned brings its lock file along: that grants it nothing.
#[test]
fn a_lock_file_widens_nothing_and_a_grant_is_the_users_own_act() -> Result<()> {
    let repository = repository("arguments", "\"arguments\"")?;
    let pinned = repository.pin()?;
    ensure!(pinned.out().contains("NOT GRANTED on this machine"), "{pinned:?}");
    ensure!(pinned.said[0].contains("`reviver plugin pin words --grant`"), "{pinned:?}");
    let lock = repository.text("reviver.lock")?;
    ensure!(lock.contains("capabilities = [\"arguments\"]"), "{lock}");
    let ran = repository.run(&RUN)?.without(0, "needs the capability `arguments`")?;
    let [warning] = ran.warnings()[..] else { panic!("one warning was expected: {ran:?}") };
    ensure!(warning.contains("`reviver plugin pin words --grant`"), "{warning}");

    let granted = repository.ask(&["plugin", "pin", "words", "--grant"])?;
    ensure!(granted.code == Some(0) && granted.said.is_empty(), "{granted:?}");
    ensure!(granted.out().contains("arguments (to replace the arguments that commands run with), granted"));
    let grants = repository.home.join(".local/state/reviver/grants.toml");
    assert_eq!(fs::metadata(&grants)?.permissions().mode() & 0o777, 0o600);
    let ran = repository.run(&RUN)?;
    ensure!(ran.warnings().is_empty() && !format!("{:?}", ran.verdict).contains("capability"), "{ran:?}");

    let before = fs::read(&grants)?;
    repository.write("words.wasm", changed(repository.read("words.wasm")?))?;
    let pinned = repository.pin()?;
    ensure!(pinned.out().contains("NOT GRANTED"), "another file is another grant: {pinned:?}");
    repository.run(&RUN)?.without(0, "needs the capability `arguments`")?;
    assert_eq!(fs::read(&grants)?, before, "pinning grants nothing by itself");

    fs::write(&grants, "version = 1\ngrant = 1\n")?;
    not_used(&repository, &["grants.toml:2:9", "remove the file", "`reviver plugin pin words --grant`"])?;
    assert_eq!(repository.ask(&["plugin", "pin", "words", "--grant"])?.code, Some(2));
    Ok(())
}

#[test]
fn grants_of_another_user_grant_nothing() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = repository("arguments", "\"arguments\"")?;
    ensure!(repository.ask(&["plugin", "pin", "words", "--grant"])?.code == Some(0));
    chown(repository.home.join(".local/state/reviver/grants.toml"), Some(NOBODY), Some(NOBODY))?;
    not_used(&repository, &["grants.toml belongs to another user"])
}

#[test]
fn what_cannot_be_loaded_is_not_pinned_and_the_lock_file_stays() -> Result<()> {
    let repository = repository("good", "")?;
    repository.pin()?;
    let lock = repository.text("reviver.lock")?;
    let cut = |bytes: Vec<u8>| bytes[..bytes.len() / 2].to_vec();
    for (component, holds) in [
        (guest("key", "core-module")?, "[load]"),
        (guest("key", "foreign-import")?, "[import]"),
        (guest("key", "foreign-function")?, "[abi]"),
        (guest("key", "abi-9.9.9")?, "[abi]"),
        (guest("eviction", "eviction-good")?, "role eviction, and reviver.toml uses it for key"),
        (cut(guest("key", "good")?), "[load]"),
        (b"#!/bin/sh\n".to_vec(), "[load]"),
    ] {
        repository.write("words.wasm", component)?;
        let refused = repository.ask(&["plugin", "pin"])?;
        ensure!(refused.code == Some(3) && refused.said.len() == 1, "{holds}: {refused:?}");
        ensure!(
            refused.said[0].contains("`words`") && refused.said[0].contains(holds),
            "{holds}: {refused:?}"
        );
        assert_eq!(repository.text("reviver.lock")?, lock);
    }
    repository.remove(&["words.wasm"])?;
    let refused = repository.ask(&["plugin", "pin"])?;
    ensure!(
        refused.code == Some(3) && refused.said[0].contains("`reviver plugin build DIR -o "),
        "{refused:?}"
    );
    assert_eq!(repository.text("reviver.lock")?, lock);
    Ok(())
}

#[test]
fn pinning_all_drops_who_is_gone_and_pinning_one_leaves_the_others() -> Result<()> {
    let repository = repository("good", "")?;
    repository.write("other.wasm", guest("eviction", "eviction-good")?)?;
    let alone = repository.text("reviver.toml")?;
    let both = format!("eviction = \"other\"\n{alone}[plugin.other]\npath = \"other.wasm\"\n");
    repository.write("reviver.toml", &both)?;
    let rows = json(&repository.ask(&["plugin", "pin", "--json"])?)?;
    assert_eq!(
        (&rows[0]["name"], &rows[0]["role"], &rows[0]["change"]),
        (&"other".into(), &"eviction".into(), &"new".into())
    );
    assert_eq!((&rows[1]["name"], &rows[1]["capabilities"]), (&"words".into(), &Json::Array(vec![])));
    let lock = repository.text("reviver.lock")?;

    for file in ["words.wasm", "other.wasm"] {
        repository.write(file, changed(repository.read(file)?))?;
    }
    let rows = json(&repository.ask(&["plugin", "pin", "words", "--json"])?)?;
    assert_eq!((rows.as_array().map(Vec::len), &rows[0]["change"]), (Some(1), &"changed".into()));
    let [before, after] = [lock, repository.text("reviver.lock")?]
        .map(|text| text.split("[[plugin]]").map(str::to_owned).collect::<Vec<_>>());
    ensure!(before[1] == after[1] && before[2] != after[2], "only the one that was named is another");

    repository.write("reviver.toml", alone)?;
    let rows = json(&repository.ask(&["plugin", "pin", "--json"])?)?;
    assert_eq!((&rows[0]["change"], &rows[1]["change"]), (&"same".into(), &"gone".into()));
    ensure!(!repository.text("reviver.lock")?.contains("\"other\""));
    for name in ["absent", "key-cc"] {
        let refused = repository.ask(&["plugin", "pin", name])?;
        ensure!(refused.code == Some(2) && refused.said[0].contains(name), "{refused:?}");
    }
    Ok(())
}

#[test]
fn a_check_writes_nothing_and_tells_whether_there_is_something_to_pin() -> Result<()> {
    let repository = repository("good", "")?;
    let check = || Ok::<_, anyhow::Error>(repository.ask(&["plugin", "pin", "--check"])?.code);
    assert_eq!(check()?, Some(1));
    ensure!(!repository.exists("reviver.lock"));
    repository.pin()?;
    assert_eq!(check()?, Some(0));
    let lock = repository.read("reviver.lock")?;
    repository.write("words.wasm", changed(repository.read("words.wasm")?))?;
    assert_eq!(check()?, Some(1));
    assert_eq!(repository.read("reviver.lock")?, lock);
    assert_eq!(repository.ask(&["plugin", "pin", "words", "--check", "--grant"])?.code, Some(2));
    Ok(())
}

#[test]
fn the_list_shows_what_is_pinned() -> Result<()> {
    let repository = repository("good", "\"read\", \"query\"")?;
    let row = || -> Result<(Option<i32>, Json)> {
        let list = repository.ask(&["plugin", "list", "--json"])?;
        let rows = json(&list)?;
        let row = rows.as_array().into_iter().flatten().find(|row| row["name"] == "words").cloned();
        Ok((list.code, row.context("it is listed")?))
    };
    let (code, words) = row()?;
    assert_eq!((code, &words["pinned"]), (Some(3), &"NOT PINNED".into()));
    ensure!(words["problem"].as_str().is_some_and(|problem| problem.contains(PIN)), "{words}");
    repository.pin()?;
    let (code, words) = row()?;
    assert_eq!(
        (code, &words["pinned"], &words["capabilities"]),
        (Some(0), &"pinned".into(), &serde_json::json!(["read"]))
    );
    repository.write("words.wasm", changed(repository.read("words.wasm")?))?;
    let (code, words) = row()?;
    assert_eq!(
        (code, &words["pinned"], &words["capabilities"]),
        (Some(3), &"DIFFERS".into(), &Json::Array(vec![]))
    );
    let shown = repository.ask(&["plugin", "list"])?.out();
    for line in shown.lines().filter(|line| line.contains(" metadata ") || line.contains(" eviction ")) {
        let next = shown.lines().skip_while(|other| *other != line).nth(1).unwrap_or_default();
        ensure!(!next.contains("    may "), "only key plugins may do anything: {shown}");
    }
    Ok(())
}

/// Where `examples/custom-key` got another component, its pin has to follow: `reviver plugin pin` there.
#[test]
fn the_example_is_pinned() -> Result<()> {
    let repository = Repository::new()?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/custom-key");
    for name in ["plugin.wasm", "reviver.lock", "reviver.toml"] {
        fs::copy(from.join(name), repository.path(name))?;
    }
    let check = repository.ask(&["plugin", "pin", "--check"])?;
    ensure!(check.code == Some(0), "{check:?}");
    Ok(())
}

/// No setting of a repository takes more than its user allows.
#[test]
fn a_repository_only_tightens() -> Result<()> {
    let repository = repository("arguments", "\"arguments\", \"query\", \"read\"")?;
    fs::write(
        repository.home.join("config/reviver/config.toml"),
        "capabilities = []\nsize = \"1 MB\"\nlimits = { fuel = 1 }\n",
    )?;
    let text = repository.text("reviver.toml")?;
    let limits =
        "limits = { fuel = 9000000000, memory = \"1 TB\", output = \"1 TB\", time = 9000000 }\n[[rule]]";
    repository.write("reviver.toml", format!("size = \"1 TB\"\n{}", text.replace("[[rule]]", limits)))?;
    repository.pin()?;
    repository.run(&RUN)?.without(0, "the key plugin is at fault (limit.fuel)")?;
    assert_eq!(repository.stats()?["limit_bytes"], 1_000_000);
    for setting in ["verify = false", "link = \"hardlink\"", "cache = \"/tmp\"", "capabilities = [\"query\"]"]
    {
        repository.write("reviver.toml", format!("{setting}\n"))?;
        let ran = repository.run(&RUN)?;
        ensure!(ran.code == Some(125) && ran.said[0].contains("there is no setting"), "{setting}: {ran:?}");
    }
    Ok(())
}
