//! What a promotion leaves, and what it tells.

use super::{NEWEST, Site, dedups, digest, files, inode, key, promote, promotion, told};
use crate::dune::digest::Scheme;
use crate::dune::layout::{FileId, FileLayout};
use crate::dune::meta::Meta;
use crate::dune::stage::{Held, OPEN, Staging};
use crate::dune::{Annotate, AnnotateError, Collision, Options, Provenance, Session};
use crate::protocol::Version;
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Command, Duplication, Promotion, Repository};
use crate::time::Timestamp;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

#[test]
fn what_is_promoted_again_is_told_unless_it_is_the_same_inode() {
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    site.write("default/b", "one", 0o640);
    let mut session = site.session(NEWEST);
    assert!(dedups(&promote(&mut session, 1, &[("default/a", "one")])).is_empty());
    assert_eq!(dedups(&promote(&mut session, 2, &[("default/b", "one")])), [Path::new("default/b")]);
    assert_eq!(fs::metadata(site.build().join("default/b")).unwrap().mode() & 0o777, 0o640);
    // As the client does then.
    fs::remove_file(site.build().join("default/b")).unwrap();
    fs::hard_link(site.stored("one"), site.build().join("default/b")).unwrap();
    let again = promote(&mut session, 2, &[("default/b", "one"), ("default/a", "one")]);
    assert!(
        dedups(&again).is_empty() && inode(&site.stored("one")) == inode(&site.build().join("default/a"))
    );
    drop(session);
    assert!(files(site.root()).keys().all(|name| !name.contains("promoting")));
}

#[test]
fn equal_files_of_one_rule_are_kept_once() {
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    site.write("default/b", "one", 0o644);
    let answer = promote(&mut site.session(NEWEST), 1, &[("default/a", "one"), ("default/b", "one")]);
    assert_eq!((dedups(&answer), told(&answer)), (vec![Path::new("default/b")], vec![]));
    assert_eq!(fs::metadata(site.build().join("default/b")).unwrap().mode() & 0o777, 0o644);
}

/// Dune's own daemon keeps a damaged file and hands it on to whoever has the right one.
#[test]
fn a_damaged_file_of_the_store_is_replaced_and_not_handed_on() {
    for verify in [true, false] {
        let site = Site::with(Options { verify, ..Options::default() });
        site.write("default/a", "right", 0o644);
        promote(&mut site.session(NEWEST), 1, &[("default/a", "right")]);
        let stored = site.stored("right");
        fs::set_permissions(&stored, Permissions::from_mode(0o644)).unwrap();
        fs::write(&stored, "wrong").unwrap();
        site.write("default/b", "right", 0o644);
        let answer = promote(&mut site.session(NEWEST), 2, &[("default/b", "right")]);
        if verify {
            assert!(dedups(&answer).is_empty());
            assert_eq!(fs::read(&stored).unwrap(), b"right");
            let told = told(&answer);
            assert!(told.len() == 1 && told[0].contains("quarantine"), "{told:?}");
            assert_eq!(fs::read(site.build().join("default/a")).unwrap(), b"wrong", "that is the builder's");
        } else {
            assert_eq!(dedups(&answer).len(), 1);
            assert_eq!(fs::metadata(&stored).unwrap().mode() & 0o777, 0o444, "nobody may write it");
        }
    }
}

/// What stands where a file belongs is replaced, whatever it is.
#[test]
fn a_link_or_a_directory_in_the_place_of_a_file_is_set_aside() {
    let site = Site::new();
    site.write("default/a", "a", 0o644);
    for kind in 0..2 {
        let stored = site.stored("a");
        fs::create_dir_all(stored.parent().unwrap()).unwrap();
        fs::remove_file(&stored).ok();
        match kind {
            0 => std::os::unix::fs::symlink("/etc/passwd", &stored).unwrap(),
            _ => fs::create_dir(&stored).unwrap(),
        }
        let answer = promote(&mut site.session(NEWEST), kind, &[("default/a", "a")]);
        assert_eq!(answer.notes.len(), 1, "{:?}", answer.notes);
        assert!(fs::symlink_metadata(&stored).unwrap().is_file());
    }
}

#[test]
fn what_was_read_once_is_not_read_again_while_it_stays() {
    let site = Site::new();
    site.write("default/a", "right", 0o644);
    let mut session = site.session(NEWEST);
    promote(&mut session, 1, &[("default/a", "right")]);
    for number in 2..5 {
        site.write("default/b", "right", 0o644);
        assert_eq!(promote(&mut session, number, &[("default/b", "right")]).dedups.len(), 1);
        fs::remove_file(site.build().join("default/b")).unwrap();
        let now = fs::metadata(site.stored("right")).unwrap();
        assert!(
            site.store.proofs().holds(&crate::identity::Identity::of(&now)),
            "it was read and touched by us"
        );
    }
}

#[test]
fn a_copy_leaves_the_build_tree_alone() {
    let site = Site::new();
    let path = site.write("default/a", "one", 0o664);
    let before = fs::metadata(&path).unwrap();
    let copy = Promotion { duplication: Some(Duplication::Copy), ..promotion(1, &[("default/a", "one")]) };
    assert!(site.session(NEWEST).take(Command::Promote(copy)).notes.is_empty());
    let after = fs::metadata(&path).unwrap();
    let seen = |metadata: &fs::Metadata| (metadata.mode(), metadata.nlink(), metadata.ctime_nsec());
    assert_eq!(seen(&before), seen(&after));
    let stored = fs::metadata(site.stored("one")).unwrap();
    assert_eq!((stored.mode() & 0o7777, stored.nlink()), (0o444, 1));
}

#[test]
fn the_digest_and_the_version_choose_the_format() {
    let cases = [
        (Version::new(1, 2), Scheme::Joined, Some("files/v4")),
        (Version::new(1, 2), Scheme::Marshalled, Some("files/v3")),
        (Version::new(1, 2), Scheme::Counted, None),
        (Version::new(1, 1), Scheme::Marshalled, Some("v2/files")),
        (Version::new(1, 0), Scheme::Counted, Some("v2/files")),
        (Version::new(1, 1), Scheme::Joined, Some("files/v4")),
    ];
    for (version, scheme, place) in cases {
        let site = Site::new();
        site.write("default/a", "one", 0o644);
        let mut one = promotion(1, &[("default/a", "one")]);
        one.files[0].1 = digest("one", scheme);
        let answer = site.session(version).take(Command::Promote(one));
        let names: Vec<_> = site.files().into_keys().collect();
        match place {
            Some(place) => {
                let meta = place.replace("files", "meta");
                assert!(told(&answer).is_empty() && names.len() == 2, "{names:?}");
                assert!(names.iter().any(|name| name.starts_with(place)), "{version} {scheme:?} {names:?}");
                assert!(names.iter().any(|name| name.starts_with(&meta)), "{version} {scheme:?} {names:?}");
            }
            None => assert!(told(&answer)[0].contains("digest mismatch") && names.is_empty()),
        }
    }
}

#[test]
fn files_of_two_schemes_are_no_rule() {
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    site.write("default/b", "two", 0o644);
    let mut one = promotion(1, &[("default/a", "one"), ("default/b", "two")]);
    one.files[1].1 = digest("two", Scheme::Marshalled);
    let answer = site.session(NEWEST).take(Command::Promote(one));
    assert!(told(&answer)[0].contains("which is not for files/v4"), "{:?}", told(&answer));
    assert!(site.files().is_empty());
}

#[test]
fn a_rule_without_files_goes_where_its_client_reads() {
    let place = |version, earlier: Option<Scheme>| {
        let site = Site::new();
        let mut session = site.session(version);
        if let Some(scheme) = earlier {
            site.write("default/a", "one", 0o644);
            let mut one = promotion(1, &[("default/a", "one")]);
            one.files[0].1 = digest("one", scheme);
            session.take(Command::Promote(one));
        }
        promote(&mut session, 2, &[]);
        let name = site.files().into_keys().find(|name| name.ends_with(&key(2).to_string())).unwrap();
        name.rsplitn(3, '/').last().unwrap().to_owned()
    };
    assert_eq!(place(NEWEST, None), "meta/v4");
    assert_eq!(place(NEWEST, Some(Scheme::Marshalled)), "meta/v3");
    assert_eq!(place(Version::new(1, 1), None), "v2/meta");
}

/// MD5 can be made to collide, so the oldest format compares what it has. A second content with one digest cannot be made here, but
/// for a store that is not verified any other content will do.
#[test]
fn other_contents_with_one_digest_have_numbers_in_the_oldest_format() {
    for verify in [true, false] {
        let site = Site::with(Options { verify, ..Options::default() });
        site.write("default/a", "one", 0o644);
        let mut one = promotion(1, &[("default/a", "one")]);
        one.files[0].1 = digest("one", Scheme::Marshalled);
        let name = digest("one", Scheme::Marshalled).to_string();
        let first = site.root().join(format!("v2/files/{}/{name}.1", &name[..2]));
        fs::create_dir_all(first.parent().unwrap()).unwrap();
        fs::write(&first, "two").unwrap();
        let answer = site.session(Version::new(1, 1)).take(Command::Promote(one.clone()));
        assert!(dedups(&answer).is_empty());
        let number = if verify { 1 } else { 2 };
        let stored = first.with_extension(number.to_string());
        assert_eq!(fs::read(&stored).unwrap(), b"one");
        assert_eq!(answer.notes.len(), usize::from(verify));
        let rule = site.files().into_iter().find(|(path, _)| path.starts_with("v2/meta")).unwrap().1;
        assert!(rule.contains(stored.to_str().unwrap()), "{rule}");
        site.write("default/b", "one", 0o644);
        let again = Promotion { key: key(2), files: vec![("default/b".into(), one.files[0].1)], ..one };
        let answer = site.session(Version::new(1, 1)).take(Command::Promote(again));
        assert_eq!(answer.dedups[0].place, stored);
    }
}

#[test]
fn a_rule_that_is_not_reproducible_is_told_and_the_policy_decides() {
    for (collision, stays) in [(Collision::Replace, "two"), (Collision::Keep, "one")] {
        let site = Site::with(Options { collision, ..Options::default() });
        let mut session = site.session(NEWEST);
        for content in ["one", "two"] {
            fs::remove_file(site.build().join("default/a")).ok();
            site.write("default/a", content, 0o644);
            let answer = promote(&mut session, 1, &[("default/a", content)]);
            let told = told(&answer);
            assert_eq!(told.len(), usize::from(content == "two"), "{told:?}");
            assert!(told.iter().all(|line| line.contains("not reproducible")));
        }
        let rule = site.files().into_iter().find(|(name, _)| name.starts_with("meta")).unwrap().1;
        assert!(rule.contains(&digest(stays, Scheme::Joined).to_string()), "{collision:?}: {rule}");
    }
}

/// Of the older files one was trimmed or set aside. Then no client finds the rule, and where older files are kept none ever did
/// again: each build made it, and was told that the older ones stay.
#[test]
fn a_rule_whose_files_are_gone_is_not_kept() {
    let site = Site::with(Options { collision: Collision::Keep, ..Options::default() });
    let mut session = site.session(NEWEST);
    site.write("default/a", "one", 0o644);
    promote(&mut session, 1, &[("default/a", "one")]);
    fs::remove_file(site.stored("one")).unwrap();
    fs::remove_file(site.build().join("default/a")).unwrap();
    site.write("default/a", "two", 0o644);
    let told = told(&promote(&mut session, 1, &[("default/a", "two")]));
    assert!(told.concat().contains("the newer ones count"), "{told:?}");
    let rule = site.files().into_iter().find(|(name, _)| name.starts_with("meta")).unwrap().1;
    assert!(rule.contains(&digest("two", Scheme::Joined).to_string()), "{rule}");
}

/// Dune compares commits too, and so warns of every rule that is promoted at another one.
#[test]
fn another_commit_is_no_collision() {
    let site = Site::with(Options { collision: Collision::Keep, ..Options::default() });
    site.write("default/a", "one", 0o644);
    let mut session = site.session(NEWEST);
    for commit in ["beef", "cafe"] {
        let repository = Repository { directory: "/w".into(), remote: vec![], commit: commit.into() };
        session.take(Command::SetRepos(vec![repository]));
        session.take(Command::SetCommonMetadata(vec![Sexp::atom("common")]));
        let one = Promotion {
            repository: Some(0),
            metadata: vec![Sexp::atom("own")],
            ..promotion(1, &[("default/a", "one")])
        };
        assert!(told(&session.take(Command::Promote(one))).is_empty());
        let rule = site.files().into_iter().find(|(name, _)| name.starts_with("meta")).unwrap().1;
        let metadata = format!("((8:metadata3:own6:common(4:repo0:)(9:commit_id4:{commit}))(5:files");
        assert!(rule.starts_with(&metadata), "{rule}");
    }
}

#[test]
fn an_annotation_is_the_last_of_the_metadata_and_its_lack_costs_nothing_else() {
    struct Says(bool);
    impl Annotate for Says {
        fn annotate(&mut self, of: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError> {
            self.0 = !self.0;
            if self.0 {
                Ok(Some(Sexp::atom(of.version.to_string())))
            } else {
                Err(AnnotateError::NoPlugin("none".into()))
            }
        }
    }
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    let clock = Box::new(|| Timestamp(1));
    let mut session = Session::new(Arc::clone(&site.store), NEWEST, clock, Some(Box::new(Says(false))));
    session.take(Command::SetBuildRoot(site.build()));
    let one = Promotion { metadata: vec![Sexp::atom("own")], ..promotion(1, &[("default/a", "one")]) };
    for (metadata, notes) in [(vec![Sexp::atom("own"), Sexp::atom("1.2")], 0), (vec![Sexp::atom("own")], 1)] {
        assert_eq!(session.take(Command::Promote(one.clone())).notes.len(), notes);
        let rule = site.files().into_iter().find(|(name, _)| name.starts_with("meta")).unwrap().1;
        assert_eq!(Meta::from_bytes(rule.as_bytes()).unwrap().metadata, metadata);
    }
}

#[test]
fn what_is_there_already_counts_as_used_now() {
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    promote(&mut site.session(NEWEST), 1, &[("default/a", "one")]);
    let long_ago = SystemTime::now() - Duration::from_secs(100_000);
    let stored = site.stored("one");
    fs::File::open(&stored).unwrap().set_modified(long_ago).unwrap();
    site.write("default/b", "one", 0o644);
    promote(&mut site.session(NEWEST), 2, &[("default/b", "one")]);
    let age = fs::metadata(&stored).unwrap().modified().unwrap().elapsed().unwrap_or_default();
    assert!(age < Duration::from_secs(1000), "{age:?}");
}

/// Another file system for the build tree, if this machine has one.
fn elsewhere(site: &Site) -> Option<tempfile::TempDir> {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let own = device(site.directory.path());
    let other = ["/dev/shm", "/tmp", "/var/tmp"].into_iter().find(|place| device(Path::new(place)) != own)?;
    tempfile::tempdir_in(other).ok()
}

#[test]
fn what_cannot_be_linked_is_copied() {
    let site = Site::new();
    let Some(other) = elsewhere(&site) else {
        super::skipped("there is no second file system");
        return;
    };
    let path = super::write(other.path(), "default/a", b"one", 0o664);
    let mut session = super::fresh(&site.store, NEWEST);
    session.take(Command::SetBuildRoot(other.path().to_owned()));
    for number in 0..2 {
        let answer = promote(&mut session, number, &[("default/a", "one")]);
        assert_eq!((told(&answer), answer.dedups.len()), (vec![], usize::from(number)));
    }
    let stored = fs::metadata(site.stored("one")).unwrap();
    assert_eq!((stored.nlink(), stored.mode() & 0o777), (1, 0o444));
    assert_eq!(fs::metadata(path).unwrap().mode() & 0o777, 0o664, "the build tree is left alone");
}

/// Most file systems bound the links to one file; the small one of ext4 is reached here where that is what is below.
#[test]
fn a_file_with_too_many_links_is_copied() {
    let site = Site::new();
    let path = site.write("default/a", "one", 0o644);
    let mut links = 0;
    while links < 70_000 {
        match fs::hard_link(&path, site.directory.path().join(links.to_string())) {
            Ok(()) => links += 1,
            Err(error) => {
                assert_eq!(error.raw_os_error(), Some(rustix::io::Errno::MLINK.raw_os_error()));
                break;
            }
        }
    }
    if links == 70_000 {
        super::skipped("this file system has no small bound of links");
        return;
    }
    let answer = promote(&mut site.session(NEWEST), 1, &[("default/a", "one")]);
    assert!(told(&answer).is_empty());
    assert_eq!(fs::metadata(site.stored("one")).unwrap().nlink(), 1);
    site.write("default/b", "two", 0o644);
    promote(&mut site.session(NEWEST), 2, &[("default/b", "two")]);
    assert_eq!(fs::metadata(site.stored("two")).unwrap().nlink(), 2, "others are linked as before");
}

/// Between a look at what is there and the use of it, a trim may take it away.
#[test]
fn what_is_trimmed_while_it_is_promoted_again_is_made_again() {
    let site = Site::new();
    site.write("default/a", "one", 0o644);
    promote(&mut site.session(NEWEST), 1, &[("default/a", "one")]);
    let path = site.write("default/b", "one", 0o644);
    let mut staging = Staging::new(site.root(), 1).unwrap();
    let file = fs::File::open(&path).unwrap();
    let mut staged = staging.file(file, &path, Duplication::Hardlink, 0).unwrap();
    let (id, now) =
        (FileId::new(FileLayout::V4, digest("one", Scheme::Joined)), Timestamp::of(SystemTime::now()));
    let spot = site.store.spot(&staged, id, staging.buffer(), now, &mut Vec::new()).unwrap();
    fs::remove_file(site.stored("one")).unwrap();
    assert!(!site.store.keep(spot, &mut staged, &mut staging, now).unwrap(), "there is nothing to link to");
    assert_eq!(inode(&site.stored("one")), inode(&path));
}

#[test]
fn what_is_on_its_way_is_its_sessions_alone() {
    let site = Site::new();
    let mut session = site.session(NEWEST);
    promote(&mut session, 1, &[]);
    let names = fs::read_dir(site.root()).unwrap().map(|entry| entry.unwrap().path());
    let own: Vec<_> = names.filter(|path| path.to_string_lossy().contains("/promoting.")).collect();
    assert!(
        own.len() == 1 && own[0].to_string_lossy().ends_with(&format!(".{}", std::process::id())),
        "{own:?}"
    );
    assert_eq!(fs::metadata(&own[0]).unwrap().mode() & 0o777, 0o700);
    drop(session);
    assert!(!own[0].exists());
}

/// A rule may have more files than a process may have open. Each of the first ones was once held open until all were read.
#[test]
fn a_rule_with_many_files_needs_few_descriptors() {
    let site = Site::new();
    let all: Vec<_> =
        (0..200).map(|number| (format!("default/{number}"), format!("content {number}"))).collect();
    for (path, content) in &all {
        drop(site.write(path, content, 0o644));
    }
    let files: Vec<_> = all.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    let mut session = site.session(NEWEST);
    assert!(told(&promote(&mut session, 1, &files)).is_empty());
    assert_eq!(site.files().len(), 201);
    for (path, content) in &all {
        assert_eq!(inode(&site.stored(content)), inode(&site.build().join(path)));
    }
    let mut staging = Staging::new(site.root(), 1).unwrap();
    let mut open = 0;
    let staged: Vec<_> = (0..200)
        .map(|number| {
            let file = fs::File::open(site.build().join("default/0")).unwrap();
            let staged = staging.file(file, Path::new("0"), Duplication::Hardlink, number).unwrap();
            open += usize::from(matches!(staged.held(), Held::Open(_)));
            staged
        })
        .collect();
    assert_eq!((staged.len(), open), (200, OPEN));
}

/// A file of another user who shares the build tree was linked into the store, where he could write to it ever after.
#[test]
fn what_is_another_users_is_copied() {
    let site = Site::new();
    let path = site.write("default/a", "one", 0o666);
    if std::os::unix::fs::chown(&path, Some(12345), None).is_err() {
        return super::skipped("only root can give files away");
    }
    let answer = promote(&mut site.session(NEWEST), 1, &[("default/a", "one")]);
    assert!(told(&answer).is_empty(), "{:?}", told(&answer));
    let (stored, theirs) = (fs::metadata(site.stored("one")).unwrap(), fs::metadata(&path).unwrap());
    assert_ne!(stored.ino(), theirs.ino());
    assert_eq!((stored.uid(), stored.mode() & 0o777), (rustix::process::geteuid().as_raw(), 0o444));
    assert_eq!((theirs.uid(), theirs.mode() & 0o777), (12345, 0o666));
}
