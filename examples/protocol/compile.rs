//! Compilations that are known: derived and revived through the daemon, and by a process for each.

use crate::daemon::{Daemon, command};
use crate::own::{ROUNDS, show, timed};
use anyhow::{Context as _, Result, ensure};
use reviver::client::Client;
use reviver::outcome::Exit;
use reviver::protocol::own::reply::{Again, Recorded};
use reviver::protocol::own::request::{Derive, Ran};
use reviver::time::Timestamp;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

/// Measures and shows it.
pub(crate) fn measure(place: &Path, binary: &Path, daemon: &Daemon, number: usize) -> Result<()> {
    if Command::new("gcc").arg("--version").stdout(Stdio::null()).status().is_err() {
        println!("\nSKIPPED: there is no gcc");
        return Ok(());
    }
    let repository = place.join("repository");
    fs::write(repository.join("a.h"), "#include <stdio.h>\n#include <stdlib.h>\n#include <string.h>\n")?;
    for source in 0..number {
        fs::write(repository.join(format!("{source}.c")), format!("#include \"a.h\"\nint f{source};\n"))?;
    }
    std::thread::sleep(Duration::from_millis(50));
    let mut client = Client::connect(&daemon.socket)?;
    client.repository(&repository)?;
    for source in 0..number {
        record(&mut client, &repository, source)?;
    }
    by_processes(place, binary, number)?;
    let mut took: [Vec<Duration>; 2] = Default::default();
    for _ in 0..ROUNDS {
        clear(&repository, number)?;
        took[0].push(timed(|| by_daemon(&mut client, number))?);
        check(&repository, number)?;
        clear(&repository, number)?;
        took[1].push(timed(|| by_processes(place, binary, number))?);
        check(&repository, number)?;
    }
    let [daemon, process] = took.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() / number as f64
    });
    println!(
        "\n{number} compilations by gcc that are known, headers checked{:>9}{:>12}{:>12}",
        "each", "per second", "speed"
    );
    show("derive + revive: one after another", daemon, process);
    show("`reviver run`, a process for each", process, process);
    Ok(())
}

fn derive(source: usize) -> Derive {
    let argv = ["gcc", "-c", &format!("{source}.c"), "-o", &format!("{source}.o")].map(str::to_owned);
    let path = std::env::var_os("PATH").unwrap_or_default();
    Derive { argv: argv.into(), environment: vec![("PATH".into(), path)], ..Derive::default() }
}

fn record(client: &mut Client, repository: &Path, source: usize) -> Result<()> {
    let derived = client.derive(derive(source))?;
    let open = derived.open.context("it is new")?;
    let now = || Timestamp::of(SystemTime::now()).0;
    let started = now();
    let mut gcc = Command::new(&open.arguments[0]);
    ensure!(gcc.args(&open.arguments[1..]).current_dir(repository).stdin(Stdio::null()).status()?.success());
    let (operation, exit, ended) = (derived.operation, Exit::Code(0), now());
    let recorded = client.record_operation(Ran { operation, exit, started, ended, output: Vec::new() })?;
    ensure!(matches!(recorded, Recorded::Yes(_)), "{recorded:?}");
    Ok(())
}

fn by_daemon(client: &mut Client, number: usize) -> Result<()> {
    (0..number).try_for_each(|source| {
        let derived = client.derive(derive(source))?;
        derived.key.context("it is known")?;
        ensure!(matches!(client.revive_operation(derived.operation)?, Again::Yes { .. }));
        Ok(())
    })
}

fn by_processes(place: &Path, binary: &Path, number: usize) -> Result<()> {
    (0..number).try_for_each(|source| {
        let mut run = command(binary, place);
        run.args(["run", "--", "gcc", "-c", &format!("{source}.c"), "-o", &format!("{source}.o")]);
        ensure!(run.status()?.success());
        Ok(())
    })
}

fn clear(repository: &Path, number: usize) -> Result<()> {
    (0..number).try_for_each(|source| Ok(fs::remove_file(repository.join(format!("{source}.o")))?))
}

fn check(repository: &Path, number: usize) -> Result<()> {
    for source in 0..number {
        let object = fs::read(repository.join(format!("{source}.o")))?;
        ensure!(object.starts_with(b"\x7fELF"), "{source}.o is no object");
    }
    Ok(())
}
