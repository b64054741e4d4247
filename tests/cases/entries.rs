//! Making a cache and adding to it: cases 1 to 6 and 10 to 17.

use crate::cache::{Cache, NOW, key, open, partition, version_directory};
use reviver::store::{Added, Draft, ItemKind, Options, Store, StoreError};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

#[test]
fn a_cache_is_made_with_all_above_it_by_what_is_first_put_there() {
    let around = Cache::new();
    let deep = around.path("a/b/c");
    let store = open(&deep);
    assert!(!around.path("a").exists(), "who only asks makes nothing");
    assert!(partition(&store).keys().unwrap().is_empty());
    assert!(matches!(partition(&store).add(key("k"), &Draft::default(), NOW), Ok(Added::Stored { .. })));
    assert!(version_directory(&deep).is_dir());
    assert!(partition(&open(&deep)).contains(key("k")));
}

#[test]
fn a_file_in_the_place_of_the_cache_is_a_typed_error() {
    let around = Cache::new();
    let file = around.write("file", "x");
    let error = Store::open(&file, Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::NotADirectory { path } if path == file));
    assert_eq!(fs::read(&file).unwrap(), b"x");
}

#[test]
fn an_empty_cache_has_no_keys() {
    let cache = Cache::new();
    assert_eq!(cache.partition.keys().unwrap(), []);
    fs::create_dir_all(cache.store.layout().entries(cache.partition.id())).unwrap();
    assert_eq!(cache.partition.keys().unwrap(), []);
}

#[test]
fn an_entry_may_hold_nothing() {
    let cache = Cache::new();
    let added = cache.partition.add(key("k"), &Draft::of_files(b"", &[]), NOW).unwrap();
    assert!(matches!(added, Added::Stored { items, .. } if items.is_empty()));
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert!(!entry.is_manifest() && entry.metadata().is_empty() && entry.items().is_empty());
    assert_eq!(cache.revive("k", &[]), Some(Vec::new()));
}

#[test]
fn what_is_added_comes_back_byte_by_byte() {
    let cache = Cache::new();
    let large: Vec<u8> = (0..200_000_u32).map(|number| (number % 251) as u8).collect();
    for content in [&b"content\0\xff"[..], b"", &large] {
        let source = cache.write("f", content);
        cache.add("k", &[&source]);
        assert_eq!(cache.revive("k", &[cache.path("new")]), Some(b"m".to_vec()));
        assert_eq!(fs::read(cache.path("new")).unwrap(), content);
    }
}

/// Where each content is a file named by its number, a number of one digit more changes all names.
#[test]
fn contents_keep_their_order_however_many() {
    let cache = Cache::new();
    for number in [15, 16, 17] {
        let sources: Vec<PathBuf> =
            (0..number).map(|index| cache.write(&format!("in/{index}"), index.to_string())).collect();
        let sources: Vec<&Path> = sources.iter().map(PathBuf::as_path).collect();
        cache.add("k", &sources);
        let destinations: Vec<PathBuf> =
            (0..number).map(|index| cache.path(&format!("out/{index}"))).collect();
        assert!(cache.revive("k", &destinations).is_some());
        for (index, destination) in destinations.iter().enumerate() {
            assert_eq!(fs::read_to_string(destination).unwrap(), index.to_string());
        }
    }
}

/// Adds a good file and a bad one to a key that is not bound.
fn add_beside_a_good_one(cache: &Cache, bad: &Path) -> Result<Added, StoreError> {
    let good = cache.write("good", "good");
    cache.partition.add(key("k"), &Draft::of_files(b"m", &[&good, bad]), NOW)
}

fn assert_nothing_was_bound(cache: &Cache) {
    assert!(!cache.partition.contains(key("k")));
    assert_eq!(cache.contents("k"), None);
    assert_eq!(cache.partition.keys().unwrap(), []);
    cache.assert_nothing_half_written();
}

#[test]
fn a_missing_source_binds_nothing() {
    let cache = Cache::new();
    let missing = cache.path("missing");
    assert_eq!(add_beside_a_good_one(&cache, &missing).unwrap(), Added::SourceMissing(missing));
    assert_nothing_was_bound(&cache);
}

#[test]
fn a_missing_source_leaves_the_older_binding() {
    let cache = Cache::new();
    cache.bind("k", &[b"old"], 1);
    let added = add_beside_a_good_one(&cache, &cache.path("missing")).unwrap();
    assert!(matches!(added, Added::SourceMissing(_)));
    assert_eq!(cache.contents("k"), Some(vec![b"old".to_vec()]));
    assert_eq!(cache.partition.find(key("k")).unwrap().unwrap().metadata(), b"hunk");
    cache.assert_nothing_half_written();
}

#[test]
fn adding_again_replaces_the_binding_entirely() {
    let cache = Cache::new();
    cache.bind("k", &[b"1", b"2", b"3"], 1);
    let only = cache.write("only", "only");
    cache.add("k", &[&only]);
    assert_eq!(cache.contents("k"), Some(vec![b"only".to_vec()]));
    assert_eq!(cache.revive("k", &[cache.path("a"), cache.path("b"), cache.path("c")]), None);
    assert_eq!(cache.revive("k", &[cache.path("a")]), Some(b"m".to_vec()));
    let stats = cache.partition.stats().unwrap();
    assert_eq!((stats.entries, stats.files), (1, 1));
}

#[test]
fn a_dangling_link_is_a_missing_source() {
    let cache = Cache::new();
    let dangling = cache.path("dangling");
    symlink("nowhere", &dangling).unwrap();
    assert_eq!(add_beside_a_good_one(&cache, &dangling).unwrap(), Added::SourceMissing(dangling));
    assert_nothing_was_bound(&cache);
}

#[test]
fn a_link_to_a_file_is_added_as_that_file() {
    let cache = Cache::new();
    cache.write("real", "content");
    let (link, to) = (cache.path("link"), cache.path("to"));
    symlink("real", &link).unwrap();
    cache.add("k", &[&link]);
    assert_eq!(cache.partition.find(key("k")).unwrap().unwrap().items()[0].kind, ItemKind::File);
    assert!(cache.revive("k", std::slice::from_ref(&to)).is_some());
    assert!(fs::symlink_metadata(&to).unwrap().is_file());
    assert_eq!(fs::read(&to).unwrap(), b"content");
}

#[test]
fn a_directory_is_no_content_and_binds_nothing() {
    let cache = Cache::new();
    let directory = cache.path("directory");
    fs::create_dir(&directory).unwrap();
    let error = add_beside_a_good_one(&cache, &directory).unwrap_err();
    assert!(matches!(error, StoreError::SourceKind { path } if path == directory));
    assert_nothing_was_bound(&cache);
}

#[test]
fn a_source_below_a_file_is_missing_and_binds_nothing() {
    let cache = Cache::new();
    let below = cache.write("f", "a file").join("x");
    assert_eq!(add_beside_a_good_one(&cache, &below).unwrap(), Added::SourceMissing(below));
    assert_nothing_was_bound(&cache);
}

#[test]
fn permissions_are_kept_and_rights_of_others_are_not() {
    let cache = Cache::new();
    for (mode, kept) in [(0o755, 0o755), (0o444, 0o444), (0o4777, 0o777), (0o6755, 0o755), (0o1644, 0o644)] {
        for size in [1, 100_000] {
            let source = cache.write("source", vec![7; size]);
            fs::set_permissions(&source, Permissions::from_mode(mode)).unwrap();
            assert_eq!(fs::metadata(&source).unwrap().permissions().mode() & 0o7777, mode);
            cache.add("k", &[&source]);
            fs::remove_file(&source).unwrap();
            assert!(cache.revive("k", &[cache.path("to")]).is_some());
            let revived = fs::metadata(cache.path("to")).unwrap().permissions().mode() & 0o7777;
            assert_eq!(revived, kept, "{mode:o} and {size} bytes became {revived:o}");
        }
    }
}
