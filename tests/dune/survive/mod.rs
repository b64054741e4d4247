//! What a peer must not do, and does: the next client is served, and by the same process.
//!
//! | file | what is done |
//! |---|---|
//! | `greeting.rs` | leaving early, silence, greetings that are none, bytes that are no message |
//! | `paths.rs` | promotions of what is outside of the build root |
//! | `change.rs` | files that vanish or change while they are promoted |
//! | `disk.rs` | a store that cannot be written, and one that is full |
//! | `garbled.rs` | real sessions with damage |
//! | `plugin.rs` | metadata plugins that loop and lie |
//! | `crowd.rs` | many who say nothing, some who never listen, one who is killed; and the memory for all that |

mod change;
mod crowd;
mod disk;
mod garbled;
mod greeting;
mod paths;
mod plugin;

use crate::fixture::write;
use crate::peer::{Daemon, LONG, Place, Whose};
use crate::speech::{GREETING, Speech};
use anyhow::{Context as _, Result, ensure};
use md5::{Digest as _, Md5};
use reviver::protocol::Sexp;
use reviver::protocol::dune::{Command, Duplication, FileDigest, NEWEST, Promotion, RuleKey};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

/// A daemon of ours that something is done to.
pub(crate) struct Attacked {
    pub(crate) place: Place,
    pub(crate) daemon: Daemon,
}

/// A number for each thing that has to be another one.
static NEXT: AtomicU64 = AtomicU64::new(1);

impl Attacked {
    pub(crate) fn new() -> Result<Self> {
        let place = Place::new()?;
        let daemon = place.start(Whose::Ours)?;
        Ok(Self { place, daemon })
    }

    /// The next client is served by the same process, and soon.
    pub(crate) fn serves(&mut self) -> Result<()> {
        let started = Instant::now();
        let client = self.client()?;
        let content = format!("content {}\n", next());
        let file = client.file("default/fine", content.as_bytes())?;
        let key = next_key();
        let heard = client.promotes(&self.daemon, &[promotion(key, &[file])])?;
        ensure!(heard.is_empty(), "{}", Sexp::list(heard));
        let kept = self.kept(file_digest(content.as_bytes(), false));
        ensure!(fs::read(&kept).with_context(|| kept.display().to_string())? == content.as_bytes());
        ensure!(self.rule(key).exists(), "{}", self.rule(key).display());
        ensure!(self.daemon.is_alive()?, "it ended: {}", self.place.complaints());
        ensure!(started.elapsed() < Duration::from_secs(15), "after {:?}", started.elapsed());
        Ok(())
    }

    /// A client with a build root of its own.
    pub(crate) fn client(&self) -> Result<Client> {
        let build_root = self.place.path(format!("w{}/_build", next()));
        fs::create_dir_all(build_root.join("default"))?;
        Ok(Client { build_root })
    }

    /// Where the store has a content.
    pub(crate) fn kept(&self, digest: FileDigest) -> PathBuf {
        let digest = digest.to_string();
        self.place.root().join("files/v4").join(&digest[..2]).join(digest)
    }

    /// Where the store has a rule.
    pub(crate) fn rule(&self, key: RuleKey) -> PathBuf {
        let key = key.to_string();
        self.place.root().join("meta/v4").join(&key[..2]).join(key)
    }
}

/// A client with a build root.
pub(crate) struct Client {
    pub(crate) build_root: PathBuf,
}

impl Client {
    /// Makes a file, to be promoted.
    pub(crate) fn file(&self, name: &str, content: &[u8]) -> Result<(PathBuf, FileDigest)> {
        write(&self.build_root.join(name), content, 0o644)?;
        Ok((name.into(), file_digest(content, false)))
    }

    /// What it says to promote these.
    pub(crate) fn words(&self, promotions: &[Promotion]) -> Result<Vec<u8>> {
        let mut words = GREETING.to_vec();
        Command::SetBuildRoot(self.build_root.clone()).to_sexp(NEWEST)?.write_to(&mut words);
        for promotion in promotions {
            promotion.to_sexp(NEWEST).write_to(&mut words);
        }
        Ok(words)
    }

    /// Promotes these, and gives what it hears but for the greeting.
    pub(crate) fn promotes(&self, daemon: &Daemon, promotions: &[Promotion]) -> Result<Vec<Sexp>> {
        let mut speech = Speech::with(daemon)?;
        speech.say(&self.words(promotions)?)?;
        let mut heard = speech.end()?;
        ensure!(!heard.is_empty() && heard.remove(0).to_bytes() == GREETING, "no greeting");
        Ok(heard)
    }
}

/// A promotion as clients make it.
pub(crate) fn promotion(key: RuleKey, files: &[(PathBuf, FileDigest)]) -> Promotion {
    Promotion {
        key,
        files: files.to_vec(),
        metadata: Vec::new(),
        repository: None,
        duplication: Some(Duplication::Hardlink),
    }
}

/// The digest of Dune 2.8 and 2.9.
pub(crate) fn file_digest(content: &[u8], is_executable: bool) -> FileDigest {
    let inner: [u8; 16] = Md5::digest(content).into();
    let mut outer = Md5::new();
    outer.update(inner);
    outer.update([u8::from(is_executable)]);
    FileDigest::new(outer.finalize().into())
}

pub(crate) fn next() -> u64 {
    NEXT.fetch_add(1, Ordering::Relaxed)
}

pub(crate) fn next_key() -> RuleKey {
    RuleKey::new(u128::from(next()).wrapping_mul(0x0101_0000_0000_0000_0000_0000_0000_0001).to_be_bytes())
}

/// Every file of the store has the content that its name says.
pub(crate) fn store_is_right(root: &Path) -> Result<usize> {
    let mut seen = 0;
    let directory = root.join("files/v4");
    for start in fs::read_dir(&directory).with_context(|| directory.display().to_string())? {
        for file in fs::read_dir(start?.path())? {
            let file = file?;
            let is_executable = file.metadata()?.mode() & 0o100 != 0;
            let digest = file_digest(&fs::read(file.path())?, is_executable).to_string();
            ensure!(file.file_name().to_str() == Some(&*digest), "{} has {digest}", file.path().display());
            seen += 1;
        }
    }
    Ok(seen)
}

/// Waits until something holds.
pub(crate) fn eventually(what: &str, mut holds: impl FnMut() -> Result<bool>) -> Result<()> {
    let until = Instant::now() + LONG;
    while !holds()? {
        ensure!(Instant::now() < until, "{what}: not within {LONG:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
    Ok(())
}
