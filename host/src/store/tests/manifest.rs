//! Manifests, and reviving by key.

use crate::store::testing::{Cache, draft, key};
use crate::store::{Added, Content, Draft, DraftItem, ItemKind, ReviveError, StageError, StoreError};
use crate::time::Timestamp;
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

const NOW: Timestamp = Timestamp(5);

/// A root with files, a link, an empty directory, and a name that needs care.
fn tree(cache: &Cache) -> PathBuf {
    let root = cache.path("root");
    fs::create_dir_all(root.join("sub/empty")).unwrap();
    fs::write(root.join("a"), b"A").unwrap();
    fs::write(root.join("sub/new\nline"), vec![7; 70_000]).unwrap();
    fs::set_permissions(root.join("a"), Permissions::from_mode(0o751)).unwrap();
    symlink("../a", root.join("sub/link")).unwrap();
    root
}

fn add(cache: &Cache, root: &Path, names: &[&str]) -> Result<Added, StoreError> {
    let paths: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    cache.partition.manifest_add(key("k"), b"hunk", root, &paths, NOW)
}

#[test]
fn a_manifest_is_the_same_under_another_root() {
    let cache = Cache::new();
    let root = tree(&cache);
    assert!(matches!(add(&cache, &root, &["sub", "a"]).unwrap(), Added::Stored { .. }));
    let other = cache.path("other");
    let revived = cache.partition.manifest_revive(key("k"), &other, NOW).unwrap().unwrap();
    assert_eq!(revived.metadata, b"hunk");
    let placed: Vec<_> = revived.paths.iter().map(|path| path.strip_prefix(&other).unwrap()).collect();
    assert_eq!(placed, ["sub", "sub/empty", "sub/link", "sub/new\nline", "a"].map(Path::new));
    assert_eq!(fs::read(other.join("sub/new\nline")).unwrap(), vec![7; 70_000]);
    assert_eq!(fs::read_link(other.join("sub/link")).unwrap(), Path::new("../a"));
    assert_eq!(fs::read_dir(other.join("sub/empty")).unwrap().count(), 0);
    assert_eq!(fs::metadata(other.join("a")).unwrap().permissions().mode() & 0o777, 0o751);
    assert_eq!(cache.partition.key_stats(key("k")).unwrap().unwrap().uses, 1);
}

#[test]
fn what_is_not_strictly_below_the_root_is_refused_before_anything_is_touched() {
    let cache = Cache::new();
    let root = tree(&cache);
    fs::write(cache.path("x"), b"x").unwrap();
    add(&cache, &root, &["a"]).unwrap();
    for wrong in ["", "../x", "sub/../a", "/etc/passwd"] {
        let error = add(&cache, &root, &["sub", wrong]);
        assert!(matches!(error, Err(StoreError::InvalidItem { .. })), "{wrong}: {error:?}");
    }
    let items = cache.partition.find(key("k")).unwrap().unwrap().items().len();
    assert_eq!(items, 1, "the older binding is there");
}

#[test]
fn a_manifest_names_nothing_twice_and_nothing_below_a_link() {
    let cache = Cache::new();
    let at = |path: &str, content| DraftItem { path: path.into(), content, mode: None };
    let file = Content::Bytes(b"x");
    for items in [
        vec![at("a", file), at("a", file)],
        vec![at("a", Content::Link(b"/")), at("a/b", file)],
        vec![at("a/b/c", file), at("a/b", file)],
        vec![at("", file)],
    ] {
        let draft = Draft { manifest: true, items, ..Draft::default() };
        assert!(matches!(cache.partition.add(key("k"), &draft, NOW), Err(StoreError::InvalidItem { .. })));
    }
    assert!(!cache.partition.contains(key("k")));
}

/// `root/sub` of another machine may lead anywhere.
#[test]
fn no_link_leads_a_revival_out_of_its_root() {
    let cache = Cache::new();
    let root = tree(&cache);
    add(&cache, &root, &["a", "sub"]).unwrap();
    let (other, outside) = (cache.path("other"), cache.path("outside"));
    fs::create_dir_all(&other).unwrap();
    fs::create_dir_all(&outside).unwrap();
    symlink(&outside, other.join("sub")).unwrap();
    let error = cache.partition.manifest_revive(key("k"), &other, NOW).unwrap_err();
    assert!(
        matches!(&error, ReviveError::Stage(StageError::NotADirectory { path }) if *path == other.join("sub"))
    );
    assert_eq!(fs::read_dir(&outside).unwrap().count(), 0);
    assert!(!other.join("a").exists());
}

#[test]
fn a_plain_entry_is_no_manifest_and_a_manifest_is_revived_plainly_too() {
    let cache = Cache::new();
    cache.partition.add(key("plain"), &draft(&[]), NOW).unwrap();
    assert_eq!(cache.partition.manifest_revive(key("plain"), &cache.path("r"), NOW).unwrap(), None);
    let root = tree(&cache);
    add(&cache, &root, &["a"]).unwrap();
    let to = cache.path("deep/new");
    let revived = cache.partition.revive(key("k"), &[&to], NOW).unwrap().unwrap();
    assert_eq!((revived.paths.len(), fs::read(&to).unwrap()), (1, b"A".to_vec()));
    add(&cache, &root, &[]).unwrap();
    let empty = cache.partition.manifest_revive(key("k"), &cache.path("r"), NOW).unwrap().unwrap();
    assert_eq!((empty.metadata.as_slice(), empty.paths.len()), (&b"hunk"[..], 0));
}

#[test]
fn another_number_of_destinations_is_a_miss() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2"]), NOW).unwrap();
    let path = |name: &str| cache.path("made").join(name);
    let (a, b, c) = (path("a"), path("b"), path("c"));
    for destinations in [&[][..], &[&*a], &[&*a, &*b, &*c]] {
        assert_eq!(cache.partition.revive(key("k"), destinations, NOW).unwrap(), None);
    }
    assert_eq!(cache.partition.revive(key("other"), &[&a], NOW).unwrap(), None);
    assert!(!cache.path("made").exists());
}

#[test]
fn files_keep_their_permissions_but_lend_nobodys_rights() {
    let cache = Cache::new();
    for (mode, kept) in [(0o755, 0o755), (0o444, 0o444), (0o4777, 0o777), (0o2755, 0o755)] {
        let source = cache.path("source");
        fs::write(&source, b"x").unwrap();
        fs::set_permissions(&source, Permissions::from_mode(mode)).unwrap();
        cache.partition.add(key("k"), &Draft::of_files(b"", &[&source]), NOW).unwrap();
        let to = cache.path("to");
        cache.partition.revive(key("k"), &[&to], NOW).unwrap().unwrap();
        assert_eq!(fs::metadata(&to).unwrap().permissions().mode() & 0o7777, kept);
    }
}

#[test]
fn a_missing_path_leaves_the_older_binding() {
    let cache = Cache::new();
    let root = tree(&cache);
    add(&cache, &root, &["a"]).unwrap();
    let missing = add(&cache, &root, &["sub", "gone", "later"]).unwrap();
    assert_eq!(missing, Added::SourceMissing(root.join("gone")));
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    assert_eq!(entry.items()[0].kind, ItemKind::File);
}
