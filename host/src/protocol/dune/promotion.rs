//! A promotion: what one rule made.

use super::digest::{FileDigest, RuleKey};
use super::{MessageError, shown};
use crate::protocol::csexp::Sexp;
use crate::protocol::version::Version;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// How files get into the store, and out of it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Duplication {
    /// Their bytes are copied.
    Copy,
    /// They are linked.
    Hardlink,
}

/// What one rule made.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Promotion {
    /// What the rule is found by.
    pub key: RuleKey,
    /// Its files, relative to the build root as the client says, each with the digest that it is said to have. Nothing is
    /// known of these paths: they may be absolute, climb, or hold any byte.
    pub files: Vec<(PathBuf, FileDigest)>,
    /// What is to be kept beside them.
    pub metadata: Vec<Sexp>,
    /// Which of the client's repositories it was made in.
    pub repository: Option<u64>,
    /// How it is to be stored; where nothing is said, linked.
    pub duplication: Option<Duplication>,
}

impl Duplication {
    const fn word(self) -> &'static str {
        match self {
            Self::Copy => "copy",
            Self::Hardlink => "hardlink",
        }
    }
}

impl Promotion {
    /// What it is on the wire.
    #[must_use]
    pub fn to_sexp(&self, version: Version) -> Sexp {
        let file = |(path, digest): &(PathBuf, FileDigest)| {
            Sexp::list([Sexp::atom(path.as_os_str().as_bytes()), digest.to_sexp()])
        };
        let mut fields = vec![
            Sexp::named("key", [self.key.to_sexp()]),
            Sexp::named("files", self.files.iter().map(file)),
            Sexp::named("metadata", [Sexp::List(self.metadata.clone())]),
        ];
        fields.extend(self.repository.map(|index| Sexp::named("repo", [Sexp::number(index)])));
        let duplication = self.duplication.filter(|_| version >= Version::new(1, 1));
        fields.extend(duplication.map(|way| Sexp::named("duplication", [Sexp::atom(way.word())])));
        Sexp::named("promote", fields)
    }

    /// The promotion that these fields are. Their order is fixed.
    pub(super) fn from_fields(fields: &[Sexp]) -> Result<Self, MessageError> {
        const WRONG: MessageError = MessageError::Arguments("promote");
        let [key, files, metadata, rest @ ..] = fields else { return Err(WRONG) };
        let Some((b"key", [key])) = key.as_named() else { return Err(WRONG) };
        let Some((b"files", files)) = files.as_named() else { return Err(WRONG) };
        let Some((b"metadata", [Sexp::List(metadata)])) = metadata.as_named() else { return Err(WRONG) };
        let mut rest = rest.iter().peekable();
        let mut field = |name: &[u8]| {
            let value = rest.peek()?.as_named().filter(|(is, _)| *is == name)?.1;
            rest.next();
            Some(value)
        };
        let (repository, duplication) = (field(b"repo"), field(b"duplication"));
        if rest.next().is_some() {
            return Err(WRONG);
        }
        let repository = match repository {
            Some([index]) => Some(index.as_number().ok_or(WRONG)?),
            Some(_) => return Err(WRONG),
            None => None,
        };
        let duplication = match duplication {
            Some([way]) => Some(way_of(way)?),
            Some(_) => return Err(WRONG),
            None => None,
        };
        let file = |file: &Sexp| match file {
            Sexp::List(pair) => match pair.as_slice() {
                [Sexp::Atom(path), digest] => {
                    Ok((PathBuf::from(OsStr::from_bytes(path)), FileDigest::from_sexp(digest)?))
                }
                _ => Err(WRONG),
            },
            Sexp::Atom(_) => Err(WRONG),
        };
        Ok(Self {
            key: RuleKey::from_sexp(key)?,
            files: files.iter().map(file).collect::<Result<_, _>>()?,
            metadata: metadata.clone(),
            repository,
            duplication,
        })
    }
}

fn way_of(value: &Sexp) -> Result<Duplication, MessageError> {
    match value.as_atom() {
        Some(b"copy") => Ok(Duplication::Copy),
        Some(b"hardlink") => Ok(Duplication::Hardlink),
        Some(other) => Err(MessageError::Duplication(shown(other))),
        None => Err(MessageError::Arguments("promote")),
    }
}
