//! Contents that tell which key and which writing of it they belong to.
//!
//! Everything that is written in one generation says so in each of its lines. So a mixture of two generations, half a
//! content, or a content of another key is seen by whoever reads it, without knowing what was written last. What is small
//! in one generation is large in another, so that contents move between the entry's own file and objects.

use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{Content, Draft, DraftItem, Entry};
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

/// How many keys are shared by all who meet.
pub const KEYS: usize = 6;

/// The number of a key that is bound to a manifest; those up to [`KEYS`] are to plain entries.
pub const MANIFEST: usize = 100;

/// How many contents an entry has.
pub const CONTENTS: usize = 3;

/// One writing of a key.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Generation {
    /// Which key.
    pub key: usize,
    /// Which writing of it.
    pub number: u64,
}

/// The key of a number.
#[must_use]
pub fn key(number: usize) -> Key {
    Key::new(Digest::of(format!("key {number}").as_bytes()))
}

impl Generation {
    /// A generation of a key.
    #[must_use]
    pub const fn new(key: usize, number: u64) -> Self {
        Self { key, number }
    }

    /// The metadata hunk.
    #[must_use]
    pub fn metadata(self) -> Vec<u8> {
        self.lines("metadata", 200 + self.number as usize % 20)
    }

    /// A content.
    #[must_use]
    pub fn content(self, index: usize) -> Vec<u8> {
        let number = self.number as usize;
        let length = match index {
            0 => 300 + number % 50,
            1 if number.is_multiple_of(3) => 2_000,
            1 => 66_000 + number % 1_000,
            _ if number.is_multiple_of(4) => 65_536,
            _ => 90,
        };
        self.lines(&format!("content {index}"), length)
    }

    /// All contents, in order.
    #[must_use]
    pub fn contents(self) -> Vec<Vec<u8>> {
        (0..CONTENTS).map(|index| self.content(index)).collect()
    }

    fn lines(self, what: &str, length: usize) -> Vec<u8> {
        let line = format!("{what} of key {} in generation {}\n", self.key, self.number);
        let mut bytes = line.repeat(length / line.len() + 1).into_bytes();
        bytes.truncate(length);
        bytes
    }

    /// The generation that the first line says.
    #[must_use]
    pub fn told(bytes: &[u8]) -> Option<Self> {
        let line = bytes.split(|&byte| byte == b'\n').next()?;
        let (_, told) = std::str::from_utf8(line).ok()?.split_once(" of key ")?;
        let (key, number) = told.split_once(" in generation ")?;
        Some(Self { key: key.parse().ok()?, number: number.parse().ok()? })
    }

    /// Writes the contents into files of a directory, and gives these.
    pub fn written(self, directory: &Path) -> Result<Vec<PathBuf>> {
        fs::create_dir_all(directory)?;
        let mut paths = Vec::new();
        for (index, content) in self.contents().iter().enumerate() {
            paths.push(directory.join(index.to_string()));
            fs::write(&paths[index], content)?;
        }
        Ok(paths)
    }

    /// Calls with the draft of this generation, whose contents lie in memory or, where `sources` is a directory, in files.
    pub fn drafted<T>(self, sources: Option<&Path>, act: impl FnOnce(&Draft<'_>) -> T) -> Result<T> {
        let (metadata, contents) = (self.metadata(), self.contents());
        let mut paths = Vec::new();
        if let Some(sources) = sources {
            paths = self.written(sources)?;
        }
        let content = |index: usize| match paths.get(index) {
            Some(path) => Content::Path(path),
            None => Content::Bytes(&contents[index]),
        };
        let item = |index| DraftItem { path: Vec::new(), content: content(index), mode: Some(0o644) };
        let items = (0..CONTENTS).map(item).collect();
        Ok(act(&Draft { metadata: &metadata, items, ..Draft::default() }))
    }

    /// Which generation of a key an entry is, all of it.
    pub fn of_entry(key: usize, entry: &Entry) -> Result<Self> {
        let generation = Self::of_metadata(key, entry)?;
        for index in 0..CONTENTS {
            let bytes = entry.bytes(index).with_context(|| format!("{generation:?}"))?;
            ensure!(*bytes == generation.content(index), "content {index} is none of {generation:?}");
        }
        Ok(generation)
    }

    /// Which generation of a key an entry says to be.
    pub fn of_metadata(key: usize, entry: &Entry) -> Result<Self> {
        let generation = Self::told(entry.metadata()).context("the metadata tells no generation")?;
        ensure!(generation.key == key, "key {key} is bound to {generation:?}");
        ensure!(entry.metadata() == generation.metadata(), "the metadata is not whole: {generation:?}");
        ensure!(entry.items().len() == CONTENTS, "{generation:?} has {} contents", entry.items().len());
        Ok(generation)
    }

    /// Which generation of a key's content a file is, all of it; `None` where there is no file.
    pub fn of_file(key: usize, index: usize, path: &Path) -> Result<Option<Self>> {
        let bytes = match fs::read(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            read => read.with_context(|| path.display().to_string())?,
        };
        let generation = Self::told(&bytes).with_context(|| format!("{} tells nothing", path.display()))?;
        let whole = generation.key == key && bytes == generation.content(index);
        ensure!(whole, "{} is not content {index} of {generation:?}, entirely", path.display());
        Ok(Some(generation))
    }
}
