//! Contents with their places under a root: cases 28 to 36.

use crate::cache::{Cache, NOW, key};
use crate::damage::sealed;
use reviver::store::{Added, Content, Draft, DraftItem, Revived, StoreError};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A root with `a` and `sub/b`.
fn root(cache: &Cache) -> PathBuf {
    cache.write("root/a", "A");
    cache.write("root/sub/b", "B");
    cache.path("root")
}

fn add(cache: &Cache, root: &Path, names: &[&str]) -> Result<Added, StoreError> {
    let paths: Vec<PathBuf> = names.iter().map(|name| root.join(name)).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    cache.partition.manifest_add(key("k"), b"m", root, &paths, NOW)
}

/// Binds `k` to `a` and `sub/b`.
fn bind(cache: &Cache) -> PathBuf {
    let root = root(cache);
    assert!(matches!(add(cache, &root, &["a", "sub/b"]), Ok(Added::Stored { .. })));
    root
}

fn revive(cache: &Cache, root: &Path) -> Option<Revived> {
    cache.partition.manifest_revive(key("k"), root, NOW).unwrap()
}

/// Where contents were put, relative to a root.
fn places(revived: &Revived, root: &Path) -> Vec<PathBuf> {
    let relative = |destination: &PathBuf| destination.strip_prefix(root).unwrap().to_owned();
    revived.paths.iter().map(relative).collect()
}

/// What a refused addition must leave of the binding that [`bind`] made.
fn assert_as_bound(cache: &Cache) {
    assert_eq!(cache.contents("k"), Some(vec![b"A".to_vec(), b"B".to_vec()]));
    cache.assert_nothing_half_written();
}

#[test]
fn a_manifest_is_revived_under_another_root_in_order() {
    let cache = Cache::new();
    let root = root(&cache);
    for names in [["a", "sub/b"], ["sub/b", "a"]] {
        add(&cache, &root, &names).unwrap();
        let other = cache.path(&format!("other, {} first", names[0].replace('/', " ")));
        let revived = revive(&cache, &other).unwrap();
        assert_eq!(revived.metadata, b"m");
        assert_eq!(places(&revived, &other), names.map(PathBuf::from));
        assert_eq!(fs::read(other.join("a")).unwrap(), b"A");
        assert_eq!(fs::read(other.join("sub/b")).unwrap(), b"B");
    }
}

#[test]
fn a_manifest_is_revived_at_any_destinations_too() {
    let cache = Cache::new();
    bind(&cache);
    let [first, second] = ["x/first", "second"].map(|name| cache.path(name));
    assert_eq!(cache.revive("k", &[first.clone(), second.clone()]), Some(b"m".to_vec()));
    assert_eq!((fs::read(first).unwrap(), fs::read(second).unwrap()), (b"A".to_vec(), b"B".to_vec()));
    assert_eq!(cache.revive("k", &[cache.path("one")]), None);
}

#[test]
fn a_plain_or_unbound_key_is_no_manifest() {
    let cache = Cache::new();
    let other = cache.path("other");
    assert_eq!(revive(&cache, &other), None);
    cache.bind("k", &[b"plain"], 1);
    assert_eq!(revive(&cache, &other), None);
    assert!(!other.exists());
}

#[test]
fn a_file_outside_of_the_root_is_refused_and_the_older_binding_stays() {
    let cache = Cache::new();
    let root = bind(&cache);
    cache.write("rootless", "x");
    for outside in
        ["/etc/passwd", cache.path("x").to_str().unwrap(), cache.path("rootless").to_str().unwrap()]
    {
        let error = add(&cache, &root, &["sub/b", outside]).unwrap_err();
        assert!(matches!(&error, StoreError::InvalidItem { .. }), "{outside}: {error}");
        assert_as_bound(&cache);
    }
}

#[test]
fn the_root_itself_is_not_below_itself() {
    let cache = Cache::new();
    let root = bind(&cache);
    let error = cache.partition.manifest_add(key("k"), b"m", &root, &[&root], NOW).unwrap_err();
    assert!(matches!(error, StoreError::InvalidItem { .. }), "{error}");
    assert_as_bound(&cache);
}

/// The original could not read what it had written of an empty list.
#[test]
fn a_manifest_may_name_nothing() {
    let cache = Cache::new();
    let root = root(&cache);
    assert!(matches!(add(&cache, &root, &[]), Ok(Added::Stored { items, .. }) if items.is_empty()));
    let revived = revive(&cache, &cache.path("other")).unwrap();
    assert_eq!((revived.metadata, revived.paths), (b"m".to_vec(), Vec::new()));
}

#[test]
fn any_name_that_a_file_can_have_comes_back() {
    let cache = Cache::new();
    let root = root(&cache);
    let raw = std::ffi::OsStr::from_bytes(b"not \xff utf-8");
    let names =
        [Path::new("new\nline"), Path::new("\n"), Path::new(" "), Path::new(raw), Path::new("sub/\n/x")];
    fs::create_dir(root.join("sub/\n")).unwrap();
    let paths = names.map(|name| root.join(name));
    for path in &paths {
        fs::write(path, path.as_os_str().as_bytes()).unwrap();
    }
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    cache.partition.manifest_add(key("k"), b"m", &root, &paths, NOW).unwrap();
    let other = cache.path("other");
    let revived = revive(&cache, &other).unwrap();
    assert_eq!(places(&revived, &other), names);
    for (name, path) in names.iter().zip(paths) {
        assert_eq!(fs::read(other.join(name)).unwrap(), path.as_os_str().as_bytes());
    }
}

#[test]
fn no_manifest_leads_out_of_its_root() {
    let cache = Cache::new();
    let root = bind(&cache);
    cache.write("x", "outside");
    for climbing in ["../x", "sub/../../x", "sub/../a"] {
        let error = add(&cache, &root, &[climbing]).unwrap_err();
        assert!(matches!(error, StoreError::InvalidItem { .. }), "{climbing}: {error}");
    }
    for path in ["../x", "sub/../../x", "/x", "sub//x", "./x", ".."] {
        let item = DraftItem { path: path.into(), content: Content::Bytes(b"x"), mode: None };
        let draft = Draft { manifest: true, items: vec![item], ..Draft::default() };
        let error = cache.partition.add(key("k"), &draft, NOW).unwrap_err();
        assert!(matches!(error, StoreError::InvalidItem { .. }), "{path}: {error}");
    }
    assert_as_bound(&cache);

    // What no addition takes, somebody may have written.
    let whole = fs::read(cache.entry("k")).unwrap();
    for crafted in ["../oo", "/et/x", "a/../", "su//b"] {
        let at = whole.windows(5).position(|bytes| bytes == b"sub/b").unwrap();
        let mut bytes = whole.clone();
        bytes[at..at + 5].copy_from_slice(crafted.as_bytes());
        cache.store.publish(&cache.entry("k"), &sealed(bytes)).unwrap();
        let other = cache.path("other/root");
        assert_eq!(revive(&cache, &other), None, "{crafted}");
        assert!(!cache.path("other").exists() && !Path::new("/et").exists());
    }
    // The same bytes without an evil path are an entry.
    cache.store.publish(&cache.entry("k"), &sealed(whole)).unwrap();
    assert_as_bound(&cache);
}

#[test]
fn a_plain_addition_over_a_manifest_leaves_none() {
    let cache = Cache::new();
    bind(&cache);
    cache.bind("k", &[b"1", b"2"], 1);
    assert_eq!(revive(&cache, &cache.path("other")), None);
    assert!(!cache.path("other").exists());
    assert!(cache.revive("k", &[cache.path("1"), cache.path("2")]).is_some());
}
