//! Looking at everything, and putting it right.

use crate::store::testing::{Cache, key};
use crate::store::{FindingKind, Remedy, Verified};
use std::fs;
use std::path::PathBuf;

fn entry(cache: &Cache, name: &str) -> PathBuf {
    cache.store.layout().entry(cache.partition.id(), key(name))
}

fn verify(cache: &Cache, remedy: Remedy) -> Verified {
    cache.store.verify(remedy, &mut |_| {}).unwrap()
}

fn flip(cache: &Cache, path: &std::path::Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    bytes[at] ^= 1;
    cache.store.publish(path, &bytes).unwrap();
}

fn object(cache: &Cache) -> PathBuf {
    let shards = fs::read_dir(cache.store.layout().objects()).unwrap();
    let mut files = shards.flat_map(|shard| fs::read_dir(shard.unwrap().path()).unwrap());
    files.next().unwrap().unwrap().path()
}

#[test]
fn a_sound_cache_is_read_whole_and_left_alone() {
    let cache = Cache::new();
    cache.add(key("small"), b"content", 1);
    cache.add(key("large"), &vec![1; 70_000], 1);
    let verified = verify(&cache, Remedy::SetAside);
    assert_eq!((verified.entries, verified.objects), (2, 1));
    assert!(verified.bytes > 70_000);
    assert_eq!(verified.findings, []);
}

#[test]
fn each_damage_is_told_once_and_set_aside_only_on_request() {
    let cache = Cache::new();
    for name in ["header", "content", "object", "sound"] {
        let content = if name == "object" { vec![1; 70_000] } else { name.into() };
        cache.add(key(name), &content, 1);
    }
    flip(&cache, &entry(&cache, "header"), 30);
    let last = fs::read(entry(&cache, "content")).unwrap().len() - 1;
    flip(&cache, &entry(&cache, "content"), last);
    let damaged = object(&cache);
    flip(&cache, &damaged, 69_999);
    for remedy in [Remedy::Tell, Remedy::SetAside] {
        let verified = verify(&cache, remedy);
        let find = |path: PathBuf| {
            let mut found = verified.findings.iter().filter(|finding| finding.path == path);
            let finding = found.next().unwrap();
            assert!(found.next().is_none());
            assert_eq!(finding.remedied, remedy == Remedy::SetAside);
            finding.kind
        };
        assert_eq!(find(entry(&cache, "header")), FindingKind::Header);
        assert_eq!(find(entry(&cache, "content")), FindingKind::Content(0));
        assert_eq!(find(entry(&cache, "object")), FindingKind::Object(0));
        assert_eq!(find(damaged.clone()), FindingKind::Differs);
        assert_eq!(verified.findings.len(), 4);
    }
    assert!(cache.partition.contains(key("sound")));
    assert_eq!(cache.partition.keys().unwrap().len(), 1);
    assert_eq!(verify(&cache, Remedy::Tell).findings, []);
}

#[test]
fn an_entry_that_lost_its_object_is_damaged() {
    let cache = Cache::new();
    cache.add(key("k"), &vec![1; 70_000], 1);
    fs::remove_file(object(&cache)).unwrap();
    let verified = verify(&cache, Remedy::SetAside);
    assert_eq!(
        verified.findings.iter().map(|finding| finding.kind).collect::<Vec<_>>(),
        [FindingKind::Object(0)]
    );
    assert!(!cache.partition.contains(key("k")));
}

#[test]
fn repair_makes_the_index_anew_and_removes_what_nobody_needs() {
    let cache = Cache::new();
    cache.add(key("k"), &vec![1; 70_000], 1);
    cache.add(key("gone"), &vec![2; 80_000], 1);
    fs::remove_file(entry(&cache, "gone")).unwrap();
    let stray = cache.store.layout().entries(cache.partition.id()).join("x.k");
    fs::write(&stray, b"stray").unwrap();
    let told = verify(&cache, Remedy::SetAside);
    assert!(told.findings.iter().all(|finding| !finding.remedied && !finding.kind.is_damage()));
    assert!(stray.exists());
    let repaired = verify(&cache, Remedy::Repair);
    let kinds: Vec<_> = repaired.findings.iter().map(|finding| (finding.kind, finding.remedied)).collect();
    assert_eq!(kinds, [(FindingKind::Foreign, true), (FindingKind::Disagrees { unknown: 0, gone: 1 }, true)]);
    assert_eq!(repaired.freed, 80_000);
    assert_eq!(verify(&cache, Remedy::Tell).findings, []);
    assert!(!stray.exists() && cache.partition.contains(key("k")));
}

/// Of a revived link the owner's permission to read was taken, and with it the object's: it could neither be revived nor added
/// anew, and `verify` went no further. Root can read it all the same, so the permissions tell.
#[test]
fn an_object_whose_permissions_were_changed_is_added_anew_or_repaired() {
    let cache = Cache::linking(crate::store::LinkMode::Hardlink);
    let large = vec![1; 70_000];
    for repaired in [true, false] {
        cache.add(key("k"), &large, 1);
        let changed = object(&cache);
        fs::set_permissions(&changed, std::os::unix::fs::PermissionsExt::from_mode(0o000)).unwrap();
        if repaired {
            let verified = verify(&cache, Remedy::Repair);
            let kinds: Vec<_> =
                verified.findings.iter().map(|finding| (finding.kind, finding.remedied)).collect();
            assert_eq!(kinds, [(FindingKind::Mode, true)]);
        } else {
            cache.add(key("k"), &large, 2);
        }
        let mode =
            std::os::unix::fs::PermissionsExt::mode(&fs::metadata(object(&cache)).unwrap().permissions());
        assert_eq!(mode & 0o7777, 0o444);
        assert_eq!(&*cache.partition.find(key("k")).unwrap().unwrap().bytes(0).unwrap(), large);
    }
}

/// A named pipe keeps whoever opens it waiting for a writer.
#[test]
fn a_pipe_in_the_place_of_a_file_is_damage_and_not_waited_for() {
    let cache = Cache::new();
    let pipe = |path: &std::path::Path| {
        fs::remove_file(path).unwrap();
        rustix::fs::mknodat(rustix::fs::CWD, path, rustix::fs::FileType::Fifo, 0o600.into(), 0).unwrap();
    };
    cache.add(key("entry"), b"small", 1);
    pipe(&entry(&cache, "entry"));
    assert_eq!(cache.partition.keys().unwrap(), []);
    assert!(cache.partition.find(key("entry")).unwrap().is_none());
    assert!(!entry(&cache, "entry").exists());

    cache.add(key("object"), &vec![1; 70_000], 1);
    pipe(&object(&cache));
    let found = cache.partition.find(key("object")).unwrap().unwrap();
    assert!(found.bytes(0).is_err_and(|error| error.is_damage()));
    cache.add(key("object"), &vec![1; 70_000], 1);
    assert!(cache.partition.find(key("object")).unwrap().unwrap().bytes(0).is_ok());

    pipe(&cache.store.layout().index(cache.partition.id()));
    let draft = crate::store::testing::draft(&[b"x"]);
    assert!(cache.partition.add(key("k"), &draft, crate::time::Timestamp(1)).is_err());
    assert!(cache.partition.keys().is_err());
}
