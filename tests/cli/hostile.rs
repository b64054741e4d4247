//! Whatever a repository's plugin does, the command runs and its status is the answer.

use crate::support::{Repository, Verdict};
use anyhow::{Context as _, Result, ensure};
use reviver::policy::Role;
use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The attacks of key plugins, with the code of the fault that each makes.
pub(crate) const ATTACKS: [(&str, &str); 27] = [
    ("abi-0.2.0", "abi"),
    ("abi-9.9.9", "abi"),
    ("bad-discriminant", "protocol"),
    ("chatter", "limit.output"),
    ("core-module", "load"),
    ("deep-recursion", "trap"),
    ("duplicate-writes", "protocol"),
    ("foreign-function", "abi"),
    ("foreign-import", "import"),
    ("huge-list", "protocol"),
    ("huge-output", "limit.output"),
    ("large-memory", "limit.memory"),
    ("loop", "limit.fuel"),
    ("loop-in-start", "limit.fuel"),
    ("memory-bomb", "limit.memory"),
    ("missing-export", "abi"),
    ("no-role", "abi"),
    ("not-utf8", "protocol"),
    ("out-of-bounds", "protocol"),
    ("overlapping-output", "limit.output"),
    ("panic", "panic"),
    ("panic-and-loop", "limit.fuel"),
    ("trap-in-call", "trap"),
    ("trap-in-start", "trap"),
    ("two-roles", "abi"),
    ("unaligned", "protocol"),
    ("wrapping-list", "protocol"),
];

/// Files beside the attacks: guests that do their work, of other roles, and what the others are put into.
const OTHERS: [&str; 9] = [
    "good",
    "arguments",
    "poison",
    "metadata-good",
    "metadata-hostile",
    "eviction-good",
    "shell-key",
    "shell-metadata",
    "shell-eviction",
];

const ENDS: [&str; 6] = ["--out", "out", "--", "sh", "-c", "echo ran; echo ran >out; exit 3"];

fn directory() -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile")
}

/// The component of a guest of this role.
pub(crate) fn guest(role: &str, name: &str) -> Result<Vec<u8>> {
    let text = |name: &str| {
        fs::read_to_string(directory().join(format!("{name}.wat"))).with_context(|| name.to_owned())
    };
    let mut whole = text(name)?;
    if whole.contains("(core module $guest") {
        whole = text(&format!("shell-{role}"))?.replacen("  GUEST\n", &whole, 1);
    }
    Ok(wat::parse_str(whole)?)
}

/// A repository whose rule gives all shells to the plugin in `plugin.wasm`.
fn repository(component: &[u8]) -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("plugin.wasm", component)?;
    repository.write(
        "reviver.toml",
        "[plugin.evil]\npath = \"plugin.wasm\"\nlimits = { fuel = 30000000 }\n[[rule]]\ncommand = \"sh\"\nplugin = \"evil\"\n",
    )?;
    repository.pin_blindly("evil", "plugin.wasm", Role::Key)?;
    Ok(repository)
}

#[test]
fn every_attack_of_a_key_plugin_costs_one_warning_that_names_it() -> Result<()> {
    for (name, code) in ATTACKS {
        let repository = repository(&guest("key", name)?)?;
        let ran = repository.run(&ENDS)?.without(3, &format!("the key plugin is at fault ({code})"))?;
        ensure!(ran.out() == "ran\n" && ran.err().is_empty(), "{name}: {ran:?}");
        let [warning] = ran.warnings()[..] else { panic!("one warning was expected of {name}: {ran:?}") };
        ensure!(warning.starts_with("key plugin `evil` ("), "{name}: {warning}");
        ensure!(warning.ends_with(&format!("[{code}]")), "{name}: {warning}");
        assert_eq!(repository.text("out")?, "ran\n", "{name}");
        let stats = repository.stats()?;
        assert_eq!((&stats["faults"], &stats["misses"]), (&1.into(), &0.into()), "{name}: {stats}");
        assert_eq!(stats["uncached"][format!("the key plugin is at fault ({code})")], 1, "{name}: {stats}");

        repository.remove(&["out"])?;
        let strict = repository.run(&[&["--strict"], &ENDS[..]].concat())?;
        ensure!(strict.code == Some(125) && !repository.exists("out"), "{name}: {strict:?}");
    }
    Ok(())
}

#[test]
fn no_guest_beside_these_is_left_out() -> Result<()> {
    let known: BTreeSet<_> = ATTACKS.iter().map(|(name, _)| *name).chain(OTHERS).map(str::to_owned).collect();
    let mut there = BTreeSet::new();
    for file in fs::read_dir(directory())? {
        let name = file?.file_name().into_string().ok().context("it is text")?;
        there.extend(name.strip_suffix(".wat").map(str::to_owned));
    }
    let eviction = |name: &String| !name.starts_with("eviction-");
    assert_eq!(
        there.into_iter().filter(eviction).collect::<Vec<_>>(),
        known.into_iter().filter(eviction).collect::<Vec<_>>()
    );
    Ok(())
}

#[test]
fn bytes_that_are_no_component_are_one_fault() -> Result<()> {
    for bytes in [&b""[..], b"#!/bin/sh\n", b"\0asm", b"\0asm\x0d\0\x01\0\xff\xff"] {
        let repository = repository(bytes)?;
        let ran = repository.run(&ENDS)?.without(3, "the key plugin is at fault (load)")?;
        assert_eq!(ran.warnings().len(), 1, "{ran:?}");
    }
    Ok(())
}

#[test]
fn a_guest_that_poisons_its_instance_poisons_nothing_else() -> Result<()> {
    let repository = repository(&guest("key", "poison")?)?;
    for round in 0..3 {
        let text = format!("exit {round}");
        let ran = repository.run(&["--", "sh", "-c", &text])?;
        ensure!(ran.warnings().is_empty() && ran.code == Some(round), "{ran:?}");
    }
    Ok(())
}

#[test]
fn a_hostile_codec_costs_the_entry_and_one_warning() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("plugin.wasm", guest("metadata", "metadata-hostile")?)?;
    repository.write("reviver.toml", "metadata = \"evil\"\n[plugin.evil]\npath = \"plugin.wasm\"\n")?;
    repository.pin()?;
    let ran = repository.run(&[&["--ok-exit", "3"], &ENDS[..]].concat())?;
    let ran = ran.without(3, "the metadata plugin is at fault (protocol)")?;
    assert_eq!(ran.warnings().len(), 1, "{ran:?}");
    ensure!(ran.warnings()[0].contains("metadata plugin `evil`") && ran.out() == "ran\n", "{ran:?}");
    assert_eq!((&repository.stats()?["faults"], &repository.stats()?["entries"]), (&1.into(), &0.into()));
    Ok(())
}

/// A codec that keeps the exit status and forgets the output would revive a run that said nothing.
#[test]
fn a_codec_that_forgets_the_output_records_only_what_said_nothing() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("plugin.wasm", guest("metadata", "metadata-good")?)?;
    repository.write("reviver.toml", "metadata = \"short\"\n[plugin.short]\npath = \"plugin.wasm\"\n")?;
    repository.pin()?;
    repository.run(&["--out", "a", "--", "sh", "-c", "echo said; : >a"])?.without(0, "does not give back")?;
    repository.run(&["--out", "b", "--", "sh", "-c", ": >b"])?.miss()?;
    repository.run(&["--out", "b", "--", "sh", "-c", ": >b"])?.hit()?;
    Ok(())
}

#[test]
fn a_hostile_policy_costs_its_advice() -> Result<()> {
    for name in ["eviction-nan", "eviction-too-many", "eviction-out-of-bounds"] {
        let repository = Repository::new()?;
        repository.write("plugin.wasm", guest("eviction", name)?)?;
        repository.write("reviver.toml", "eviction = \"evil\"\n[plugin.evil]\npath = \"plugin.wasm\"\n")?;
        repository.pin()?;
        for file in ["a", "b", "c"] {
            repository.run(&["--out", file, "--", "sh", "-c", &format!("echo {file} >{file}")])?.miss()?;
        }
        let trimmed = repository.ask(&["cache", "trim", "--size", "1 B"])?;
        ensure!(trimmed.code == Some(0) && trimmed.out().contains("is at fault"), "{name}: {trimmed:?}");
        let stats = repository.stats()?;
        assert_eq!((&stats["entries"], &stats["faults"]), (&0.into(), &1.into()), "{name}: {stats}");
        let ran = repository.run(&["--out", "a", "--", "sh", "-c", "echo a >a"])?;
        assert_eq!(ran.verdict, Verdict::Miss);
    }
    Ok(())
}

#[test]
fn arguments_are_not_replaced_without_leave() -> Result<()> {
    let repository = repository(&guest("key", "arguments")?)?;
    let ran = repository.run(&ENDS)?.without(3, "needs the capability `arguments`")?;
    ensure!(ran.out() == "ran\n" && ran.warnings().is_empty(), "{ran:?}");
    Ok(())
}

#[test]
fn a_write_outside_of_the_repository_is_nothing_a_plugin_can_name() -> Result<()> {
    let (out, elsewhere) = ("\\2c\\00\\00\\00\\03\\00\\00\\00", "\\2f\\00\\00\\00\\04\\00\\00\\00");
    let good = fs::read_to_string(directory().join("good.wat"))?;
    // The write keeps its label and goes elsewhere.
    let text = good
        .replace("\"argv\" \"out\"", "\"argv\" \"out\" \"/tmp\"")
        .replace(&format!("\"{out}\" \"{out}\""), &format!("\"{out}\" \"{elsewhere}\""));
    ensure!(text.len() > good.len() + 5, "the guest is not what it was");
    let shell = fs::read_to_string(directory().join("shell-key.wat"))?;
    let repository = repository(&wat::parse_str(shell.replacen("  GUEST\n", &text, 1))?)?;
    repository.run(&["--", "sh", "-c", "exit 3"])?.without(3, "names /tmp as a write")?;
    Ok(())
}
