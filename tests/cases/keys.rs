//! What is told of keys, and unbinding them: cases 25 to 27, 37 and 49.

use crate::cache::{Cache, NOW, key, of_bytes};
use reviver::key::{Key, Name};
use reviver::store::{Added, StoreError, TrimReport, TrimRequest, Trimmed};
use std::fs;

#[test]
fn a_key_tells_how_much_it_holds_and_an_unbound_one_tells_nothing() {
    let cache = Cache::new();
    let source = cache.write("f", "8 bytes.");
    cache.partition.add(key("k"), &of_bytes(b"5 b m", &[&fs::read(&source).unwrap()]), NOW).unwrap();
    let told = cache.partition.key_stats(key("k")).unwrap().unwrap();
    assert_eq!((told.files, told.created, told.last_use, told.uses), (1, NOW, NOW, 0));
    // The entry's own file with its header, and its one record in the index.
    let size = |path| fs::metadata(path).unwrap().len();
    assert_eq!(told.bytes, size(cache.entry("k")) + size(cache.store.layout().index(cache.partition.id())));
    assert_eq!(told.bytes, cache.store.usage().unwrap().bytes);
    for (content, hunk) in [(&b"8 bytes and 3."[..], &b"5 b m"[..]), (b"8 bytes.", b"5 b m and 6.")] {
        let more = (content.len() + hunk.len() - 13) as u64;
        cache.partition.add(key("more"), &of_bytes(hunk, &[content]), NOW).unwrap();
        assert_eq!(cache.partition.key_stats(key("more")).unwrap().unwrap().bytes, told.bytes + more);
    }
    assert_eq!(cache.partition.key_stats(key("unbound")).unwrap(), None);
}

#[test]
fn unbinding_tells_whether_it_was_bound() {
    let cache = Cache::new();
    cache.bind("k", &[b"x"], 1);
    cache.bind("other", &[b"y"], 1);
    assert!(cache.partition.remove(key("k"), NOW).unwrap());
    assert!(!cache.partition.remove(key("k"), NOW).unwrap());
    assert!(!cache.partition.contains(key("k")) && cache.contents("k").is_none());
    assert_eq!(cache.contents("other"), Some(vec![b"y".to_vec()]));
}

#[test]
fn unbinding_succeeds_whatever_lies_in_the_place_of_the_entry() {
    let cache = Cache::new();
    cache.bind("k", &[b"x"], 1);
    fs::remove_file(cache.entry("k")).unwrap();
    fs::create_dir_all(cache.entry("k").join("sub/directory")).unwrap();
    fs::write(cache.entry("k").join("file"), b"x").unwrap();
    assert!(cache.partition.remove(key("k"), NOW).unwrap());
    assert!(!cache.entry("k").exists());
    assert!(!cache.partition.remove(key("k"), NOW).unwrap());
    cache.bind("k", &[b"again"], 2);
    assert_eq!(cache.contents("k"), Some(vec![b"again".to_vec()]));
}

/// Keys of operations are digests, so only a name that a person chose could lead anywhere; and its key is a digest too.
#[test]
fn names_that_are_no_path_segment_are_refused() {
    for wrong in ["../x", "x/y", "", "a\0b", &"x".repeat(255), ".", "..", "/", "a\nb"] {
        let refused = Name::new(wrong).unwrap_err();
        assert!(refused.to_string().contains("cannot name an entry"), "{refused}");
    }
    for right in ["x", ".x", "x.k", "a b", &"x".repeat(200)] {
        let key = Key::named(&Name::new(right).unwrap());
        assert!(key.to_string().bytes().all(|byte| byte.is_ascii_hexdigit()), "{key}");
    }
}

#[test]
fn a_cache_that_vanished_is_empty_and_is_made_again_by_what_is_added() {
    let cache = Cache::new();
    cache.bind("k", &[b"x"], 1);
    let root = cache.path("cache");
    fs::remove_dir_all(&root).unwrap();
    let asked = || {
        assert_eq!(cache.partition.keys().unwrap(), []);
        assert!(!cache.partition.contains(key("k")) && cache.contents("k").is_none());
        assert_eq!(cache.revive("k", &[cache.path("out")]), None);
        assert_eq!(cache.partition.key_stats(key("k")).unwrap(), None);
        assert!(!cache.partition.remove(key("k"), NOW).unwrap());
        let trimmed = cache.store.trim(&TrimRequest::new(0, NOW)).unwrap();
        assert_eq!(trimmed, Trimmed::Done(TrimReport::default()));
    };
    asked();
    assert!(!root.exists(), "who only asks makes nothing");
    // Something else in its place cannot be a cache, and stays.
    fs::write(&root, b"a file").unwrap();
    asked();
    let error = cache.partition.add(key("k"), &of_bytes(b"m", &[b"x"]), NOW).unwrap_err();
    assert!(matches!(error, StoreError::Io { .. } | StoreError::NotADirectory { .. }), "{error}");
    assert_eq!(fs::read(&root).unwrap(), b"a file");

    fs::remove_file(&root).unwrap();
    let added = cache.partition.add(key("k"), &of_bytes(b"m", &[b"x"]), NOW).unwrap();
    assert!(matches!(added, Added::Stored { .. }));
    assert_eq!(cache.partition.keys().unwrap().len(), 1);
}
