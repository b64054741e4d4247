//! What the system refuses, and what is lost or changed under a store: a miss or a typed error, destinations untouched,
//! and healed by the next addition.

mod flipped;
mod lost;
mod refused;

use crate::support::fast_directory;
use anyhow::{Context as _, Result, ensure};
use reviver::store::LinkMode;
use std::fs::{self, File, Permissions};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};
use tests::generation::{CONTENTS, Generation, key};
use tests::place::{Place, now};

/// Old destinations, for which it is known how they were.
struct Untouched {
    directory: PathBuf,
    paths: Vec<PathBuf>,
}

impl Untouched {
    /// Makes old files for all contents of an entry in a directory.
    fn within(directory: &Path) -> Result<Self> {
        fs::create_dir_all(directory)?;
        let paths: Vec<_> = (0..CONTENTS).map(|index| directory.join(index.to_string())).collect();
        for path in &paths {
            fs::write(path, "old")?;
            fs::set_permissions(path, Permissions::from_mode(0o640))?;
            File::open(path)?.set_modified(Self::time())?;
        }
        Ok(Self { directory: directory.to_owned(), paths })
    }

    fn time() -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_hours(24)
    }

    fn paths(&self) -> Vec<&Path> {
        self.paths.iter().map(PathBuf::as_path).collect()
    }

    /// They are as they were, bytes, times and permissions, with nothing beside them.
    fn hold(&self) -> Result<()> {
        for path in &self.paths {
            let there = fs::symlink_metadata(path).with_context(|| path.display().to_string())?;
            let as_before = fs::read(path)? == b"old"
                && there.modified()? == Self::time()
                && there.permissions().mode() & 0o7777 == 0o640;
            ensure!(as_before, "{} was touched", path.display());
        }
        let names = Place::names(&self.directory)?;
        ensure!(names.len() == self.paths.len(), "beside destinations: {names:?}");
        Ok(())
    }
}

/// A store in which key 0 is bound, and old destinations.
struct Scene {
    place: Place,
    generation: Generation,
    old: Untouched,
    _directory: tempfile::TempDir,
}

impl Scene {
    fn new(link: LinkMode, number: u64) -> Result<Self> {
        let directory = fast_directory()?;
        let place = Place::open(directory.path(), link)?;
        let generation = Generation::new(0, number);
        place.add(generation)?;
        let old = Untouched::within(&place.out(0))?;
        Ok(Self { place, generation, old, _directory: directory })
    }

    fn entry(&self) -> PathBuf {
        self.place.store.layout().entry(self.place.partition.id(), key(0))
    }

    /// The object of the second content.
    fn object(&self) -> Result<PathBuf> {
        let entry = self.place.partition.find(key(0))?.context("an entry")?;
        let item = &entry.items()[1];
        Ok(self.place.store.layout().object(item.digest, item.mode))
    }

    /// Reviving misses and touches nothing; what is added next is revived.
    fn misses_and_heals(&self) -> Result<()> {
        let revived = self.place.partition.revive(key(0), &self.old.paths(), now())?;
        ensure!(revived.is_none(), "damage was revived");
        self.old.hold()?;
        ensure!(self.place.partition.find(key(0))?.is_none(), "what is damaged is out of the way");
        self.place.add(self.generation)?;
        ensure!(self.place.bound(0)? == Some(self.generation), "the next addition heals");
        Ok(())
    }
}
