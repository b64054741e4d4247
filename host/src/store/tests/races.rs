//! Several at once.

use crate::store::testing::{Cache, draft, key};
use crate::store::{Staging, TrimRequest, Trimmed};
use crate::time::Timestamp;
use std::fs;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

/// The original answered with errors, misses and mixed contents here.
#[test]
fn writers_and_readers_of_one_key_never_disagree() {
    let cache = Cache::new();
    let large = [vec![0; 70_000], vec![1; 70_000]];
    let write = |version: u8| {
        let contents: [&[u8]; 3] = [&[version; 1000], &large[usize::from(version)], &[version; 10]];
        cache.partition.add(key("k"), &draft(&contents), Timestamp(u64::from(version))).unwrap();
    };
    write(0);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        let writers = [0, 1].map(|version| scope.spawn(move || (0..150).for_each(|_| write(version))));
        for reader in 0..2 {
            let (cache, done) = (&cache, &done);
            scope.spawn(move || {
                let out = cache.path(&format!("out{reader}"));
                while !done.load(Ordering::Relaxed) {
                    let entry = cache.partition.find(key("k")).unwrap().unwrap();
                    let mut staging = Staging::new(&cache.store);
                    for index in 0..3 {
                        staging.file(&entry, index, &out.join(index.to_string()), 0o644).unwrap();
                    }
                    staging.commit().unwrap();
                    let all: Vec<u8> =
                        (0..3).flat_map(|index| fs::read(out.join(index.to_string())).unwrap()).collect();
                    assert_eq!(all.len(), 71_010);
                    assert!(all.iter().all(|byte| *byte == all[0]), "contents of two entries");
                    cache.partition.used(key("k"), Timestamp(9)).unwrap();
                }
            });
        }
        for writer in writers {
            writer.join().unwrap();
        }
        done.store(true, Ordering::Relaxed);
    });
    assert_eq!(cache.partition.stats().unwrap().entries, 1);
}

/// An addition between the eviction of its key and the record of that would be lost to the index for ever.
#[test]
fn trims_beside_additions_lose_no_entry_from_the_index() {
    let cache = Cache::new();
    let now = Timestamp::of(SystemTime::now());
    let large = vec![3; 70_000];
    std::thread::scope(|scope| {
        let adders = [0, 1].map(|_| {
            scope.spawn(|| {
                for round in 0..200 {
                    let name = (round % 7).to_string();
                    cache.partition.add(key(&name), &draft(&[name.as_bytes(), &large]), now).unwrap();
                    if let Some(entry) = cache.partition.find(key(&name)).unwrap() {
                        assert_eq!(&*entry.bytes(0).unwrap(), name.as_bytes());
                    }
                    cache.partition.used(key(&name), now).unwrap();
                }
            })
        });
        let trimmer = scope.spawn(|| {
            let mut busy = 0;
            for _ in 0..40 {
                let trimmed = cache.store.trim(&TrimRequest::new(500, now)).unwrap();
                busy += u32::from(trimmed == Trimmed::Busy);
                cache.partition.compact().unwrap();
            }
            assert_eq!(busy, 0);
        });
        for adder in adders {
            adder.join().unwrap();
        }
        trimmer.join().unwrap();
    });
    let listed = cache.partition.keys().unwrap().len() as u64;
    assert_eq!(cache.partition.stats().unwrap().entries, listed);
    // What is there now can be revived, its objects included.
    for info in cache.partition.keys().unwrap() {
        let entry = cache.partition.find(info.key).unwrap().unwrap();
        assert_eq!(&*entry.bytes(1).unwrap(), large);
    }
}

#[test]
fn uses_survive_the_rewriting_of_their_index() {
    let cache = Cache::new();
    cache.add(key("k"), b"x", 1);
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                (0..1500).for_each(|_| cache.partition.used(key("k"), Timestamp(2)).unwrap());
            });
        }
        scope.spawn(|| (0..50).for_each(|_| cache.partition.compact().unwrap()));
        scope.spawn(|| (0..20).for_each(|_| cache.partition.reindex().unwrap()));
    });
    assert_eq!(cache.partition.stats().unwrap().uses, 3000);
}
