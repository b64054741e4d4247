//! What holds for the store as a whole.

mod aside;
mod conformance;
mod keeping;
mod killed;
mod promoting;
mod refused;
mod replay;
mod starved;
mod together;
mod twins;

use super::digest::{Content, Scheme};
use super::{Answer, DuneStore, Options, Session};
use crate::protocol::Version;
use crate::protocol::dune::{Command, Duplication, FileDigest, Promotion, RuleKey};
use crate::time::Timestamp;
use std::collections::BTreeMap;
use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;
use tempfile::TempDir;

const NEWEST: Version = Version::new(1, 2);

/// A store and a build tree.
struct Site {
    directory: TempDir,
    store: Arc<DuneStore>,
}

impl Site {
    fn new() -> Self {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let store = DuneStore::open(directory.path().join("db"), options).unwrap();
        let site = Self { directory, store: Arc::new(store) };
        fs::create_dir_all(site.build().join("default")).unwrap();
        site
    }

    fn root(&self) -> &Path {
        self.store.root()
    }

    fn build(&self) -> PathBuf {
        self.directory.path().join("_build")
    }

    fn session(&self, version: Version) -> Session {
        let mut session = fresh(&self.store, version);
        session.take(Command::SetBuildRoot(self.build()));
        session
    }

    /// Writes a file of the build tree.
    fn write(&self, path: &str, content: &str, mode: u32) -> PathBuf {
        write(&self.build(), path, content.as_bytes(), mode)
    }

    /// What is there, but for what is on its way.
    fn files(&self) -> BTreeMap<String, String> {
        files(self.root())
    }

    /// The one file of a format with this content.
    fn stored(&self, content: &str) -> PathBuf {
        let digest = Content::of(content.as_bytes(), 0o644).digest(Scheme::Joined).to_string();
        self.root().join("files/v4").join(&digest[..2]).join(digest)
    }
}

fn fresh(store: &Arc<DuneStore>, version: Version) -> Session {
    Session::new(Arc::clone(store), version, Box::new(|| Timestamp::of(SystemTime::now())), None)
}

fn write(root: &Path, path: &str, content: &[u8], mode: u32) -> PathBuf {
    let path = root.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, content).unwrap();
    fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
    path
}

fn key(number: u8) -> RuleKey {
    RuleKey::new([number; 16])
}

fn digest(content: &str, scheme: Scheme) -> FileDigest {
    Content::of(content.as_bytes(), 0o644).digest(scheme)
}

/// The promotion of files with these contents, as a new client says it.
fn promotion(number: u8, files: &[(&str, &str)]) -> Promotion {
    let file = |(path, content): &(&str, &str)| (PathBuf::from(path), digest(content, Scheme::Joined));
    Promotion {
        key: key(number),
        files: files.iter().map(file).collect(),
        metadata: vec![],
        repository: None,
        duplication: Some(Duplication::Hardlink),
    }
}

fn promote(session: &mut Session, number: u8, files: &[(&str, &str)]) -> Answer {
    session.take(Command::Promote(promotion(number, files)))
}

/// The lines of an answer's notes.
fn told(answer: &Answer) -> Vec<String> {
    answer.notes.iter().map(ToString::to_string).collect()
}

/// Its dedups' paths.
fn dedups(answer: &Answer) -> Vec<&Path> {
    answer.dedups.iter().map(|dedup| dedup.path.as_path()).collect()
}

/// All files below a directory: rules as their bytes, others as mode, links and size.
fn files(root: &Path) -> BTreeMap<String, String> {
    let (mut found, mut pending) = (BTreeMap::new(), vec![root.to_owned()]);
    while let Some(directory) = pending.pop() {
        let Ok(entries) = fs::read_dir(&directory) else { continue };
        for entry in entries {
            let path = entry.unwrap().path();
            let metadata = fs::symlink_metadata(&path).unwrap();
            let name = path.strip_prefix(root).unwrap().to_str().unwrap().to_owned();
            let what = if metadata.is_dir() {
                pending.push(path);
                continue;
            } else if metadata.is_symlink() {
                "symlink".to_owned()
            } else if name.starts_with("meta/") || name.starts_with("v2/meta/") {
                fs::read(&path).unwrap().iter().map(|byte| char::from(*byte)).collect()
            } else {
                format!("{:o} nlink={} size={}", metadata.mode() & 0o7777, metadata.nlink(), metadata.len())
            };
            found.insert(name, what);
        }
    }
    found
}

fn inode(path: &Path) -> u64 {
    fs::symlink_metadata(path).unwrap().ino()
}

/// Nothing that was on its way is left.
fn nothing_on_its_way(root: &Path) -> bool {
    fs::read_dir(root).into_iter().flatten().map(Result::unwrap).all(|entry| {
        let on_its_way = entry.file_name().to_string_lossy().starts_with("promoting.");
        !on_its_way || fs::read_dir(entry.path()).unwrap().next().is_none()
    })
}

/// Says that a test was not made, and why, past whatever catches what tests print.
fn skipped(why: &str) {
    std::io::Write::write_all(&mut std::io::stderr(), format!("SKIPPED: {why}\n").as_bytes()).ok();
}
