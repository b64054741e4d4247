//! A cache in a directory of its own, with destinations beside it.

use crate::generation::{CONTENTS, Generation, key};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::store::{
    Added, LinkMode, Options, Partition, PartitionId, Remedy, StageError, Staging, Store, StoreError,
};
use reviver::time::Timestamp;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

/// A cache and the directory that it and its destinations lie in.
#[derive(Clone, Debug)]
pub struct Place {
    /// The directory.
    pub directory: PathBuf,
    /// The store.
    pub store: Store,
    /// Its only partition.
    pub partition: Partition,
}

/// What became of an attempt to revive.
#[derive(Debug)]
pub enum Revived {
    /// All destinations are of this generation.
    Hit(Generation),
    /// The key is not bound.
    Miss,
    /// The entry was found, and was not whole.
    Damaged(StageError),
}

/// The present.
#[must_use]
pub fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// The name of a link mode, and the link mode of a name.
pub const LINK_MODES: [(&str, LinkMode); 3] =
    [("auto", LinkMode::Auto), ("copy", LinkMode::Copy), ("hardlink", LinkMode::Hardlink)];

impl Place {
    /// The cache in `directory/cache`.
    pub fn open(directory: &Path, link: LinkMode) -> Result<Self> {
        Self::apart(directory, &directory.join("cache"), link)
    }

    /// A cache that lies elsewhere.
    pub fn apart(directory: &Path, cache: &Path, link: LinkMode) -> Result<Self> {
        let store = Store::open(cache, Options { link, ..Options::default() })?;
        let partition = store.partition(PartitionId::new([7; 16]));
        Ok(Self { directory: directory.to_owned(), store, partition })
    }

    /// The cache in `directory/cache`, its link mode given by name.
    pub fn named(directory: &Path, link: &str) -> Result<Self> {
        let mode = LINK_MODES.iter().find(|(name, _)| *name == link).context("a link mode")?;
        Self::open(directory, mode.1)
    }

    /// The directory that a key's contents are revived into.
    #[must_use]
    pub fn out(&self, number: usize) -> PathBuf {
        self.directory.join("out").join(number.to_string())
    }

    /// Binds a key to a generation.
    pub fn add(&self, generation: Generation) -> Result<()> {
        match self.try_add(generation)? {
            Ok(Added::Stored { .. }) => Ok(()),
            Ok(Added::SourceMissing(path)) => bail!("{} is missing", path.display()),
            Err(error) => Err(error.into()),
        }
    }

    /// Binds a key to a generation, or says why not.
    pub fn try_add(&self, generation: Generation) -> Result<Result<Added, StoreError>> {
        generation.drafted(None, |draft| self.partition.add(key(generation.key), draft, now()))
    }

    /// Which generation a key is bound to; everything of it is read.
    pub fn bound(&self, number: usize) -> Result<Option<Generation>> {
        let entry = self.partition.find(key(number))?;
        entry.map(|entry| Generation::of_entry(number, &entry)).transpose()
    }

    /// Revives a key into these files, and proves them.
    pub fn revive(&self, number: usize, out: &Path) -> Result<Revived> {
        let Some(entry) = self.partition.find(key(number))? else { return Ok(Revived::Miss) };
        let generation = Generation::of_metadata(number, &entry)?;
        let mut staging = Staging::new(&self.store);
        for index in 0..CONTENTS {
            match staging.file(&entry, index, &out.join(index.to_string()), 0o644) {
                Ok(()) => {}
                Err(error) if error.is_damage() => return Ok(Revived::Damaged(error)),
                Err(error) => return Err(error.into()),
            }
        }
        staging.commit()?;
        self.partition.used(key(number), now())?;
        for index in 0..CONTENTS {
            let there = Generation::of_file(number, index, &out.join(index.to_string()))?;
            ensure!(there == Some(generation), "{generation:?} was revived and {there:?} is there");
        }
        Ok(Revived::Hit(generation))
    }

    /// The names in a directory of the cache or beside it; none where it is absent.
    pub fn names(directory: &Path) -> Result<Vec<String>> {
        let entries = match fs::read_dir(directory) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries?,
        };
        let mut names = Vec::new();
        for entry in entries {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        Ok(names)
    }

    /// What lies under `tmp/`, whose parts are always there.
    pub fn unfinished(&self) -> Result<Vec<String>> {
        let tmp = self.store.layout().tmp();
        let mut unfinished = Vec::new();
        for name in Self::names(&tmp)? {
            if name.len() == 2 {
                unfinished.extend(Self::names(&tmp.join(&name))?);
            } else {
                unfinished.push(name);
            }
        }
        Ok(unfinished)
    }

    /// Index and entries agree: each entry is known once, with its sizes.
    pub fn index_agrees(&self) -> Result<()> {
        let (keys, stats) = (self.partition.keys()?, self.partition.stats()?);
        let bytes: u64 = keys.iter().map(|info| info.bytes).sum();
        let files: u64 = keys.iter().map(|info| info.files).sum();
        let (told, there) = ((stats.entries, stats.files, stats.bytes), (keys.len() as u64, files, bytes));
        ensure!(told == there, "the index knows {told:?} entries, files and bytes, and {there:?} are there");
        Ok(())
    }

    /// Nothing is damaged, and nothing was ever found so.
    pub fn nothing_was_damaged(&self) -> Result<()> {
        let verified = self.store.verify(Remedy::Tell, &mut |_| {})?;
        let damage = verified.findings.iter().find(|finding| finding.kind.is_damage());
        ensure!(damage.is_none(), "{damage:?}");
        let names = Self::names(&self.store.layout().quarantine())?;
        ensure!(names.is_empty(), "in quarantine: {names:?}");
        Ok(())
    }
}
