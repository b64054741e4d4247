//! What a client asks for.

use super::digest::RuleKey;
use super::promotion::Promotion;
use super::{MessageError, hint_supported, shown};
use crate::protocol::csexp::Sexp;
use crate::protocol::version::Version;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;

/// A message of a client after its greeting.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Command {
    /// What the paths of promotions are relative to; as the client says it, which ought to be absolute.
    SetBuildRoot(PathBuf),
    /// What every later promotion has in its metadata besides its own.
    SetCommonMetadata(Vec<Sexp>),
    /// The repositories that later promotions are made in.
    SetRepos(Vec<Repository>),
    /// What a rule made.
    Promote(Promotion),
    /// What will be wanted soon.
    Hint(Vec<RuleKey>),
}

/// A working copy under version control.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Repository {
    /// Where it is.
    pub directory: PathBuf,
    /// Where it was got from; clients leave it empty.
    pub remote: Vec<u8>,
    /// Which commit it is at.
    pub commit: Vec<u8>,
}

impl Repository {
    fn to_sexp(&self) -> Sexp {
        let field = |name, bytes: &[u8]| Sexp::named(name, [Sexp::atom(bytes)]);
        Sexp::list([
            field("dir", self.directory.as_os_str().as_bytes()),
            field("remote", &self.remote),
            field("commit_id", &self.commit),
        ])
    }

    fn from_sexp(value: &Sexp) -> Option<Self> {
        let [directory, remote, commit] = value.as_list()? else { return None };
        let field = |value: &Sexp, name: &[u8]| match value.as_named()? {
            (is, [Sexp::Atom(bytes)]) if is == name => Some(bytes.clone()),
            _ => None,
        };
        let directory = PathBuf::from(OsStr::from_bytes(&field(directory, b"dir")?));
        Some(Self { directory, remote: field(remote, b"remote")?, commit: field(commit, b"commit_id")? })
    }
}

impl Command {
    /// The command that a message of a peer of this version is.
    ///
    /// Errors: it is none. The connection is not harmed by that: the next message may be one.
    pub fn from_sexp(value: &Sexp, version: Version) -> Result<Self, MessageError> {
        let (name, arguments) = value.as_named().ok_or(MessageError::Shapeless)?;
        match name {
            b"set-build-root" => match arguments {
                [Sexp::Atom(path)] => Ok(Self::SetBuildRoot(PathBuf::from(OsStr::from_bytes(path)))),
                _ => Err(MessageError::Arguments("set-build-root")),
            },
            b"set-common-metadata" => Ok(Self::SetCommonMetadata(arguments.to_vec())),
            b"set-repos" => {
                let all = arguments.iter().map(Repository::from_sexp).collect::<Option<_>>();
                all.map(Self::SetRepos).ok_or(MessageError::Arguments("set-repos"))
            }
            b"promote" => Promotion::from_fields(arguments).map(Self::Promote),
            b"hint" if hint_supported(version) => {
                arguments.iter().map(RuleKey::from_sexp).collect::<Result<_, _>>().map(Self::Hint)
            }
            other => Err(MessageError::Unknown(shown(other))),
        }
    }

    /// What it is on the wire for a peer of this version.
    ///
    /// Errors: that version does not know it.
    pub fn to_sexp(&self, version: Version) -> Result<Sexp, MessageError> {
        Ok(match self {
            Self::SetBuildRoot(path) => {
                Sexp::named("set-build-root", [Sexp::atom(path.as_os_str().as_bytes())])
            }
            Self::SetCommonMetadata(values) => Sexp::named("set-common-metadata", values.iter().cloned()),
            Self::SetRepos(all) => Sexp::named("set-repos", all.iter().map(Repository::to_sexp)),
            Self::Promote(promotion) => promotion.to_sexp(version),
            Self::Hint(keys) if hint_supported(version) => {
                Sexp::named("hint", keys.iter().map(|key| key.to_sexp()))
            }
            Self::Hint(_) => return Err(MessageError::Unknown("hint".to_owned())),
        })
    }
}
