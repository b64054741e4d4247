//! What a repository's own metadata plugin adds to what is kept of a rule.
//!
//! Dune's clients accept more values within `(metadata ...)` than they know. A repository that names a metadata plugin gets one at
//! the end of each of its rules:
//!
//! ```text
//! (reviver (codec NAME) (hunk BYTES))
//! ```
//!
//! The hunk is what the plugin encodes this outcome into: exit 0, no output, started when it was promoted, and notes that say
//! which rule of which repository at which commit it is. As everywhere, it is decoded before it is kept, and exit and
//! output must be the same.
//! A plugin that is at fault, or refuses, costs the annotation and nothing else.

use super::meta::Meta;
use crate::outcome::{Exit, Outcome};
use crate::policy::Codec;
use crate::protocol::Version;
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Repository, RuleKey};
use crate::reviver::hunk::{self, HunkError};
use crate::time::Timestamp;
use std::fmt;
use std::path::Path;

/// What is known of where a promotion comes from.
#[derive(Clone, Copy, Debug)]
pub struct Provenance<'a> {
    /// The rule.
    pub key: RuleKey,
    /// The client's build root.
    pub build_root: &'a Path,
    /// The repository that the client said it was made in.
    pub repository: Option<&'a Repository>,
    /// What is spoken with the client.
    pub version: Version,
    /// The time now.
    pub now: Timestamp,
}

/// Adds to what is kept of a rule. Whoever makes one knows which plugin the repository around a build root names.
pub trait Annotate {
    /// One value for the end of the rule's metadata, as [`annotation`] makes it; `None` where there is nothing to add.
    ///
    /// Errors: something was to be added and could not be. The promotion goes on without it.
    fn annotate(&mut self, of: &Provenance<'_>) -> Result<Option<Sexp>, AnnotateError>;
}

/// Why there is no annotation.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum AnnotateError {
    /// The plugin is at fault, refuses, or gives back something else than it was given.
    Hunk(HunkError),
    /// It is another codec's.
    Foreign(String),
    /// There is no plugin where one was to be, in the words of whoever looked for it.
    NoPlugin(String),
}

impl fmt::Display for AnnotateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hunk(error) => error.fmt(f),
            Self::Foreign(codec) => write!(f, "it was written by the metadata plugin `{codec}`"),
            Self::NoPlugin(why) => f.write_str(why),
        }
    }
}

impl std::error::Error for AnnotateError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Hunk(error) => Some(error),
            Self::Foreign(_) | Self::NoPlugin(_) => None,
        }
    }
}

/// What a codec says of where a promotion comes from.
pub fn annotation(codec: &dyn Codec, of: &Provenance<'_>) -> Result<Sexp, AnnotateError> {
    let hunk = hunk::encode(codec, &outcome(of)).map_err(AnnotateError::Hunk)?.metadata;
    let codec = Sexp::named("codec", [Sexp::atom(codec.id().name.as_str())]);
    Ok(Sexp::named("reviver", [codec, Sexp::named("hunk", [Sexp::atom(hunk)])]))
}

/// The name of the codec that annotated a rule, and what it wrote.
#[must_use]
pub fn hunk_of(meta: &Meta) -> Option<(&[u8], &[u8])> {
    meta.metadata.iter().rev().find_map(|value| {
        let (b"reviver", [codec, hunk]) = value.as_named()? else { return None };
        match (codec.as_named()?, hunk.as_named()?) {
            ((b"codec", [codec]), (b"hunk", [hunk])) => Some((codec.as_atom()?, hunk.as_atom()?)),
            _ => None,
        }
    })
}

/// What a rule was annotated with by this codec, or nothing.
pub fn annotated(codec: &dyn Codec, meta: &Meta) -> Result<Option<Outcome>, AnnotateError> {
    let Some((by, hunk)) = hunk_of(meta) else { return Ok(None) };
    if by != codec.id().name.as_bytes() {
        return Err(AnnotateError::Foreign(by.escape_ascii().to_string()));
    }
    let decoded = codec.decode(hunk).map_err(HunkError::Fault);
    let decoded = decoded.and_then(|decoded| decoded.map_err(HunkError::Unreadable));
    decoded.map(Some).map_err(AnnotateError::Hunk)
}

fn outcome(of: &Provenance<'_>) -> Outcome {
    let mut notes = vec![("dune.key".to_owned(), of.key.to_string())];
    if let Some(Repository { directory, remote, commit }) = of.repository {
        notes.push(("repository".to_owned(), directory.to_string_lossy().into_owned()));
        notes.push(("remote".to_owned(), String::from_utf8_lossy(remote).into_owned()));
        notes.push(("commit".to_owned(), String::from_utf8_lossy(commit).into_owned()));
    }
    notes.push(("version".to_owned(), of.version.to_string()));
    Outcome { exit: Exit::Code(0), output: Vec::new(), started: of.now.0, duration: 0, notes }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::policy::{Fault, FaultKind, Plain, PolicyId, Role};

    fn provenance(repository: Option<&Repository>) -> Provenance<'_> {
        let key = RuleKey::new([7; 16]);
        let version = Version::new(1, 2);
        Provenance { key, build_root: Path::new("/w/_build"), repository, version, now: Timestamp(5) }
    }

    #[test]
    fn what_is_annotated_is_read_again() {
        let repository = Repository { directory: "/w".into(), remote: vec![], commit: b"beef".to_vec() };
        let codec = Plain::default();
        let value = annotation(&codec, &provenance(Some(&repository))).unwrap();
        let meta = Meta { metadata: vec![Sexp::atom("x"), value], files: Some(vec![]) };
        let meta = Meta::from_bytes(&meta.to_bytes()).unwrap();
        let outcome = annotated(&codec, &meta).unwrap().unwrap();
        assert_eq!((outcome.exit, outcome.started, outcome.duration), (Exit::Code(0), 5, 0));
        let notes: Vec<_> =
            outcome.notes.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            notes,
            [
                ("dune.key", "07070707070707070707070707070707"),
                ("repository", "/w"),
                ("remote", ""),
                ("commit", "beef"),
                ("version", "1.2"),
            ]
        );
        let empty = Meta { metadata: vec![], ..meta };
        assert_eq!(annotated(&codec, &empty), Ok(None));
    }

    /// A codec with a fault of some kind.
    struct Odd(PolicyId, u8);

    impl Codec for Odd {
        fn id(&self) -> &PolicyId {
            &self.0
        }

        fn encode(&self, outcome: &Outcome) -> Result<Result<Vec<u8>, String>, Box<Fault>> {
            let fault = Fault {
                plugin: "odd".into(),
                digest: Digest::of(b""),
                role: Role::Metadata,
                function: "encode",
                kind: FaultKind::Trap("unreachable".into()),
            };
            match self.1 {
                0 => Err(Box::new(fault)),
                1 => Ok(Err("no".into())),
                _ => Plain::default().encode(outcome),
            }
        }

        fn decode(&self, hunk: &[u8]) -> Result<Result<Outcome, String>, Box<Fault>> {
            let decoded = Plain::default().decode(hunk)?;
            Ok(decoded.map(|outcome| Outcome { exit: Exit::Code(1), ..outcome }))
        }
    }

    #[test]
    fn a_codec_that_is_at_fault_refuses_or_forgets_annotates_nothing() {
        let told = |kind| {
            let codec = Odd(Plain::default().id().clone(), kind);
            annotation(&codec, &provenance(None)).unwrap_err()
        };
        assert!(matches!(told(0), AnnotateError::Hunk(HunkError::Fault(_))));
        assert_eq!(told(1), AnnotateError::Hunk(HunkError::Refused("no".into())));
        assert_eq!(told(2), AnnotateError::Hunk(HunkError::Differs));
        let value = annotation(&Plain::default(), &provenance(None)).unwrap();
        let meta = Meta { metadata: vec![value], files: None };
        let other = Odd(PolicyId { name: "other".into(), ..Plain::default().id().clone() }, 2);
        assert_eq!(annotated(&other, &meta), Err(AnnotateError::Foreign("plain".into())));
    }
}
