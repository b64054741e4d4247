//! Our own protocol: entries of one file of 1 KiB, found and revived, by one client.

use crate::daemon::{Daemon, command};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::client::{Client, Ticket, answer};
use reviver::key::{Key, Name};
use reviver::protocol::own::Request;
use reviver::protocol::own::reply::{Found, Recorded, Revived};
use reviver::protocol::own::request::{Destination, Record, Revive, Which};
use reviver::repository::root;
use reviver::store::{Options, Partition, Store};
use reviver::time::Timestamp;
use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant, SystemTime};

pub(crate) const ROUNDS: usize = 5;

/// How many requests are in flight where several are.
const IN_FLIGHT: usize = 16;

/// The entries that are measured.
struct Entries {
    place: PathBuf,
    number: usize,
}

impl Entries {
    fn name(entry: usize) -> Result<Name> {
        Ok(Name::new(&format!("entry-{entry}"))?)
    }

    fn content(entry: usize) -> Vec<u8> {
        format!("{entry:>1023}\n").into_bytes()
    }

    fn destination(&self, entry: usize) -> PathBuf {
        self.place.join(format!("out/{entry}"))
    }

    fn find(entry: usize) -> Result<Request> {
        Ok(Request::Find(Which::Name(Self::name(entry)?)))
    }

    fn revive(&self, entry: usize) -> Result<Request> {
        let to = Destination::Each(vec![self.destination(entry)]);
        Ok(Request::Revive(Revive { which: Which::Name(Self::name(entry)?), to, umask: None }))
    }

    /// Removes what was revived.
    fn clear(&self) -> Result<()> {
        let out = self.place.join("out");
        fs::remove_dir_all(&out).ok();
        Ok(fs::create_dir(out)?)
    }

    /// Fails unless the first so many are there, as they were recorded.
    fn check(&self, number: usize) -> Result<()> {
        for entry in 0..number {
            let is = fs::read(self.destination(entry))?;
            ensure!(is == Self::content(entry), "entry {entry} is not what was recorded");
        }
        Ok(())
    }
}

/// Measures and shows it all.
pub(crate) fn measure(
    place: &Path,
    binary: &Path,
    daemon: &Daemon,
    number: usize,
    processes: usize,
) -> Result<()> {
    let repository = place.join("repository");
    let mut client = Client::connect(&daemon.socket)?;
    client.repository(&repository)?;
    let entries = Entries { place: place.to_owned(), number };
    record(&mut client, &entries, &repository)?;
    let partition = library(place, &repository)?;

    let mut took: [Vec<Duration>; 7] = Default::default();
    let mut note = |contender: usize, time: Duration| took[contender].push(time);
    for _ in 0..ROUNDS {
        note(0, timed(|| find_by_library(&partition, number))?);
        note(1, timed(|| find(&mut client, number))?);
        entries.clear()?;
        note(2, timed(|| revive_by_library(&partition, &entries))?);
        entries.check(number)?;
        entries.clear()?;
        note(3, timed(|| one_after_another(&mut client, &entries))?);
        entries.check(number)?;
        entries.clear()?;
        note(4, timed(|| in_flight(&mut client, &entries))?);
        entries.check(number)?;
        note(5, timed(|| one_after_another(&mut client, &entries))?);
        entries.check(number)?;
        entries.clear()?;
        let one_process_each = timed(|| by_processes(binary, &entries, processes))?;
        note(6, one_process_each * u32::try_from(number)? / u32::try_from(processes)?);
        entries.check(processes)?;
    }
    let medians = took.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64() / number as f64
    });
    let [find_library, find, library, one, many, again, process] = medians;
    println!(
        "\n{number} entries of one file of 1 KiB, one client{:>20}{:>12}{:>12}",
        "each", "per second", "speed"
    );
    show("find: the library, without a socket", find_library, find_library);
    show("find: one after another", find, find_library);
    show("find + revive: the library, without a socket", library, library);
    show("find + revive: one after another", one, library);
    show("find + revive: 16 in flight", many, library);
    show("find + revive over what is right already", again, library);
    show("`reviver cache revive`, a process for each", process, library);
    Ok(())
}

fn record(client: &mut Client, entries: &Entries, repository: &Path) -> Result<()> {
    let source = repository.join("source");
    for entry in 0..entries.number {
        fs::write(&source, Entries::content(entry))?;
        let record = Record {
            name: Entries::name(entry)?,
            metadata: b"exit 0".to_vec(),
            files: vec![source.clone()],
            root: None,
        };
        ensure!(matches!(client.record(record)?, Recorded::Yes(_)));
    }
    Ok(())
}

/// The same cache, by the library in this process.
fn library(place: &Path, repository: &Path) -> Result<Partition> {
    let store = Store::open(&place.join("cache"), Options::default())?;
    let root = root::find(repository, 0);
    Ok(store.partition(root.partition(&[])))
}

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

fn find_by_library(partition: &Partition, number: usize) -> Result<()> {
    (0..number).try_for_each(|entry| {
        partition.find(Key::named(&Entries::name(entry)?))?.context("it is there")?;
        Ok(())
    })
}

fn revive_by_library(partition: &Partition, entries: &Entries) -> Result<()> {
    (0..entries.number).try_for_each(|entry| {
        let key = Key::named(&Entries::name(entry)?);
        partition.find(key)?.context("it is there")?;
        partition.revive(key, &[&entries.destination(entry)], now())?.context("it is there")?;
        Ok(())
    })
}

fn find(client: &mut Client, number: usize) -> Result<()> {
    (0..number).try_for_each(|entry| {
        let Found(found) = client.ask(&Entries::find(entry)?)?;
        found.context("it is there")?;
        Ok(())
    })
}

fn one_after_another(client: &mut Client, entries: &Entries) -> Result<()> {
    (0..entries.number).try_for_each(|entry| {
        let Found(found) = client.ask(&Entries::find(entry)?)?;
        found.context("it is there")?;
        let revived: Revived = client.ask(&entries.revive(entry)?)?;
        ensure!(matches!(revived, Revived::Yes { .. }));
        Ok(())
    })
}

/// Keeps so many in flight; each entry is revived once it is found.
fn in_flight(client: &mut Client, entries: &Entries) -> Result<()> {
    let mut finds: VecDeque<(Ticket, usize)> = VecDeque::new();
    let mut revivals: Vec<Ticket> = Vec::new();
    let mut next = 0;
    loop {
        while finds.len() + revivals.len() < IN_FLIGHT && next < entries.number {
            finds.push_back((client.send(&Entries::find(next)?)?, next));
            next += 1;
        }
        if finds.is_empty() && revivals.is_empty() {
            return Ok(());
        }
        let (ticket, reply) = client.receive()?;
        if let Some(at) = finds.iter().position(|(find, _)| *find == ticket) {
            let Found(found) = answer(reply)?;
            found.context("it is there")?;
            if let Some((_, entry)) = finds.remove(at) {
                revivals.push(client.send(&entries.revive(entry)?)?);
            }
        } else if let Some(at) = revivals.iter().position(|revival| *revival == ticket) {
            let revived: Revived = answer(reply)?;
            ensure!(matches!(revived, Revived::Yes { .. }));
            revivals.swap_remove(at);
        } else {
            bail!("a reply to nothing");
        }
    }
}

fn by_processes(binary: &Path, entries: &Entries, processes: usize) -> Result<()> {
    (0..processes).try_for_each(|entry| {
        let mut command = command(binary, &entries.place);
        command.args(["cache", "revive", &format!("entry-{entry}")]).arg(entries.destination(entry));
        ensure!(command.stdout(Stdio::null()).status()?.success());
        Ok(())
    })
}

/// Shows what one thing takes, and how fast that is against another.
pub(crate) fn show(what: &str, time: f64, base: f64) {
    println!("{what:<46}{:>14.1} µs{:>12.0}{:>10.2} ×", time * 1e6, 1.0 / time, base / time);
}

pub(crate) fn timed(act: impl FnOnce() -> Result<()>) -> Result<Duration> {
    let before = Instant::now();
    act()?;
    Ok(before.elapsed())
}
