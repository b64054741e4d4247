//! What is in a store.

use super::layout::{FileLayout, MetaLayout};
use super::walk::{Found, RuleState, Trouble, Troubles};
use super::{DuneError, DuneStore};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::os::unix::fs::MetadataExt as _;

/// What is in a store.
#[derive(Debug, Default)]
pub struct Stats {
    /// The files of each format.
    pub files: Vec<(FileLayout, FileStats)>,
    /// The rules of each format.
    pub metas: Vec<(MetaLayout, MetaStats)>,
    /// What Dune 3.x keeps that is no file: how many, and their bytes.
    pub values: (u64, u64),
    /// Directories with files on their way.
    pub promoting: u64,
    /// Those of them that were left by processes that are gone.
    pub stale: u64,
    /// What is in quarantine: how many, and their bytes.
    pub quarantine: (u64, u64),
    /// What could not be looked at.
    pub troubles: Vec<Trouble>,
}

/// Files of one format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct FileStats {
    /// How many.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many no build tree links to.
    pub unused: u64,
    /// The bytes of these.
    pub unused_bytes: u64,
}

/// Rules of one format.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct MetaStats {
    /// How many.
    pub metas: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many cannot be read as such.
    pub unparsable: u64,
    /// How many name a file that is not there.
    pub broken: u64,
}

impl DuneStore {
    /// Counts everything. Every rule is read, no file is.
    pub fn stats(&self, now: Timestamp) -> Result<Stats, DuneError> {
        self.readable()?;
        let (mut stats, mut troubles) = (Stats::default(), Troubles::default());
        let mut there = HashSet::new();
        for layout in FileLayout::ALL {
            let mut own = FileStats::default();
            self.each_file(layout, &mut troubles, |found, entry, troubles| {
                let Found::Right(id) = found else { return };
                let metadata = troubles.check("look at", &entry.path(), entry.metadata());
                let Some(metadata) = metadata.filter(std::fs::Metadata::is_file) else { return };
                there.insert(id);
                own.files += 1;
                own.bytes += metadata.len();
                if metadata.nlink() == 1 {
                    own.unused += 1;
                    own.unused_bytes += metadata.len();
                }
            });
            stats.files.push((layout, own));
        }
        for layout in MetaLayout::ALL {
            let mut own = MetaStats::default();
            self.each_meta(layout, &mut troubles, |found, entry, troubles| {
                let Found::Right(_) = found else { return };
                // What was added meanwhile is there too.
                let exists = |file| there.contains(&file) || self.layout().file(file).exists();
                let Some(rule) = Self::rule(layout, entry, troubles, exists) else { return };
                own.metas += 1;
                own.bytes += rule.size;
                own.unparsable += u64::from(matches!(rule.state, RuleState::Unreadable | RuleState::NoFile));
                own.broken += u64::from(matches!(rule.state, RuleState::Misses(_)));
            });
            stats.metas.push((layout, own));
        }
        self.each_value(&mut troubles, |metadata| {
            stats.values.0 += 1;
            stats.values.1 += metadata.len();
        });
        for (_, stale) in self.promoting(now, &mut troubles) {
            stats.promoting += 1;
            stats.stale += u64::from(stale);
        }
        for (_, metadata) in self.quarantined(&mut troubles) {
            stats.quarantine.0 += 1;
            stats.quarantine.1 += metadata.len();
        }
        stats.troubles = troubles.0;
        Ok(stats)
    }
}
