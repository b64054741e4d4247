//! Bringing the cache under a budget: cases 41 to 48. An entry has a header and a record in the index, so that sizes are told
//! in entries of equal contents where the original had files of 100 bytes.

use crate::cache::{Cache, NOW, key};
use reviver::key::Key;
use reviver::store::{TrimReport, TrimRequest, Trimmed, budget};
use reviver::time::Timestamp;
use std::fs;

/// Keys `a` to `d`, the oldest first, of 100 bytes each.
fn four() -> Cache {
    let cache = Cache::new();
    for (age, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        cache.bind(name, &[&[0; 100]], 10 + age as u64);
    }
    cache
}

fn used(cache: &Cache) -> u64 {
    cache.store.usage().unwrap().bytes
}

fn nothing(_: &Key) -> bool {
    false
}

/// Trims to the smaller of a number of bytes and a percentage.
fn trim(cache: &Cache, bytes: Option<u64>, percent: Option<u8>, unused: &dyn Fn(&Key) -> bool) -> TrimReport {
    let limit = budget(used(cache), bytes, percent);
    let trimmed = cache.store.trim(&TrimRequest { unused, ..TrimRequest::new(limit, NOW) }).unwrap();
    let Trimmed::Done(report) = trimmed else { panic!("nobody else trims") };
    assert!(used(cache) <= limit);
    report
}

/// Which of these are bound.
fn left<'n>(cache: &Cache, names: &[&'n str]) -> Vec<&'n str> {
    names.iter().copied().filter(|name| cache.contents(name).is_some()).collect()
}

const FOUR: [&str; 4] = ["a", "b", "c", "d"];

/// One stray file made the original refuse to trim at all.
#[test]
fn what_is_not_of_the_cache_stops_no_trim_and_stays() {
    let cache = four();
    let layout = cache.store.layout();
    let entries = layout.entries(cache.partition.id());
    let strays = [
        entries.join("x.k"),
        layout.root().join("x.k"),
        cache.path("cache/x.k"),
        layout.partitions().join("x.k"),
    ];
    for stray in &strays {
        fs::write(stray, b"stray").unwrap();
    }
    fs::create_dir(entries.join("directory.k")).unwrap();
    assert_eq!(cache.partition.keys().unwrap().len(), 4);
    trim(&cache, None, Some(50), &nothing);
    assert_eq!(left(&cache, &FOUR), ["c", "d"]);
    assert!(strays.iter().all(|stray| stray.exists()));
}

#[test]
fn the_oldest_go_until_the_smaller_budget_is_met() {
    let entry = used(&four()) / 4;
    let budgets = [
        (None, Some(50), 2),
        (None, Some(49), 1),
        (None, Some(100), 4),
        (None, Some(150), 4),
        (None, Some(0), 0),
        (Some(entry * 5 / 2), None, 2),
        (Some(entry * 5 / 2), Some(25), 1),
        (Some(entry), Some(75), 1),
        (Some(u64::MAX), None, 4),
    ];
    for (bytes, percent, expected) in budgets {
        let cache = four();
        trim(&cache, bytes, percent, &nothing);
        assert_eq!(left(&cache, &FOUR), FOUR[4 - expected..], "{bytes:?} and {percent:?}");
    }
}

#[test]
fn what_is_unused_goes_before_what_is_old() {
    let cache = four();
    let report = trim(&cache, None, Some(50), &|candidate| *candidate == key("d"));
    assert_eq!(left(&cache, &FOUR), ["b", "c"]);
    assert_eq!(report.plan.victims.iter().map(|victim| victim.key).collect::<Vec<_>>(), [key("d"), key("a")]);
}

/// Removing what is unused for its own sake is another operation.
#[test]
fn what_is_unused_stays_within_the_budget() {
    let cache = four();
    let report = trim(&cache, None, Some(100), &|_| true);
    assert_eq!((report.removed, left(&cache, &FOUR).len()), (0, 4));
    cache.partition.remove_unused(&|candidate, _| *candidate == key("b"), NOW).unwrap();
    assert_eq!(left(&cache, &FOUR), ["a", "c", "d"]);
}

#[test]
fn of_equal_age_the_larger_goes_first() {
    let cache = Cache::new();
    for (name, size) in [("small", 10), ("large", 1000), ("medium", 100)] {
        cache.bind(name, &[&vec![0; size]], 5);
    }
    let report = trim(&cache, Some(0), None, &nothing);
    let order: Vec<_> = report.plan.victims.iter().map(|victim| victim.key).collect();
    assert_eq!(order, ["large", "medium", "small"].map(key));
}

#[test]
fn an_empty_entry_has_a_size_too_and_goes_at_zero() {
    let cache = Cache::new();
    cache.bind("empty", &[], 1);
    cache.bind("zero", &[b""], 2);
    assert!(cache.partition.key_stats(key("empty")).unwrap().unwrap().bytes > 0);
    trim(&cache, None, Some(0), &nothing);
    assert_eq!(left(&cache, &["empty", "zero"]), [""; 0]);
    assert_eq!(used(&cache), 0);
}

#[test]
fn a_plan_lists_exactly_what_a_trim_lets_go() {
    let cache = four();
    // Sizes of all kinds: a shared object, and one of its own.
    cache.bind("e", &[&vec![1; 80_000]], 11);
    cache.bind("f", &[&vec![1; 80_000], b"more"], 12);
    cache.bind("g", &[&vec![2; 90_000]], 20);
    let names = ["a", "b", "c", "d", "e", "f", "g"];
    let before = used(&cache);
    let unused = |candidate: &Key| *candidate == key("c");
    let request = TrimRequest { unused: &unused, ..TrimRequest::new(95_000, NOW) };
    let plan = cache.store.plan(&request).unwrap();
    assert_eq!((left(&cache, &names).len(), used(&cache)), (7, before), "a plan touches nothing");
    let order: Vec<_> = plan.victims.iter().map(|victim| victim.key).collect();
    // Of equal age, the larger.
    assert_eq!(order, ["c", "a", "e", "b", "f"].map(key));
    let freed: Vec<u64> = plan.victims.iter().map(|victim| victim.bytes).collect();
    assert!(freed[2] < 80_000 && freed[4] > 80_000, "an object goes with the last that needs it: {freed:?}");

    let Trimmed::Done(report) = cache.store.trim(&request).unwrap() else { panic!("nobody else trims") };
    assert_eq!((&report.plan, report.removed), (&plan, 5));
    assert_eq!(left(&cache, &names), ["d", "g"]);
    assert_eq!((plan.used, plan.left), (before, used(&cache)));
    assert_eq!(freed.iter().sum::<u64>(), before - plan.left);
}

/// Under `relatime` a second read within a day leaves no trace in the file system.
#[test]
fn the_last_use_counts_and_not_the_first() {
    for noted in [false, true] {
        let cache = Cache::new();
        cache.bind("a", &[b"x"], 1);
        cache.bind("b", &[b"x"], 1);
        for (time, name) in [(2, "a"), (3, "b"), (4, "a")] {
            if noted {
                cache.partition.used(key(name), Timestamp(time)).unwrap();
            } else {
                let to = cache.path("to");
                cache.partition.revive(key(name), &[&to], Timestamp(time)).unwrap().unwrap();
            }
        }
        let told = cache.partition.key_stats(key("a")).unwrap().unwrap();
        assert_eq!((told.last_use, told.uses), (Timestamp(4), 2));
        trim(&cache, None, Some(50), &nothing);
        assert_eq!(left(&cache, &["a", "b"]), ["a"]);
    }
}
