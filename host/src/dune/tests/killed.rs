//! A process that promotes is killed, again and again, wherever it is.

use super::{NEWEST, Site, fresh, promotion};
use crate::dune::{Bound, DuneStore, Options, TrimRequest};
use crate::protocol::dune::{Command, Duplication, Promotion};
use crate::store::Remedy;
use crate::time::Timestamp;
use std::fs;
use std::path::PathBuf;
use std::process::{self, Stdio};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

const PLACE: &str = "PROMOTES_UNTIL_KILLED_IN";

#[test]
fn a_kill_leaves_whole_files_alone() {
    let site = Site::new();
    let mut left = 0;
    for round in 0..12_u64 {
        let mut child = process::Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "dune::tests::killed::promotes_until_it_is_killed", "--include-ignored"])
            .env(PLACE, site.directory.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let started = || !site.files().is_empty();
        while round == 0 && !started() && child.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(1));
        }
        std::thread::sleep(Duration::from_millis(15 + round * 7 % 40));
        child.kill().unwrap();
        child.wait().unwrap();
        let verified = site.store.verify(Remedy::Tell, &mut |_| {}).unwrap();
        let wrong: Vec<_> = verified.findings.iter().filter(|finding| finding.kind.is_damage()).collect();
        assert!(wrong.is_empty() && verified.metas > 0 && verified.files > 0, "{wrong:?}");
        let missing = |finding: &&crate::dune::verify::Finding| finding.kind.to_string().contains("names");
        assert_eq!(verified.findings.iter().filter(missing).count(), 0, "a rule is there after its files");
        left = site.store.stats(Timestamp(0)).unwrap().promoting;
    }
    assert!(left > 0, "nothing was killed where it matters");
    let later = Timestamp(Timestamp::of(SystemTime::now()).0 + 2 * 3_600_000_000_000);
    let trimmed = site.store.trim(&TrimRequest::new(Bound::Size(u64::MAX), later)).unwrap();
    assert_eq!(trimmed.stale, left);
    assert!(site.files().keys().all(|name| !name.contains("promoting")));
}

#[test]
#[ignore = "run by the one above, which kills it"]
fn promotes_until_it_is_killed() {
    let directory = PathBuf::from(std::env::var_os(PLACE).unwrap());
    let (build, me) = (directory.join(format!("_build{}", process::id())), process::id() as usize);
    fs::create_dir_all(build.join("default")).unwrap();
    let store = Arc::new(DuneStore::open(directory.join("db"), Options::default()).unwrap());
    let mut session = fresh(&store, NEWEST);
    session.take(Command::SetBuildRoot(build.clone()));
    for number in 0.. {
        let content = format!("{}{}", "x".repeat(number % 3 * 40_000), (number + me) % 60);
        fs::remove_file(build.join("default/a")).ok();
        fs::write(build.join("default/a"), &content).unwrap();
        let one = promotion((number % 256) as u8, &[("default/a", &content)]);
        let how = if number % 2 == 0 { Duplication::Copy } else { Duplication::Hardlink };
        session.take(Command::Promote(Promotion { duplication: Some(how), ..one }));
    }
}
