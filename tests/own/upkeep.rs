//! Hashes, statistics, trims.

use crate::daemon::{Daemon, record, refused, revive};
use crate::support::Repository;
use anyhow::{Context as _, Result, ensure};
use reviver::client::ClientError;
use reviver::digest::Digest;
use reviver::protocol::own::Code;
use reviver::protocol::own::reply::{Hashed, Revived, Trimmed, Unrevived};
use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{scope, sleep};
use std::time::Duration;

#[test]
fn a_file_is_hashed_as_it_is_now() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let absolute = repository.path("f");
    for content in [b"one".to_vec(), b"two".to_vec(), vec![3; 3 << 20]] {
        repository.write("f", &content)?;
        for path in [Path::new("f"), &absolute] {
            let expected = Hashed { digest: Digest::of(&content), size: content.len() as u64 };
            ensure!(client.hash(path)? == expected);
        }
    }
    let words = refused(Code::Io, client.hash(Path::new("absent")))?;
    ensure!(words.contains("absent"), "{words}");
    refused(Code::Io, client.hash(&repository.root))?;
    Ok(())
}

#[test]
fn statistics_count_and_a_trim_lets_entries_go() -> Result<()> {
    let repository = Repository::new()?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let before = client.stats()?;
    ensure!(before.entries == 0 && before.cache_entries == 0 && before.limit == 10_000_000_000, "{before:?}");
    repository.write("a", vec![1; 50_000])?;
    for name in ["one", "two", "three"] {
        client.record(record(name, &["a"])?)?;
    }
    client.revive(revive("one", &["b"])?)?;
    let stats = client.stats()?;
    ensure!(stats.entries == 3 && stats.uses == 1 && stats.cache_bytes > 150_000, "{stats:?}");

    let Trimmed(nothing) = client.trim(None)?;
    ensure!(nothing.context("nobody else trims")?.entries == 0);
    let Trimmed(trim) = client.trim(Some(60_000))?;
    let trim = trim.context("nobody else trims")?;
    ensure!(trim.entries == 2 && trim.left <= 60_000 && trim.used > trim.left, "{trim:?}");
    // The one that was used last is the one that stays.
    ensure!(client.revive(revive("two", &["c"])?)? == Revived::No(Unrevived::Absent));
    ensure!(matches!(client.revive(revive("one", &["c"])?)?, Revived::Yes { .. }));
    Ok(())
}

/// The size was that of a moment before: of a log that was written to it was too small for the digest.
#[test]
fn a_digest_and_its_size_are_of_one_moment() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("log", "")?;
    let daemon = Daemon::start(&repository)?;
    let mut client = daemon.at(&repository)?;
    let mut log = OpenOptions::new().append(true).open(repository.path("log"))?;
    let done = AtomicBool::new(false);
    scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                log.write_all(b"x").ok();
                sleep(Duration::from_micros(30));
            }
        });
        let mut hashed = 0;
        let agrees = (0..5000).all(|_| match client.hash(Path::new("log")) {
            Ok(Hashed { digest, size }) => {
                hashed += 1;
                digest == Digest::of(&vec![b'x'; size as usize])
            }
            // It changed while it was read.
            Err(ClientError::Refused { code: Code::Io, .. }) => true,
            Err(_) => false,
        });
        done.store(true, Ordering::Relaxed);
        ensure!(agrees, "after {hashed}");
        Ok(())
    })
}
