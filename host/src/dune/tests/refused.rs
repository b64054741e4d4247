//! What a client may say and must not get: each is refused with a note, nothing is left of it, and the next promotion works.

use super::{NEWEST, Site, files, nothing_on_its_way, promote, promotion, told};
use crate::dune::{Annotate, AnnotateError, Provenance, Session};
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Command, Promotion};
use crate::time::Timestamp;
use std::ffi::OsStr;
use std::fs;
use std::io::Write as _;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Refuses a promotion and then takes another one. What is said of the refused one.
fn refused(site: &Site, session: &mut Session, promotion: Promotion) -> String {
    let (before, build) = (site.files(), files(&site.build()));
    let answer = session.take(Command::Promote(promotion));
    assert!(answer.dedups.is_empty());
    let told = told(&answer);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with("promotion of "), "{told:?}");
    assert_eq!(site.files(), before, "{told:?}");
    assert_eq!(files(&site.build()), build, "{told:?}");
    assert!(nothing_on_its_way(site.root()), "{told:?}");
    told[0].clone()
}

#[test]
fn nothing_but_files_below_the_build_root_is_promoted() {
    let site = Site::new();
    let mut session = site.session(NEWEST);
    site.write("default/real", "secret", 0o644);
    let outside = site.directory.path().join("secret");
    fs::write(&outside, "secret").unwrap();
    symlink("real", site.build().join("default/link")).unwrap();
    symlink(site.directory.path(), site.build().join("out")).unwrap();
    symlink(".", site.build().join("default/here")).unwrap();
    fs::create_dir(site.build().join("default/dir")).unwrap();
    let pipe = site.build().join("default/pipe");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let absolute = outside.to_str().unwrap();
    for (path, why) in [
        ("default/link", "symbolic link"),
        ("out/secret", "symbolic link"),
        ("default/here/real", "symbolic link"),
        ("default/dir", "no file"),
        ("default/pipe", "no file"),
        ("default/none", "not there"),
        ("none/none", "not there"),
        ("default/real/x", "not there"),
        ("../secret", "no path below"),
        ("default/../../secret", "no path below"),
        (absolute, "no path below"),
        ("", "no path below"),
        (".", "no path below"),
        ("./default/real", "no path below"),
        ("default//real", "no path below"),
        ("default/real/", "no path below"),
    ] {
        // After a file that is right: a rule is promoted whole or not at all.
        let one = promotion(1, &[("default/real", "secret"), (path, "secret")]);
        let told = refused(&site, &mut session, one);
        assert!(told.contains(why), "{path}: {told}");
    }
    let mut nul = promotion(1, &[("x", "secret")]);
    nul.files[0].0 = Path::new(OsStr::from_bytes(b"default/real\0x")).to_owned();
    assert!(refused(&site, &mut session, nul).contains(r"real\x00x"));
    assert!(told(&promote(&mut session, 1, &[("default/real", "secret")])).is_empty());
    assert_eq!(site.files().len(), 2);
}

#[test]
fn a_promotion_needs_a_build_root_its_digests_and_its_repository() {
    let site = Site::new();
    site.write("default/a", "a", 0o644);
    let mut session = super::fresh(&site.store, NEWEST);
    let one = promotion(1, &[("default/a", "a")]);
    assert!(refused(&site, &mut session, one.clone()).contains("no build root"));
    let relative = session.take(Command::SetBuildRoot("_build".into()));
    assert!(told(&relative)[0].contains("not absolute"));
    assert!(refused(&site, &mut session, one.clone()).contains("no build root"));
    session.take(Command::SetBuildRoot(site.directory.path().join("absent")));
    assert!(refused(&site, &mut session, one.clone()).contains("cannot open the build root"));
    session.take(Command::SetBuildRoot(site.build()));
    assert!(refused(&site, &mut session, promotion(1, &[("default/a", "b")])).contains("digest mismatch"));
    let foreign = Promotion { repository: Some(u64::MAX), ..one.clone() };
    assert!(refused(&site, &mut session, foreign).contains("no repository"));
    assert!(told(&session.take(Command::Promote(one))).is_empty());
}

/// The directory of a promoted file is exchanged for a link to another place, again and again, while it is promoted.
#[test]
fn a_parent_that_becomes_a_link_leads_nowhere() {
    let site = Site::new();
    let build = site.build();
    site.write("default/sub/a", "inside", 0o644);
    let outside = site.directory.path().join("outside");
    fs::create_dir(&outside).unwrap();
    fs::write(outside.join("a"), "secret").unwrap();
    let mut session = site.session(NEWEST);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let (sub, aside) = (build.join("default/sub"), build.join("default/aside"));
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                fs::rename(&sub, &aside).unwrap();
                symlink(&outside, &sub).unwrap();
                fs::remove_file(&sub).unwrap();
                fs::rename(&aside, &sub).unwrap();
            }
        });
        for number in 0..200 {
            // Said to be what only the file outside is.
            promote(&mut session, number, &[("default/sub/a", "secret")]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(site.files().is_empty(), "{:?}", site.files());
}

/// What is kept under a digest has it, however the file changed while it was promoted.
#[test]
fn a_file_that_changes_or_vanishes_meanwhile_is_kept_right_or_not_at_all() {
    let site = Site::new();
    let mut session = site.session(NEWEST);
    let (stop, path) = (std::sync::atomic::AtomicBool::new(false), site.build().join("default/a"));
    let contents = ["x".repeat(300_000), "y".repeat(300_000), "z".repeat(100)];
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut turn = 0;
            while !stop.load(std::sync::atomic::Ordering::Relaxed) {
                // In place, or anew, or not at all.
                if turn % 3 == 0 {
                    fs::remove_file(&path).ok();
                }
                if turn % 5 != 0 {
                    fs::write(&path, &contents[turn % contents.len()]).ok();
                }
                turn += 1;
            }
        });
        for number in 0..150_u8 {
            promote(&mut session, number, &[("default/a", &contents[usize::from(number) % contents.len()])]);
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
    });
    assert!(nothing_on_its_way(site.root()));
    drop(session);
    // A linked file is still its builder's, who may write it after the promotion; this one does. So a second look: what is wrong now
    // was right when it was kept, and is found by who promotes the same again.
    fs::remove_file(&path).ok();
    for (number, content) in contents.iter().enumerate() {
        fs::remove_file(&path).ok();
        fs::write(&path, content).unwrap();
        let answer = promote(&mut site.session(NEWEST), number as u8, &[("default/a", content)]);
        assert!(told(&answer).iter().all(|line| !line.contains("refused")), "{:?}", told(&answer));
        assert_eq!(fs::read_to_string(site.stored(content)).unwrap(), *content);
    }
}

#[test]
fn a_cache_that_is_cleared_under_a_session_is_begun_anew() {
    let site = Site::new();
    site.write("default/a", "a", 0o644);
    let mut session = site.session(NEWEST);
    for _ in 0..3 {
        assert!(told(&promote(&mut session, 1, &[("default/a", "a")])).is_empty());
        assert_eq!(site.files().len(), 2);
        fs::remove_dir_all(site.root()).unwrap();
    }
    drop(session);
    assert!(!site.root().exists());
}

/// Writes to a file between its reading and its place in the store, as what a rule left running may.
struct Writes(PathBuf, &'static str);

impl Annotate for Writes {
    fn annotate(&mut self, _: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError> {
        // Not within the same tick of the kernel's clock.
        std::thread::sleep(std::time::Duration::from_millis(20));
        fs::set_permissions(&self.0, fs::Permissions::from_mode(0o644)).unwrap();
        fs::OpenOptions::new().write(true).open(&self.0).unwrap().write_all(self.1.as_bytes()).unwrap();
        Ok(None)
    }
}

/// A file was read and found to be what the client said; before it was linked into the store, while the other files of its
/// rule were read or the plugin was asked, somebody wrote to it in place. The store kept the new content under the old
/// digest, the rule named it, and every later build that found the rule got it.
#[test]
fn what_is_written_to_after_it_was_read_is_not_kept() {
    let site = Site::new();
    let session = |path: &Path| {
        let (clock, writes) =
            (Box::new(|| Timestamp::of(std::time::SystemTime::now())), Writes(path.into(), "TWO"));
        let mut session = Session::new(Arc::clone(&site.store), NEWEST, clock, Some(Box::new(writes)));
        session.take(Command::SetBuildRoot(site.build()));
        session
    };
    let rules = || site.files().into_keys().filter(|name| name.starts_with("meta")).count();
    // One that is held by its descriptor, and one by a name.
    let many: Vec<_> = (0..12).map(|number| (format!("default/{number}"), format!("one {number}"))).collect();
    let many: Vec<_> = many.iter().map(|(path, content)| (path.as_str(), content.as_str())).collect();
    for late in [0, 11] {
        for (path, content) in &many {
            site.write(path, content, 0o644);
        }
        let (path, content) = many[late];
        let answer = promote(&mut session(&site.build().join(path)), 1, &many);
        assert!(told(&answer).concat().contains("changes while it is read"), "{:?}", told(&answer));
        assert!(!site.stored(content).exists() && rules() == 0, "{late}");
        for (path, _) in &many {
            fs::remove_file(site.build().join(path)).unwrap();
        }
    }
    // One that is in the store already, by itself or as a file beside it.
    site.write("default/a", "one", 0o644);
    promote(&mut site.session(NEWEST), 2, &[("default/a", "one")]);
    for path in ["default/a", "default/b"] {
        if path == "default/b" {
            site.write(path, "one", 0o644);
        }
        promote(&mut site.session(NEWEST), 3, &[("default/a", "one")]);
        let answer = promote(&mut session(&site.stored("one")), 4, &[(path, "one")]);
        assert!(told(&answer).concat().contains("changes while it is read"), "{:?}", told(&answer));
        fs::remove_file(site.stored("one")).unwrap();
        fs::remove_file(site.build().join("default/a")).unwrap();
        site.write("default/a", "one", 0o644);
    }
    assert!(nothing_on_its_way(site.root()));
}

/// A path is as long as its client says, up to a whole message. Lines of 250 MB came into a log that has 4 MiB at the most.
#[test]
fn what_is_told_of_a_path_has_an_end() {
    let site = Site::new();
    let mut session = site.session(NEWEST);
    let long = "\u{1}".repeat(5 << 20);
    for path in [format!("../{long}"), long.clone(), format!("default/{long}/a")] {
        let rule = promotion(1, &[(&path, "")]);
        let told = refused(&site, &mut session, rule);
        assert!(told.len() < 20_000 && told.contains("\\x01\\x01..."), "{} bytes", told.len());
    }
    let told = told(&session.take(Command::SetBuildRoot(long.into())));
    assert!(told[0].len() < 20_000 && told[0].contains("is not absolute"), "{} bytes", told[0].len());
    // What a file can be called is told whole.
    let path = format!("{}a", "nowhere/".repeat(500));
    let told = refused(&site, &mut site.session(NEWEST), promotion(1, &[(&path, "")]));
    assert!(told.contains(&format!("`{path}`")), "{told}");
}
