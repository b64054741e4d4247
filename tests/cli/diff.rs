//! What another version of a plugin changes for what ran here.

use crate::planted::{component, settings};
use crate::support::{Ran, Repository, settle};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;

/// A repository with two versions of a plugin of a role, which are one component with two configurations.
fn repository(role: &str, old: &str, new: &str) -> Result<Repository> {
    let repository = Repository::new()?;
    fs::write(repository.path("planted.wasm"), component(role)?)?;
    let plugins = settings("old", "planted.wasm", old) + &settings("new", "planted.wasm", new);
    let used = match role {
        "key" => "[[rule]]\ncommand = \"gen.sh\"\nplugin = \"old\"\n",
        _ => "",
    };
    repository.write("reviver.toml", plugins + used)?;
    repository.pin()?;
    Ok(repository)
}

/// Runs two operations that differ in what they read, and two that differ in a variable's value alone.
fn operations(repository: &Repository) -> Result<()> {
    repository.script("gen.sh", "cat a.txt b.txt >out.txt; echo done\n")?;
    repository.write("a.txt", "a")?;
    repository.write("b.txt", "b")?;
    settle();
    for read in ["a.txt", "b.txt"] {
        repository.run(&["--in", read, "--env", "MODE", "--out", "out.txt", "--", "./gen.sh"])?.miss()?;
    }
    Ok(())
}

fn diff(repository: &Repository, arguments: &[&str], code: i32) -> Result<Json> {
    let ran = repository.ask(&[&["plugin", "diff", "--json"], arguments].concat())?;
    ensure!(ran.code == Some(code), "{ran:?}");
    serde_json::from_slice(&ran.stdout).with_context(|| format!("{ran:?}"))
}

#[test]
fn the_same_plugin_changes_nothing() -> Result<()> {
    let repository = repository("key", "", "")?;
    operations(&repository)?;
    let told = diff(&repository, &["old", "new"], 0)?;
    ensure!(
        told["operations"] == 2 && told["equal"] == 2 && told["merged"] == serde_json::json!([]),
        "{told}"
    );
    Ok(())
}

#[test]
fn keys_that_merge_split_and_change_are_told_with_what_differs() -> Result<()> {
    let merging = repository("key", "", "reads-ignored")?;
    operations(&merging)?;
    let told = diff(&merging, &["old", "new"], 1)?;
    ensure!(told["operations"] == 2 && told["changed"] == 2 && told["equal"] == 0, "{told}");
    ensure!(
        told["merged"] == serde_json::json!([[0, 1]]) && told["split"] == serde_json::json!([]),
        "{told}"
    );
    let because = told["compared"][0]["because"].to_string();
    ensure!(because.contains("file read b.txt (b.txt) is gone"), "the latest operation comes first: {told}");
    // The reverse, and in words.
    let told = diff(&merging, &["new", "old"], 1)?;
    ensure!(
        told["split"] == serde_json::json!([[0, 1]]) && told["merged"] == serde_json::json!([]),
        "{told}"
    );
    let ran = merging.ask(&["plugin", "diff", "old", "new"])?;
    let words = String::from_utf8(ran.stdout)?;
    ensure!(words.contains("keys that merge: 1, that split: 0") && words.contains("`./gen.sh`"), "{words}");
    Ok(())
}

#[test]
fn refusals_and_faults_are_told() -> Result<()> {
    let repository = repository("key", "", "panic")?;
    operations(&repository)?;
    let told = diff(&repository, &["old", "key-cc"], 1)?;
    ensure!(told["newly_refused"] == 2, "{told}");
    ensure!(told["compared"][0]["because"].to_string().contains("no name of a C or C++ compiler"), "{told}");
    let told = diff(&repository, &["key-cc", "old"], 1)?;
    ensure!(told["newly_accepted"] == 2, "{told}");
    repository.run(&["--in", "a.txt", "--out", "out.txt", "--", "./gen.sh", "x", "y"])?.miss()?;
    let told = diff(&repository, &["old", "new"], 3)?;
    ensure!(told["faults"] == 1 && told["equal"] == 2, "{told}");
    Ok(())
}

#[test]
fn only_what_a_plugin_is_asked_about_is_compared_unless_all_is_wanted() -> Result<()> {
    let repository = repository("key", "", "root")?;
    operations(&repository)?;
    repository.run(&["--in", "a.txt", "--out", "c", "--", "sh", "-c", "cat a.txt >c"])?.miss()?;
    ensure!(diff(&repository, &["old", "new"], 1)?["operations"] == 2);
    ensure!(diff(&repository, &["old", "new", "--all"], 1)?["operations"] == 3);
    Ok(())
}

/// A former version is a file that nothing configures any more: it is asked with the latter's configuration.
#[test]
fn a_former_component_has_the_configuration_of_the_present_one() -> Result<()> {
    let repository = repository("key", "root", "root")?;
    operations(&repository)?;
    fs::copy(repository.path("planted.wasm"), repository.path("former.wasm"))?;
    ensure!(diff(&repository, &["former.wasm", "old"], 0)?["equal"] == 2);
    // Two files without any are asked about all that ran, with none.
    fs::copy(repository.path("planted.wasm"), repository.path("other.wasm"))?;
    ensure!(diff(&repository, &["former.wasm", "other.wasm"], 0)?["operations"] == 2);
    Ok(())
}

#[test]
fn nothing_is_compared_where_nothing_ran_and_roles_must_agree() -> Result<()> {
    let repository = repository("key", "", "root")?;
    ensure!(diff(&repository, &["old", "new"], 0)?["operations"] == 0);
    let ran = repository.ask(&["plugin", "diff", "old", "evict-lru"])?;
    ensure!(ran.code == Some(2) && ran.said.join("\n").contains("eviction plugin"), "{ran:?}");
    Ok(())
}

#[test]
fn codecs_are_compared_over_the_outcomes_of_the_cache() -> Result<()> {
    let repository = repository("metadata", "", "loses-a-byte")?;
    operations(&repository)?;
    let told = diff(&repository, &["old", "old"], 0)?;
    ensure!(told["outcomes"] == 2 && told["equal"] == 2 && told["lost"] == 0, "{told}");
    let told = diff(&repository, &["old", "new"], 1)?;
    ensure!(told["changed"] == 2 && told["lost"] == 2 && told["readable"] == 2, "{told}");
    let told = diff(&repository, &["metadata-compact", "old"], 1)?;
    ensure!(told["changed"] == 2 && told["lost"] == 0 && told["readable"] == 0, "{told}");
    Ok(())
}

#[test]
fn eviction_policies_are_compared_over_the_entries() -> Result<()> {
    let repository = repository("eviction", "", "reverse")?;
    operations(&repository)?;
    let told = diff(&repository, &["old", "evict-lru"], 0)?;
    ensure!(told["entries"] == 2 && told["moved"] == 0, "{told}");
    let told = diff(&repository, &["old", "new"], 1)?;
    ensure!(told["moved"] == 2 && told["correlation"] == -1.0, "{told}");
    ensure!(told["only_old"].as_array().map(Vec::len) == Some(1), "{told}");
    let ran: Ran = repository.ask(&["plugin", "diff", "old", "new"])?;
    ensure!(String::from_utf8(ran.stdout)?.contains("only now"), "in words");
    Ok(())
}
