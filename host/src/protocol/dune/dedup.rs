//! What a daemon says of a promoted file whose content it had already: the client may link to that one instead.

use super::MessageError;
use super::digest::FileDigest;
use crate::protocol::csexp::Sexp;
use crate::protocol::version::Version;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// A file of a build tree that the store has too.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Dedup {
    /// The file, as it was promoted.
    pub path: PathBuf,
    /// Where the store has it. Only clients before 1.2 are told; later ones know by the digest.
    pub place: PathBuf,
    /// Its digest.
    pub digest: FileDigest,
}

impl Dedup {
    /// What it is on the wire for a peer of this version.
    #[must_use]
    pub fn to_sexp(&self, version: Version) -> Sexp {
        let path = |path: &Path| Sexp::atom(path.as_os_str().as_bytes());
        let mut file = vec![path(&self.path)];
        if version < Version::new(1, 2) {
            file.push(path(&self.place));
        }
        file.push(self.digest.to_sexp());
        Sexp::named("dedup", [Sexp::List(file)])
    }

    /// The dedup that a message is; what leaves the place out has an empty one. Both forms are read in all versions, as Dune's
    /// newest client does.
    pub fn from_sexp(value: &Sexp) -> Result<Self, MessageError> {
        const WRONG: MessageError = MessageError::Arguments("dedup");
        let (name, arguments) = value.as_named().ok_or(MessageError::Shapeless)?;
        if name != b"dedup" {
            return Err(MessageError::Unknown(super::shown(name)));
        }
        let [Sexp::List(file)] = arguments else { return Err(WRONG) };
        let path = |bytes: &[u8]| PathBuf::from(OsStr::from_bytes(bytes));
        match file.as_slice() {
            [Sexp::Atom(file), digest] => {
                Ok(Self { path: path(file), place: PathBuf::new(), digest: FileDigest::from_sexp(digest)? })
            }
            [Sexp::Atom(file), Sexp::Atom(place), digest] => {
                Ok(Self { path: path(file), place: path(place), digest: FileDigest::from_sexp(digest)? })
            }
            _ => Err(WRONG),
        }
    }
}
