//! The same words to Dune's own daemon and to ours: both answer the same, and leave the same store and the same build tree.
//!
//! What is said is random, from all that a client may say and much that it may not. Left out is what is meant to differ, or
//! what ends Dune's daemon or its session: paths that lead out of the build root or to nothing, a root that is not absolute, a
//! wrong file after a right one in one promotion (Dune keeps the right one, without a rule), a rule without files before any build root (which Dune stores), and linking a file that is the
//! store's already (Dune tells the client to link it to itself).
//!
//! More of it: `REVIVER_DUNE_ROUNDS=1000 cargo test -p reviver --test dune differential -- --nocapture`; `REVIVER_DUNE_SEED` repeats
//! what a failure names.

use crate::dice::Dice;
use crate::fixture::write;
use crate::peer::{Daemon, Place, Whose, dune_is_here};
use crate::speech::{GREETING, Speech};
use crate::survive::file_digest;
use crate::tree;
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::Sexp;
use reviver::protocol::dune::{Command, Duplication, FileDigest, NEWEST, Promotion, Repository, RuleKey};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// One of two daemons that are told the same.
struct Side {
    place: Place,
    daemon: Daemon,
}

/// What one client does: files that it makes, and what it says then.
#[derive(Default)]
struct Script {
    files: Vec<(PathBuf, Vec<u8>, u32)>,
    links: Vec<(PathBuf, PathBuf)>,
    words: Vec<Words>,
}

/// What is said, which names a build root where it is not the same for both.
enum Words {
    Root(&'static str),
    Said(Vec<u8>),
}

#[test]
fn whatever_a_client_says_dunes_daemon_and_ours_do_the_same() -> Result<()> {
    if !dune_is_here() {
        return Ok(());
    }
    let seed = match asked("REVIVER_DUNE_SEED")? {
        Some(seed) => seed,
        None => SystemTime::now().duration_since(UNIX_EPOCH)?.as_micros() as u64 % 1_000_000,
    };
    let sides = [Side::new(Whose::Dunes)?, Side::new(Whose::Ours)?];
    let (mut rules, mut dedups) = (0, 0);
    for round in seed..seed + asked("REVIVER_DUNE_ROUNDS")?.unwrap_or(30) {
        let script = Script::random(&mut Dice::new(round));
        let [theirs, ours] = sides.each_ref().map(|side| side.play(round, &script));
        let (theirs, ours) = (theirs?, ours?);
        ensure!(
            theirs == ours,
            "REVIVER_DUNE_SEED={round}: {}\nDune's: {theirs:#?}\nours: {ours:#?}",
            script.shown()
        );
        dedups += ours.0.len() - 1;
        rules += ours.1.keys().filter(|path| path.starts_with("meta")).count();
    }
    ensure!(rules > 5 && dedups > 0, "{rules} rules and {dedups} dedups try nothing");
    Ok(())
}

/// Replies, what changed in the store, the build trees.
type Seen = (Vec<String>, std::collections::BTreeMap<String, Option<String>>, tree::Files);

impl Side {
    fn new(whose: Whose) -> Result<Self> {
        let place = Place::new()?;
        let daemon = place.start(whose)?;
        Ok(Self { place, daemon })
    }

    fn play(&self, round: u64, script: &Script) -> Result<Seen> {
        let work = self.place.path(format!("w{round}"));
        for root in ["one", "other"] {
            fs::create_dir_all(work.join(root).join("default/dir"))?;
            for (path, content, mode) in &script.files {
                write(&work.join(root).join(path), content, *mode)?;
            }
            for (path, to) in &script.links {
                symlink(to, work.join(root).join(path))?;
            }
        }
        let before = tree::store(&self.place.root())?;
        let mut speech = Speech::with(&self.daemon)?;
        let mut words = GREETING.to_vec();
        for said in &script.words {
            match said {
                Words::Root(name) => root(&work.join(name))?.write_to(&mut words),
                Words::Said(bytes) => words.extend_from_slice(bytes),
            }
        }
        speech.say(&words)?;
        let heard = speech.end()?.iter().map(Sexp::to_string).collect();
        let after = tree::store(&self.place.root())?;
        Ok((heard, tree::difference(&before, &after), tree::build(&work)?))
    }
}

fn root(path: &Path) -> Result<Sexp> {
    Ok(Command::SetBuildRoot(path.to_owned()).to_sexp(NEWEST)?)
}

impl Script {
    fn random(dice: &mut Dice) -> Self {
        let mut script = Self::default();
        if !dice.once_in(8) {
            script.words.push(Words::Root("one"));
        }
        for number in 0..3 + dice.below(6) {
            let said = match dice.below(14) {
                0 => Words::Root(dice.one(&["one", "other"])),
                1 => Words::Said(nonsense(dice)),
                2 => said(&Command::SetCommonMetadata(metadata(dice))),
                3 => said(&Command::SetRepos((0..dice.below(3)).map(|_| repository(dice)).collect())),
                4 => said(&Command::Hint((0..dice.below(3)).map(|_| key(dice)).collect())),
                5 => script.refused(dice, number),
                _ => script.promoted(dice, number),
            };
            script.words.push(said);
        }
        script
    }

    /// A promotion of new files.
    fn promoted(&mut self, dice: &mut Dice, number: usize) -> Words {
        let least = usize::from(!self.words.iter().any(|words| matches!(words, Words::Root(_))));
        let files = (0..least + dice.below(4)).map(|file| self.file(dice, number, file)).collect();
        said(&Command::Promote(Promotion { files, ..promotion(dice) }))
    }

    /// A promotion whose first file is none, or another one than it is said to be.
    fn refused(&mut self, dice: &mut Dice, number: usize) -> Words {
        let (right, digest) = self.file(dice, number, 0);
        let name = PathBuf::from(format!("default/link{number}"));
        let wrong = match dice.below(3) {
            0 => (right, FileDigest::new([7; 16])),
            1 => (PathBuf::from("default/dir"), digest),
            _ => {
                self.links.push((name.clone(), right.file_name().unwrap_or_default().into()));
                (name, digest)
            }
        };
        said(&Command::Promote(Promotion { files: vec![wrong], ..promotion(dice) }))
    }

    fn file(&mut self, dice: &mut Dice, number: usize, file: usize) -> (PathBuf, FileDigest) {
        let path = PathBuf::from(format!(
            "default/{}{number}-{file}",
            dice.one(&["a", "sub/b", ".c", "d e", "\u{e9}"])
        ));
        let content = dice.one(&["", "one\n", "two\n", "three\n", "four\n"]).as_bytes();
        let content = if dice.once_in(3) { content.repeat(dice.below(9_000)) } else { content.to_vec() };
        let mode = dice.one(&[0o644, 0o755, 0o600, 0o444, 0o555, 0o777, 0o664, 0o700, 0o640]);
        let digest = file_digest(&content, mode & 0o100 != 0);
        self.files.push((path.clone(), content, mode));
        (path, digest)
    }

    fn shown(&self) -> String {
        let words = self.words.iter().map(|words| match words {
            Words::Root(name) => format!("root {name}"),
            Words::Said(bytes) => bytes.escape_ascii().to_string(),
        });
        let files = self.files.iter().map(|(path, _, mode)| format!("{} {mode:o}", path.display()));
        words.chain(files).collect::<Vec<_>>().join("\n")
    }
}

fn promotion(dice: &mut Dice) -> Promotion {
    Promotion {
        key: key(dice),
        files: Vec::new(),
        metadata: if dice.once_in(2) { Vec::new() } else { metadata(dice) },
        repository: dice.once_in(4).then(|| dice.below(2) as u64),
        duplication: dice.one(&[
            None,
            Some(Duplication::Copy),
            Some(Duplication::Hardlink),
            Some(Duplication::Hardlink),
        ]),
    }
}

/// One of few, so that rules are promoted again.
fn key(dice: &mut Dice) -> RuleKey {
    RuleKey::new([dice.below(12) as u8; 16])
}

fn metadata(dice: &mut Dice) -> Vec<Sexp> {
    let values = [
        Sexp::atom("noted"),
        Sexp::atom(""),
        Sexp::list([]),
        Sexp::named("deep", [Sexp::list([Sexp::atom(*b"a\0\xff(")])]),
    ];
    (0..dice.below(3)).map(|_| values[dice.below(values.len())].clone()).collect()
}

fn repository(dice: &mut Dice) -> Repository {
    let commit = dice.one(&["", "c0ffee", "beef"]).into();
    Repository { directory: "/src".into(), remote: dice.one(&["", "git@x"]).into(), commit }
}

/// What is a value and no message.
fn nonsense(dice: &mut Dice) -> Vec<u8> {
    let all: [&[u8]; 12] = [
        b"()",
        b"3:abc",
        b"(1:x)",
        b"(())",
        GREETING,
        b"(7:promote)",
        b"(7:promote(3:key2:ab)(5:files)(8:metadata()))",
        b"(7:promote(3:key32:00000000000000000000000000000000)(8:metadata())(5:files))",
        b"(7:promote(3:key32:00000000000000000000000000000000)(5:files)(8:metadata)(11:duplication4:link))",
        b"(14:set-build-root)",
        b"(9:set-repos1:x)",
        b"(4:hint1:x)",
    ];
    dice.one(&all).to_vec()
}

fn said(command: &Command) -> Words {
    // All is known in the newest version.
    Words::Said(command.to_sexp(NEWEST).map(|value| value.to_bytes()).unwrap_or_default())
}

fn asked(variable: &str) -> Result<Option<u64>> {
    std::env::var(variable).ok().map(|text| text.parse().context(variable.to_owned())).transpose()
}
