//! Metadata plugins that mean no good: what is promoted is kept without their word, and its client gets through.

use super::{Attacked, next_key, promotion};
use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::policy::Role;
use reviver::repository::lock::{Lock, Pin};
use reviver::runtime::Capabilities;
use rustix::fs::{CWD, FileType, Mode, mknodat};
use std::fs;
use std::path::Path;

/// The component of a metadata plugin with this module in it.
fn component(guest: &str) -> Result<Vec<u8>> {
    let shell = read("shell-metadata")?;
    Ok(wat::parse_str(shell.replacen("  GUEST\n", guest, 1))?)
}

fn read(name: &str) -> Result<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile");
    fs::read_to_string(directory.join(format!("{name}.wat"))).with_context(|| name.to_owned())
}

#[test]
fn a_metadata_plugin_at_fault_costs_its_word_alone() -> Result<()> {
    let good = read("metadata-good")?;
    let begin = "    (i32.store8 (i32.const 16) (i32.const 0))\n";
    ensure!(good.contains(begin), "the guest begins otherwise");
    let loops = good.replacen(begin, &format!("    (loop $for_ever (br $for_ever))\n{begin}"), 1);
    let mut attacked = Attacked::new()?;
    for (name, guest, reason) in [
        ("good", good, None),
        ("loops", loops, Some("(limit.fuel)")),
        ("hostile", read("metadata-hostile")?, Some("(protocol)")),
    ] {
        let client = attacked.client()?;
        let repository = client.build_root.parent().context("a repository")?;
        let bytes = component(&guest)?;
        fs::write(repository.join("plugin.wasm"), &bytes)?;
        let settings = "metadata = 'it'\n[plugin.it]\npath = 'plugin.wasm'\nlimits = { fuel = 30000000 }\n";
        fs::write(repository.join("reviver.toml"), settings)?;
        let pin = Pin {
            role: Role::Metadata,
            digest: Digest::of(&bytes),
            size: bytes.len() as u64,
            abi: "0.1.0".to_owned(),
            imports: Vec::new(),
            capabilities: Capabilities::ALL,
        };
        Lock { pins: [("it".to_owned(), pin)].into() }.save(&repository.join("reviver.lock"))?;

        let files = (0..5)
            .map(|number| client.file(&format!("default/{number}"), format!("{name} {number}\n").as_bytes()));
        let files = files.collect::<Result<Vec<_>>>()?;
        let promotions: Vec<_> =
            files.iter().map(|file| promotion(next_key(), std::slice::from_ref(file))).collect();
        ensure!(client.promotes(&attacked.daemon, &promotions)?.is_empty());
        for promotion in &promotions {
            let rule = fs::read(attacked.rule(promotion.key))?;
            let is_annotated = rule.windows(9).any(|some| some == b"7:reviver");
            ensure!(is_annotated == reason.is_none(), "{name}: {}", rule.escape_ascii());
        }
        let log = fs::read_to_string(attacked.place.path("own/daemon/log"))?;
        let told = log.lines().filter(|line| reason.is_some_and(|reason| line.contains(reason))).count();
        ensure!(told == if reason.is_some() { 3 } else { 0 }, "after three it is switched off: {log}");
    }
    attacked.serves()
}

/// The plugin's file is read before it is looked whether it is pinned, and who opens a pipe waits for a writer. The session waited
/// for ever, and the client with it: `dune build` did not end.
#[test]
fn a_plugin_that_is_a_pipe_is_not_waited_for() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let repository = client.build_root.parent().context("a repository")?;
    let (pipe, mode) = (repository.join("plugin.wasm"), Mode::from_raw_mode(0o644));
    mknodat(CWD, &pipe, FileType::Fifo, mode, 0)?;
    fs::write(repository.join("reviver.toml"), "metadata = 'it'\n[plugin.it]\npath = 'plugin.wasm'\n")?;
    let (file, key) = (client.file("default/a", b"beside a pipe\n")?, next_key());
    ensure!(client.promotes(&attacked.daemon, &[promotion(key, &[file])])?.is_empty());
    ensure!(attacked.rule(key).exists(), "it is not kept");
    let log = fs::read_to_string(attacked.place.path("own/daemon/log"))?;
    ensure!(log.contains("no metadata of a plugin: cannot read plugin `it`"), "{log}");
    attacked.serves()
}
