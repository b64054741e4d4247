//! A store that cannot be written: each promotion is refused, the build tree stays as it was, and nothing is left half.
//!
//! Permissions do not stop root and limits stop whole processes, so these tests run themselves again as somebody else.

use super::{NEWEST, Site, files, nothing_on_its_way, promote, promotion, told};
use crate::protocol::dune::{Command, Duplication, Promotion};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt as _, chown};
use std::os::unix::process::CommandExt as _;
use std::process;

const NOBODY: u32 = 65534;

/// Runs one test of this file again, below a command line that a shell reads.
fn again(test: &str, before: &str, user: Option<u32>) -> bool {
    let copy = tempfile::tempdir().unwrap();
    fs::set_permissions(copy.path(), Permissions::from_mode(0o755)).unwrap();
    let binary = copy.path().join("again");
    assert!(
        process::Command::new("cp")
            .arg(std::env::current_exe().unwrap())
            .arg(&binary)
            .status()
            .unwrap()
            .success()
    );
    let name = format!("dune::tests::starved::{test}");
    let script = format!("{before} exec \"$0\" --exact {name} --include-ignored --nocapture");
    let mut command = process::Command::new("sh");
    command.args(["-c", &script]).arg(&binary);
    if let Some(user) = user {
        let home = copy.path().join("tmp");
        fs::create_dir(&home).unwrap();
        chown(&home, Some(user), Some(user)).unwrap();
        command.uid(user).gid(user).env("TMPDIR", &home).current_dir(&home);
    }
    let output = command.output().unwrap();
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("1 passed") || !output.status.success(), "{said}");
    println!("{said}");
    output.status.success()
}

#[test]
fn a_full_disk_refuses_and_leaves_nothing() {
    // A file may have 64 kB, and who writes more is told so instead of being killed.
    let directory = tempfile::tempdir().unwrap();
    let large = directory.path().join("large");
    fs::write(&large, "x".repeat(200_000)).unwrap();
    let before = format!("trap '' XFSZ; ulimit -f 128; export LARGE='{}';", large.display());
    assert!(again("with_little_room", &before, None));
}

#[test]
#[ignore = "run by the one above, with little room"]
fn with_little_room() {
    let site = Site::new();
    let mut session = site.session(NEWEST);
    // A copy that is too large; the file itself was made before.
    fs::hard_link(std::env::var_os("LARGE").unwrap(), site.build().join("default/large")).unwrap();
    let before = files(&site.build());
    let large = "x".repeat(200_000);
    let copy = promotion(1, &[("default/large", &large)]);
    let copy = Promotion { duplication: Some(Duplication::Copy), ..copy };
    let answer = session.take(Command::Promote(copy));
    assert!(told(&answer)[0].contains("cannot write"), "{:?}", told(&answer));
    assert!(site.files().is_empty() && nothing_on_its_way(site.root()), "{:?}", site.files());
    assert_eq!(files(&site.build()), before);
    // A rule whose own file is too large: the files are small.
    site.write("default/a", "a", 0o644);
    let before = files(&site.build());
    let metadata = vec![crate::protocol::csexp::Sexp::atom("m".repeat(200_000))];
    let one = Promotion { metadata, ..promotion(1, &[("default/a", "a")]) };
    let answer = session.take(Command::Promote(one));
    assert!(told(&answer)[0].contains("cannot write"), "{:?}", told(&answer));
    assert!(site.files().is_empty() && nothing_on_its_way(site.root()), "{:?}", site.files());
    assert_eq!(files(&site.build()), before);
    assert!(told(&promote(&mut session, 2, &[("default/a", "a")])).is_empty());
    assert_eq!(site.files().len(), 2);
}

#[test]
fn a_read_only_store_refuses_and_leaves_the_build_tree_alone() {
    let user = rustix::process::geteuid().is_root().then_some(NOBODY);
    assert!(again("with_a_read_only_store", "", user));
}

#[test]
#[ignore = "run by the one above, as somebody whom permissions stop"]
fn with_a_read_only_store() {
    assert!(!rustix::process::geteuid().is_root());
    let site = Site::new();
    site.write("default/a", "a", 0o644);
    site.write("default/b", "b", 0o644);
    let mut early = site.session(NEWEST);
    assert!(told(&promote(&mut early, 1, &[("default/a", "a")])).is_empty());
    let close = |mode| {
        for directory in ["", "files/v4", "meta/v4"] {
            fs::set_permissions(site.root().join(directory), Permissions::from_mode(mode)).unwrap();
        }
    };
    close(0o555);
    let before = (site.files(), files(&site.build()));
    // One whose directory is there already, and one that cannot make its own.
    for session in [&mut early, &mut site.session(NEWEST)] {
        for how in [Duplication::Hardlink, Duplication::Copy] {
            let one = Promotion { duplication: Some(how), ..promotion(2, &[("default/b", "b")]) };
            let told = told(&session.take(Command::Promote(one)));
            assert!(told.len() == 1 && told[0].contains("refused: cannot "), "{told:?}");
            assert_eq!((site.files(), files(&site.build())), before);
            assert!(nothing_on_its_way(site.root()));
        }
    }
    close(0o755);
    assert!(told(&promote(&mut early, 2, &[("default/b", "b")])).is_empty());
}
