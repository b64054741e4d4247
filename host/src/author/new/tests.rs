use super::*;
use std::collections::BTreeMap;

fn options<'a>(directory: &'a Path, name: &'a str) -> Options<'a> {
    Options { role: Role::Key, name, directory, replace_sdk: false }
}

/// All files below a directory, with their contents.
fn tree(directory: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let (mut found, mut open) = (BTreeMap::new(), vec![directory.to_owned()]);
    while let Some(at) = open.pop() {
        for path in fs::read_dir(at).unwrap().flatten().map(|entry| entry.path()) {
            if path.is_dir() {
                open.push(path);
            } else {
                let content = fs::read(&path).unwrap();
                found.insert(path, content);
            }
        }
    }
    found
}

#[test]
fn the_crate_and_the_sdk_are_all_that_appears() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path().join("tools/plugins");
    for (role, name) in [(Role::Key, "one"), (Role::Metadata, "two"), (Role::Eviction, "three")] {
        let made = new(&Options { role, ..options(&place, name) }).unwrap();
        assert_eq!(made.crate_directory, place.join(name));
        let expected = if role == Role::Key { SdkOutcome::Written } else { SdkOutcome::Same };
        assert_eq!(made.sdk, expected);
        let crate_files = tree(&place.join(name));
        assert_eq!(crate_files.len(), 4, "{crate_files:?}");
        for (path, content) in crate_files {
            let text = String::from_utf8(content).unwrap();
            assert!(!text.contains("@name@"), "{}", path.display());
        }
        let manifest = fs::read_to_string(place.join(name).join("Cargo.toml")).unwrap();
        let manifest: toml::Table = manifest.parse().unwrap();
        assert_eq!(manifest["package"]["name"].as_str(), Some(name));
        let source = fs::read_to_string(place.join(name).join("src/lib.rs")).unwrap();
        assert!(source.contains(&format!("export!({role}: ")));
    }
    let mut names: Vec<_> = fs::read_dir(&place).unwrap().flatten().map(|entry| entry.file_name()).collect();
    names.sort();
    assert_eq!(names, ["one", "reviver-sdk", "three", "two"]);
}

#[test]
fn what_is_there_already_is_refused_and_nothing_changes() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    // An empty directory could be renamed over, and a dangling link is something too.
    fs::create_dir(place.join("empty")).unwrap();
    fs::write(place.join("file"), "mine").unwrap();
    let link = place.join("link");
    std::os::unix::fs::symlink("nowhere", &link).unwrap();
    for name in ["empty", "file", "link"] {
        assert!(matches!(new(&options(place, name)), Err(NewError::Exists(_))), "{name}");
    }
    assert_eq!(fs::read_link(&link).unwrap(), Path::new("nowhere"));
    fs::remove_file(link).unwrap();
    assert_eq!(tree(place), BTreeMap::from([(place.join("file"), b"mine".to_vec())]));

    fs::create_dir(place.join("reviver-sdk")).unwrap();
    fs::write(place.join("reviver-sdk/Cargo.toml"), "[package]\nname = \"mine\"\n").unwrap();
    let before = tree(place);
    for replace_sdk in [false, true] {
        let foreign = new(&Options { replace_sdk, ..options(place, "words") });
        assert!(matches!(foreign, Err(NewError::Foreign(_))), "{foreign:?}");
    }
    assert_eq!(tree(place), before);
}

#[test]
fn another_sdk_is_kept_until_its_replacement_is_asked_for() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    new(&options(place, "one")).unwrap();
    let library = place.join("reviver-sdk/src/lib.rs");
    let carried = fs::read(&library).unwrap();
    fs::write(&library, "//! An older one.\n").unwrap();

    assert_eq!(new(&options(place, "two")).unwrap().sdk, SdkOutcome::Kept);
    assert_eq!(fs::read(&library).unwrap(), b"//! An older one.\n");
    let made = new(&Options { replace_sdk: true, ..options(place, "three") }).unwrap();
    assert_eq!(made.sdk, SdkOutcome::Replaced);
    assert_eq!(fs::read(&library).unwrap(), carried);

    fs::write(&library, "//! An older one.\n").unwrap();
    assert_eq!(renew_sdk(place).unwrap(), SdkOutcome::Replaced);
    assert_eq!(renew_sdk(place).unwrap(), SdkOutcome::Same);
    assert_eq!(fs::read(&library).unwrap(), carried);
}

/// The crate's name can be taken while everything is put together.
#[test]
fn the_sdk_is_put_back_where_the_crate_cannot_appear() {
    let directory = tempfile::tempdir().unwrap();
    let place = directory.path();
    let placed = Sdk::prepare(place, false).unwrap().place().unwrap();
    assert!(place.join("reviver-sdk/Cargo.toml").is_file());
    placed.undo().unwrap();
    drop(placed);
    assert!(tree(place).is_empty());

    renew_sdk(place).unwrap();
    fs::write(place.join("reviver-sdk/src/lib.rs"), "//! An older one.\n").unwrap();
    let before = tree(place);
    let placed = Sdk::prepare(place, true).unwrap().place().unwrap();
    assert_ne!(tree(&place.join("reviver-sdk")), before);
    placed.undo().unwrap();
    drop(placed);
    assert_eq!(tree(place), before);

    let staged = place.join("staged");
    fs::create_dir(&staged).unwrap();
    fs::create_dir(place.join("taken")).unwrap();
    assert!(appear(&staged, &place.join("taken")).is_err());
    appear(&staged, &place.join("free")).unwrap();
}

#[test]
fn names_are_those_of_crates_and_bare_keys() {
    let directory = tempfile::tempdir().unwrap();
    let wrong = [
        "",
        "1st",
        "Words",
        "a b",
        "a.b",
        "../a",
        "é",
        "-a",
        "_",
        "fn",
        "while",
        "test",
        "std",
        "reviver-sdk",
    ];
    let long = "a".repeat(65);
    for name in wrong.into_iter().chain(["key-cc", &long]) {
        let made = new(&options(directory.path(), name));
        assert!(matches!(made, Err(NewError::Name { .. })), "{name}: {made:?}");
    }
    assert!(tree(directory.path()).is_empty());
    for name in ["a", "words", "my-words_2", &long[1..]] {
        new(&options(directory.path(), name)).unwrap();
    }
}
