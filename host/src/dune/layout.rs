//! Where everything is. No path of a store is built anywhere else.
//!
//! ```text
//! ~/.cache/dune/db/                 the root; since Dune 3.22 `$DUNE_CACHE_ROOT/db`, before that `$DUNE_CACHE_ROOT`
//!   v2/files/dd/DIGEST.N            Dune 2.0 to 2.5: files, N from 1 where digests are equal and contents are not
//!   v2/meta/kk/KEY                                   rules
//!   files/v3/dd/DIGEST              Dune 2.6 and 2.7: files
//!   meta/v3/kk/KEY                                   rules
//!   files/v4/dd/DIGEST              Dune 2.8 and later, 3.x too: files, named otherwise since 3.20
//!   meta/v4/kk/KEY                  Dune 2.8, 2.9: rules
//!   meta/v5/kk/KEY                  Dune 3.x: rules
//!   values/v3/                      Dune 3.x: what is no file; counted, and left alone
//!   temp/                           Dune 3.x's own temporaries; left alone
//!   promoting.<6 signs>.<process>/  files on their way into the store, one for each client of a daemon; 0700
//!   quarantine/                     what was found to be damaged; ours, Dune never looks there
//!   runtime/ beacon log …           of Dune's daemon
//! ```
//!
//! `dd` and `kk` are the first two digits. All are in lower case.

use crate::protocol::dune::{FileDigest, RuleKey};
use std::fmt;
use std::path::{Path, PathBuf};

/// Formats of files.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum FileLayout {
    /// Of Dune 2.0 to 2.5.
    V2,
    /// Of Dune 2.6 and 2.7.
    V3,
    /// Of Dune 2.8 and later.
    V4,
}

/// Formats of rules.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub enum MetaLayout {
    /// Of Dune 2.0 to 2.5.
    V2,
    /// Of Dune 2.6 and 2.7.
    V3,
    /// Of Dune 2.8 and 2.9.
    V4,
    /// Of Dune 3.x.
    V5,
}

impl FileLayout {
    /// All there are.
    pub const ALL: [Self; 3] = [Self::V2, Self::V3, Self::V4];

    const fn directory(self) -> &'static str {
        match self {
            Self::V2 => "v2/files",
            Self::V3 => "files/v3",
            Self::V4 => "files/v4",
        }
    }

    /// The format of the rules whose files these are, as a daemon writes them.
    #[must_use]
    pub const fn meta(self) -> MetaLayout {
        match self {
            Self::V2 => MetaLayout::V2,
            Self::V3 => MetaLayout::V3,
            Self::V4 => MetaLayout::V4,
        }
    }
}

impl MetaLayout {
    /// All there are.
    pub const ALL: [Self; 4] = [Self::V2, Self::V3, Self::V4, Self::V5];

    const fn directory(self) -> &'static str {
        match self {
            Self::V2 => "v2/meta",
            Self::V3 => "meta/v3",
            Self::V4 => "meta/v4",
            Self::V5 => "meta/v5",
        }
    }

    /// The format of the files that these rules name.
    #[must_use]
    pub const fn files(self) -> FileLayout {
        match self {
            Self::V2 => FileLayout::V2,
            Self::V3 => FileLayout::V3,
            Self::V4 | Self::V5 => FileLayout::V4,
        }
    }
}

/// Where they are below the root.
impl fmt::Display for FileLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.directory())
    }
}

/// Where they are below the root.
impl fmt::Display for MetaLayout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.directory())
    }
}

/// A file of a store: 24 bytes, where its path would be a hundred.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct FileId {
    /// Its format.
    pub layout: FileLayout,
    /// Its digest.
    pub digest: FileDigest,
    /// Which of those with that digest, from 1; 0 where a format knows but one.
    pub number: u32,
}

impl FileId {
    /// The file with a digest, or the first of several.
    #[must_use]
    pub const fn new(layout: FileLayout, digest: FileDigest) -> Self {
        let number = if matches!(layout, FileLayout::V2) { 1 } else { 0 };
        Self { layout, digest, number }
    }

    /// Where it is below the root.
    #[must_use]
    pub fn place(&self) -> String {
        let name = self.to_string();
        format!("{}/{}/{name}", self.layout.directory(), &name[..2])
    }

    /// The file with a name in the directory of its format, if that is the name of one.
    #[must_use]
    pub fn from_name(layout: FileLayout, name: &[u8]) -> Option<Self> {
        let (digest, number) = match layout {
            FileLayout::V2 => {
                let (digest, number) = (name.get(..32)?, name.get(32..)?.strip_prefix(b".")?);
                let canonical = !number.starts_with(b"0") && number.iter().all(u8::is_ascii_digit);
                (digest, std::str::from_utf8(number).ok().filter(|_| canonical)?.parse().ok()?)
            }
            FileLayout::V3 | FileLayout::V4 => (name, 0),
        };
        Some(Self { layout, digest: FileDigest::from_hex(lower(digest)?)?, number })
    }
}

/// The name in its directory.
impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.digest.fmt(f)?;
        if self.layout == FileLayout::V2 { write!(f, ".{}", self.number) } else { Ok(()) }
    }
}

/// The key of the rule whose file has this name, if that is the name of one.
#[must_use]
pub fn key_of(name: &[u8]) -> Option<RuleKey> {
    RuleKey::from_hex(lower(name)?)
}

/// Names in upper case are nobody's: Dune never looks at them.
fn lower(name: &[u8]) -> Option<&[u8]> {
    (!name.iter().any(u8::is_ascii_uppercase)).then_some(name)
}

/// What the names of directories with files on their way begin with.
pub(super) const PROMOTING: &str = "promoting.";

/// The paths of one store.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The paths below a root.
    #[must_use]
    pub const fn new(root: PathBuf) -> Self {
        Self { root }
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The directory with all files of a format.
    #[must_use]
    pub fn files(&self, layout: FileLayout) -> PathBuf {
        self.root.join(layout.directory())
    }

    /// The directory with all rules of a format.
    #[must_use]
    pub fn metas(&self, layout: MetaLayout) -> PathBuf {
        self.root.join(layout.directory())
    }

    /// A file.
    #[must_use]
    pub fn file(&self, file: FileId) -> PathBuf {
        self.below(file.layout.directory(), &file.to_string())
    }

    /// The file of a rule.
    #[must_use]
    pub fn meta(&self, layout: MetaLayout, key: RuleKey) -> PathBuf {
        self.below(layout.directory(), &key.to_string())
    }

    /// Where damaged files go.
    #[must_use]
    pub fn quarantine(&self) -> PathBuf {
        self.root.join("quarantine")
    }

    /// Where Dune 3.x has what is no file.
    #[must_use]
    pub fn values(&self) -> PathBuf {
        self.root.join("values/v3")
    }

    fn below(&self, directory: &str, name: &str) -> PathBuf {
        let root = self.root.as_os_str();
        let mut path = std::ffi::OsString::with_capacity(root.len() + directory.len() + name.len() + 5);
        path.push(root);
        for part in ["/", directory, "/", &name[..2], "/", name] {
            path.push(part);
        }
        path.into()
    }
}

/// The process that a directory with files on their way belongs to, as its name says.
#[must_use]
pub(super) fn promoting_process(name: &[u8]) -> Option<u32> {
    let rest = name.strip_prefix(PROMOTING.as_bytes())?;
    let process = rest.rsplit(|byte| *byte == b'.').next().filter(|process| process.len() < rest.len())?;
    std::str::from_utf8(process).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NAME: &[u8; 32] = b"ab000000000000000000000000000019";

    #[test]
    fn paths_are_those_that_dune_looks_at() {
        let layout = Layout::new("/c/dune/db".into());
        let key = RuleKey::from_hex(NAME).unwrap();
        let digest = FileDigest::from_hex(NAME).unwrap();
        let name = std::str::from_utf8(NAME).unwrap();
        for (files, path) in [
            (FileLayout::V2, format!("/c/dune/db/v2/files/ab/{name}.1")),
            (FileLayout::V3, format!("/c/dune/db/files/v3/ab/{name}")),
            (FileLayout::V4, format!("/c/dune/db/files/v4/ab/{name}")),
        ] {
            assert_eq!(layout.file(FileId::new(files, digest)), Path::new(&path));
            assert!(path.starts_with(layout.files(files).to_str().unwrap()));
        }
        let metas = MetaLayout::ALL.map(|metas| layout.meta(metas, key).to_string_lossy().into_owned());
        let directories = ["v2/meta", "meta/v3", "meta/v4", "meta/v5"];
        assert_eq!(metas, directories.map(|directory| format!("/c/dune/db/{directory}/ab/{name}")));
        assert_eq!(layout.quarantine(), Path::new("/c/dune/db/quarantine"));
    }

    #[test]
    fn a_file_has_one_name_and_other_names_are_nobodys() {
        for layout in FileLayout::ALL {
            let file = FileId::new(layout, FileDigest::from_hex(NAME).unwrap());
            assert_eq!(FileId::from_name(layout, file.to_string().as_bytes()), Some(file));
        }
        let second = [&NAME[..], b".27"].concat();
        assert_eq!(FileId::from_name(FileLayout::V2, &second).map(|file| file.number), Some(27));
        for no in
            ["", ".1", "ab.1", "AB000000000000000000000000000019.1", "zz000000000000000000000000000019.1"]
        {
            assert_eq!(FileId::from_name(FileLayout::V2, no.as_bytes()), None, "{no}");
        }
        for end in ["", ".", ".01", ".+1", ".-1", ".1.1", ".99999999999"] {
            let name = [&NAME[..], end.as_bytes()].concat();
            assert_eq!(FileId::from_name(FileLayout::V2, &name), None, "{end}");
        }
        assert_eq!(key_of(b"AB000000000000000000000000000019"), None);
        assert!(key_of(NAME).is_some());
    }

    #[test]
    fn a_directory_on_its_way_tells_whose_it_is() {
        assert_eq!(promoting_process(b"promoting.a1B2c3.4711"), Some(4711));
        for no in [&b"promoting.4711"[..], b"promoting.x.y", b"promoting", b"other.x.4711"] {
            assert_eq!(promoting_process(no), None);
        }
    }
}
