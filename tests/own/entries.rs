//! Entries with keys of the client's own.

use crate::daemon::{Daemon, name, record, revive};
use crate::operations::{derive, open, run};
use crate::support::Repository;
use anyhow::{Result, bail, ensure};
use reviver::client::Client;
use reviver::key::Key;
use reviver::protocol::own::reply::{Found, Recorded, Revived, Unrevived};
use reviver::protocol::own::request::{Derive, Destination, Ran, Record, Revive, Which};
use reviver::store::ItemKind;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

#[test]
fn what_is_recorded_is_found_and_revived() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "content of a")?;
    repository.script("b", "true")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    ensure!(client.find(Which::Name(name("n")?))? == Found(None));
    ensure!(client.revive(revive("n", &["x"])?)? == Revived::No(Unrevived::Absent));

    let Recorded::Yes(key) = client.record(record("n", &["a", "b"])?)? else { bail!("not recorded") };
    ensure!(key == Key::named(&name("n")?));
    for which in [Which::Name(name("n")?), Which::Key(key)] {
        let Found(Some(entry)) = client.find(which)? else { bail!("not found") };
        ensure!(entry.key == key && entry.metadata == b"metadata");
        let items: Vec<_> = entry.items.iter().map(|item| (item.kind, item.mode, item.size)).collect();
        ensure!(items[0].0 == ItemKind::File && items[0].2 == 12, "{items:?}");
        ensure!(items[1].1 == 0o755, "{items:?}");
        ensure!(entry.items[0].digest == reviver::digest::Digest::of(b"content of a"));
    }
    ensure!(client.revive(revive("n", &["only one"])?)? == Revived::No(Unrevived::Number));
    let into = Revive { to: Destination::Root("d".into()), ..revive("n", &[])? };
    ensure!(client.revive(into)? == Revived::No(Unrevived::Places));
    ensure!(!repository.exists("only one") && !repository.exists("d"));

    let elsewhere = repository.home.join("b");
    let to = [Path::new("new/a"), &elsewhere].map(|path| path.to_str().unwrap_or_default());
    let Revived::Yes { files, metadata, .. } = client.revive(revive("n", &to)?)? else {
        bail!("not revived")
    };
    ensure!(files == [repository.path("new/a"), elsewhere.clone()] && metadata == b"metadata");
    ensure!(repository.text("new/a")? == "content of a");
    ensure!(fs::metadata(&elsewhere)?.permissions().mode() & 0o777 == 0o755);

    // The command has the same entries.
    let shown = repository.ask(&["cache", "revive", "n", "again-a", "again-b"])?;
    ensure!(shown.code == Some(0) && repository.text("again-a")? == "content of a", "{shown:?}");
    Ok(())
}

#[test]
fn what_is_recorded_below_a_root_is_revived_below_another() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("tree/one", "1")?;
    repository.write("tree/sub/two", "2")?;
    fs::create_dir(repository.path("tree/empty"))?;
    std::os::unix::fs::symlink("one", repository.path("tree/link"))?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let tree = |files: &[&str]| -> Result<Record> {
        let files = files.iter().map(PathBuf::from).collect();
        Ok(Record { name: name("t")?, metadata: Vec::new(), files, root: Some("tree".into()) })
    };
    ensure!(matches!(client.record(tree(&[])?)?, Recorded::Yes(_)));
    let into = |client: &mut Client, to: &str| -> Result<Revived> {
        let to = Destination::Root(to.into());
        Ok(client.revive(Revive { which: Which::Name(name("t")?), to, umask: None })?)
    };
    ensure!(matches!(into(&mut client, "copy")?, Revived::Yes { .. }));
    ensure!(repository.text("copy/sub/two")? == "2" && repository.path("copy/empty").is_dir());
    ensure!(fs::read_link(repository.path("copy/link"))? == Path::new("one"));
    ensure!(matches!(client.record(tree(&["tree/sub"])?)?, Recorded::Yes(_)));
    ensure!(matches!(into(&mut client, "part")?, Revived::Yes { .. }));
    ensure!(repository.exists("part/sub/two") && !repository.exists("part/one"));
    Ok(())
}

#[test]
fn what_is_absent_is_not_recorded_and_an_older_binding_stays() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    client.record(record("n", &["a"])?)?;
    let Recorded::No { reason, again: false } = client.record(record("n", &["a", "absent"])?)? else {
        bail!("it was recorded")
    };
    ensure!(reason.contains("absent"), "{reason}");
    ensure!(matches!(client.revive(revive("n", &["b"])?)?, Revived::Yes { .. }));
    Ok(())
}

#[test]
fn what_is_damaged_is_not_revived_and_goes_into_quarantine() -> Result<()> {
    let repository = Repository::new()?;
    // Large, so that it is an object of its own.
    repository.write("a", vec![7; 100_000])?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    client.record(record("n", &["a"])?)?;
    let mut pending = vec![repository.cache.join("v1/objects")];
    while let Some(path) = pending.pop() {
        if path.is_dir() {
            pending.extend(fs::read_dir(path)?.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?);
        } else {
            fs::set_permissions(&path, fs::Permissions::from_mode(0o644))?;
            fs::write(&path, vec![8; 100_000])?;
        }
    }
    ensure!(client.revive(revive("n", &["b"])?)? == Revived::No(Unrevived::Damaged));
    ensure!(!repository.exists("b"));
    ensure!(client.revive(revive("n", &["b"])?)? == Revived::No(Unrevived::Absent));
    Ok(())
}

/// A client revived a file in the place that another one's command was just writing, and that one's operation was bound to the
/// first one's file.
#[test]
fn what_is_revived_where_an_operation_writes_is_not_recorded_as_its_work() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("foreign", "foreign")?;
    let daemon = Daemon::start(&repository)?;
    let (mut one, mut other) = (daemon.at(&repository)?, daemon.at(&repository)?);
    other.record(record("n", &["foreign"])?)?;
    let make = Derive { writes: vec!["out".into()], ..derive(&["sh", "-c", "echo mine >out"]) };
    for by_command in [false, true] {
        let derived = one.derive(make.clone())?;
        let ran = run(&repository, derived.operation, open(&derived)?)?;
        if by_command {
            ensure!(repository.ask(&["cache", "revive", "n", "out"])?.code == Some(0));
        } else {
            ensure!(matches!(other.revive(revive("n", &["./out"])?)?, Revived::Yes { .. }));
        }
        // Its command may have ended after that.
        let ended = SystemTime::now().duration_since(UNIX_EPOCH)?.as_nanos() as u64;
        let told = one.record_operation(Ran { ended, ..ran })?;
        ensure!(matches!(told, Recorded::No { .. }), "{told:?}");
    }
    ensure!(one.derive(make)?.key.is_none());
    Ok(())
}
