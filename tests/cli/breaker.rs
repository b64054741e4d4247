//! A plugin that keeps being at fault is switched off, and nothing else is.

use crate::hostile::guest;
use crate::support::{Repository, settle};
use anyhow::{Result, ensure};
use reviver::policy::Role;
use serde_json::Value as Json;

const SETTINGS: &str = "[plugin.weak]\npath = \"plugin.wasm\"\nlimits = { fuel = 30000000 }\n\
    [[rule]]\ncommand = \"sh\"\nplugin = \"weak\"\n";

/// A repository whose shells are named by this guest.
fn repository(name: &str) -> Result<Repository> {
    let repository = Repository::new()?;
    repository.write("reviver.toml", SETTINGS)?;
    swap(&repository, name)?;
    Ok(repository)
}

fn swap(repository: &Repository, name: &str) -> Result<()> {
    repository.write("plugin.wasm", guest("key", name)?)?;
    repository.pin_blindly("weak", "plugin.wasm", Role::Key)?;
    settle();
    Ok(())
}

fn run(repository: &Repository, strict: bool) -> Result<crate::support::Ran> {
    let strict: &[&str] = if strict { &["--strict"] } else { &[] };
    repository.run(&[strict, &["--", "sh", "-c", "echo ran"]].concat())
}

#[test]
fn after_three_faults_a_plugin_is_not_asked_and_nobody_is_warned_again() -> Result<()> {
    for (name, code) in [
        ("trap-in-call", "trap"),
        ("loop", "limit.fuel"),
        ("panic", "panic"),
        ("huge-output", "limit.output"),
    ] {
        let repository = repository(name)?;
        for _ in 0..3 {
            let ran = run(&repository, false)?.without(0, &format!("is at fault ({code})"))?;
            assert_eq!(ran.warnings().len(), 1, "{name}: {ran:?}");
        }
        for _ in 0..2 {
            let ran = run(&repository, false)?.without(0, &format!("is switched off ({code})"))?;
            ensure!(ran.warnings().is_empty() && ran.out() == "ran\n", "{name}: {ran:?}");
        }
        let ran = run(&repository, true)?;
        ensure!(ran.code == Some(125) && ran.out().is_empty(), "{name}: {ran:?}");
        let stats = repository.stats()?;
        assert_eq!((&stats["faults"], &stats["faults_by_code"][code]), (&3.into(), &3.into()), "{stats}");
        let told = repository.ask(&["explain", "-n", "1"])?;
        ensure!(told.out().contains("switched off"), "{told:?}");
        let doctor = repository.ask(&["doctor", "--json"])?;
        let findings: Json = serde_json::from_slice(&doctor.stdout)?;
        let open =
            |finding: &&Json| finding["says"].as_str().is_some_and(|says| says.contains("switched off"));
        let found = findings.as_array().into_iter().flatten().find(open);
        ensure!(found.is_some_and(|found| found["state"] == "problem"), "{name}: {findings}");

        // Pinned again it is tried again.
        ensure!(repository.ask(&["plugin", "pin", "weak"])?.code == Some(0), "{name}");
        run(&repository, false)?.without(0, &format!("is at fault ({code})"))?;

        // Another file of the same name is another plugin.
        swap(&repository, "good")?;
        let ran = run(&repository, false)?;
        ensure!(ran.warnings().is_empty() && ran.code == Some(0), "{name}: {ran:?}");
        ensure!(ran.said.iter().all(|line| !line.contains("switched off")), "{name}: {ran:?}");
    }
    Ok(())
}

#[test]
fn what_cannot_be_loaded_and_what_refuses_is_never_switched_off() -> Result<()> {
    let repository = repository("foreign-import")?;
    for _ in 0..5 {
        run(&repository, false)?.without(0, "is at fault (import)")?;
    }
    let repository = self::repository("arguments")?;
    for _ in 0..5 {
        run(&repository, false)?.without(0, "needs the capability `arguments`")?;
    }
    assert_eq!(repository.stats()?["faults"], 0);
    Ok(())
}

#[test]
fn a_codec_and_a_policy_are_switched_off_too() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("plugin.wasm", guest("metadata", "metadata-hostile")?)?;
    repository.write("reviver.toml", "metadata = \"weak\"\n[plugin.weak]\npath = \"plugin.wasm\"\n")?;
    repository.pin()?;
    let record = |number: u32, reason: &str| {
        let out = format!("out.{number}");
        repository.run(&["--out", &out, "--", "sh", "-c", &format!(": >{out}")])?.without(0, reason)
    };
    for number in 0..3 {
        assert_eq!(record(number, "the metadata plugin is at fault")?.warnings().len(), 1);
    }
    ensure!(record(3, "the metadata plugin is switched off")?.warnings().is_empty());
    let strict = repository.run(&["--strict", "--out", "out", "--", "sh", "-c", ": >out"])?;
    ensure!(strict.code == Some(125) && !repository.exists("out"), "{strict:?}");
    assert_eq!(repository.stats()?["faults"], 3);

    let repository = Repository::new()?;
    repository.write("plugin.wasm", guest("eviction", "eviction-nan")?)?;
    repository.write("reviver.toml", "eviction = \"weak\"\n[plugin.weak]\npath = \"plugin.wasm\"\n")?;
    repository.pin()?;
    for number in 0..4 {
        for file in ["a", "b"] {
            repository.run(&["--out", file, "--", "sh", "-c", &format!("echo {number} >{file}")])?.miss()?;
        }
        let trimmed = repository.ask(&["cache", "trim", "--size", "1 B"])?;
        let word = if number < 3 { "is at fault" } else { "is switched off" };
        ensure!(trimmed.code == Some(0) && trimmed.out().contains(word), "{number}: {trimmed:?}");
    }
    let stats = repository.stats()?;
    assert_eq!((&stats["faults"], &stats["faults_by_code"]["protocol"]), (&3.into(), &3.into()), "{stats}");
    Ok(())
}
