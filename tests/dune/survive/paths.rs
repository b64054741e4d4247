//! Promotions of what is outside of the build root.
//!
//! None is stored, nothing outside is linked, read into the store or made read-only, and what the same client promotes after it
//! is stored. Dune's own daemon drops the client at most of these.

use super::{Attacked, file_digest, next, next_key, promotion};
use crate::fixture::write;
use crate::speech::{GREETING, Speech};
use crate::tree;
use anyhow::{Result, ensure};
use reviver::protocol::Sexp;
use reviver::protocol::dune::{Command, NEWEST};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

const SECRET: &[u8] = b"a secret of somebody else\n";

#[test]
fn nothing_outside_of_the_build_root_is_promoted() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let outside = attacked.place.path("outside");
    write(&outside.join("secret"), SECRET, 0o640)?;
    let inside = |name: &str| client.build_root.join(name);
    symlink(outside.join("secret"), inside("default/link"))?;
    symlink(&outside, inside("default/directory"))?;
    symlink("../../../outside", inside("default/relative"))?;
    symlink("nowhere", inside("default/broken"))?;
    symlink("loop", inside("default/loop"))?;
    fs::create_dir(inside("default/empty"))?;
    rustix::fs::mknodat(
        rustix::fs::CWD,
        inside("default/pipe"),
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::from_raw_mode(0o644),
        0,
    )?;
    let absolute = outside.join("secret");
    let nul = PathBuf::from(OsStr::from_bytes(b"default/fine\0/../../outside/secret"));
    let paths: [&Path; 20] = [
        &absolute,
        Path::new("/etc/passwd"),
        Path::new("../../outside/secret"),
        Path::new("../outside/secret"),
        Path::new("default/../../../outside/secret"),
        Path::new("default/directory/secret"),
        Path::new("default/directory/../outside/secret"),
        Path::new("default/relative/secret"),
        Path::new("default/link"),
        Path::new("default/broken"),
        Path::new("default/loop"),
        Path::new("default/loop/secret"),
        Path::new("default/empty"),
        Path::new("default/pipe"),
        Path::new("default/missing"),
        Path::new(""),
        Path::new("."),
        Path::new(".."),
        Path::new("/"),
        &nul,
    ];
    let before = (tree::build(&outside)?, tree::build(&client.build_root)?);
    for path in paths {
        for digest in [file_digest(SECRET, false), file_digest(b"", false), file_digest(b"", true)] {
            let fine = client.file("default/fine", format!("the fine one of {}\n", next()).as_bytes())?;
            let (wrong, right) = (next_key(), next_key());
            let bad = promotion(wrong, &[(path.to_owned(), digest)]);
            let heard = client.promotes(&attacked.daemon, &[bad, promotion(right, &[fine])])?;
            ensure!(heard.is_empty(), "{}: {}", path.display(), Sexp::list(heard));
            ensure!(!attacked.rule(wrong).exists(), "{} was promoted", path.display());
            ensure!(attacked.rule(right).exists(), "{}: nothing is promoted after it", path.display());
            fs::remove_file(client.build_root.join("default/fine"))?;
        }
    }
    ensure!(!attacked.kept(file_digest(SECRET, false)).exists(), "the secret is in the store");
    ensure!((tree::build(&outside)?, tree::build(&client.build_root)?) == before, "something was touched");
    attacked.serves()
}

/// What a client calls its build root may be nonsense too; what it promotes is then dropped, and it may name another one.
#[test]
fn a_build_root_that_is_none_is_not_believed() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let file = client.file("default/a", b"rooted\n")?;
    for root in ["", "relative/_build", ".", "..", "/nonexistent/_build", "/dev/null"] {
        let (wrong, right) = (next_key(), next_key());
        let mut words = GREETING.to_vec();
        Command::SetBuildRoot(root.into()).to_sexp(NEWEST)?.write_to(&mut words);
        Command::Promote(promotion(wrong, std::slice::from_ref(&file))).to_sexp(NEWEST)?.write_to(&mut words);
        words.extend_from_slice(
            &client.words(&[promotion(right, std::slice::from_ref(&file))])?[GREETING.len()..],
        );
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(&words)?;
        speech.end()?;
        ensure!(!attacked.rule(wrong).exists(), "{root:?} was believed");
        ensure!(attacked.rule(right).exists(), "nothing is promoted after {root:?}");
    }
    attacked.serves()
}

/// A promotion is all or nothing in what clients look up: the files before a wrong one are no rule.
#[test]
fn one_wrong_path_makes_no_rule_of_the_others() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let key = next_key();
    let first = client.file("default/a", b"first of two\n")?;
    let wrong = (PathBuf::from("../../outside"), first.1);
    let heard = client.promotes(&attacked.daemon, &[promotion(key, &[first, wrong])])?;
    ensure!(heard.is_empty() && !attacked.rule(key).exists(), "{}", Sexp::list(heard));
    attacked.serves()
}
