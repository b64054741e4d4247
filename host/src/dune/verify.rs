//! Looking at everything: is each file what its name says, and does each rule name what is there?
//!
//! Clients trust what they find. So one file that was changed through a link to it, or by a disk, is wrong in every build that
//! finds it, without a word.
//!
//! | found | [`Remedy::Tell`] | [`Remedy::SetAside`] | [`Remedy::Repair`] |
//! |---|---|---|---|
//! | a file with another content or executable bit than its name says | told | in quarantine | in quarantine |
//! | a link, a pipe or a directory in the place of a file or a rule | told | in quarantine | in quarantine |
//! | a file that may be written | told | told | may not be written |
//! | a rule that is none, or names a file that is not there | told | told | gone: clients miss either way |
//! | something else among them | told | told | in quarantine |
//!
//! Others may work meanwhile. What they remove, replace or are writing to is not looked at further.

use super::digest::Reading;
use super::layout::{FileId, FileLayout, MetaLayout};
use super::note::Refusal;
use super::source::open_stored;
use super::stage::{KEPT, is_absent, read_as};
use super::walk::{Found, RuleState, Trouble, Troubles};
use super::{DuneError, DuneStore};
use crate::identity::Identity;
use crate::store::Remedy;
use std::fmt;
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

/// What was found.
#[derive(Debug, Default)]
pub struct Verified {
    /// How many files were read.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many rules were read.
    pub metas: u64,
    /// What is wrong.
    pub findings: Vec<Finding>,
    /// What could not be looked at, or not be put right.
    pub troubles: Vec<Trouble>,
}

/// Something that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Where.
    pub path: PathBuf,
    /// What.
    pub kind: FindingKind,
    /// Whether it was put right, damage by being set aside.
    pub remedied: bool,
}

/// What is wrong with something.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum FindingKind {
    /// Its content is not what its name says.
    Content,
    /// It is no file.
    NoFile,
    /// It may be written.
    Writable,
    /// It is no rule.
    NoRule,
    /// It names a file that is not there.
    Misses(String),
    /// It belongs to nothing.
    Foreign,
}

impl FindingKind {
    /// Whether somebody may have got, or may get, something wrong because of it.
    #[must_use]
    pub const fn is_damage(&self) -> bool {
        matches!(self, Self::Content | Self::NoFile)
    }
}

impl fmt::Display for FindingKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Content => f.write_str("its content is not what its name says"),
            Self::NoFile => f.write_str("is no file"),
            Self::Writable => f.write_str("may be written"),
            Self::NoRule => f.write_str("is no rule that Dune can read"),
            Self::Misses(name) => write!(f, "names {name}, which is not there"),
            Self::Foreign => f.write_str("is nothing of Dune's"),
        }
    }
}

/// One verification.
struct Pass<'a> {
    store: &'a DuneStore,
    remedy: Remedy,
    verified: Verified,
    buffer: Vec<u8>,
}

impl DuneStore {
    /// Reads every file and every rule; see the [module](self). `progress` is told of the bytes of each file.
    pub fn verify(&self, remedy: Remedy, progress: &mut dyn FnMut(u64)) -> Result<Verified, DuneError> {
        self.readable()?;
        let mut troubles = Troubles::default();
        let (verified, buffer) = (Verified::default(), vec![0; 256 << 10]);
        let mut pass = Pass { store: self, remedy, verified, buffer };
        for layout in FileLayout::ALL {
            self.each_file(layout, &mut troubles, |found, entry, troubles| match found {
                Found::Right(id) => pass.file(id, &entry.path(), troubles, progress),
                Found::Foreign => pass.set_aside(&entry.path(), FindingKind::Foreign, troubles),
            });
        }
        for layout in MetaLayout::ALL {
            self.each_meta(layout, &mut troubles, |found, entry, troubles| {
                let Found::Right(_) = found else {
                    pass.set_aside(&entry.path(), FindingKind::Foreign, troubles);
                    return;
                };
                let exists = |file| self.layout().file(file).exists();
                let Some(rule) = Self::rule(layout, entry, troubles, exists) else { return };
                pass.verified.metas += 1;
                let kind = match rule.state {
                    RuleState::Whole => return,
                    RuleState::NoFile => return pass.set_aside(&rule.path, FindingKind::NoFile, troubles),
                    RuleState::Unreadable => FindingKind::NoRule,
                    RuleState::Misses(file) => FindingKind::Misses(file.place()),
                };
                let remedied = remedy == Remedy::Repair
                    && troubles.check("remove", &rule.path, fs::remove_file(&rule.path)).is_some();
                pass.verified.findings.push(Finding { path: rule.path, kind, remedied });
            });
        }
        Ok(Verified { troubles: troubles.0, ..pass.verified })
    }
}

impl Pass<'_> {
    fn file(&mut self, id: FileId, path: &Path, troubles: &mut Troubles, progress: &mut dyn FnMut(u64)) {
        let Some(metadata) = troubles.check("look at", path, fs::symlink_metadata(path)) else { return };
        if !metadata.is_file() {
            return self.set_aside(path, FindingKind::NoFile, troubles);
        }
        let Some(file) = troubles.check("open", path, open_stored(path)) else { return };
        let (identity, content) = match read_as(&file, path, &mut self.buffer, Reading::for_all) {
            Ok(read) => read,
            Err(Refusal::Io { what, path, source }) => {
                troubles.check::<()>(what, &path, Err(source));
                return;
            }
            // Somebody writes to it, or replaced it: the next verification sees what became of it.
            Err(_) => return,
        };
        self.verified.files += 1;
        self.verified.bytes += identity.size;
        progress(identity.size);
        if !content.is_of(id) {
            // What was put right meanwhile is not damage.
            let same = fs::symlink_metadata(path).is_ok_and(|now| Identity::of(&now).inode == identity.inode);
            if same {
                self.set_aside(path, FindingKind::Content, troubles);
            }
        } else if identity.mode & !KEPT & 0o777 != 0 {
            let kept = Permissions::from_mode(identity.mode & KEPT);
            let remedied = self.remedy == Remedy::Repair
                && troubles.check("give permissions to", path, file.set_permissions(kept)).is_some();
            self.found(path, FindingKind::Writable, remedied);
        }
    }

    /// Puts something aside where that is asked for.
    fn set_aside(&mut self, path: &Path, kind: FindingKind, troubles: &mut Troubles) {
        let least = if kind.is_damage() { Remedy::SetAside } else { Remedy::Repair };
        let mut remedied = false;
        if self.remedy >= least {
            let aside = self.store.set_aside(path);
            if aside.as_ref().is_err_and(is_absent) {
                return;
            }
            remedied = troubles.check("set aside", path, aside).is_some();
        }
        self.found(path, kind, remedied);
    }

    fn found(&mut self, path: &Path, kind: FindingKind, remedied: bool) {
        self.verified.findings.push(Finding { path: path.to_owned(), kind, remedied });
    }
}
