//! Reviving contents to places that the caller names: cases 7 to 9 and 18 to 24.

use crate::cache::{Cache, NOW, Old, at_once, key, umask};
use crate::process::{as_nobody, is_root};
use reviver::store::{ReviveError, Revived, StageError};
use std::fs::{self, Permissions};
use std::io::ErrorKind;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

/// Revives `k`; an answer must come at once.
fn try_revive(cache: &Cache, destinations: &[&Path]) -> Result<Option<Revived>, ReviveError> {
    let (partition, destinations) = (cache.partition.clone(), destinations.to_vec());
    let owned: Vec<PathBuf> = destinations.into_iter().map(Path::to_owned).collect();
    at_once(move || {
        let destinations: Vec<&Path> = owned.iter().map(PathBuf::as_path).collect();
        partition.revive(key("k"), &destinations, NOW)
    })
}

#[test]
fn an_unbound_key_revives_nothing_and_makes_no_directory() {
    let cache = Cache::new();
    cache.bind("other", &[b"x"], 1);
    assert_eq!(cache.revive("k", &[cache.path("made/a"), cache.path("made/b")]), None);
    assert!(!cache.path("made").exists());
}

/// Binds `k` to as many contents, each its own number.
fn bind_numbers(cache: &Cache, number: usize) {
    let contents: Vec<String> = (0..number).map(|index| index.to_string()).collect();
    let contents: Vec<&[u8]> = contents.iter().map(String::as_bytes).collect();
    cache.bind("k", &contents, 1);
}

#[test]
fn another_number_of_destinations_is_a_miss_and_touches_nothing() {
    let cache = Cache::new();
    bind_numbers(&cache, 17);
    let names: Vec<String> = (0..18).map(|index| format!("out/{index}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let old = Old::write(&cache, &names);
    for number in [16, 18] {
        assert_eq!(cache.revive("k", &old.paths()[..number]), None);
        old.assert_untouched();
        let new: Vec<PathBuf> = (0..number).map(|index| cache.path(&format!("made/{index}"))).collect();
        assert_eq!(cache.revive("k", &new), None);
        assert!(!cache.path("made").exists());
    }
    assert!(cache.revive("k", &old.paths()[..17]).is_some(), "it was bound all the time");
}

/// The original took no destinations for any number of them.
#[test]
fn no_destination_is_a_wrong_number_too() {
    let cache = Cache::new();
    for number in [1, 3] {
        bind_numbers(&cache, number);
        assert_eq!(cache.revive("k", &[]), None);
    }
}

#[test]
fn a_read_only_destination_is_replaced() {
    let cache = Cache::new();
    bind_numbers(&cache, 2);
    let old = Old::write(&cache, &["a", "b"]).paths();
    for path in &old {
        fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
    }
    assert!(cache.revive("k", &old).is_some());
    assert_eq!(fs::read(&old[0]).unwrap(), b"0");
    assert_eq!(fs::read(&old[1]).unwrap(), b"1");
    assert_eq!(fs::metadata(&old[1]).unwrap().permissions().mode() & 0o777, 0o644);
}

#[test]
fn a_link_is_replaced_and_its_target_is_not_touched() {
    let cache = Cache::new();
    bind_numbers(&cache, 3);
    let target = Old::write(&cache, &["elsewhere/target"]);
    let places = ["link", "dangling", "last"].map(|name| cache.path(name));
    symlink("elsewhere/target", &places[0]).unwrap();
    symlink("elsewhere/nowhere", &places[1]).unwrap();
    symlink("elsewhere/target", &places[2]).unwrap();
    assert!(cache.revive("k", &places).is_some());
    for (index, place) in places.iter().enumerate() {
        assert!(fs::symlink_metadata(place).unwrap().is_file());
        assert_eq!(fs::read_to_string(place).unwrap(), index.to_string());
    }
    target.assert_untouched();
    assert!(!cache.path("elsewhere/nowhere").exists());
}

/// The original tried for ever to unlink it.
#[test]
fn a_directory_as_destination_is_an_error_at_once() {
    let cache = Cache::new();
    bind_numbers(&cache, 2);
    let directory = cache.path("directory");
    fs::create_dir(&directory).unwrap();
    let old = Old::write(&cache, &["out/old"]);
    let file = &old.paths()[0];
    for destinations in [[&*directory, file], [file, &directory]] {
        let error = try_revive(&cache, &destinations).unwrap_err();
        assert!(
            matches!(&error, ReviveError::Stage(StageError::IsADirectory { path }) if *path == directory),
            "{error}"
        );
        old.assert_untouched();
        assert_eq!(fs::read_dir(&directory).unwrap().count(), 0);
    }
}

/// The original tried for ever here too. Nothing stops root, who therefore runs this as somebody else.
#[test]
fn a_directory_that_may_not_be_written_is_an_error_at_once() {
    if is_root() {
        as_nobody("revival::a_directory_that_may_not_be_written_is_an_error_at_once");
        return;
    }
    let cache = Cache::new();
    bind_numbers(&cache, 1);
    let old = Old::write(&cache, &["closed/old"]);
    fs::set_permissions(cache.path("closed"), Permissions::from_mode(0o555)).unwrap();
    for destination in ["closed/old", "closed/new", "closed/deep/new"] {
        let error = try_revive(&cache, &[&cache.path(destination)]).unwrap_err();
        let ReviveError::Stage(StageError::Destination { source, path, .. }) = &error else {
            panic!("{destination}: {error}")
        };
        assert_eq!(source.kind(), ErrorKind::PermissionDenied);
        assert!(path.starts_with(cache.path("closed")), "{}", path.display());
        old.assert_untouched();
    }
    fs::set_permissions(cache.path("closed"), Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn missing_directories_are_made_as_the_umask_has_it() {
    let cache = Cache::new();
    bind_numbers(&cache, 1);
    assert!(cache.revive("k", &[cache.path("a/b/c/d/file")]).is_some());
    let made = 0o777 & !umask();
    for directory in ["a", "a/b", "a/b/c", "a/b/c/d"] {
        let mode = fs::metadata(cache.path(directory)).unwrap().permissions().mode();
        assert_eq!(mode & 0o7777, made, "{directory}");
    }
}

#[test]
fn a_file_above_a_destination_is_a_typed_error_at_once() {
    let cache = Cache::new();
    bind_numbers(&cache, 2);
    let old = Old::write(&cache, &["out/file", "out/other"]);
    for below in ["out/file/x", "out/file/deep/x"] {
        let error = try_revive(&cache, &[&cache.path("out/other"), &cache.path(below)]).unwrap_err();
        let ReviveError::Stage(StageError::Destination { source, path, .. }) = &error else {
            panic!("{below}: {error}")
        };
        assert_eq!(source.kind(), ErrorKind::NotADirectory);
        assert_eq!(*path, cache.path(below));
        old.assert_untouched();
    }
}

#[test]
fn of_two_contents_for_one_destination_the_later_is_there() {
    let cache = Cache::new();
    bind_numbers(&cache, 3);
    let [same, other] = ["same", "other"].map(|name| cache.path(name));
    for old in [false, true] {
        let destinations = [same.clone(), other.clone(), same.clone()];
        assert!(cache.revive("k", &destinations).is_some(), "with something there before: {old}");
        assert_eq!(fs::read(&same).unwrap(), b"2");
        assert_eq!(fs::read(&other).unwrap(), b"1");
    }
    let beside = fs::read_dir(cache.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(beside.into_iter().all(|name| !name.to_string_lossy().starts_with('.')), "staged files");
}
