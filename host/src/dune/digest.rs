//! How Dune names content.
//!
//! One reading gives the MD5 of a file's bytes, and from that follow the names of all [schemes](Scheme):
//!
//! | scheme | Dune | is the MD5 of |
//! |---|---|---|
//! | [`Scheme::Joined`] | 2.8 and later | the content's MD5 and one byte, 1 where the owner may execute the file, else 0 |
//! | [`Scheme::Marshalled`] | 2.1 to 2.7 | what OCaml's `Marshal` writes for the pair of that MD5 and the owner's executable bit |
//! | [`Scheme::Counted`] | 2.0 | the same, where the header counts the objects |
//!
//! Since 3.20 Dune names a content by the first half of the BLAKE3 of its own such half, in hexadecimal digits, and that one byte
//! (`src/dune_digest/digest.ml`). No client of a daemon does, so that is no scheme here; but such files lie among the others of v4.

use super::layout::{FileId, FileLayout};
use crate::protocol::Version;
use crate::protocol::dune::FileDigest;
use md5::{Digest as _, Md5};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;

/// How a digest is made of content.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Scheme {
    /// Of Dune 2.8 and later.
    Joined,
    /// Of Dune 2.1 to 2.7.
    Marshalled,
    /// Of Dune 2.0.
    Counted,
}

impl Scheme {
    /// All there are, the newest first.
    pub const ALL: [Self; 3] = [Self::Joined, Self::Marshalled, Self::Counted];

    /// Whether files of this format are named so.
    #[must_use]
    pub const fn is_of(self, layout: FileLayout) -> bool {
        match self {
            Self::Joined => matches!(layout, FileLayout::V4),
            Self::Marshalled => matches!(layout, FileLayout::V3 | FileLayout::V2),
            Self::Counted => matches!(layout, FileLayout::V2),
        }
    }

    /// The format that clients read who name files so and speak this version: only the version tells the two formats of one
    /// scheme apart. `None`: no client does both.
    #[must_use]
    pub fn layout(self, version: Version) -> Option<FileLayout> {
        let newer = version >= Version::new(1, 2);
        match (self, newer) {
            (Self::Joined, _) => Some(FileLayout::V4),
            (Self::Marshalled, true) => Some(FileLayout::V3),
            (Self::Marshalled | Self::Counted, false) => Some(FileLayout::V2),
            (Self::Counted, true) => None,
        }
    }
}

/// The bit of a mode that digests hold: whether the owner may execute the file.
pub(super) const OWNER_EXECUTES: u32 = 0o100;

/// What a file's names follow from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Content {
    md5: [u8; 16],
    executable: bool,
    /// What Dune since 3.20 calls it, where that was asked for.
    newest: Option<FileDigest>,
}

impl Content {
    /// Of these bytes, in a file of this mode.
    #[must_use]
    pub fn of(bytes: &[u8], mode: u32) -> Self {
        Self { md5: Md5::digest(bytes).into(), executable: mode & OWNER_EXECUTES != 0, newest: None }
    }

    /// The digest in a scheme.
    #[must_use]
    pub fn digest(&self, scheme: Scheme) -> FileDigest {
        let counted = match scheme {
            Scheme::Joined => {
                let digest = Md5::new().chain_update(self.md5).chain_update([u8::from(self.executable)]);
                return FileDigest::new(digest.finalize().into());
            }
            Scheme::Marshalled => 0,
            Scheme::Counted => 2,
        };
        // A block of two: a string of 16 bytes, and the number 0 in one byte or 64 in two.
        let number: &[u8] = if self.executable { &[0x00, 0x40] } else { &[0x40] };
        let length = 2 + 16 + number.len() as u32;
        let mut image = Md5::new().chain_update([0x84, 0x95, 0xa6, 0xbe]);
        for field in [length, counted, 9, 7] {
            image.update(field.to_be_bytes());
        }
        let image = image.chain_update([0xa0, 0x30]).chain_update(self.md5).chain_update(number);
        FileDigest::new(image.finalize().into())
    }

    /// The scheme in which it has this digest.
    #[must_use]
    pub fn scheme(&self, digest: FileDigest) -> Option<Scheme> {
        Scheme::ALL.into_iter().find(|scheme| self.digest(*scheme) == digest)
    }

    /// Whether a file of a store with this name may have it.
    #[must_use]
    pub fn is_of(&self, id: FileId) -> bool {
        self.scheme(id.digest).is_some_and(|scheme| scheme.is_of(id.layout))
            || id.layout == FileLayout::V4 && self.newest == Some(id.digest)
    }
}

/// Reads content piece by piece.
#[derive(Debug, Default)]
pub(super) struct Reading {
    md5: Md5,
    newest: Option<Box<blake3::Hasher>>,
}

impl Reading {
    /// For a file that any Dune may have named.
    pub(super) fn for_all() -> Self {
        Self { newest: Some(Box::default()), ..Self::default() }
    }

    pub(super) fn take(&mut self, bytes: &[u8]) {
        self.md5.update(bytes);
        if let Some(newest) = &mut self.newest {
            newest.update(bytes);
        }
    }

    pub(super) fn content(self, mode: u32) -> Content {
        let executable = mode & OWNER_EXECUTES != 0;
        let half = |hasher: &blake3::Hasher| {
            let mut half = [0; 16];
            hasher.finalize_xof().fill(&mut half);
            FileDigest::new(half)
        };
        let newest = self.newest.map(|content| {
            let mut outer = blake3::Hasher::new();
            outer.update(half(&content).to_string().as_bytes()).update(&[u8::from(executable)]);
            half(&outer)
        });
        Content { md5: self.md5.finalize().into(), executable, newest }
    }
}

/// The content of an open file that was said to have `size` bytes. No further read asks whether more came since: who needs
/// to know looks at the file's identity.
pub(super) fn content(
    file: &File,
    size: u64,
    mode: u32,
    buffer: &mut [u8],
    mut reading: Reading,
) -> io::Result<Content> {
    let mut at = 0;
    while at < size {
        match file.read_at(buffer, at)? {
            0 => break,
            some => {
                reading.take(&buffer[..some]);
                at += some as u64;
            }
        }
    }
    Ok(reading.content(mode))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Made by Dune's own clients of 2.0, 2.5, 2.7 and 2.9.
    #[test]
    fn content_has_the_names_that_the_clients_give_it() {
        const VECTORS: [(&str, u32, [&str; 3]); 8] = [
            (
                "line one\nline two\n",
                0o644,
                [
                    "adf0219bf4e2bbfa1e676d95cc751290",
                    "2fc8bb37af690046a3ecf6406250b61c",
                    "f7aa19afa534dfd754176cf0256d0624",
                ],
            ),
            (
                "line one\nline two\n",
                0o755,
                [
                    "d39b93447ac6d4750229ee2ca05dd8bc",
                    "1c4927ce2466d1c1aa8654440cd4731b",
                    "5bc94ce0c6939ab643dbb78817b8fcda",
                ],
            ),
            (
                "",
                0o444,
                [
                    "b83631c134a9649ec383d0eb9c356803",
                    "85c5bcdbb66a689371c16f82dd32cdce",
                    "aafd6350769450b059c61238ead78c8a",
                ],
            ),
            (
                "",
                0o100,
                [
                    "5278a244879fc58054713fb2f920f455",
                    "5fbe7ca82131d91472b94697ea130cdc",
                    "25b233f4d3bcb9360849dd6e6cef2418",
                ],
            ),
            (
                "content\n",
                0o600,
                [
                    "6274851067c88e9990e912be27cce386",
                    "1d9de4c9ad19a5110c9cec5fcebce507",
                    "3a655c218d55e08a5f8f6c9ac2ee6a72",
                ],
            ),
            (
                "content\n",
                0o555,
                [
                    "5e5bb3a0ec0e689e19a59c3ee3d7fca8",
                    "1d65df486bb5491f620e1d20d18ab080",
                    "58ae54610047f84f232688b3b9bbefe0",
                ],
            ),
            (
                "alpha\n",
                0o655,
                [
                    "2c7b37977db31f140ff220ed0461510a",
                    "ef158e55207eb3b4f0e0d24666872ef8",
                    "03cdbdc281c0a19255aafbf664c09db2",
                ],
            ),
            (
                "alpha\n",
                0o744,
                [
                    "dfc0935cd872dd14ff8beca8d4d59384",
                    "ef140a764ac876cfcad364ead803604f",
                    "f78187ab6a38761e605fe1dc3085337f",
                ],
            ),
        ];
        for (text, mode, names) in VECTORS {
            let content = Content::of(text.as_bytes(), mode);
            for (scheme, name) in Scheme::ALL.into_iter().zip(names) {
                let digest = content.digest(scheme);
                assert_eq!(digest.to_string(), name, "{text:?} {mode:o} {scheme:?}");
                assert_eq!(content.scheme(digest), Some(scheme));
            }
        }
    }

    #[test]
    fn a_file_that_is_read_has_the_name_of_its_bytes() {
        let mut file = tempfile::tempfile().unwrap();
        let bytes = vec![b'x'; 200_001];
        io::Write::write_all(&mut file, &bytes).unwrap();
        let read = content(&file, 200_001, 0o644, &mut [0; 4096], Reading::default()).unwrap();
        assert_eq!(read, Content::of(&bytes, 0o644));
        let cut = content(&file, u64::MAX, 0o644, &mut [0; 4096], Reading::default()).unwrap();
        assert_eq!(cut, read, "the end of the file is the end");
    }
}
