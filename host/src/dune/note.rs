//! What a session has to say to people: one line of a log each.
//!
//! | note | the promotion | the store |
//! |---|---|---|
//! | [`Note::Refused`] | is dropped; the client is told nothing | may have gained whole files, no rule |
//! | [`Note::Collision`] | is done, or dropped where older results are kept | the rule is the newer, or the older one |
//! | [`Note::Damaged`] | goes on as if that file had not been there | that file is in quarantine |
//! | [`Note::Unannotated`] | goes on | the rule lacks what the plugin would have said |
//! | [`Note::BuildRoot`] | all are refused until there is a build root | as it was |

use super::annotate::AnnotateError;
use super::digest::Scheme;
use super::layout::FileLayout;
use crate::protocol::dune::{FileDigest, RuleKey};
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Something to be told.
#[derive(Debug)]
#[non_exhaustive]
pub enum Note {
    /// A promotion was dropped.
    Refused {
        /// Of which rule.
        key: RuleKey,
        /// Why.
        refusal: Refusal,
    },
    /// A rule was promoted with other files than before: it is not reproducible.
    Collision {
        /// The rule.
        key: RuleKey,
        /// Whether the older files stay.
        kept: bool,
    },
    /// A file of the store was not what its name says.
    Damaged {
        /// Where it was.
        path: PathBuf,
        /// Where it is now.
        quarantine: PathBuf,
    },
    /// The repository's metadata plugin could add nothing.
    Unannotated {
        /// To which rule.
        key: RuleKey,
        /// Why.
        why: AnnotateError,
    },
    /// A build root that is none, since its path is not absolute.
    BuildRoot(PathBuf),
}

/// Why a promotion is dropped.
#[derive(Debug)]
#[non_exhaustive]
pub enum Refusal {
    /// No build root was said before.
    NoBuildRoot,
    /// A repository that was not said before.
    Repository(u64),
    /// A path that is not plainly below the build root: absolute, climbing, empty, or with a NUL.
    Path(PathBuf),
    /// A symbolic link, or a path through one.
    Link(PathBuf),
    /// Neither a file nor a link.
    Kind(PathBuf),
    /// Nothing is there, or no longer.
    Missing(PathBuf),
    /// It changed again and again while it was read.
    Changing(PathBuf),
    /// Its content is not what the client said.
    Mismatch {
        /// The file.
        path: PathBuf,
        /// What the client said.
        announced: FileDigest,
        /// What it is, as Dune has named content since 2.8.
        found: FileDigest,
    },
    /// It has its digest in another scheme than the files before it.
    Mixed {
        /// The file.
        path: PathBuf,
        /// The scheme of its digest.
        scheme: Scheme,
        /// Where the files before it would go.
        layout: FileLayout,
    },
    /// The system refused something.
    Io {
        /// What was tried.
        what: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl Refusal {
    /// The error of trying something with a path.
    pub(super) fn io(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Io { what, path, source }
    }
}

/// So much of a path is told: no file has a longer one.
const PATH: usize = 4096;

/// A path in a line of a log: any byte of it may be a client's, and they may be as many as a message has.
fn shown(path: &Path) -> String {
    let bytes = path.as_os_str().as_bytes();
    let end = if bytes.len() > PATH { "..." } else { "" };
    format!("{}{end}", bytes[..bytes.len().min(PATH)].escape_ascii())
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Refused { key, refusal } => write!(f, "promotion of {key} refused: {refusal}"),
            Self::Collision { key, kept } => {
                let which = if *kept { "the older ones stay" } else { "the newer ones count" };
                write!(f, "rule {key} is not reproducible: it made other files than before; {which}")
            }
            Self::Damaged { path, quarantine } => {
                write!(f, "{} was damaged, and is {} now", shown(path), shown(quarantine))
            }
            Self::Unannotated { key, why } => {
                write!(f, "promotion of {key} has no annotation: {}", why.to_string().escape_debug())
            }
            Self::BuildRoot(path) => write!(f, "build root `{}` is not absolute", shown(path)),
        }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoBuildRoot => f.write_str("there is no build root"),
            Self::Repository(index) => write!(f, "there is no repository {index}"),
            Self::Path(path) => write!(f, "`{}` is no path below the build root", shown(path)),
            Self::Link(path) => write!(f, "`{}` is a symbolic link, or behind one", shown(path)),
            Self::Kind(path) => write!(f, "`{}` is no file", shown(path)),
            Self::Missing(path) => write!(f, "`{}` is not there", shown(path)),
            Self::Changing(path) => write!(f, "`{}` changes while it is read", shown(path)),
            Self::Mismatch { path, announced, found } => {
                write!(f, "digest mismatch: `{}` is {found}, and {announced} was said", shown(path))
            }
            Self::Mixed { path, scheme, layout } => {
                let scheme = match scheme {
                    Scheme::Joined => "2.8",
                    Scheme::Marshalled => "2.1",
                    Scheme::Counted => "2.0",
                };
                write!(
                    f,
                    "digest mismatch: that of `{}` is as in Dune {scheme}, which is not for {layout}",
                    shown(path)
                )
            }
            Self::Io { what, path, source } => write!(f, "cannot {what} {}: {source}", shown(path)),
        }
    }
}

impl std::error::Error for Refusal {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            _ => None,
        }
    }
}
