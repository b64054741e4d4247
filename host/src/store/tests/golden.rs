//! The bytes of version 1 never change: the golden files were written once and are read for ever.
//!
//! | file | is |
//! |---|---|
//! | `entry-1` | an entry with every kind of field and of content |
//! | `manifest-1` | an entry that is a manifest |
//! | `entry-with-object-1` | an entry with a content that is an object |
//! | `index-1` | an index that was rewritten, and then appended to: two additions, uses, a removal |

use crate::digest::Digest;
use crate::key::Name;
use crate::store::fold::Fold;
use crate::store::index::{Kind, RECORD, Record};
use crate::store::testing::{Cache, key};
use crate::store::{Content, Draft, DraftItem, Entry, ItemKind};
use crate::time::Timestamp;
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;

const ENTRY: &[u8] = include_bytes!("../golden/entry-1");
const MANIFEST: &[u8] = include_bytes!("../golden/manifest-1");
const WITH_OBJECT: &[u8] = include_bytes!("../golden/entry-with-object-1");
const INDEX: &[u8] = include_bytes!("../golden/index-1");

/// Every kind of field and of content.
pub(super) fn full_draft(name: &Name) -> Draft<'_> {
    Draft {
        name: Some(name),
        metadata: b"hunk",
        remembered: b"remembered",
        companion: Some(Digest::of(b"companion")),
        companion_size: 7,
        cost: 1_000_000,
        manifest: false,
        items: vec![
            item("bin/tool", Content::Bytes(b"#!/bin/sh\n"), 0o755),
            item("share", Content::Directory, 0o755),
            item("share/new\nline", Content::Link(b"../bin/tool"), 0o755),
            item("", Content::Bytes(b""), 0o755),
        ],
    }
}

fn item<'a>(path: &str, content: Content<'a>, mode: u32) -> DraftItem<'a> {
    DraftItem { path: path.into(), content, mode: Some(mode) }
}

fn path_of(cache: &Cache) -> PathBuf {
    cache.store.layout().entry(cache.partition.id(), key("golden"))
}

/// What an addition writes.
fn written(cache: &Cache, draft: &Draft<'_>) -> Vec<u8> {
    cache.partition.add(key("golden"), draft, Timestamp(42)).unwrap();
    fs::read(path_of(cache)).unwrap()
}

/// The entry that golden bytes are.
fn read(cache: &Cache, golden: &[u8]) -> Entry {
    cache.store.publish(&path_of(cache), golden).unwrap();
    cache.partition.find(key("golden")).unwrap().unwrap()
}

/// Path, kind, mode and bytes of each content; the digest and the size are those of the bytes.
fn items(entry: &Entry) -> Vec<(String, ItemKind, u32, Vec<u8>)> {
    let item = |index: usize| {
        let item = &entry.items()[index];
        let path = String::from_utf8(item.path.clone()).unwrap();
        let bytes = if item.kind == ItemKind::Directory {
            Vec::new()
        } else {
            entry.bytes(index).unwrap().into_owned()
        };
        assert_eq!((item.size, item.digest), (bytes.len() as u64, Digest::of(&bytes)));
        (path, item.kind, item.mode, bytes)
    };
    (0..entry.items().len()).map(item).collect()
}

#[test]
fn the_golden_entry_is_still_written_and_read() {
    let name = Name::new("tool").unwrap();
    assert_eq!(written(&Cache::new(), &full_draft(&name)), ENTRY);

    let entry = read(&Cache::new(), ENTRY);
    assert_eq!((entry.key(), entry.name(), entry.is_manifest()), (key("golden"), Some(&name), false));
    assert_eq!((entry.metadata(), entry.remembered()), (&b"hunk"[..], &b"remembered"[..]));
    assert_eq!((entry.companion(), entry.companion_size()), (Some(Digest::of(b"companion")), 7));
    assert_eq!((entry.created(), entry.cost()), (Timestamp(42), 1_000_000));
    let expected = [
        ("bin/tool", ItemKind::File, 0o755, &b"#!/bin/sh\n"[..]),
        ("share", ItemKind::Directory, 0o755, b""),
        ("share/new\nline", ItemKind::Link, 0o755, b"../bin/tool"),
        ("", ItemKind::File, 0o755, b""),
    ];
    assert_eq!(items(&entry), expected.map(owned));
}

fn owned(item: (&str, ItemKind, u32, &[u8])) -> (String, ItemKind, u32, Vec<u8>) {
    (item.0.to_owned(), item.1, item.2, item.3.to_vec())
}

#[test]
fn the_golden_manifest_is_still_written_and_read() {
    let draft = Draft {
        metadata: b"m",
        manifest: true,
        items: vec![
            item("sub", Content::Directory, 0o750),
            item("sub/a", Content::Bytes(b"A"), 0o640),
            item("sub/link", Content::Link(b"a"), 0o777),
            item("new\nline", Content::Bytes(b"B"), 0o755),
        ],
        ..Draft::default()
    };
    assert_eq!(written(&Cache::new(), &draft), MANIFEST);

    let cache = Cache::new();
    let entry = read(&cache, MANIFEST);
    assert_eq!((entry.key(), entry.name(), entry.is_manifest()), (key("golden"), None, true));
    assert_eq!((entry.metadata(), entry.remembered()), (&b"m"[..], &b""[..]));
    assert_eq!((entry.companion(), entry.companion_size()), (None, 0));
    assert_eq!((entry.created(), entry.cost()), (Timestamp(42), 0));
    let expected = [
        ("sub", ItemKind::Directory, 0o750, &b""[..]),
        ("sub/a", ItemKind::File, 0o640, b"A"),
        ("sub/link", ItemKind::Link, 0o777, b"a"),
        ("new\nline", ItemKind::File, 0o755, b"B"),
    ];
    assert_eq!(items(&entry), expected.map(owned));

    let root = cache.path("root");
    cache.partition.manifest_revive(key("golden"), &root, Timestamp(43)).unwrap().unwrap();
    assert_eq!(fs::read(root.join("sub/link")).unwrap(), b"A");
    assert_eq!(fs::read(root.join("new\nline")).unwrap(), b"B");
    let mode = |name: &str| fs::metadata(root.join(name)).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode("sub"), mode("sub/a")), (0o750, 0o640));
}

/// Where the object of the golden entry is, and its permissions.
const OBJECT: (&str, u32) =
    ("v1/objects/68/d647e619a930e7b1082f74f334b0c65a315725569bdc123f0ee11881717bfe-551", 0o551);

#[test]
fn the_golden_entry_with_an_object_is_still_written_and_read() {
    let large: Vec<u8> = (0..64 * 1024_u32).map(|number| (number % 251) as u8).collect();
    let draft = Draft {
        metadata: b"m",
        items: vec![item("", Content::Bytes(b"small"), 0o644), item("", Content::Bytes(&large), 0o751)],
        ..Draft::default()
    };
    let cache = Cache::new();
    assert_eq!(written(&cache, &draft), WITH_OBJECT);
    let object = |cache: &Cache| cache.path("cache").join(OBJECT.0);
    assert_eq!(fs::read(object(&cache)).unwrap(), large);
    assert_eq!(fs::metadata(object(&cache)).unwrap().permissions().mode() & 0o7777, OBJECT.1);

    let other = Cache::new();
    other.store.publish(&object(&other), &large).unwrap();
    let entry = read(&other, WITH_OBJECT);
    assert_eq!((entry.key(), entry.name(), entry.is_manifest()), (key("golden"), None, false));
    assert_eq!((entry.metadata(), entry.remembered()), (&b"m"[..], &b""[..]));
    assert_eq!((entry.companion(), entry.companion_size()), (None, 0));
    assert_eq!((entry.created(), entry.cost()), (Timestamp(42), 0));
    let expected = [("", ItemKind::File, 0o644, &b"small"[..]), ("", ItemKind::File, 0o751, &large)];
    assert_eq!(items(&entry), expected.map(owned));
    let [small, to] = ["small", "to"].map(|name| other.path(name));
    other.partition.revive(key("golden"), &[&small, &to], Timestamp(43)).unwrap().unwrap();
    assert_eq!(fs::read(&to).unwrap(), large);
    assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o7777, 0o751);
}

/// What happened in the golden index.
fn write_index(cache: &Cache) {
    let partition = &cache.partition;
    cache.add(key("a"), b"content", 10);
    partition.used(key("a"), Timestamp(11)).unwrap();
    partition.used(key("a"), Timestamp(12)).unwrap();
    partition.reindex().unwrap();
    let large = vec![7; 64 * 1024];
    let draft = Draft {
        companion: Some(Digest::of(b"companion")),
        companion_size: 9,
        cost: 1_000_000,
        items: vec![item("", Content::Bytes(&large), 0o644), item("", Content::Bytes(b"x"), 0o644)],
        ..Draft::default()
    };
    partition.add(key("b"), &draft, Timestamp(13)).unwrap();
    partition.used(key("b"), Timestamp(14)).unwrap();
    assert!(partition.remove(key("a"), Timestamp(15)).unwrap());
}

#[test]
fn the_golden_index_is_still_written_and_read() {
    let cache = Cache::new();
    write_index(&cache);
    let index = |cache: &Cache| cache.store.layout().index(cache.partition.id());
    assert_eq!(fs::read(index(&cache)).unwrap(), INDEX);

    let records: Vec<Record> = INDEX.chunks(RECORD).map(|bytes| Record::from_bytes(bytes).unwrap()).collect();
    let event = |kind, name, count, time| Record::event(kind, key(name), count, Timestamp(time));
    let b = Record {
        companion: Some(Digest::of(b"companion")),
        companion_size: 9,
        own: 260,
        objects: 64 * 1024,
        cost: 1_000_000,
        ..event(Kind::Added, "b", 2, 13)
    };
    let expected = [
        Record { own: 189, ..event(Kind::Added, "a", 1, 10) },
        event(Kind::Used, "a", 2, 12),
        b,
        event(Kind::Used, "b", 1, 14),
        event(Kind::Removed, "a", 0, 15),
    ];
    assert_eq!(records, expected);

    let other = Cache::new();
    other.store.publish(&index(&other), INDEX).unwrap();
    let fold = Fold::read(&index(&other)).unwrap().unwrap();
    assert!(!fold.damaged && fold.records == 5 && fold.get(key("a")).is_none());
    let live = fold.get(key("b")).unwrap();
    assert_eq!((live.record, live.last_use, live.uses, live.bound), (b, Timestamp(14), 1, true));
    assert_eq!(fold.iter().count(), 1);
    let stats = other.partition.stats().unwrap();
    assert_eq!((stats.entries, stats.files, stats.uses), (1, 2, 1));
    assert_eq!(stats.bytes, b.size() + 9);
}
