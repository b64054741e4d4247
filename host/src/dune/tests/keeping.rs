//! Counting, verifying and trimming what is there, in all formats.

use super::{NEWEST, Site, digest, files, key, promote, promotion, write};
use crate::digest::Digest;
use crate::dune::digest::Scheme;
use crate::dune::layout::{FileId, FileLayout, MetaLayout};
use crate::dune::meta::Meta;
use crate::dune::stats::{FileStats, MetaStats};
use crate::dune::verify::FindingKind;
use crate::dune::{Bound, TrimRequest, Trimmed};
use crate::policy::{Budget, Candidate, Eviction, Fault, PolicyId};
use crate::protocol::Version;
use crate::protocol::dune::{Command, Promotion};
use crate::store::Remedy;
use crate::time::Timestamp;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::thread::sleep;
use std::time::{Duration, SystemTime};

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// One rule of one file in each format, each used by nobody; the files' contents are the formats' names.
fn all_formats() -> Site {
    let site = Site::new();
    for (number, (version, scheme, content)) in [
        (Version::new(1, 1), Scheme::Marshalled, "v2"),
        (NEWEST, Scheme::Marshalled, "v3"),
        (NEWEST, Scheme::Joined, "v4"),
    ]
    .into_iter()
    .enumerate()
    {
        site.write("default/a", content, 0o644);
        let mut one = promotion(number as u8, &[("default/a", content)]);
        one.files[0].1 = digest(content, scheme);
        assert!(site.session(version).take(Command::Promote(one)).notes.is_empty());
        fs::remove_file(site.build().join("default/a")).unwrap();
    }
    modern(&site, 9, "v4");
    site
}

/// A rule as Dune 3.x writes it.
fn modern(site: &Site, number: u8, content: &str) -> PathBuf {
    let path = site.store.layout().meta(MetaLayout::V5, key(number));
    let named = digest(content, Scheme::Joined).to_string().into_bytes();
    let files = Some(vec![(b"a".to_vec(), named), (b"dir".to_vec(), b"<dir>".to_vec())]);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, Meta { metadata: vec![], files }.to_bytes()).unwrap();
    path
}

fn place(site: &Site, layout: FileLayout) -> PathBuf {
    let (scheme, content) = match layout {
        FileLayout::V2 => (Scheme::Marshalled, "v2"),
        FileLayout::V3 => (Scheme::Marshalled, "v3"),
        FileLayout::V4 => (Scheme::Joined, "v4"),
    };
    site.store.layout().file(FileId::new(layout, digest(content, scheme)))
}

fn overwrite(path: &Path, content: &str) {
    fs::set_permissions(path, Permissions::from_mode(0o644)).unwrap();
    fs::write(path, content).unwrap();
    fs::set_permissions(path, Permissions::from_mode(0o444)).unwrap();
}

#[test]
fn all_formats_are_counted() {
    let site = all_formats();
    fs::hard_link(place(&site, FileLayout::V4), site.build().join("used")).unwrap();
    fs::remove_file(place(&site, FileLayout::V3)).unwrap();
    fs::write(site.store.layout().meta(MetaLayout::V2, key(0)), "garbage").unwrap();
    fs::create_dir_all(site.root().join("values/v3/ab")).unwrap();
    fs::write(site.root().join("values/v3/ab/ab"), "12345").unwrap();
    fs::create_dir(site.root().join("promoting.abcdef.1")).unwrap();
    let stats = site.store.stats(now()).unwrap();
    let files: Vec<_> = stats.files.iter().map(|(_, files)| *files).collect();
    let one = FileStats { files: 1, bytes: 2, unused: 1, unused_bytes: 2 };
    assert_eq!(files, [one, FileStats::default(), FileStats { unused: 0, unused_bytes: 0, ..one }]);
    let state = |metas: &MetaStats| (metas.metas, metas.unparsable, metas.broken);
    let metas: Vec<_> = stats.metas.iter().map(|(_, metas)| state(metas)).collect();
    assert_eq!(metas, [(1, 1, 0), (1, 0, 1), (1, 0, 0), (1, 0, 0)]);
    assert_eq!((stats.values, stats.promoting, stats.stale), ((1, 5), 1, 0));
    assert!(stats.troubles.is_empty());
    let empty = Site::new().store.stats(now()).unwrap();
    assert!(empty.files.iter().all(|(_, files)| *files == FileStats::default()));
}

#[test]
fn a_right_store_has_no_findings() {
    let site = all_formats();
    let before = site.files();
    for remedy in [Remedy::Tell, Remedy::SetAside, Remedy::Repair] {
        let mut read = 0;
        let verified = site.store.verify(remedy, &mut |bytes| read += bytes).unwrap();
        assert!(verified.findings.is_empty() && verified.troubles.is_empty(), "{:?}", verified.findings);
        assert_eq!((verified.files, verified.bytes, verified.metas, read), (3, 6, 4, 6));
    }
    assert_eq!(site.files(), before);
}

#[test]
fn a_poisoned_file_is_found_in_every_format_and_set_aside() {
    for layout in FileLayout::ALL {
        for (remedy, aside) in [(Remedy::Tell, false), (Remedy::SetAside, true)] {
            let site = all_formats();
            let path = place(&site, layout);
            overwrite(&path, "v!");
            let verified = site.store.verify(remedy, &mut |_| {}).unwrap();
            let finding = &verified.findings[0];
            assert_eq!(
                (&finding.path, &finding.kind, finding.remedied),
                (&path, &FindingKind::Content, aside)
            );
            assert_eq!(path.exists(), !aside);
            if aside {
                let quarantine: Vec<_> = fs::read_dir(site.root().join("quarantine")).unwrap().collect();
                let kept = quarantine[0].as_ref().unwrap().path();
                assert_eq!(fs::read(kept).unwrap(), b"v!");
                assert!(verified.findings[1..].iter().all(|one| matches!(one.kind, FindingKind::Misses(_))));
            }
        }
    }
}

/// Since 3.20 Dune names files by their BLAKE3, in the same directory as before. Each of them was taken for damaged and set aside:
/// the whole cache of its user, which a week later was gone. The names are those of Dune's own test of its cache (`trim.t`).
#[test]
fn files_of_the_newest_dune_are_right_where_they_are() {
    let site = all_formats();
    let files = site.store.layout().files(FileLayout::V4);
    for (name, mode) in
        [("5ef8de0800908475d94747fef67940ed", 0o444), ("e293405959cb01f8de0d237b687714c8", 0o555)]
    {
        write(&files, &format!("{}/{name}", &name[..2]), b"content\n", mode);
    }
    let verified = site.store.verify(Remedy::Repair, &mut |_| {}).unwrap();
    assert_eq!((verified.findings, verified.files), (vec![], 5));
    let path = files.join("5e/5ef8de0800908475d94747fef67940ed");
    overwrite(&path, "CONTENT\n");
    fs::set_permissions(files.join("e2/e293405959cb01f8de0d237b687714c8"), Permissions::from_mode(0o444))
        .unwrap();
    let verified = site.store.verify(Remedy::SetAside, &mut |_| {}).unwrap();
    let kinds: Vec<_> = verified.findings.iter().map(|finding| &finding.kind).collect();
    assert_eq!(kinds, [&FindingKind::Content; 2]);
    assert!(!path.exists());
}

#[test]
fn an_executable_bit_that_came_or_went_is_damage() {
    let site = all_formats();
    fs::set_permissions(place(&site, FileLayout::V4), Permissions::from_mode(0o555)).unwrap();
    let verified = site.store.verify(Remedy::Tell, &mut |_| {}).unwrap();
    assert_eq!(verified.findings.len(), 1);
    assert_eq!(verified.findings[0].kind, FindingKind::Content);
}

#[test]
fn what_is_no_damage_is_put_right_only_where_that_is_asked_for() {
    let site = all_formats();
    fs::set_permissions(place(&site, FileLayout::V4), Permissions::from_mode(0o644)).unwrap();
    fs::remove_file(place(&site, FileLayout::V3)).unwrap();
    fs::write(site.store.layout().meta(MetaLayout::V2, key(0)), "garbage").unwrap();
    fs::write(site.root().join("files/v4/stray"), "stray").unwrap();
    let findings = |remedy| {
        let verified = site.store.verify(remedy, &mut |_| {}).unwrap();
        let mut told: Vec<_> =
            verified.findings.iter().map(|one| (one.kind.to_string(), one.remedied)).collect();
        told.sort();
        told
    };
    let before = site.files();
    assert_eq!(findings(Remedy::SetAside).len(), 4);
    assert!(findings(Remedy::SetAside).iter().all(|(_, remedied)| !remedied));
    assert_eq!(site.files(), before);
    assert!(findings(Remedy::Repair).iter().all(|(_, remedied)| *remedied));
    assert_eq!(findings(Remedy::Repair), []);
}

/// Three files of ten bytes, of ten thousand metas each and none used; the first is the oldest.
fn three() -> (Site, [PathBuf; 3]) {
    let site = Site::new();
    let contents = ["first 3456", "second 456", "third 3456"];
    let mut session = site.session(NEWEST);
    for (number, content) in contents.iter().enumerate() {
        site.write("default/a", content, 0o644);
        promote(&mut session, number as u8, &[("default/a", content)]);
        fs::remove_file(site.build().join("default/a")).unwrap();
        // More than a tick of the clock that stamps inodes.
        sleep(Duration::from_millis(12));
    }
    let paths = contents.map(|content| site.stored(content));
    (site, paths)
}

fn left(paths: &[PathBuf; 3]) -> [bool; 3] {
    [0, 1, 2].map(|at| paths[at].exists())
}

#[test]
fn what_has_not_changed_for_longest_goes_first_with_its_rules() {
    let (site, paths) = three();
    let five = modern(&site, 77, "first 3456");
    let dry = TrimRequest { dry_run: true, ..TrimRequest::new(Bound::Size(15), now()) };
    let would = site.store.trim(&dry).unwrap();
    assert_eq!(left(&paths), [true; 3]);
    let trimmed = site.store.trim(&TrimRequest { dry_run: false, ..dry }).unwrap();
    assert_eq!((trimmed.overhead, trimmed.files, trimmed.metas), (30, 2, 3));
    assert_eq!((would.victims, would.metas, would.freed), (trimmed.victims, trimmed.metas, trimmed.freed));
    assert_eq!(left(&paths), [false, false, true]);
    assert!(!five.exists());
    assert_eq!(site.files().len(), 2);
    let again = site.store.trim(&TrimRequest::new(Bound::Size(15), now())).unwrap();
    assert_eq!((again.files, again.freed), (0, 0));
    let goal = site.store.trim(&TrimRequest::new(Bound::Goal(1), now())).unwrap();
    assert_eq!((goal.files, site.files().len()), (1, 0));
}

#[test]
fn a_use_makes_a_file_go_later_and_a_link_keeps_it() {
    let (site, paths) = three();
    site.write("default/b", "first 3456", 0o644);
    promote(&mut site.session(NEWEST), 9, &[("default/b", "first 3456")]);
    fs::hard_link(&paths[1], site.build().join("used")).unwrap();
    let trimmed = site.store.trim(&TrimRequest::new(Bound::Size(10), now())).unwrap();
    assert_eq!((trimmed.overhead, trimmed.files), (20, 1));
    assert_eq!(left(&paths), [true, true, false], "the first was used after the third");
    let all = TrimRequest { all: true, ..TrimRequest::new(Bound::Size(10), now()) };
    site.store.trim(&all).unwrap();
    assert_eq!(left(&paths), [false, true, false], "what nobody uses goes first");
    site.store.trim(&TrimRequest { bound: Bound::Size(0), ..all }).unwrap();
    assert_eq!(left(&paths), [false; 3]);
    assert_eq!(fs::read(site.build().join("used")).unwrap(), b"second 456");
}

/// Scores as it is told to, and notes what it was asked.
struct Scores(PolicyId, fn(usize, &Candidate) -> f64, usize);

impl Eviction for Scores {
    fn id(&self) -> &PolicyId {
        &self.0
    }

    fn score(&self, _: Timestamp, budget: Budget, all: &[Candidate]) -> Result<Vec<f64>, Box<Fault>> {
        assert_eq!((budget.used, budget.entries), (30, 3));
        assert!(all.iter().all(|one| one.unused && one.size == 10 && one.files == 1 && one.last_use.0 > 0));
        Ok(all.iter().enumerate().map(|(at, one)| self.1(at, one)).skip(self.2).collect())
    }
}

fn trimmed_by(score: fn(usize, &Candidate) -> f64, skip: usize) -> ([bool; 3], Trimmed) {
    let (site, paths) = three();
    let id = PolicyId {
        name: "p".into(),
        component: Digest::of(b""),
        configuration: "{}".into(),
        abi: "0.1.0".into(),
    };
    let policy = Scores(id, score, skip);
    let request = TrimRequest { policy: Some(&policy), ..TrimRequest::new(Bound::Size(20), now()) };
    let trimmed = site.store.trim(&request).unwrap();
    (left(&paths), trimmed)
}

#[test]
fn a_policy_decides_what_goes_and_a_faulty_one_does_not() {
    let (left, trimmed) = trimmed_by(|at, _| -(at as f64), 0);
    assert_eq!((left, trimmed.fault), ([true, true, false], None));
    let (left, trimmed) = trimmed_by(|_, _| 1.0, 0);
    assert_eq!((left, trimmed.fault), ([false, true, true], None), "Dune's order where scores are equal");
    for (score, skip) in [(constant as fn(usize, &Candidate) -> f64, 1), (not_finite, 0)] {
        let (left, trimmed) = trimmed_by(score, skip);
        assert_eq!(left, [false, true, true]);
        assert!(trimmed.fault.unwrap().to_string().contains("eviction policy `p` gave"));
    }
}

fn constant(_: usize, _: &Candidate) -> f64 {
    1.0
}

fn not_finite(_: usize, _: &Candidate) -> f64 {
    f64::NAN
}

#[test]
fn every_format_is_trimmed_and_what_dune_keeps_besides_is_left() {
    let site = all_formats();
    fs::create_dir_all(site.root().join("values/v3/ab")).unwrap();
    fs::write(site.root().join("values/v3/ab/ab"), "12345").unwrap();
    fs::create_dir(site.root().join("temp")).unwrap();
    fs::write(site.root().join("temp/x"), "x").unwrap();
    let trimmed = site.store.trim(&TrimRequest::new(Bound::Size(0), now())).unwrap();
    assert_eq!((trimmed.files, trimmed.metas), (3, 4));
    assert_eq!(site.files().into_keys().collect::<Vec<_>>(), ["temp/x", "values/v3/ab/ab"]);
}

#[test]
fn rules_without_files_go_also_alone_where_that_is_asked_for() {
    let site = all_formats();
    fs::remove_file(place(&site, FileLayout::V4)).unwrap();
    fs::write(site.store.layout().meta(MetaLayout::V3, key(1)), "garbage").unwrap();
    let request = TrimRequest::new(Bound::Size(u64::MAX), now());
    assert_eq!(site.store.trim(&request).unwrap().metas, 0);
    let trimmed = site.store.trim(&TrimRequest { sweep: true, ..request }).unwrap();
    assert_eq!((trimmed.files, trimmed.metas), (0, 3));
}

#[test]
fn what_a_dead_process_left_on_its_way_goes_after_an_hour() {
    let site = all_formats();
    let mut ended = std::process::Command::new("true").spawn().unwrap();
    let dead = ended.id();
    ended.wait().unwrap();
    let (left, alive) = (
        site.root().join(format!("promoting.abcdef.{dead}")),
        site.root().join(format!("promoting.abcdef.{}", std::process::id())),
    );
    for directory in [&left, &alive] {
        fs::create_dir(directory).unwrap();
        fs::write(directory.join("1"), "x").unwrap();
    }
    let at = |hours: u64| Timestamp(now().0 + hours * 3_600_000_000_000 + 1_000_000_000);
    let stale = |time| site.store.trim(&TrimRequest::new(Bound::Size(u64::MAX), time)).unwrap().stale;
    assert_eq!(stale(at(0)), 0);
    let dry = TrimRequest { dry_run: true, ..TrimRequest::new(Bound::Size(u64::MAX), at(1)) };
    assert_eq!((site.store.trim(&dry).unwrap().stale, site.store.stats(at(1)).unwrap().stale), (1, 1));
    assert_eq!((stale(at(1)), left.exists(), alive.exists()), (1, false, true));
}

#[test]
fn quarantine_is_kept_for_a_week() {
    let site = all_formats();
    overwrite(&place(&site, FileLayout::V4), "v!");
    site.store.verify(Remedy::SetAside, &mut |_| {}).unwrap();
    let at = |days: u64| Timestamp(now().0 + days * 24 * 3_600_000_000_000 + 1_000_000_000);
    let trim = |time| site.store.trim(&TrimRequest::new(Bound::Size(u64::MAX), time)).unwrap().quarantined;
    assert_eq!((trim(at(6)), site.store.stats(now()).unwrap().quarantine), (0, (1, 2)));
    assert_eq!((trim(at(7)), site.store.stats(now()).unwrap().quarantine), (1, (0, 0)));
}

/// Promotions, uses, trims and verifications in several threads at once: there are whole files alone afterwards.
#[test]
fn all_at_once_leave_whole_files_alone() {
    let site = Site::new();
    std::thread::scope(|scope| {
        for worker in 0..3_u8 {
            let site = &site;
            scope.spawn(move || {
                let mut session = site.session(NEWEST);
                for round in 0..120_u8 {
                    let (path, content) =
                        (format!("default/{worker}"), "x".repeat(usize::from(round % 7) * 1000));
                    let file = site.write(&path, &content, 0o644);
                    let one: Promotion = promotion(round % 5, &[(&path, &content)]);
                    let answer = session.take(Command::Promote(one));
                    for dedup in &answer.dedups {
                        let (from, to) = (&dedup.place, file.with_extension("dedup"));
                        if fs::hard_link(from, &to).is_ok() {
                            fs::rename(&to, &file).unwrap();
                        }
                    }
                    fs::remove_file(&file).unwrap();
                }
            });
        }
        scope.spawn(|| {
            for round in 0..60 {
                site.store.trim(&TrimRequest::new(Bound::Size(round % 4 * 2000), now())).unwrap();
                let verified = site.store.verify(Remedy::Tell, &mut |_| {}).unwrap();
                let damage = verified.findings.iter().filter(|finding| finding.kind.is_damage());
                assert_eq!(damage.count(), 0, "{:?}", verified.findings);
            }
        });
    });
    let verified = site.store.verify(Remedy::Tell, &mut |_| {}).unwrap();
    assert!(verified.findings.iter().all(|one| matches!(one.kind, FindingKind::Misses(_))));
    assert!(
        files(site.root()).keys().all(|name| !name.contains("promoting") && !name.contains("quarantine"))
    );
}
