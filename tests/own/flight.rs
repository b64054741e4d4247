//! Several requests in flight, several connections at once.

use crate::daemon::{Daemon, name, record, refused, unpinned};
use crate::operations::derive;
use crate::support::Repository;
use anyhow::{Result, ensure};
use reviver::client::ClientError;
use reviver::policy::Role;
use reviver::protocol::own::reply::{Derived, Found, Recorded, Stats};
use reviver::protocol::own::request::{Record, Which};
use reviver::protocol::own::{Code, Reply, Request};
use std::collections::BTreeSet;
use std::fs::File;
use std::path::Path;
use std::thread::scope;

/// A record that takes long: a file that is hashed and copied.
fn slow(repository: &Repository) -> Result<Record> {
    File::create(repository.path("large"))?.set_len(300 << 20)?;
    record("large", &["large"])
}

#[test]
fn sixteen_in_flight_are_not_held_up_by_a_slow_one_in_front() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    client.record(record("n", &["a"])?)?;
    let first = client.send(&Request::Record(slow(&repository)?))?;
    let mut open = BTreeSet::from([first]);
    for _ in 0..15 {
        open.insert(client.send(&Request::Find(Which::Name(name("n")?)))?);
    }
    let mut order = Vec::new();
    while !open.is_empty() {
        let (ticket, reply) = client.receive()?;
        ensure!(open.remove(&ticket) && matches!(reply, Reply::Ok(_)), "{reply:?}");
        order.push(ticket);
    }
    ensure!(order.last() == Some(&first), "the slow one was not the last: {order:?}");
    Ok(())
}

/// Whoever waited for an answer that he had already, waited for ever.
#[test]
fn an_answer_is_given_once() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let (first, second) = (client.send(&Request::Stats)?, client.send(&Request::Stats)?);
    client.wait::<Stats>(second)?;
    client.wait::<Stats>(first)?;
    for ticket in [first, second] {
        let again = client.wait::<Stats>(ticket);
        ensure!(matches!(again, Err(ClientError::Answered)), "{again:?}");
    }
    client.stats()?;
    Ok(())
}

#[test]
fn what_is_quick_is_answered_by_the_thread_that_reads_it() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    for _ in 0..100 {
        client.find(Which::Name(name("n")?))?;
        client.hash(Path::new("a"))?;
    }
    ensure!(daemon.further_threads()? == 0, "a thread for what needs none");
    for _ in 0..100 {
        client.record(record("n", &["a"])?)?;
    }
    let threads = daemon.further_threads()?;
    ensure!((1..=3).contains(&threads), "{threads} threads for one request at a time");
    drop(client);
    Ok(())
}

/// A key plugin of the repository's that never comes to an end, but for its limits.
#[test]
fn a_plugin_that_loops_holds_up_nobody() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let text = |name: &str| {
        std::fs::read_to_string(format!("{}/../tests/hostile/{name}.wat", env!("CARGO_MANIFEST_DIR")))
    };
    let guest = text("shell-key")?.replacen("  GUEST\n", &text("loop")?, 1);
    repository.write("plugin.wasm", wat::parse_str(guest)?)?;
    let settings = "[plugin.evil]\npath = 'plugin.wasm'\nlimits = { fuel = 1000000000 }\n[[rule]]\ncommand = 'sh'\nplugin = 'evil'\n";
    repository.write("reviver.toml", settings)?;
    repository.pin_blindly("evil", "plugin.wasm", Role::Key)?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    client.record(record("n", &["a"])?)?;
    // The first is compiled too.
    let slow = Request::Derive(derive(&["sh", "-c", "true"]));
    let first = client.send(&slow)?;
    let quick = (0..15).map(|_| client.send(&Request::Find(Which::Name(name("n")?))).map_err(Into::into));
    let quick = quick.collect::<Result<Vec<_>>>()?;
    for expected in quick {
        let (ticket, reply) = client.receive()?;
        ensure!(ticket == expected && matches!(reply, Reply::Ok(_)), "{reply:?}");
    }
    let (ticket, reply) = client.receive()?;
    ensure!(ticket == first);
    refused(Code::Plugin, reviver::client::answer::<Derived>(reply))?;
    client.stats()?;
    Ok(())
}

#[test]
fn an_id_that_is_in_flight_is_not_taken_again() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut raw = daemon.raw()?;
    let root = repository.root.to_str().unwrap_or_default();
    raw.say(format!("(1:010:repository(4:path{}:{root}))", root.len()).as_bytes())?;
    let request = Request::Record(slow(&repository)?);
    let id = reviver::protocol::own::Id::new(b"same").unwrap();
    raw.say(&request.to_sexp(&id).to_bytes())?;
    raw.say(b"(4:same5:stats)(3:end5:stats)")?;
    raw.0.shutdown(std::net::Shutdown::Write)?;
    // All that was asked is answered, though nothing more is.
    let rest = String::from_utf8_lossy(&raw.rest()?).into_owned();
    ensure!(rest.contains("(4:same5:error9:duplicate"), "{rest}");
    ensure!(rest.contains("(3:end2:ok") && rest.contains("(4:same2:ok(8:recorded3:yes)"), "{rest}");
    Ok(())
}

#[test]
fn connections_do_not_wait_for_each_other() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a", "a")?;
    let daemon = Daemon::start(&repository)?;
    scope(|scope| {
        let each = |number: usize| -> Result<()> {
            let mut client = daemon.at(&repository)?;
            for round in 0..50 {
                let own = format!("{number}-{round}");
                ensure!(matches!(client.record(record(&own, &["a"])?)?, Recorded::Yes(_)));
                let Found(found) = client.find(Which::Name(name(&own)?))?;
                ensure!(found.is_some());
            }
            Ok(())
        };
        let others: Vec<_> = (0..4).map(|number| scope.spawn(move || each(number))).collect();
        others.into_iter().try_for_each(|other| other.join().map_err(|_| anyhow::anyhow!("it panicked"))?)
    })?;
    ensure!(daemon.at(&repository)?.stats()?.entries == 200);
    Ok(())
}

/// Each thread of a connection read the lock file for itself, when it first came to need it: of one connection some requests
/// went by the old one and some by the new.
#[test]
fn all_requests_of_a_connection_go_by_one_lock_file() -> Result<()> {
    let repository = unpinned()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let first = refused(Code::Plugin, client.derive(derive(&["mine"])))?;
    repository.write("reviver.lock", "no lock")?;
    let tickets: Vec<_> =
        (0..32).map(|_| client.send(&Request::Derive(derive(&["mine"])))).collect::<Result<_, _>>()?;
    for ticket in tickets {
        let words = refused(Code::Plugin, client.wait::<Derived>(ticket))?;
        ensure!(words == first, "{words}");
    }
    let words = refused(Code::Plugin, daemon.at(&repository)?.derive(derive(&["mine"])))?;
    ensure!(words != first, "a later connection goes by the new one: {words}");
    Ok(())
}
