//! Others at the same time, and processes that are killed: cases 60 and 61. Short here; the storms in `store` go on for long.

use crate::cache::{Cache, NOW, key, of_bytes, open, partition};
use crate::process::start;
use reviver::store::{Added, FindingKind, Partition, Remedy};
use reviver::time::Timestamp;
use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant, SystemTime};

/// Binds a key to contents that are all of this version, small and large, with a hunk that is too.
fn bind(partition: &Partition, name: &str, version: u8) {
    let large = vec![version; 256 * 1024];
    let contents: [&[u8]; 3] = [&[version; 1000], &large, &large[..100_000]];
    let added = partition.add(key(name), &of_bytes(&[version; 20], &contents), NOW).unwrap();
    assert!(matches!(added, Added::Stored { .. }));
}

/// The version that a hunk and three files agree on.
fn agreed(hunk: &[u8], files: &[Vec<u8>]) -> u8 {
    let sizes: Vec<usize> = files.iter().map(Vec::len).collect();
    assert_eq!((hunk.len(), sizes.as_slice()), (20, &[1000, 256 * 1024, 100_000][..]));
    let all = files.iter().map(Vec::as_slice).chain([hunk]);
    assert!(all.flatten().all(|byte| *byte == hunk[0]), "contents of two versions");
    hunk[0]
}

/// The original answered with errors, misses, contents of two versions, and empty metadata.
#[test]
fn two_writers_and_a_reader_of_one_key_never_disagree() {
    let cache = Cache::new();
    let root = cache.path("cache");
    bind(&cache.partition, "k", 0);
    let done = AtomicBool::new(false);
    let (mut hits, mut versions) = (0, BTreeSet::new());
    thread::scope(|scope| {
        // Each opens the cache for itself, as a process of its own would.
        for versions in [[0, 1], [2, 3]] {
            let (root, done) = (&root, &done);
            scope.spawn(move || {
                let partition = partition(&open(root));
                while !done.load(Ordering::Relaxed) {
                    for version in versions {
                        bind(&partition, "k", version);
                    }
                }
            });
        }
        let partition = partition(&open(&root));
        let out = ["0", "1", "2"].map(|name| cache.path("out").join(name));
        let destinations: Vec<&Path> = out.iter().map(PathBuf::as_path).collect();
        let end = Instant::now() + Duration::from_secs(2);
        while Instant::now() < end {
            let revived = partition.revive(key("k"), &destinations, NOW).unwrap();
            let hunk = revived.expect("it is bound at every moment").metadata;
            let files: Vec<Vec<u8>> = out.iter().map(|path| fs::read(path).unwrap()).collect();
            versions.insert(agreed(&hunk, &files));
            hits += 1;
        }
        done.store(true, Ordering::Relaxed);
    });
    assert!(hits > 10 && versions.len() > 1, "{hits} hits, versions {versions:?}");
    assert_eq!(cache.store.verify(Remedy::Tell, &mut |_| {}).unwrap().findings, []);
}

const WRITER: &str = "REVIVER_CASES_WRITER";

/// The original was left with one to three half-written keys after every kill.
#[test]
fn a_killed_writer_leaves_each_key_old_or_new() {
    if let Some(cache) = std::env::var_os(WRITER) {
        write_until_killed(Path::new(&cache));
        return;
    }
    let cache = Cache::new();
    let root = cache.path("cache");
    bind(&cache.partition, "k", 0);
    let ready = cache.path("ready");
    let left = || cache.half_written();
    // Twenty times, and until one was killed in the middle of writing.
    for round in (0_u64..500).take_while(|round| *round < 20 || left() == 0) {
        let mut writer =
            start("company::a_killed_writer_leaves_each_key_old_or_new", WRITER, root.as_os_str());
        let started = Instant::now();
        while !ready.exists() {
            assert!(started.elapsed() < Duration::from_secs(20), "the writer does not start");
            thread::sleep(Duration::from_millis(1));
        }
        thread::sleep(Duration::from_micros(round * 7919 % 15_000));
        writer.kill().unwrap();
        assert!(!writer.wait().unwrap().success(), "it was at it when it was killed");
        fs::remove_file(&ready).unwrap();

        let reopened = partition(&open(&root));
        let mut bound = 0;
        for name in (0..4).map(|number| number.to_string()).chain(["k".to_owned()]) {
            let Some(entry) = reopened.find(key(&name)).unwrap() else { continue };
            let files: Vec<_> = (0..3).map(|index| entry.bytes(index).unwrap().into_owned()).collect();
            agreed(entry.metadata(), &files);
            bound += 1;
        }
        assert!(reopened.contains(key("k")) && reopened.keys().unwrap().len() == bound, "in round {round}");
        let verified = cache.store.verify(Remedy::Tell, &mut |_| {}).unwrap();
        let damage: Vec<_> = verified.findings.iter().filter(|finding| finding.kind.is_damage()).collect();
        assert!(damage.is_empty(), "in round {round}: {damage:?}");
    }
    // What killed writers left does not stay for ever.
    assert!(left() > 0, "nobody was killed in the middle");
    cache.store.clean_temporaries(Timestamp::of(SystemTime::now() + Duration::from_hours(2)));
    cache.assert_nothing_half_written();
    // An index may know of an entry that its writer could not bring any more: no damage, and put right.
    let repaired = cache.store.verify(Remedy::Repair, &mut |_| {}).unwrap().findings;
    let late = |kind| matches!(kind, FindingKind::Disagrees { unknown: 0, .. });
    assert!(repaired.iter().all(|finding| finding.remedied && late(finding.kind)), "{repaired:?}");
    assert_eq!(cache.store.verify(Remedy::Tell, &mut |_| {}).unwrap().findings, []);
}

/// Adds new keys and old ones again; gives up at last if nobody kills it.
fn write_until_killed(cache: &Path) {
    let partition = partition(&open(cache));
    fs::write(cache.with_file_name("ready"), b"").unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let mut version = 0_u8;
    while Instant::now() < end {
        version = version.wrapping_add(1);
        bind(&partition, "k", version);
        bind(&partition, &(version % 4).to_string(), version);
    }
}
