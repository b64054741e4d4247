//! Operations that the repository's plugins name and the client runs.

use crate::daemon::{Daemon, refused};
use crate::support::{Repository, installed, settle};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::client::Client;
use reviver::outcome::{Chunk, Exit, Stream};
use reviver::protocol::own::Code;
use reviver::protocol::own::reply::{Again, Derived, Open, Recorded, Revived};
use reviver::protocol::own::request::{Derive, Destination, Ran, Revive, Which};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Output};
use std::time::{SystemTime, UNIX_EPOCH};

/// The operation of a command, all of whose variables are told.
pub(crate) fn derive(argv: &[&str]) -> Derive {
    let path = std::env::var_os("PATH").unwrap_or_default();
    Derive {
        argv: argv.iter().map(|&word| word.to_owned()).collect(),
        environment: vec![("PATH".into(), path), ("LC_ALL".into(), "C".into())],
        ..Derive::default()
    }
}

/// Runs what is open, as a client does.
pub(crate) fn run(repository: &Repository, operation: u64, open: &Open) -> Result<Ran> {
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).map(|since| since.as_nanos() as u64);
    let (program, arguments) = open.arguments.split_first().context("a program")?;
    let started = now()?;
    let mut command = Command::new(program);
    command.args(arguments).current_dir(&repository.root).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap_or_default()).env("LC_ALL", "C");
    let Output { status, stdout, stderr } = command.stdin(std::process::Stdio::null()).output()?;
    let chunk = |stream, bytes: Vec<u8>| (!bytes.is_empty()).then_some(Chunk { stream, bytes });
    let output =
        [chunk(Stream::Stdout, stdout), chunk(Stream::Stderr, stderr)].into_iter().flatten().collect();
    let exit = Exit::Code(status.code().context("an exit status")?);
    Ok(Ran { operation, exit, started, ended: now()?, output })
}

/// Fails if it is found.
pub(crate) fn open(derived: &Derived) -> Result<&Open> {
    derived.open.as_ref().with_context(|| format!("it is found: {derived:?}"))
}

fn compiled(repository: &Repository, client: &mut Client, argv: &[&str]) -> Result<Recorded> {
    let derived = client.derive(derive(argv))?;
    let ran = run(repository, derived.operation, open(&derived)?)?;
    Ok(client.record_operation(ran)?)
}

#[test]
fn a_compilation_that_a_client_ran_is_revived_until_a_header_changes() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.h", "#define A 1\n")?;
    repository.write("a.c", "#include \"a.h\"\n#warning said\nint a = A;\n")?;
    settle();
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let argv = ["gcc", "-c", "a.c", "-o", "a.o"];

    let derived = client.derive(derive(&argv))?;
    let to_run = open(&derived)?;
    ensure!(derived.key.is_none() && derived.label.contains("a.c"), "{derived:?}");
    ensure!(to_run.writes.iter().any(|write| write.path == repository.path("a.o")), "{derived:?}");
    ensure!(to_run.report.is_some() && to_run.arguments.len() > argv.len(), "{derived:?}");
    let ran = run(&repository, derived.operation, to_run)?;
    let said = ran.output.clone();
    ensure!(!said.is_empty());
    let Recorded::Yes(key) = client.record_operation(ran)? else { bail!("not recorded") };
    ensure!(!to_run.report.as_ref().is_some_and(|report| report.exists()), "its report stays");

    let object = repository.read("a.o")?;
    repository.remove(&["a.o"])?;
    let found = client.derive(derive(&argv))?;
    ensure!(found.key == Some(key) && found.open.is_none(), "{found:?}");
    let Again::Yes { exit, output, duration, key: revived } = client.revive_operation(found.operation)?
    else {
        bail!("not revived")
    };
    ensure!(exit == Exit::Code(0) && output == said && duration > 0 && revived == key);
    ensure!(repository.read("a.o")? == object);
    refused(Code::UnknownOperation, client.revive_operation(found.operation))?;

    // Its files alone, wherever they are wanted, and for whom.
    let alone =
        Revive { which: Which::Key(key), to: Destination::Each(vec!["copy.o".into()]), umask: Some(0o077) };
    ensure!(matches!(client.revive(alone)?, Revived::Yes { .. }));
    ensure!(repository.read("copy.o")? == object);
    ensure!(fs::metadata(repository.path("copy.o"))?.permissions().mode() & 0o777 == 0o600);

    // What one way records the other finds.
    repository.run(&["--", "gcc", "-c", "a.c", "-o", "a.o"])?.hit()?;
    repository.run(&["--", "gcc", "-c", "a.c", "-o", "other.o"])?;
    let Derived { key, .. } = client.derive(derive(&["gcc", "-c", "a.c", "-o", "other.o"]))?;
    ensure!(key.is_some(), "what a run recorded is not found");

    repository.write("a.h", "#define A 2\n")?;
    ensure!(client.derive(derive(&argv))?.key.is_none(), "the header changed");
    Ok(())
}

#[test]
fn a_rule_of_the_repository_holds_for_clients_too() -> Result<()> {
    let repository = Repository::new()?;
    repository.script("generate.sh", "cat templates/* >out.txt\n")?;
    repository.write("templates/one", "1")?;
    repository.write(
        "reviver.toml",
        "[[rule]]\ncommand = 'generate.sh'\nplugin = 'key-command'\nreads = ['templates/']\nwrites = ['out.txt']\n",
    )?;
    settle();
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.client()?;
    let named = client.repository(&repository.path("templates"))?;
    ensure!(
        named.root == repository.root && named.key_plugins == ["key-command", "key-cc", "key-rustc"],
        "{named:?}"
    );
    ensure!(matches!(compiled(&repository, &mut client, &["./generate.sh"])?, Recorded::Yes(_)));
    ensure!(client.derive(derive(&["./generate.sh"]))?.key.is_some());
    repository.write("templates/two", "2")?;
    ensure!(client.derive(derive(&["./generate.sh"]))?.key.is_none());
    // From another directory it is another operation, and its paths are seen from there.
    let inside = Derive { directory: Some("templates".into()), ..derive(&["../generate.sh"]) };
    let derived = client.derive(inside)?;
    ensure!(open(&derived)?.writes[0].path == repository.path("out.txt"), "{derived:?}");
    Ok(())
}

#[test]
fn what_cannot_be_recorded_is_told_why() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let touch = Derive { writes: vec!["out".into()], ..derive(&["sh", "-c", "echo >out; exit 3"]) };
    for (accepted, exits) in [(false, vec![]), (true, vec![3])] {
        let derived = client.derive(Derive { exits, ..touch.clone() })?;
        let ran = run(&repository, derived.operation, open(&derived)?)?;
        ensure!(ran.exit == Exit::Code(3));
        match client.record_operation(ran)? {
            Recorded::Yes(_) => ensure!(accepted),
            Recorded::No { reason, again } => {
                ensure!(!accepted && reason.contains("exit status 3") && !again, "{reason}");
            }
        }
    }
    // Nothing was written.
    let derived = client.derive(Derive { writes: vec!["never".into()], ..derive(&["true"]) })?;
    let ran = run(&repository, derived.operation, open(&derived)?)?;
    let Recorded::No { reason, .. } = client.record_operation(ran)? else { bail!("nothing was written") };
    ensure!(reason.contains("never"), "{reason}");
    // It was killed.
    let derived = client.derive(Derive { writes: vec!["k".into()], ..derive(&["true"]) })?;
    let ran = run(&repository, derived.operation, open(&derived)?)?;
    let Recorded::No { reason, .. } = client.record_operation(Ran { exit: Exit::Signal(9), ..ran })? else {
        bail!("it was killed")
    };
    ensure!(reason.contains("signal 9"), "{reason}");
    Ok(())
}

#[test]
fn an_entry_that_proves_damaged_leaves_its_operation_open_to_be_run() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let argv = ["sh", "-c", "head -c 100000 /dev/zero >out"];
    let make = Derive { writes: vec!["out".into()], ..derive(&argv) };
    let derived = client.derive(make.clone())?;
    ensure!(matches!(
        client.record_operation(run(&repository, derived.operation, open(&derived)?)?)?,
        Recorded::Yes(_)
    ));
    fs::remove_dir_all(repository.cache.join("v1/objects"))?;
    repository.remove(&["out"])?;
    let found = client.derive(make)?;
    ensure!(found.key.is_some());
    let Again::No(to_run) = client.revive_operation(found.operation)? else { bail!("there is no object") };
    let Again::No(same) = client.revive_operation(found.operation)? else { bail!("it is open") };
    ensure!(to_run == same);
    ensure!(matches!(
        client.record_operation(run(&repository, found.operation, &to_run)?)?,
        Recorded::Yes(_)
    ));
    Ok(())
}

#[test]
fn one_that_is_forgotten_lets_its_writes_go() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let (mut one, mut other) = (daemon.at(&repository)?, daemon.at(&repository)?);
    let make = Derive { writes: vec!["out".into()], ..derive(&["sh", "-c", "echo >out"]) };
    let held = one.derive(make.clone())?;
    let contended = other.derive(make.clone())?;
    let told = open(&contended)?.unrecorded.clone().context("another one writes it too")?;
    ensure!(told.contains("out"), "{told}");
    one.forget(held.operation)?;
    other.forget(contended.operation)?;
    refused(Code::UnknownOperation, one.forget(held.operation))?;
    let free = other.derive(make)?;
    ensure!(open(&free)?.unrecorded.is_none(), "{free:?}");
    Ok(())
}

/// A glob was expanded once: what came to match it before the revival was not in the key, and what came before the run was in the
/// output and not in the key, which bound that output for ever.
#[test]
fn what_comes_to_match_a_glob_while_an_operation_is_open_makes_it_another() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("d/a", "a")?;
    settle();
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let make = Derive {
        reads: vec!["d/*".into()],
        writes: vec!["d/out".into()],
        ..derive(&["sh", "-c", "cat d/[a-c] >d/out"])
    };
    let comes = |name: &str| -> Result<()> {
        repository.write(&format!("d/{name}"), name)?;
        settle();
        Ok(())
    };
    let derived = client.derive(make.clone())?;
    let ran = run(&repository, derived.operation, open(&derived)?)?;
    ensure!(matches!(client.record_operation(ran)?, Recorded::Yes(_)), "what it writes matches too");
    repository.remove(&["d/out"])?;

    let found = client.derive(make.clone())?;
    repository.write("d/out", "by somebody")?;
    ensure!(matches!(client.revive_operation(found.operation)?, Again::Yes { .. }));
    repository.remove(&["d/out"])?;
    let found = client.derive(make.clone())?;
    ensure!(found.key.is_some());
    comes("b")?;
    let Again::No(to_run) = client.revive_operation(found.operation)? else {
        bail!("of what was there before")
    };
    let ran = run(&repository, found.operation, &to_run)?;
    ensure!(matches!(client.record_operation(ran)?, Recorded::Yes(_)));
    repository.remove(&["d/out"])?;

    let derived = client.derive(make.clone())?;
    ensure!(derived.key.is_some(), "of a and b");
    repository.remove(&["d/a"])?;
    let Again::No(to_run) = client.revive_operation(derived.operation)? else { bail!("of a and b") };
    comes("c")?;
    let ran = run(&repository, derived.operation, &to_run)?;
    ensure!(repository.read("d/out")? == b"bc");
    let Recorded::No { reason, again } = client.record_operation(ran)? else { bail!("by the key of b") };
    ensure!(reason.contains("match") && !again, "{reason}");
    repository.remove(&["d/out", "d/c"])?;
    ensure!(client.derive(make.clone())?.key.is_none(), "b alone was never recorded");
    comes("a")?;
    let found = client.derive(make)?;
    ensure!(matches!(client.revive_operation(found.operation)?, Again::Yes { .. }));
    ensure!(repository.read("d/out")? == b"ab");
    Ok(())
}
