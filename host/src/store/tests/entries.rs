//! Adding, finding and removing.

use super::golden::full_draft;
use crate::digest::Digest;
use crate::key::Name;
use crate::store::testing::{Cache, draft, key};
use crate::store::{Added, Content, Draft, DraftItem, ItemKind, Options, Staging, Store, StoreError};
use crate::time::Timestamp;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

fn item(content: Content<'_>, mode: u32) -> DraftItem<'_> {
    DraftItem { path: Vec::new(), content, mode: Some(mode) }
}

fn file_of(cache: &Cache, name: &str) -> PathBuf {
    cache.store.layout().entry(cache.partition.id(), key(name))
}

#[test]
fn an_entry_round_trips() {
    let cache = Cache::new();
    let name = Name::new("tool").unwrap();
    let draft = full_draft(&name);
    let added = cache.partition.add(key("k"), &draft, Timestamp(42)).unwrap();
    assert!(matches!(added, Added::Stored { items, .. } if items.len() == 4));
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert_eq!(entry.key(), key("k"));
    assert_eq!(entry.name(), Some(&name));
    assert_eq!((entry.metadata(), entry.remembered()), (&b"hunk"[..], &b"remembered"[..]));
    assert_eq!(entry.companion(), Some(Digest::of(b"companion")));
    assert_eq!((entry.created(), entry.cost()), (Timestamp(42), 1_000_000));
    let kinds: Vec<_> = entry.items().iter().map(|item| item.kind).collect();
    assert_eq!(kinds, [ItemKind::File, ItemKind::Directory, ItemKind::Link, ItemKind::File]);
    assert_eq!(entry.items()[2].path, b"share/new\nline");
    assert_eq!(&*entry.bytes(0).unwrap(), b"#!/bin/sh\n");
    assert_eq!(&*entry.bytes(2).unwrap(), b"../bin/tool");
    assert!(cache.partition.contains(key("k")) && !cache.partition.contains(key("other")));
    assert!(cache.partition.find(key("other")).unwrap().is_none());
}

#[test]
fn no_flipped_byte_makes_wrong_bytes() {
    let cache = Cache::new();
    cache.add(key("k"), b"content", 1);
    let path = file_of(&cache, "k");
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        let mut flipped = whole.clone();
        flipped[at] ^= 1;
        cache.store.publish(&path, &flipped).unwrap();
        if let Some(entry) = cache.partition.find(key("k")).unwrap() {
            assert!(entry.bytes(0).is_err_and(|error| error.is_damage()), "byte {at}");
        }
        assert!(!path.exists(), "byte {at}: what is damaged is in quarantine");
    }
}

#[test]
fn no_truncated_entry_is_found() {
    let cache = Cache::new();
    cache.add(key("k"), b"content", 1);
    let path = file_of(&cache, "k");
    let whole = fs::read(&path).unwrap();
    for length in 0..whole.len() {
        cache.store.publish(&path, &whole[..length]).unwrap();
        assert!(cache.partition.find(key("k")).unwrap().is_none(), "length {length}");
    }
}

#[test]
fn an_entry_under_the_name_of_another_is_not_found() {
    let cache = Cache::new();
    cache.add(key("a"), b"content", 1);
    let bytes = fs::read(file_of(&cache, "a")).unwrap();
    cache.store.publish(&file_of(&cache, "b"), &bytes).unwrap();
    assert!(cache.partition.find(key("b")).unwrap().is_none());
}

#[test]
fn a_failing_add_keeps_the_older_binding() {
    let cache = Cache::new();
    cache.add(key("k"), b"old", 1);
    let missing = cache.path("missing");
    let dangling = cache.path("dangling");
    symlink("nowhere", &dangling).unwrap();
    fs::write(cache.path("file"), b"x").unwrap();
    let below = cache.path("file/below");
    for source in [&missing, &dangling, &below] {
        let items = vec![item(Content::Bytes(b"new"), 0o644), item(Content::Path(source), 0o644)];
        let draft = Draft { items, ..Draft::default() };
        let added = cache.partition.add(key("k"), &draft, Timestamp(2)).unwrap();
        assert_eq!(added, Added::SourceMissing(source.clone()));
    }
    for (path, directory) in [("", cache.directory.path()), ("../x", Path::new("/etc/hostname"))] {
        let content = if path.is_empty() { Content::Path(directory) } else { Content::Bytes(b"") };
        let items = vec![DraftItem { path: path.into(), content, mode: Some(0o644) }];
        let error = cache.partition.add(key("k"), &Draft { items, ..Draft::default() }, Timestamp(2));
        assert!(matches!(error, Err(StoreError::SourceKind { .. } | StoreError::InvalidItem { .. })));
    }
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert_eq!(&*entry.bytes(0).unwrap(), b"old");
    assert_eq!(cache.unfinished(), 0);
}

#[test]
fn adding_again_replaces_entirely() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2", b"3"]), Timestamp(1)).unwrap();
    cache.partition.add(key("k"), &draft(&[b"only"]), Timestamp(2)).unwrap();
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert_eq!(entry.items().len(), 1);
    assert_eq!(cache.partition.stats().unwrap().entries, 1);
    assert_eq!(cache.partition.stats().unwrap().files, 1);
}

#[test]
fn modes_are_kept_and_foreign_rights_are_not() {
    let cache = Cache::new();
    for (mode, kept) in [(0o755, 0o755), (0o444, 0o444), (0o4755, 0o755), (0o666, 0o666)] {
        let draft = Draft { items: vec![item(Content::Bytes(b"x"), mode)], ..Draft::default() };
        cache.partition.add(key("k"), &draft, Timestamp(1)).unwrap();
        let entry = cache.partition.find(key("k")).unwrap().unwrap();
        assert_eq!(entry.items()[0].mode, kept);
        let destination = cache.path("out");
        let mut staging = Staging::new(&cache.store);
        staging.file(&entry, 0, &destination, entry.items()[0].mode).unwrap();
        staging.commit().unwrap();
        assert_eq!(fs::metadata(&destination).unwrap().permissions().mode() & 0o7777, kept);
    }
}

#[test]
fn seventeen_contents_keep_their_order_and_none_is_fine() {
    let cache = Cache::new();
    let contents: Vec<Vec<u8>> = (0..17).map(|number| vec![number]).collect();
    let slices: Vec<&[u8]> = contents.iter().map(Vec::as_slice).collect();
    cache.partition.add(key("17"), &draft(&slices), Timestamp(1)).unwrap();
    let entry = cache.partition.find(key("17")).unwrap().unwrap();
    for (index, content) in contents.iter().enumerate() {
        assert_eq!(&*entry.bytes(index).unwrap(), content);
    }
    cache.partition.add(key("0"), &Draft::default(), Timestamp(1)).unwrap();
    let empty = cache.partition.find(key("0")).unwrap().unwrap();
    assert!(empty.metadata().is_empty() && empty.items().is_empty());
}

#[test]
fn sources_are_followed_through_links_and_told_with_their_identities() {
    let cache = Cache::new();
    fs::write(cache.path("real"), b"content").unwrap();
    symlink("real", cache.path("link")).unwrap();
    let link = cache.path("link");
    let draft = Draft { items: vec![item(Content::Path(&link), 0o644)], ..Draft::default() };
    let Added::Stored { items, .. } = cache.partition.add(key("k"), &draft, Timestamp(1)).unwrap() else {
        panic!("the source is there");
    };
    assert_eq!(items[0].digest, Digest::of(b"content"));
    assert!(items[0].identity.is_some_and(|identity| identity.is_file() && identity.size == 7));
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert_eq!(entry.items()[0].kind, ItemKind::File);
}

#[test]
fn large_contents_are_stored_once() {
    let cache = Cache::new();
    let large = vec![7; 5 << 20];
    fs::write(cache.path("large"), &large).unwrap();
    cache.partition.add(key("bytes"), &draft(&[&large, b"small"]), Timestamp(1)).unwrap();
    let path = cache.path("large");
    let draft = Draft { items: vec![item(Content::Path(&path), 0o644)], ..Draft::default() };
    cache.partition.add(key("path"), &draft, Timestamp(1)).unwrap();
    let usage = cache.store.usage().unwrap();
    assert_eq!((usage.entries, usage.objects, usage.object_bytes), (2, 1, large.len() as u64));
    for name in ["bytes", "path"] {
        let entry = cache.partition.find(key(name)).unwrap().unwrap();
        assert_eq!(&*entry.bytes(0).unwrap(), large);
        let mut read = Vec::new();
        std::io::Read::read_to_end(&mut entry.reader(0).unwrap(), &mut read).unwrap();
        assert_eq!(read, large);
    }
}

#[test]
fn removing_tells_whether_it_was_bound() {
    let cache = Cache::new();
    cache.add(key("k"), b"x", 1);
    assert!(cache.partition.remove(key("k"), Timestamp(2)).unwrap());
    assert!(!cache.partition.remove(key("k"), Timestamp(2)).unwrap());
    assert_eq!(cache.partition.stats().unwrap(), crate::store::PartitionStats::default());
    assert!(cache.partition.keys().unwrap().is_empty());
}

#[test]
fn a_cache_that_is_not_there_holds_nothing_and_stays_absent() {
    let cache = Cache::new();
    assert!(cache.partition.find(key("k")).unwrap().is_none());
    assert!(!cache.partition.remove(key("k"), Timestamp(1)).unwrap());
    cache.partition.used(key("k"), Timestamp(1)).unwrap();
    assert!(cache.store.partitions().unwrap().is_empty());
    assert_eq!(cache.store.usage().unwrap(), crate::store::Usage::default());
    assert!(!cache.store.layout().root().exists());
}

#[test]
fn a_file_is_no_cache() {
    let cache = Cache::new();
    fs::write(cache.path("file"), b"").unwrap();
    let error = Store::open(&cache.path("file"), Options::default());
    assert!(matches!(error, Err(StoreError::NotADirectory { .. })));
}

#[test]
fn nothing_is_published_outside() {
    let cache = Cache::new();
    let climbing = cache.store.layout().root().join("../../x");
    for destination in [cache.path("x"), climbing] {
        let error = cache.store.publish(&destination, b"");
        assert!(matches!(error, Err(StoreError::Outside { .. })), "{}", destination.display());
    }
}

#[test]
fn everything_is_private() {
    let cache = Cache::new();
    cache.add(key("k"), b"x", 1);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    let path = file_of(&cache, "k");
    assert_eq!(mode(&path), 0o600);
    assert_eq!(mode(&cache.store.layout().index(cache.partition.id())), 0o600);
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    assert_eq!(mode(cache.store.layout().root()), 0o700);
}

/// A lost index must not hide entries from every trim to come, even if the next thing is an addition.
#[test]
fn a_lost_index_is_made_anew_from_the_entries() {
    let cache = Cache::new();
    cache.add(key("a"), b"x", 5);
    cache.add(key("b"), b"y", 6);
    let index = cache.store.layout().index(cache.partition.id());
    fs::remove_file(&index).unwrap();
    cache.add(key("c"), b"z", 7);
    assert_eq!(cache.partition.stats().unwrap().entries, 3);

    // Torn in the middle: what can be read of uses is kept, and every entry is there.
    cache.partition.used(key("a"), Timestamp(50)).unwrap();
    let mut bytes = fs::read(&index).unwrap();
    bytes[10] ^= 1;
    bytes.extend(b"half a record");
    fs::write(&index, bytes).unwrap();
    let candidates = cache.partition.candidates().unwrap();
    assert_eq!(candidates.len(), 3);
    assert!(!cache.partition.fold().unwrap().damaged);
}

#[test]
fn rewriting_an_index_keeps_what_it_says() {
    let cache = Cache::new();
    cache.add(key("a"), b"x", 5);
    cache.add(key("b"), b"x", 6);
    for time in 0..3000 {
        cache.partition.used(key("a"), Timestamp(time)).unwrap();
    }
    let sorted = || {
        let mut candidates = cache.partition.candidates().unwrap();
        candidates.sort_by_key(|(key, _)| *key);
        candidates
    };
    let before = sorted();
    cache.partition.compact().unwrap();
    assert_eq!(sorted(), before);
    let size = fs::metadata(cache.store.layout().index(cache.partition.id())).unwrap().len();
    assert_eq!(size, 3 * 112);
}

#[test]
fn the_total_grows_and_is_measured_where_it_is_lost() {
    let cache = Cache::new();
    let Added::Stored { bytes, .. } = cache.add(key("a"), b"x", 5) else { panic!() };
    assert_eq!(cache.store.grown(bytes).unwrap(), bytes);
    assert_eq!(cache.store.grown(10).unwrap(), bytes + 10);
    fs::write(cache.store.layout().total(), b"torn").unwrap();
    assert_eq!(cache.store.grown(10).unwrap(), bytes);
}

/// An entry is read into memory as a whole, so it may not grow with the number of its contents.
#[test]
fn of_very_many_small_contents_the_later_are_objects() {
    let cache = Cache::new();
    let content = vec![1; 60_000];
    let contents = vec![content.as_slice(); 1200];
    cache.partition.add(key("k"), &draft(&contents), Timestamp(1)).unwrap();
    let file = cache.store.layout().entry(cache.partition.id(), key("k"));
    assert!(fs::metadata(file).unwrap().len() < 65 << 20);
    assert_eq!(cache.store.usage().unwrap().objects, 1);
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert!((0..1200).all(|index| *entry.bytes(index).unwrap() == content));
}

/// Who only reads must not change one byte, whatever is found: not for a use, and not for damage.
#[test]
fn a_store_that_is_only_read_finds_and_revives_and_writes_nothing() {
    let cache = Cache::new();
    let large = vec![7; 70_000];
    cache.partition.add(key("k"), &draft(&[b"small", &large]), Timestamp(1)).unwrap();
    cache.partition.add(key("damaged"), &draft(&[b"x"]), Timestamp(1)).unwrap();
    let mut bytes = std::fs::read(file_of(&cache, "damaged")).unwrap();
    bytes[40] ^= 1;
    std::fs::write(file_of(&cache, "damaged"), &bytes).unwrap();
    let options = Options { read_only: true, ..Options::default() };
    let root = cache.store.layout().root().parent().unwrap().to_owned();
    let store = Store::open(&root, options).unwrap();
    let partition = store.partition(cache.partition.id());
    let before = cache.store.usage().unwrap();
    let paths = [cache.path("out/a"), cache.path("out/b")];
    assert!(partition.revive(key("k"), &[&paths[0], &paths[1]], Timestamp(2)).unwrap().is_some());
    assert_eq!(std::fs::read(&paths[1]).unwrap(), large);
    assert!(partition.find(key("damaged")).unwrap().is_none());
    assert!(file_of(&cache, "damaged").exists());
    let refused =
        |result: Result<(), StoreError>| assert!(matches!(result, Err(StoreError::ReadOnly { .. })));
    refused(partition.add(key("new"), &draft(&[b"y"]), Timestamp(3)).map(drop));
    refused(partition.remove(key("k"), Timestamp(3)).map(drop));
    refused(store.publish(&store.layout().secret(), b"s"));
    refused(store.lock_path(&paths[0]).map(drop));
    refused(store.intrude(&paths[0]).map(drop));
    refused(store.temporary().map(drop));
    refused(store.grown(1).map(drop));
    refused(store.clear(Timestamp(3)).map(drop));
    assert!(partition.set_aside(&file_of(&cache, "k")).is_ok() && file_of(&cache, "k").exists());
    assert_eq!(cache.store.usage().unwrap(), before);
    assert_eq!(cache.partition.stats().unwrap().uses, 0);
}
