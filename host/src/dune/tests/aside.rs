//! What is put aside, and where nothing can be.

use super::{NEWEST, Site, key, promote, told, write};
use crate::dune::verify::FindingKind;
use crate::dune::{Bound, TrimRequest};
use crate::store::Remedy;
use crate::time::Timestamp;
use std::fs;
use std::path::Path;
use std::time::{Duration, SystemTime};

/// A pipe in the place of a rule was waited for by whoever read it: the promotion, and with it the build, and every trim,
/// verification and statistics. A link to what has no end was read until the memory was full.
#[test]
fn what_is_no_file_in_the_place_of_a_rule_is_put_aside() {
    let site = Site::new();
    let rule = site.root().join("meta/v4/01").join(key(1).to_string());
    fs::create_dir_all(rule.parent().unwrap()).unwrap();
    for kind in ["pipe", "link", "directory"] {
        let make = |path: &Path| match kind {
            "pipe" => assert!(std::process::Command::new("mkfifo").arg(path).status().unwrap().success()),
            "link" => std::os::unix::fs::symlink("/dev/zero", path).unwrap(),
            _ => fs::create_dir_all(path.join("full")).unwrap(),
        };
        make(&rule);
        assert_eq!(site.store.stats(Timestamp(1)).unwrap().metas[2].1.unparsable, 1, "{kind}");
        let verified = site.store.verify(Remedy::SetAside, &mut |_| {}).unwrap();
        assert!(verified.troubles.is_empty(), "{kind}: {verified:?}");
        assert!(
            matches!(&verified.findings[..], [one] if one.kind == FindingKind::NoFile && one.remedied),
            "{kind}"
        );
        make(&rule);
        let request = TrimRequest { sweep: true, ..TrimRequest::new(Bound::Size(0), Timestamp(1)) };
        let trimmed = site.store.trim(&request).unwrap();
        assert!(trimmed.troubles.is_empty() && trimmed.metas == 1, "{kind}: {trimmed:?}");
        make(&rule);
        site.write(kind, kind, 0o644);
        let answer = promote(&mut site.session(NEWEST), 1, &[(kind, kind)]);
        assert!(told(&answer).concat().contains("was damaged"), "{kind}: {:?}", told(&answer));
        assert!(fs::symlink_metadata(&rule).unwrap().is_file(), "{kind}");
        fs::remove_file(&rule).unwrap();
        assert_eq!(fs::read_dir(site.root().join("quarantine")).unwrap().count(), 3, "{kind}");
        fs::remove_dir_all(site.root().join("quarantine")).unwrap();
    }
}

/// A quarantine that was a link had what is old behind it removed, whosever that was.
#[test]
fn nothing_behind_a_quarantine_that_is_a_link_is_touched() {
    let site = Site::new();
    let elsewhere = site.directory.path().join("elsewhere");
    write(&elsewhere, "old", b"theirs", 0o644);
    fs::create_dir_all(site.root()).unwrap();
    std::os::unix::fs::symlink(&elsewhere, site.root().join("quarantine")).unwrap();
    write(&site.root().join("files/v4/zz"), "foreign", b"foreign", 0o644);
    let verified = site.store.verify(Remedy::Repair, &mut |_| {}).unwrap();
    assert_eq!((verified.troubles.len(), verified.findings[0].remedied), (1, false));
    let in_a_month =
        Timestamp(Timestamp::of(SystemTime::now()).0 + Duration::from_hours(30 * 24).as_nanos() as u64);
    let trimmed = site.store.trim(&TrimRequest::new(Bound::Size(0), in_a_month)).unwrap();
    assert_eq!(trimmed.quarantined, 0);
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 1);
}

/// With a file where the quarantine belongs a damaged file could not be put aside, which was taken for its being gone: it was
/// looked at again, without end.
#[test]
fn a_quarantine_that_cannot_be_ends_the_promotion() {
    let site = Site::new();
    let stored = site.stored("one");
    write(site.root(), "quarantine", b"", 0o644);
    write(stored.parent().unwrap(), stored.file_name().unwrap().to_str().unwrap(), b"damaged", 0o444);
    site.write("default/a", "one", 0o644);
    let answer = promote(&mut site.session(NEWEST), 1, &[("default/a", "one")]);
    assert!(told(&answer).concat().contains("cannot set aside"), "{:?}", told(&answer));
    assert_eq!(fs::read(&stored).unwrap(), b"damaged");
}

/// Its name got longer by that of its directory, which no file may have: it could never be put aside.
#[test]
fn what_has_the_longest_name_is_put_aside_too() {
    let site = Site::new();
    let names = ["s".repeat(255), "\u{fc}".repeat(127)];
    for name in &names {
        write(site.root(), &format!("files/v4/00/{name}"), b"stray", 0o444);
    }
    let verified = site.store.verify(Remedy::Repair, &mut |_| {}).unwrap();
    assert!(verified.troubles.is_empty(), "{:?}", verified.troubles);
    assert!(verified.findings.len() == 2 && verified.findings.iter().all(|one| one.remedied));
    assert_eq!(fs::read_dir(site.root().join("quarantine")).unwrap().count(), 2);
}

/// `reviver dune trim --dir` of a directory that is no cache removed what was in its `quarantine` for a week, whoever had put it there.
#[test]
fn what_others_call_by_our_names_is_left_alone() {
    let site = Site::new();
    let theirs = ["quarantine/letter", "quarantine/files-of-mine/a", "promoting.sales/plan"];
    for path in theirs {
        write(site.root(), path, b"theirs", 0o644);
    }
    let in_a_month =
        Timestamp(Timestamp::of(SystemTime::now()).0 + Duration::from_hours(30 * 24).as_nanos() as u64);
    let trimmed = site.store.trim(&TrimRequest::new(Bound::Size(0), in_a_month)).unwrap();
    assert_eq!((trimmed.quarantined, trimmed.stale, trimmed.troubles.len()), (0, 0, 0));
    for path in theirs {
        assert!(site.root().join(path).exists(), "{path}");
    }
}
