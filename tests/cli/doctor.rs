//! What keeps Reviver from its work is found, and told with what cures it.

use super::faults::Mounted;
use super::hostile::guest;
use crate::support::other_user::{NOBODY, OtherUser};
use crate::support::{Ran, Repository, is_root};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::Path;

const RUN: [&str; 6] = ["--out", "out", "--", "sh", "-c", ": >out"];

/// What `doctor --json` found, after its exit code was compared with it.
fn found(ran: &Ran) -> Result<Vec<Json>> {
    let findings: Vec<Json> = serde_json::from_slice(&ran.stdout).with_context(|| format!("{ran:?}"))?;
    let is_ill = findings.iter().any(|finding| finding["state"] == "problem");
    ensure!(ran.code == Some(i32::from(is_ill)), "{ran:?}");
    for finding in &findings {
        ensure!(finding["state"] != "problem" || finding["cure"].is_string(), "without a cure: {finding}");
    }
    Ok(findings)
}

fn examine(repository: &Repository) -> Result<Vec<Json>> {
    found(&repository.ask(&["doctor", "--json"])?)
}

/// There is one finding of this state about the subject, whose text and cure hold these.
#[track_caller]
fn is_found(findings: &[Json], state: &str, subject: &str, says: &str, cure: &str) -> Result<()> {
    let at = std::panic::Location::caller();
    let of = |finding: &&Json| finding["state"] == state && finding["subject"] == subject;
    let there: Vec<_> = findings.iter().filter(of).collect();
    let [one] = there[..] else { anyhow::bail!("at {at}: one {state} of {subject}: {findings:?}") };
    let holds = |name: &str, part: &str| one[name].as_str().unwrap_or_default().contains(part);
    ensure!(holds("says", says) && holds("cure", cure), "at {at}: {one}");
    Ok(())
}

#[track_caller]
fn is_problem(repository: &Repository, subject: &str, says: &str, cure: &str) -> Result<()> {
    is_found(&examine(repository)?, "problem", subject, says, cure)
}

fn healthy(repository: &Repository) -> Result<Vec<Json>> {
    let findings = examine(repository)?;
    let is_ill = findings.iter().any(|finding| finding["state"] == "problem");
    ensure!(!is_ill, "{findings:?}");
    Ok(findings)
}

fn set_mode(path: &Path, mode: u32) -> Result<()> {
    Ok(fs::set_permissions(path, Permissions::from_mode(mode))?)
}

#[test]
fn where_all_is_well_there_is_no_problem_and_nothing_is_changed() -> Result<()> {
    let repository = Repository::new()?;
    healthy(&repository)?;
    ensure!(!repository.cache.exists(), "looking made a cache");
    repository.run(&RUN)?.miss()?;
    let before = crate::support::files(&repository.cache);
    let findings = healthy(&repository)?;
    assert_eq!(crate::support::files(&repository.cache), before);
    for subject in ["repository", "user's settings", "cache", "compiled plugins", "times in the cache"] {
        is_found(&findings, "ok", subject, "", "")?;
    }
    // For people, a line for each.
    let told = repository.ask(&["doctor"])?;
    ensure!(told.code == Some(0) && told.out().lines().count() == findings.len(), "{told:?}");
    ensure!(!told.out().contains("PROBLEM"), "{told:?}");
    Ok(())
}

#[test]
fn a_problem_is_one_line_with_its_cure() -> Result<()> {
    let repository = Repository::new()?;
    let told = Ran::of(repository.reviver(&["doctor"]).env("REVIVER_DISABLE", "1"))?;
    ensure!(told.code == Some(1), "{told:?}");
    let line = "PROBLEM  environment: REVIVER_DISABLE is set, so nothing is recorded or revived; \
                run `unset REVIVER_DISABLE`";
    ensure!(told.out().lines().any(|told| told == line), "{told:?}");
    let zero = Ran::of(repository.reviver(&["doctor"]).env("REVIVER_DISABLE", "0"))?;
    ensure!(zero.code == Some(0), "{zero:?}");
    Ok(())
}

#[test]
fn settings_that_cannot_be_read_are_told_and_the_rest_is_looked_at() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("reviver.toml", "metdata = \"metadata-compact\"")?;
    let findings = examine(&repository)?;
    is_found(&findings, "problem", "repository", "reviver.toml:1:1", "init --print")?;
    is_found(&findings, "note", "plugins", "not looked at", "")?;
    is_found(&findings, "ok", "cache", "", "")?;
    repository.remove(&["reviver.toml"])?;

    let config = repository.home.join("config/reviver/config.toml");
    fs::write(&config, "link = \"hardlinks\"\n")?;
    is_problem(&repository, "user's settings", "config.toml:1:8", "correct it")?;
    // Without a cache directory in the environment nobody knows which one is meant.
    let unknown = Ran::of(repository.reviver(&["doctor", "--json"]).env_remove("REVIVER_CACHE_DIR"))?;
    is_found(&found(&unknown)?, "note", "cache", "cannot be read", "")
}

/// A mistyped path to an eviction plugin for Dune's cache was told nowhere but in the log of the daemon, at each trim.
#[test]
fn a_plugin_for_dunes_cache_that_is_none_is_told() -> Result<()> {
    let repository = Repository::new()?;
    let settings = repository.home.join("config/reviver/config.toml");
    let shipped = |name| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../plugins/components").join(name);
        path.to_string_lossy().into_owned()
    };
    let subject = "eviction from Dune's cache";
    for (path, state, says, cure) in [
        ("/none.wasm".to_owned(), "problem", "cannot read /none.wasm", "reviver plugin build"),
        (shipped("key-cc.wasm"), "problem", "key-cc.wasm is key", "name another for `eviction` in [dune]"),
        (shipped("evict-lru.wasm"), "ok", "evict-lru.wasm is a plugin for it", ""),
    ] {
        fs::write(&settings, format!("[dune]\neviction = {{ path = '{path}' }}\n"))?;
        is_found(&examine(&repository)?, state, subject, says, cure)?;
    }
    Ok(())
}

#[test]
fn settings_of_another_user_are_told() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("reviver.toml", "")?;
    chown(repository.path("reviver.toml"), Some(NOBODY), Some(NOBODY))?;
    is_problem(&repository, "repository", "belongs to another user", "chown")
}

#[test]
fn without_a_home_the_cache_is_in_the_repository() -> Result<()> {
    let repository = Repository::new()?;
    let mut command = repository.reviver(&["doctor", "--json"]);
    let homeless = found(&Ran::of(command.env_remove("HOME"))?)?;
    is_found(&homeless, "note", "environment", "neither HOME", "")?;
    let homeless = found(&Ran::of(command.env_remove("REVIVER_CACHE_DIR"))?)?;
    is_found(&homeless, "problem", "environment", "the cache is in the repository", "set HOME")
}

#[test]
fn a_cache_that_is_no_directory_is_told() -> Result<()> {
    let repository = Repository::new()?;
    fs::write(&repository.cache, "a file")?;
    is_problem(&repository, "cache", "is no directory", "REVIVER_CACHE_DIR")
}

#[test]
fn a_cache_that_others_may_write_is_told() -> Result<()> {
    let repository = Repository::new()?;
    repository.run(&RUN)?.miss()?;
    let version = repository.cache.join("v1");
    for (path, mode) in [(&repository.cache, 0o777), (&version, 0o770)] {
        set_mode(path, mode)?;
        is_problem(&repository, "cache", "others may write", &format!("chmod go-w {}", path.display()))?;
        set_mode(path, 0o700)?;
    }
    healthy(&repository)?;
    Ok(())
}

#[test]
fn a_cache_of_another_user_is_told() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.run(&RUN)?.miss()?;
    chown(&repository.cache, Some(NOBODY), Some(NOBODY))?;
    is_problem(&repository, "cache", &format!("belongs to user {NOBODY}"), "chown -R 0")
}

#[test]
fn a_cache_that_cannot_be_made_or_written_is_told() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let other = OtherUser::of(&repository)?;
    let examine = || found(&other.ask(&["doctor", "--json"])?);
    // Its directory belongs to root.
    is_found(&examine()?, "problem", "cache", "lets nobody make it", "REVIVER_CACHE_DIR")?;
    fs::create_dir(&repository.cache)?;
    chown(&repository.cache, Some(NOBODY), Some(NOBODY))?;
    for mode in [0o500, 0o000] {
        set_mode(&repository.cache, mode)?;
        is_found(&examine()?, "problem", "cache", "we may not write", "chmod u+rwx")?;
    }
    set_mode(&repository.cache, 0o700)?;
    is_found(&examine()?, "ok", "cache", "", "")
}

#[test]
fn compiled_plugins_that_others_may_write_are_told() -> Result<()> {
    let repository = Repository::new()?;
    repository.run(&RUN)?.miss()?;
    let artifacts = repository.cache.join("v1/artifacts");
    for mode in [0o770, 0o702] {
        set_mode(&artifacts, mode)?;
        is_problem(&repository, "compiled plugins", "others may write", "chmod go-w")?;
    }
    fs::rename(&artifacts, repository.home.join("artifacts"))?;
    symlink(repository.home.join("artifacts"), &artifacts)?;
    is_problem(&repository, "compiled plugins", "is no directory", "rm -r")
}

#[test]
fn a_cache_without_room_is_told() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let Some(_mounted) = Mounted::on(&repository.cache, "size=1m,mode=700")? else { return Ok(()) };
    is_problem(&repository, "room", "free", "`size`")?;
    fs::write(repository.home.join("config/reviver/config.toml"), "size = \"100 TB\"\n")?;
    is_problem(&repository, "room", "free", "`size`")
}

#[test]
fn a_size_that_the_disk_cannot_hold_is_noted() -> Result<()> {
    let repository = Repository::new()?;
    fs::write(repository.home.join("config/reviver/config.toml"), "size = \"1000000 TB\"\n")?;
    is_found(&healthy(&repository)?, "note", "room", "cannot reach", "lower `size`")
}

#[test]
fn a_cache_on_another_file_system_is_noted_and_a_problem_where_links_are_wanted() -> Result<()> {
    if !is_root() {
        return Ok(());
    }
    let repository = Repository::new()?;
    let Some(_mounted) = Mounted::on(&repository.cache, "size=64m,mode=700")? else { return Ok(()) };
    let says = "another file system than the repository, so contents are copied";
    is_found(&healthy(&repository)?, "note", "sharing", says, "move it")?;
    let config = repository.home.join("config/reviver/config.toml");
    for link in ["hardlink", "reflink"] {
        fs::write(&config, format!("link = \"{link}\"\n"))?;
        is_problem(&repository, "sharing", says, "`cache` in config.toml")?;
    }
    fs::write(&config, "link = \"copy\"\n")?;
    is_found(&healthy(&repository)?, "ok", "sharing", "as config.toml says", "")
}

#[test]
fn whether_contents_can_be_linked_is_tried() -> Result<()> {
    let repository = Repository::new()?;
    repository.run(&RUN)?.miss()?;
    fs::write(repository.home.join("config/reviver/config.toml"), "link = \"hardlink\"\n")?;
    // Temporary directories of all machines that run this know hard links.
    is_found(&healthy(&repository)?, "ok", "sharing", "are linked", "")?;
    ensure!(repository.cached("tmp").is_empty(), "{:?}", repository.cached("tmp"));
    Ok(())
}

/// A component that exports the key role of this version and nothing in it.
fn of_version(version: &str) -> Result<Vec<u8>> {
    let text =
        format!("(component (instance $i) (export \"reviver:plugin/key-role@{version}\" (instance $i)))");
    Ok(wat::parse_str(text)?)
}

#[test]
fn each_plugin_that_cannot_do_its_part_is_told() -> Result<()> {
    let repository = Repository::new()?;
    let rule = "[plugin.p]\npath = \"p.wasm\"\n[[rule]]\ncommand = \"sh\"\nplugin = \"p\"\n";
    repository.write("reviver.toml", rule)?;
    is_problem(&repository, "plugin p", "p.wasm: No such file", "`path`")?;
    repository.write("p.wasm", guest("key", "good")?)?;
    is_problem(&repository, "plugin p", "is not pinned", "uncached")?;
    repository.pin()?;
    is_found(&healthy(&repository)?, "ok", "plugin p", "key", "")?;
    for (bytes, says, cure) in [
        (b"text".to_vec(), "is no WebAssembly at all", "reviver plugin build"),
        (wat::parse_str("(module)")?, "core module", "reviver plugin build"),
        (guest("key", "foreign-import")?, "imports `", "leave out"),
        (of_version("0.0.9")?, "this Reviver no longer understands", "rebuild it, or use the Reviver"),
        (of_version("9.0.0")?, "a newer Reviver understands", "rebuild it, or use the Reviver"),
        (guest("key", "two-roles")?, "at once", ""),
        (vec![0; 64 << 20], "larger than", "smaller"),
    ] {
        repository.write("p.wasm", bytes)?;
        is_problem(&repository, "plugin p", says, cure)?;
    }
    Ok(())
}

#[test]
fn a_plugin_whose_role_is_another_than_its_use_is_told() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("p.wasm", guest("eviction", "eviction-good")?)?;
    for (settings, place) in [
        (
            "metadata = \"p\"\n[plugin.p]\npath = \"p.wasm\"\n",
            "its role is eviction, and `metadata` wants one for metadata",
        ),
        (
            "[plugin.p]\npath = \"p.wasm\"\n[[rule]]\ncommand = \"x\"\nplugin = \"p\"\n",
            "its role is eviction, and the rule for `x` wants one for key",
        ),
    ] {
        repository.write("reviver.toml", settings)?;
        is_problem(&repository, "plugin p", place, "reviver.toml")?;
    }
    repository.write("reviver.toml", "eviction = \"p\"\n[plugin.p]\npath = \"p.wasm\"\n")?;
    repository.pin()?;
    healthy(&repository)?;
    Ok(())
}

#[test]
fn capabilities_that_are_not_granted_are_noted() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("p.wasm", guest("key", "good")?)?;
    let settings = "[plugin.p]\npath = \"p.wasm\"\ncapabilities = [\"query\", \"read\"]\n";
    repository.write("reviver.toml", settings)?;
    repository.pin()?;
    let cure = "reviver plugin pin p --grant";
    is_found(&healthy(&repository)?, "note", "plugin p", "asks for `query`", cure)?;
    ensure!(repository.ask(&["plugin", "pin", "p", "--grant"])?.code == Some(0));
    let findings = healthy(&repository)?;
    ensure!(findings.iter().all(|finding| finding["state"] != "note" || finding["subject"] != "plugin p"));
    Ok(())
}

#[test]
fn a_missing_target_is_a_problem_of_plugins_crates_alone() -> Result<()> {
    let repository = Repository::new()?;
    // A compiler without the target names the directory where its libraries would be.
    repository.script("bin/rustc", "echo /absent/lib\n")?;
    let bin = repository.path("bin");
    let examine = || {
        let mut command = repository.reviver(&["doctor", "--json"]);
        found(&Ran::of(command.env("PATH", &bin))?)
    };
    is_found(&examine()?, "note", "plugin target", "only authors", "the standard library of wasm32")?;
    repository.write("deep/er/Cargo.toml", "[dependencies]\nserde = \"1\"\n")?;
    is_found(&examine()?, "note", "plugin target", "only authors", "")?;
    repository.write("deep/er/Cargo.toml", "[dependencies]\nreviver-sdk = { path = \"sdk\" }\n")?;
    is_found(&examine()?, "problem", "plugin target", "deep/er is the crate of a plugin", "install rustup")?;
    repository.script("bin/rustup", ":\n")?;
    let cure = "rustup target add wasm32-unknown-unknown";
    is_found(&examine()?, "problem", "plugin target", "lacks wasm32-unknown-unknown", cure)?;
    repository.remove(&["bin/rustc"])?;
    is_found(&examine()?, "problem", "plugin target", "cannot start `rustc`", "install Rust")
}
