//! Putting contents in place.

use crate::store::testing::{Cache, draft, key};
use crate::store::{Added, Content, Damage, Draft, DraftItem, LinkMode, StageError, Staging};
use crate::time::Timestamp;
use std::fs;
use std::os::unix::fs::{FileExt as _, MetadataExt as _, PermissionsExt as _, symlink};
use std::path::Path;

fn revive(cache: &Cache, name: &str, destinations: &[&Path]) -> Result<(), StageError> {
    let entry = cache.partition.find(key(name)).unwrap().unwrap();
    let mut staging = Staging::new(&cache.store);
    for (index, destination) in destinations.iter().enumerate() {
        staging.file(&entry, index, destination, 0o644)?;
    }
    staging.commit()
}

fn names(directory: &Path) -> Vec<String> {
    let mut names: Vec<_> = fs::read_dir(directory)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    names.sort();
    names
}

#[test]
fn parents_are_made_and_nothing_else_is_left() {
    let cache = Cache::new();
    cache.add(key("k"), b"content", 1);
    let destination = cache.path("out/a/b/file");
    revive(&cache, "k", &[&destination]).unwrap();
    assert_eq!(fs::read(&destination).unwrap(), b"content");
    assert_eq!(names(&cache.path("out/a/b")), ["file"]);
}

/// One request for `/proc/nope/x` ended the daemon, and every build with it: `/proc` says of what it does not take that it
/// is absent, and the directories above, which were there, were made again and again until the stack was full.
#[test]
fn a_directory_that_takes_nothing_is_told_at_once() {
    let cache = Cache::new();
    let mut staging = Staging::new(&cache.store);
    let refused = staging.bytes(Path::new("/proc/nope/deep/x"), b"content", 0o644);
    assert!(
        matches!(&refused, Err(StageError::Destination { path, .. }) if path == Path::new("/proc/nope")),
        "{refused:?}"
    );
    assert!(staging.made.is_empty());
}

#[test]
fn a_symbolic_link_is_replaced_and_its_target_is_not_touched() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2"]), Timestamp(1)).unwrap();
    fs::write(cache.path("target"), b"target").unwrap();
    let (first, second) = (cache.path("first"), cache.path("second"));
    for link in [&first, &second] {
        symlink("target", link).unwrap();
    }
    revive(&cache, "k", &[&first, &second]).unwrap();
    assert!(
        fs::symlink_metadata(&first).unwrap().is_file() && fs::symlink_metadata(&second).unwrap().is_file()
    );
    assert_eq!(fs::read(cache.path("target")).unwrap(), b"target");
}

#[test]
fn a_read_only_destination_is_replaced() {
    let cache = Cache::new();
    cache.add(key("k"), b"new", 1);
    let destination = cache.path("out");
    fs::write(&destination, b"old").unwrap();
    fs::set_permissions(&destination, fs::Permissions::from_mode(0o444)).unwrap();
    revive(&cache, "k", &[&destination]).unwrap();
    assert_eq!(fs::read(&destination).unwrap(), b"new");
}

/// Root revived a file at `/dev/null`, and took it from everybody: it is renamed over, where a compiler would write to it.
#[test]
fn a_device_is_not_replaced() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2"]), Timestamp(1)).unwrap();
    let (device, file) = (cache.path("device"), cache.path("file"));
    let made = std::process::Command::new("mknod").arg(&device).args(["c", "1", "3"]).output();
    if !made.is_ok_and(|made| made.status.success()) {
        std::io::Write::write_all(&mut std::io::stderr(), b"SKIPPED: only root can make devices\n").ok();
        return;
    }
    for destinations in [&[device.as_path(), &file][..], &[&file, &device]] {
        fs::write(&file, b"old").unwrap();
        let error = revive(&cache, "k", destinations);
        assert!(matches!(error, Err(StageError::Destination { .. })), "{error:?}");
        assert!(!fs::symlink_metadata(&device).unwrap().is_file());
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(names(cache.directory.path()), ["cache", "device", "file"]);
    }
}

/// The original tried for ever to unlink such a destination.
#[test]
fn a_directory_as_destination_is_refused() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2"]), Timestamp(1)).unwrap();
    let (directory, file) = (cache.path("dir"), cache.path("file"));
    fs::create_dir(&directory).unwrap();
    fs::write(&file, b"old").unwrap();
    for destinations in [&[directory.as_path()][..], &[&directory, &file], &[&file, &directory]] {
        let error = revive(&cache, "k", destinations);
        assert!(matches!(error, Err(StageError::IsADirectory { path }) if path == directory));
        assert_eq!(fs::read(&file).unwrap(), b"old");
        assert_eq!(names(cache.directory.path()), ["cache", "dir", "file"]);
    }
    let error = revive(&cache, "k", &[Path::new("/")]);
    assert!(matches!(error, Err(StageError::IsADirectory { .. })));
}

#[test]
fn a_file_above_a_destination_is_an_error() {
    let cache = Cache::new();
    cache.add(key("k"), b"new", 1);
    fs::write(cache.path("file"), b"old").unwrap();
    assert!(revive(&cache, "k", &[&cache.path("file/out")]).is_err());
    assert!(revive(&cache, "k", &[&cache.path("file/a/out")]).is_err());
    assert_eq!(fs::read(cache.path("file")).unwrap(), b"old");
}

#[test]
fn after_a_failed_rename_all_destinations_are_put_back() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"1", b"2", b"3", b"4"]), Timestamp(1)).unwrap();
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    let path = |name: &str| cache.path(name);
    fs::write(path("old"), b"old").unwrap();
    fs::write(path("gone"), b"gone").unwrap();
    fs::create_dir(path("empty")).unwrap();
    fs::create_dir(path("dir")).unwrap();
    let mut staging = Staging::new(&cache.store);
    staging.file(&entry, 0, &path("old"), 0o644).unwrap();
    staging.file(&entry, 1, &path("new/new"), 0o644).unwrap();
    staging.remove(&path("gone"));
    staging.remove(&path("empty"));
    staging.directory(&path("made/below")).unwrap();
    staging.file(&entry, 2, &path("dir"), 0o644).unwrap();
    assert!(matches!(staging.commit(), Err(StageError::IsADirectory { .. })));
    assert_eq!(fs::read(path("old")).unwrap(), b"old");
    assert_eq!(fs::read(path("gone")).unwrap(), b"gone");
    assert_eq!(names(cache.directory.path()), ["cache", "dir", "empty", "gone", "old"]);
}

#[test]
fn all_kinds_of_steps_are_put_in_place() {
    let cache = Cache::new();
    cache.add(key("k"), b"1", 1);
    let path = |name: &str| cache.path(name);
    fs::write(path("old"), b"old").unwrap();
    fs::write(path("gone"), b"gone").unwrap();
    fs::write(path("right"), b"right").unwrap();
    let past = std::time::SystemTime::UNIX_EPOCH;
    fs::File::open(path("right")).unwrap().set_modified(past).unwrap();
    let mut staging = Staging::new(&cache.store);
    staging.touch(&path("right"));
    staging.bytes(&path("old"), b"new", 0o755).unwrap();
    staging.link(&path("link"), b"old").unwrap();
    staging.directory(&path("made")).unwrap();
    staging.remove(&path("gone"));
    staging.remove(&path("never there"));
    staging.commit().unwrap();
    assert_eq!(names(cache.directory.path()), ["cache", "link", "made", "old", "right"]);
    assert_eq!(fs::read(path("link")).unwrap(), b"new");
    assert!(fs::metadata(path("right")).unwrap().modified().unwrap() > past);
}

#[test]
fn what_is_dropped_leaves_nothing() {
    let cache = Cache::new();
    let mut staging = Staging::new(&cache.store);
    staging.bytes(&cache.path("a/b/file"), b"x", 0o644).unwrap();
    staging.directory(&cache.path("c/d")).unwrap();
    staging.link(&cache.path("link"), b"x").unwrap();
    drop(staging);
    assert!(names(cache.directory.path()).iter().all(|name| name == "cache"));
}

#[test]
fn names_of_255_bytes_work_and_later_steps_win() {
    let cache = Cache::new();
    for length in [240, 246, 247, 255] {
        let destination = cache.path(&"n".repeat(length));
        let mut staging = Staging::new(&cache.store);
        staging.bytes(&destination, b"first", 0o644).unwrap();
        staging.bytes(&destination, b"second", 0o644).unwrap();
        staging.commit().unwrap();
        assert_eq!(fs::read(&destination).unwrap(), b"second");
        fs::remove_file(&destination).unwrap();
    }
    assert_eq!(names(cache.directory.path()), ["cache"]);
    assert_eq!(cache.unfinished(), 0);
}

#[test]
fn a_leftover_of_a_kill_is_no_obstacle() {
    let cache = Cache::new();
    let leftover = cache.path(".out.reviver");
    fs::write(&leftover, b"half").unwrap();
    let mut staging = Staging::new(&cache.store);
    staging.bytes(&cache.path("out"), b"whole", 0o644).unwrap();
    staging.commit().unwrap();
    assert_eq!(fs::read(cache.path("out")).unwrap(), b"whole");
    assert!(leftover.exists(), "it is too young to be known for a leftover");
}

#[test]
fn damage_of_an_object_is_found_before_a_destination_is_touched() {
    let large = vec![7; 100_000];
    for link in [LinkMode::Auto, LinkMode::Copy, LinkMode::Reflink, LinkMode::Hardlink] {
        for lost in [true, false] {
            let cache = Cache::linking(link);
            cache.partition.add(key("k"), &draft(&[b"small", &large]), Timestamp(1)).unwrap();
            let entry = cache.partition.find(key("k")).unwrap().unwrap();
            let object = cache.store.layout().object(entry.items()[1].digest, 0o644);
            fs::remove_file(&object).unwrap();
            if !lost {
                let mut wrong = large.clone();
                wrong[99_999] = 8;
                fs::write(&object, wrong).unwrap();
            }
            let (small, destination) = (cache.path("deep/small"), cache.path("out"));
            fs::write(&destination, b"old").unwrap();
            let error = revive(&cache, "k", &[&small, &destination]);
            let expected = if lost { Damage::Missing } else { Damage::Differs };
            assert!(
                matches!(error, Err(StageError::Damaged { damage, item: Some(1), .. }) if damage == expected)
            );
            assert_eq!(fs::read(&destination).unwrap(), b"old");
            assert_eq!(names(cache.directory.path()), ["cache", "out"]);
            assert!(cache.partition.find(key("k")).unwrap().is_none(), "the entry is in quarantine");
            assert!(!object.exists());

            cache.partition.add(key("k"), &draft(&[b"small", &large]), Timestamp(2)).unwrap();
            revive(&cache, "k", &[&small, &destination]).unwrap();
            assert_eq!(fs::read(&destination).unwrap(), large);
        }
    }
}

#[test]
fn objects_are_revived_in_every_mode_with_the_present_time() {
    let large = vec![7; 100_000];
    for link in [LinkMode::Auto, LinkMode::Copy, LinkMode::Reflink, LinkMode::Hardlink] {
        let cache = Cache::linking(link);
        cache.partition.add(key("k"), &draft(&[&large]), Timestamp(1)).unwrap();
        let entry = cache.partition.find(key("k")).unwrap().unwrap();
        let object = cache.store.layout().object(entry.items()[0].digest, 0o644);
        let past = std::time::SystemTime::UNIX_EPOCH;
        fs::File::open(&object).unwrap().set_modified(past).unwrap();
        let destination = cache.path("out");
        revive(&cache, "k", &[&destination]).unwrap();
        let there = fs::metadata(&destination).unwrap();
        assert_eq!(fs::read(&destination).unwrap(), large);
        assert!(there.modified().unwrap() > past);
        let is_linked = there.ino() == fs::metadata(&object).unwrap().ino();
        assert_eq!(is_linked, link == LinkMode::Hardlink);
        let mode = if is_linked { 0o444 } else { 0o644 };
        assert_eq!(there.permissions().mode() & 0o7777, mode);
    }
}

/// A rename of one link over another of the same file does nothing and is called a success. So whoever revived by link what
/// was there already left a `.out.reviver` each time, and for ever.
#[test]
fn linking_over_the_same_link_leaves_nothing_beside_it() {
    let cache = Cache::linking(LinkMode::Hardlink);
    cache.partition.add(key("k"), &draft(&[&vec![7; 100_000], &vec![8; 100_000]]), Timestamp(1)).unwrap();
    for _ in 0..3 {
        revive(&cache, "k", &[&cache.path("first"), &cache.path("last")]).unwrap();
        assert_eq!(names(cache.directory.path()), ["cache", "first", "last"]);
    }
}

#[test]
fn many_files_are_staged_and_committed_like_one() {
    let cache = Cache::new();
    let contents: Vec<_> = (0..300_u32).map(|number| number.to_le_bytes().to_vec()).collect();
    let slices: Vec<_> = contents.iter().map(Vec::as_slice).collect();
    cache.partition.add(key("k"), &draft(&slices), Timestamp(1)).unwrap();
    let entry = cache.partition.find(key("k")).unwrap().unwrap();
    let out = |number: usize| cache.path(&format!("out/{}/{}/f{number}", number % 2, number % 7));
    let paths: Vec<_> = (0..300).map(out).collect();
    let files: Vec<_> = paths.iter().enumerate().map(|(at, path)| (at, path.as_path(), 0o640)).collect();
    for _ in ["new", "over what is there"] {
        let mut staging = Staging::new(&cache.store);
        staging.files(&entry, &files).unwrap();
        staging.commit().unwrap();
        for (path, content) in paths.iter().zip(&contents) {
            assert_eq!(&fs::read(path).unwrap(), content);
            assert_eq!(fs::metadata(path).unwrap().mode() & 0o7777, 0o640);
            assert_eq!(names(path.parent().unwrap()).iter().filter(|name| name.starts_with('.')).count(), 0);
        }
    }

    // A directory in the way of one: all others are as before.
    fs::remove_file(&paths[200]).unwrap();
    fs::create_dir(&paths[200]).unwrap();
    fs::remove_dir_all(cache.path("out/1")).unwrap();
    let mut staging = Staging::new(&cache.store);
    staging
        .files(&entry, &files.iter().map(|file| (299 - file.0, file.1, 0o600)).collect::<Vec<_>>())
        .unwrap();
    assert!(matches!(staging.commit(), Err(StageError::IsADirectory { .. })));
    assert_eq!(names(&cache.path("out")), ["0"]);
    for (path, content) in paths.iter().zip(&contents).step_by(2).filter(|(path, _)| **path != paths[200]) {
        assert_eq!(&fs::read(path).unwrap(), content);
    }

    // A content that is none: nothing stays, not even directories.
    let mut files = files;
    files[250].0 = 300;
    let elsewhere: Vec<_> =
        (0..300).map(|number| cache.path(&format!("new/{}/f{number}", number % 5))).collect();
    let files: Vec<_> =
        files.iter().zip(&elsewhere).map(|(file, path)| (file.0, path.as_path(), 0o644)).collect();
    let mut staging = Staging::new(&cache.store);
    assert!(matches!(staging.files(&entry, &files), Err(StageError::Damaged { item: Some(300), .. })));
    assert!(!cache.path("new").exists());
    drop(staging);
}

#[test]
fn holes_stay_holes() {
    const LOGICAL: u64 = 1 << 30;
    for link in [LinkMode::Auto, LinkMode::Copy] {
        let cache = Cache::linking(link);
        let (source, revived) = (cache.path("source"), cache.path("revived"));
        let file = fs::File::create(&source).unwrap();
        file.set_len(LOGICAL).unwrap();
        let data = vec![7; 1 << 20];
        file.write_all_at(&data, (300 << 20) + 5000).unwrap();
        let item = DraftItem { path: Vec::new(), content: Content::Path(&source), mode: Some(0o644) };
        let draft = Draft { items: vec![item], ..Draft::default() };
        let added = cache.partition.add(key("k"), &draft, Timestamp(1)).unwrap();
        revive(&cache, "k", &[&revived]).unwrap();

        let entry = cache.partition.find(key("k")).unwrap().unwrap();
        for path in [cache.store.layout().object(entry.items()[0].digest, 0o644), revived] {
            let there = fs::metadata(&path).unwrap();
            assert_eq!(there.len(), LOGICAL);
            assert!(there.blocks() * 512 < 4 << 20, "{} takes {} blocks", path.display(), there.blocks());
            let mut digest = blake3::Hasher::new();
            digest.update_reader(fs::File::open(&path).unwrap()).unwrap();
            let digest = crate::digest::Digest::new(*digest.finalize().as_bytes());
            assert!(matches!(&added, Added::Stored { items, .. } if items[0].digest == digest));
            let mut there = vec![0; data.len()];
            fs::File::open(&path).unwrap().read_exact_at(&mut there, (300 << 20) + 5000).unwrap();
            assert!(there == data);
        }
    }
}

/// What is right already was touched and not made, though another content came to the same file by another path.
#[test]
fn of_two_paths_to_one_file_the_later_content_is_there() {
    let cache = Cache::new();
    cache.partition.add(key("k"), &draft(&[b"one", b"two"]), Timestamp(1)).unwrap();
    let (plain, dotted) = (cache.path("f"), cache.path("./f"));
    for _ in 0..3 {
        cache.partition.revive(key("k"), &[&dotted, &plain], Timestamp(2)).unwrap().unwrap();
        assert_eq!(fs::read(&plain).unwrap(), b"two");
        cache.partition.revive(key("k"), &[&plain, &dotted], Timestamp(2)).unwrap().unwrap();
        assert_eq!(fs::read(&plain).unwrap(), b"two");
    }
}

#[test]
fn what_is_right_already_only_gets_the_present_time() {
    let cache = Cache::new();
    let large = vec![5; 100_000];
    cache.partition.add(key("k"), &draft(&[b"small", &large]), Timestamp(1)).unwrap();
    let paths = [cache.path("small"), cache.path("large")];
    let revive = || {
        let paths = [paths[0].as_path(), paths[1].as_path()];
        cache.partition.revive(key("k"), &paths, Timestamp(2)).unwrap().unwrap();
        paths.map(|path| fs::metadata(path).unwrap())
    };
    let first = revive();
    std::thread::sleep(std::time::Duration::from_millis(20));
    for (old, new) in first.iter().zip(revive()) {
        assert_eq!(old.ino(), new.ino());
        assert!(old.modified().unwrap() < new.modified().unwrap());
    }
    for path in &paths {
        let mut bytes = fs::read(path).unwrap();
        bytes[3] ^= 1;
        fs::write(path, bytes).unwrap();
    }
    revive();
    assert_eq!(
        (fs::read(&paths[0]).unwrap(), fs::read(&paths[1]).unwrap()),
        (b"small".to_vec(), large.clone())
    );
    fs::hard_link(&paths[0], cache.path("other")).unwrap();
    assert_eq!(revive()[0].nlink(), 1, "what has another name is not ours alone");
}
