//! What goes, and in which order.

use crate::digest::Digest;
use crate::key::Key;
use crate::policy::{Budget, Candidate, Eviction, Fault, FaultKind, PolicyId, Role};
use crate::store::testing::{Cache, draft, key};
use crate::store::{Draft, PartitionId, TrimReport, TrimRequest, Trimmed};
use crate::time::Timestamp;
use std::fs;
use std::time::{Duration, SystemTime};

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

fn run(cache: &Cache, request: &TrimRequest<'_>) -> TrimReport {
    let plan = cache.store.plan(request).unwrap();
    let Trimmed::Done(report) = cache.store.trim(request).unwrap() else { panic!("nobody else trims") };
    assert_eq!(plan, report.plan, "a dry run lists exactly what goes");
    let usage = cache.store.usage().unwrap();
    assert_eq!(usage.bytes, report.plan.left, "the plan knows what is left");
    assert_eq!(cache.store.grown(0).unwrap(), usage.bytes);
    report
}

fn left(cache: &Cache) -> Vec<Key> {
    let mut keys: Vec<_> = cache.partition.keys().unwrap().into_iter().map(|info| info.key).collect();
    keys.sort_by_key(|key| cache.partition.find(*key).unwrap().unwrap().created());
    keys
}

fn four() -> Cache {
    let cache = Cache::new();
    for (index, name) in ["a", "b", "c", "d"].into_iter().enumerate() {
        cache.add(key(name), &[0; 100], 10 + index as u64);
    }
    cache
}

fn percent<'a>(cache: &Cache, percent: u64) -> TrimRequest<'a> {
    TrimRequest::new(cache.store.usage().unwrap().bytes * percent / 100, now())
}

#[test]
fn the_oldest_go_until_the_budget_is_met() {
    for (share, expected) in [(100, 4), (150, 4), (99, 3), (50, 2), (49, 1), (0, 0)] {
        let cache = four();
        run(&cache, &percent(&cache, share));
        let all = ["a", "b", "c", "d"].map(key);
        assert_eq!(left(&cache), all[4 - expected..], "{share} %");
    }
}

#[test]
fn a_use_makes_young() {
    let cache = Cache::new();
    cache.add(key("a"), b"x", 1);
    cache.add(key("b"), b"x", 2);
    cache.partition.used(key("a"), Timestamp(3)).unwrap();
    run(&cache, &percent(&cache, 50));
    assert_eq!(left(&cache), [key("a")]);
}

#[test]
fn of_equal_age_the_larger_goes_first() {
    let cache = Cache::new();
    cache.add(key("small"), &[0; 10], 1);
    cache.add(key("large"), &[0; 20], 1);
    run(&cache, &percent(&cache, 99));
    assert_eq!(left(&cache), [key("small")]);
}

#[test]
fn unused_entries_go_first_but_not_within_the_budget() {
    let cache = four();
    let unused = |candidate: &Key| *candidate == key("d");
    run(&cache, &TrimRequest { unused: &unused, ..percent(&cache, 100) });
    assert_eq!(left(&cache).len(), 4);
    let report = run(&cache, &TrimRequest { unused: &unused, ..percent(&cache, 50) });
    let victims: Vec<_> = report.plan.victims.iter().map(|victim| victim.key).collect();
    assert_eq!(victims, [key("d"), key("a")]);
}

#[test]
fn several_partitions_give_up_their_oldest() {
    let cache = four();
    let other = cache.store.partition(PartitionId::new([2; 16]));
    for (name, time) in [("e", 11), ("f", 50)] {
        other.add(key(name), &draft(&[&[0; 100]]), Timestamp(time)).unwrap();
    }
    run(&cache, &percent(&cache, 50));
    assert_eq!(left(&cache), [key("c"), key("d")]);
    assert!(!other.contains(key("e")) && other.contains(key("f")));
}

#[test]
fn a_partition_is_held_to_its_share() {
    let cache = four();
    let share = cache.partition.stats().unwrap().bytes / 4;
    let report = run(&cache, &TrimRequest { shares: &|_| Some(share), ..percent(&cache, 100) });
    assert_eq!(report.removed, 3);
    assert_eq!(left(&cache), [key("d")]);
}

type Score = fn(&[Candidate]) -> Result<Vec<f64>, Box<Fault>>;

struct Scores(PolicyId, Score);

impl Eviction for Scores {
    fn id(&self) -> &PolicyId {
        &self.0
    }

    fn score(&self, _: Timestamp, _: Budget, candidates: &[Candidate]) -> Result<Vec<f64>, Box<Fault>> {
        (self.1)(candidates)
    }
}

fn scores(score: Score) -> Scores {
    let id = PolicyId {
        name: "test".into(),
        component: Digest::of(b""),
        configuration: "{}".into(),
        abi: "0.1.0".into(),
    };
    Scores(id, score)
}

#[test]
fn a_policy_decides_and_a_faulty_one_is_reported() {
    let newest_first = scores(|all| Ok(all.iter().map(|one| -(one.last_use.0 as f64)).collect()));
    let cache = four();
    let report = run(&cache, &TrimRequest { policies: &|_| Some(&newest_first), ..percent(&cache, 50) });
    assert!(report.plan.faults.is_empty());
    assert_eq!(left(&cache), [key("a"), key("b")]);

    let fault = |_: &[Candidate]| {
        let (digest, kind) = (Digest::of(b""), FaultKind::Trap("unreachable".into()));
        Err(Box::new(Fault { plugin: "test".into(), digest, role: Role::Eviction, function: "score", kind }))
    };
    let faulty = [
        scores(|all| Ok(vec![f64::NAN; all.len()])),
        scores(|all| Ok(vec![f64::INFINITY; all.len()])),
        scores(|_| Ok(Vec::new())),
        scores(fault),
    ];
    for policy in &faulty {
        let cache = four();
        let plan = cache.store.plan(&TrimRequest { policies: &|_| Some(policy), ..percent(&cache, 50) });
        assert_eq!(plan.unwrap().faults.len(), 1);
        let Trimmed::Done(report) =
            cache.store.trim(&TrimRequest { policies: &|_| Some(policy), ..percent(&cache, 50) }).unwrap()
        else {
            panic!("nobody else trims")
        };
        assert!(report.plan.faults[0].to_string().contains("test"));
        assert_eq!(left(&cache), [key("c"), key("d")]);
    }
}

#[test]
fn shared_contents_and_companions_go_with_the_last_who_need_them() {
    let cache = Cache::new();
    let large = vec![1; 100_000];
    let companion = Digest::of(b"companion");
    let path = cache.store.layout().companion(cache.partition.id(), companion);
    cache.store.publish(&path, &[0; 50]).unwrap();
    for (name, time) in [("a", 1), ("b", 2)] {
        let draft = Draft { companion: Some(companion), companion_size: 50, ..draft(&[&large]) };
        cache.partition.add(key(name), &draft, Timestamp(time)).unwrap();
    }
    let bytes = cache.store.usage().unwrap().bytes;
    run(&cache, &TrimRequest::new(bytes - 1, now()));
    assert_eq!(left(&cache), [key("b")]);
    assert!(path.exists());
    assert_eq!(cache.store.usage().unwrap().objects, 1);
    let report = run(&cache, &TrimRequest::new(0, now()));
    assert_eq!(report.plan.left, 0);
    assert!(!path.exists());
    assert_eq!(cache.store.usage().unwrap().objects, 0);
}

#[test]
fn objects_that_no_entry_needs_go_before_any_entry() {
    let cache = four();
    cache.add(key("a"), &vec![1; 100_000], 1);
    cache.add(key("a"), &[0; 100], 1);
    assert_eq!(cache.store.usage().unwrap().objects, 1);
    let report = run(&cache, &percent(&cache, 50));
    assert!(report.plan.victims.is_empty());
    assert_eq!(cache.store.usage().unwrap().objects, 0);
}

#[test]
fn removing_an_entry_frees_what_only_it_needed() {
    let cache = Cache::new();
    cache.add(key("a"), &vec![1; 100_000], 1);
    cache.add(key("b"), &vec![1; 100_000], 1);
    cache.add(key("c"), &vec![2; 100_000], 1);
    let removed = cache.partition.remove_all(&[key("a"), key("c"), key("none")], Timestamp(2)).unwrap();
    assert_eq!(removed, [key("a"), key("c")]);
    assert_eq!(cache.store.usage().unwrap().object_bytes, 100_000);
    let unused = |found: &crate::key::Key, _: &_| *found == key("b");
    assert_eq!(cache.partition.remove_unused(&unused, Timestamp(3)).unwrap(), [key("b")]);
    assert_eq!(cache.store.usage().unwrap().objects, 0);
}

#[test]
fn clearing_leaves_an_empty_cache_that_works() {
    let cache = four();
    cache
        .store
        .publish(&cache.store.layout().derivation(cache.partition.id(), Digest::of(b"d")), &[0; 9])
        .unwrap();
    assert_eq!(cache.store.clear(Timestamp(9)).unwrap(), 4);
    let usage = cache.store.usage().unwrap();
    assert_eq!((usage.entries, usage.objects, usage.bytes), (0, 0, 0));
    cache.add(key("a"), b"again", 10);
    assert!(cache.partition.contains(key("a")));
}

#[test]
fn a_budget_is_the_smaller_of_bytes_and_percentage() {
    use crate::store::budget;
    assert_eq!(budget(400, None, Some(49)), 196);
    assert_eq!(budget(400, Some(250), None), 250);
    assert_eq!(budget(400, Some(250), Some(50)), 200);
    assert_eq!(budget(400, Some(150), Some(50)), 150);
    assert_eq!(budget(u64::MAX, None, Some(100)), u64::MAX);
    assert_eq!(budget(400, None, None), 400);
}

#[test]
fn the_oldest_auxiliary_files_go_down_to_an_eighth() {
    let cache = four();
    let layout = cache.store.layout();
    for (age, name) in ["old", "new"].into_iter().enumerate() {
        let path = layout.derivation(cache.partition.id(), Digest::of(name.as_bytes()));
        cache.store.publish(&path, &[0; 4000]).unwrap();
        let time = SystemTime::UNIX_EPOCH + Duration::from_secs(age as u64);
        fs::File::open(&path).unwrap().set_modified(time).unwrap();
    }
    let report = run(&cache, &TrimRequest::new(4000 * 2, now()));
    assert_eq!(report.plan.auxiliary_bytes, 8000);
    assert_eq!(left(&cache).len(), 4);
}

/// Nothing is synchronised: a power failure can take the end of an index and leave the entries.
#[test]
fn entries_that_their_index_does_not_know_are_found_again() {
    let cache = four();
    let index = cache.store.layout().index(cache.partition.id());
    let bytes = fs::read(&index).unwrap();
    fs::write(&index, &bytes[..3 * 112]).unwrap();
    let Trimmed::Done(_) = cache.store.trim(&percent(&cache, 99)).unwrap() else { panic!() };
    assert_eq!(cache.partition.stats().unwrap().entries, left(&cache).len() as u64);
    assert_eq!(left(&cache).len(), 3);
}

#[test]
fn a_second_trim_is_busy_and_stray_files_do_not_matter() {
    let cache = four();
    let held = cache.store.try_hold("trim").unwrap();
    assert_eq!(cache.store.trim(&percent(&cache, 0)).unwrap(), Trimmed::Busy);
    drop(held);
    let entries = cache.store.layout().entries(cache.partition.id());
    fs::write(entries.join("stray"), b"").unwrap();
    fs::create_dir_all(cache.store.layout().partitions().join("no partition")).unwrap();
    fs::create_dir_all(cache.store.layout().objects().join("zz/stray-dir")).unwrap();
    fs::write(cache.store.layout().objects().join("zz/stray"), b"").unwrap();
    run(&cache, &percent(&cache, 50));
    assert_eq!(left(&cache), [key("c"), key("d")]);
}

#[test]
fn a_cache_that_is_not_there_is_trimmed_already() {
    let cache = Cache::new();
    assert_eq!(cache.store.trim(&TrimRequest::new(0, now())).unwrap(), Trimmed::Done(TrimReport::default()));
    assert!(!cache.store.layout().root().exists());
}
