//! Going through everything that is in a store.
//!
//! What vanishes meanwhile was not there. What cannot be looked at is told, and the rest is gone through.

use super::DuneStore;
use super::layout::{FileId, FileLayout, MetaLayout, PROMOTING, key_of, promoting_process};
use super::meta::Meta;
use super::quarantine::is_set_aside;
use super::source::{Stored, read_rule};
use super::stage::is_absent;
use crate::protocol::dune::RuleKey;
use crate::time::Timestamp;
use rustix::io::Errno;
use rustix::process::{Pid, test_kill_process};
use std::fmt;
use std::fs::{self, DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Something that could not be looked at, or not be removed.
#[derive(Debug)]
pub struct Trouble {
    /// What was tried.
    pub what: &'static str,
    /// With what.
    pub path: PathBuf,
    /// What the system said.
    pub source: io::Error,
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "cannot {} {}: {}", self.what, self.path.display(), self.source)
    }
}

/// All that could not be done.
#[derive(Debug, Default)]
pub(super) struct Troubles(pub(super) Vec<Trouble>);

impl Troubles {
    /// What came of trying something with a path. What is not there needs nothing.
    pub(super) fn check<T>(&mut self, what: &'static str, path: &Path, result: io::Result<T>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(error) if is_absent(&error) => None,
            Err(source) => {
                self.0.push(Trouble { what, path: path.to_owned(), source });
                None
            }
        }
    }

    /// What is in a directory.
    fn list(&mut self, directory: &Path) -> impl Iterator<Item = DirEntry> + use<> {
        let entries = self.check("list", directory, fs::read_dir(directory));
        let entries: Vec<_> = entries.into_iter().flatten().collect();
        entries.into_iter().filter_map(Result::ok)
    }
}

/// What is in the place of a file or a rule.
pub(super) enum Found<T> {
    /// What belongs there.
    Right(T),
    /// Something with another name than anything there has.
    Foreign,
}

/// Everything two directories deep, with the names that are right for it.
fn sharded<T>(
    top: &Path,
    troubles: &mut Troubles,
    named: impl Fn(&[u8]) -> Option<T>,
    mut found: impl FnMut(Found<T>, &DirEntry, &mut Troubles),
) {
    for shard in troubles.list(top) {
        if shard.file_type().is_ok_and(|kind| !kind.is_dir()) {
            found(Found::Foreign, &shard, troubles);
            continue;
        }
        for entry in troubles.list(&shard.path()) {
            let name = entry.file_name();
            let right =
                named(name.as_bytes()).filter(|_| name.as_bytes().starts_with(shard.file_name().as_bytes()));
            found(right.map_or(Found::Foreign, Found::Right), &entry, troubles);
        }
    }
}

impl DuneStore {
    /// Every file of a format, and what else is there.
    pub(super) fn each_file(
        &self,
        layout: FileLayout,
        troubles: &mut Troubles,
        found: impl FnMut(Found<FileId>, &DirEntry, &mut Troubles),
    ) {
        let named = |name: &[u8]| FileId::from_name(layout, name);
        sharded(&self.layout().files(layout), troubles, named, found);
    }

    /// Every rule of a format, and what else is there.
    pub(super) fn each_meta(
        &self,
        layout: MetaLayout,
        troubles: &mut Troubles,
        found: impl FnMut(Found<RuleKey>, &DirEntry, &mut Troubles),
    ) {
        sharded(&self.layout().metas(layout), troubles, key_of, found);
    }

    /// Every value of Dune 3.x.
    pub(super) fn each_value(&self, troubles: &mut Troubles, mut found: impl FnMut(&Metadata)) {
        sharded(&self.layout().values(), troubles, key_of, |_, entry, troubles| {
            let metadata = troubles.check("look at", &entry.path(), entry.metadata());
            metadata.iter().for_each(&mut found);
        });
    }

    /// The directories with files on their way, each with whether it was left by a process that is gone.
    pub(super) fn promoting(&self, now: Timestamp, troubles: &mut Troubles) -> Vec<(PathBuf, bool)> {
        let ours = |entry: &DirEntry| entry.file_name().as_bytes().starts_with(PROMOTING.as_bytes());
        let all: Vec<_> = troubles.list(self.root()).filter(ours).collect();
        let stale = |entry: DirEntry| {
            let process = promoting_process(entry.file_name().as_bytes());
            let old = entry.metadata().is_ok_and(|metadata| is_older(&metadata, now, STALE));
            (entry.path(), old && process.is_some_and(is_dead))
        };
        all.into_iter().map(stale).collect()
    }

    /// What is in quarantine.
    pub(super) fn quarantined(&self, troubles: &mut Troubles) -> Vec<(PathBuf, Metadata)> {
        if self.quarantine_leads_away() {
            return Vec::new();
        }
        let ours = |entry: &DirEntry| is_set_aside(entry.file_name().as_bytes());
        let all: Vec<_> = troubles.list(&self.layout().quarantine()).filter(ours).collect();
        all.into_iter().filter_map(|entry| Some((entry.path(), entry.metadata().ok()?))).collect()
    }

    /// What a rule says, as far as it can be read; whether all that it names is there is for `exists` to say.
    pub(super) fn rule(
        layout: MetaLayout,
        entry: &DirEntry,
        troubles: &mut Troubles,
        exists: impl Fn(FileId) -> bool,
    ) -> Option<Rule> {
        let path = entry.path();
        let bytes = match troubles.check("read", &path, read_rule(&path))? {
            Stored::Bytes(bytes) => bytes,
            Stored::NoFile => return Some(Rule { path, size: 0, state: RuleState::NoFile }),
        };
        let size = bytes.len() as u64;
        let named = Meta::from_bytes(&bytes).and_then(|meta| meta.named(layout));
        let state = match named {
            None => RuleState::Unreadable,
            Some(named) => match named.into_iter().find(|file| !exists(*file)) {
                Some(missing) => RuleState::Misses(missing),
                None => RuleState::Whole,
            },
        };
        Some(Rule { path, size, state })
    }
}

/// A rule as it was found.
pub(super) struct Rule {
    pub(super) path: PathBuf,
    pub(super) size: u64,
    pub(super) state: RuleState,
}

/// What is the matter with a rule.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum RuleState {
    /// Nothing.
    Whole,
    /// It is none.
    Unreadable,
    /// It is no file.
    NoFile,
    /// A file that it names is not there.
    Misses(FileId),
}

/// How long a directory with files on their way is left to a process that may have but another name here.
const STALE: Duration = Duration::from_hours(1);

pub(super) fn is_older(metadata: &Metadata, now: Timestamp, age: Duration) -> bool {
    let changed = metadata.ctime().saturating_mul(1_000_000_000).saturating_add(metadata.ctime_nsec());
    u64::try_from(changed).is_ok_and(|changed| changed < now.before(age).0)
}

fn is_dead(process: u32) -> bool {
    let process = i32::try_from(process).ok().and_then(Pid::from_raw);
    process.is_none_or(|process| test_kill_process(process) == Err(Errno::SRCH))
}
