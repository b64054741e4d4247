//! The greeting: which language a peer speaks, in which versions, and what two peers settle on.
//!
//! Both say `(lang NAME (MAJOR MINOR)...)` as soon as they are connected, without waiting for each other. Of each major version
//! that both list, the smaller of the two minors is common; the newest of these is spoken. Dune's clients read it the same way
//! (`src/cache/messages.ml`), so one listed minor covers all older ones of its major.
//!
//! A greeting with two minors of one major is never sent: Dune's clients end at it. Received, it counts with the newer one.

use super::csexp::Sexp;
use std::collections::BTreeMap;
use std::fmt;

/// A version of a language. A larger major may say anything; a larger minor can do more.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Debug)]
pub struct Version {
    /// What both peers must share.
    pub major: u64,
    /// What the older peer decides.
    pub minor: u64,
}

impl Version {
    /// A version.
    #[must_use]
    pub const fn new(major: u64, minor: u64) -> Self {
        Self { major, minor }
    }
}

/// `1.2`.
impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The version as people write it.
#[must_use]
pub fn string_of_version(version: Version) -> String {
    version.to_string()
}

/// The newest version that both can speak: per common major the smaller minor, of these the newest.
#[must_use]
pub fn find_newest_common_version(ours: &[Version], theirs: &[Version]) -> Option<Version> {
    let newest = |versions: &[Version]| {
        let mut minors = BTreeMap::new();
        for version in versions {
            let minor = minors.entry(version.major).or_insert(version.minor);
            *minor = version.minor.max(*minor);
        }
        minors
    };
    let theirs = newest(theirs);
    let common = newest(ours).into_iter().filter_map(|(major, minor)| {
        let other = *theirs.get(&major)?;
        Some(Version { major, minor: minor.min(other) })
    });
    common.max()
}

/// What a peer says first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Lang {
    /// The language.
    pub name: String,
    /// The versions of it.
    pub versions: Vec<Version>,
}

impl Lang {
    /// The name of Dune's language.
    pub const DUNE: &str = "dune-cache-protocol";

    /// What it is on the wire.
    #[must_use]
    pub fn to_sexp(&self) -> Sexp {
        let version =
            |version: &Version| Sexp::list([Sexp::number(version.major), Sexp::number(version.minor)]);
        let name = std::iter::once(Sexp::atom(self.name.as_str()));
        Sexp::named("lang", name.chain(self.versions.iter().map(version)))
    }

    /// The greeting that a value is.
    pub fn from_sexp(value: &Sexp) -> Result<Self, LangError> {
        let Some((b"lang", said)) = value.as_named() else { return Err(LangError::NotAGreeting) };
        let (name, versions) = said.split_first().ok_or(LangError::Malformed)?;
        let version = |version: &Sexp| match version.as_list()? {
            [major, minor] => Some(Version { major: major.as_number()?, minor: minor.as_number()? }),
            _ => None,
        };
        let name = name.as_text().ok_or(LangError::Malformed)?.to_owned();
        let versions = versions.iter().map(version).collect::<Option<_>>().ok_or(LangError::Malformed)?;
        Ok(Self { name, versions })
    }

    /// The version to speak with a peer that said `theirs`.
    pub fn settle(&self, theirs: &Self) -> Result<Version, LangError> {
        if self.name != theirs.name {
            return Err(LangError::Other(theirs.name.clone()));
        }
        find_newest_common_version(&self.versions, &theirs.versions)
            .ok_or_else(|| LangError::NothingCommon(theirs.versions.clone()))
    }
}

/// Why two peers do not come together.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum LangError {
    /// Something else was said first.
    NotAGreeting,
    /// A greeting of another form.
    Malformed,
    /// The peer speaks another language.
    Other(String),
    /// The same, in versions that we do not speak.
    NothingCommon(Vec<Version>),
}

impl fmt::Display for LangError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAGreeting => f.write_str("the first message is no `lang`"),
            Self::Malformed => f.write_str("`lang` is not followed by a name and versions"),
            Self::Other(name) => write!(f, "the peer speaks `{}`", name.escape_debug()),
            Self::NothingCommon(versions) => {
                let versions: Vec<_> = versions.iter().take(16).map(ToString::to_string).collect();
                write!(f, "no version in common with the peer's: {}", versions.join(", "))
            }
        }
    }
}

impl std::error::Error for LangError {}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;

    fn versions(all: &[(u64, u64)]) -> Vec<Version> {
        all.iter().map(|(major, minor)| Version::new(*major, *minor)).collect()
    }

    #[test]
    fn the_smaller_minor_of_the_newest_common_major_is_spoken() {
        type Versions<'a> = &'a [(u64, u64)];
        type Case<'a> = (Versions<'a>, Versions<'a>, Option<(u64, u64)>);
        let cases: [Case<'_>; 8] = [
            (&[(1, 2)], &[(1, 2)], Some((1, 2))),
            (&[(1, 2)], &[(1, 0)], Some((1, 0))),
            (&[(1, 0)], &[(1, 9)], Some((1, 0))),
            (&[(1, 2)], &[(1, 2), (2, 0)], Some((1, 2))),
            (&[(1, 2), (2, 5)], &[(2, 3), (1, 9)], Some((2, 3))),
            (&[(1, 2)], &[(2, 0)], None),
            (&[(1, 2)], &[], None),
            (&[(1, 2)], &[(1, 0), (1, 2), (1, 1)], Some((1, 2))),
        ];
        for (ours, theirs, common) in cases {
            let found = find_newest_common_version(&versions(ours), &versions(theirs));
            assert_eq!(found, common.map(|(major, minor)| Version::new(major, minor)), "{ours:?} {theirs:?}");
            assert_eq!(found, find_newest_common_version(&versions(theirs), &versions(ours)));
        }
    }

    #[test]
    fn a_greeting_is_read_as_it_is_written() {
        let lang = Lang { name: Lang::DUNE.into(), versions: versions(&[(1, 2)]) };
        assert_eq!(lang.to_sexp().to_bytes(), b"(4:lang19:dune-cache-protocol(1:11:2))");
        assert_eq!(Lang::from_sexp(&lang.to_sexp()).unwrap(), lang);
        let other = Lang { name: "other".into(), ..lang.clone() };
        assert_eq!(lang.settle(&other), Err(LangError::Other("other".into())));
        assert_eq!(Lang::from_sexp(&Sexp::named("promote", [])), Err(LangError::NotAGreeting));
        assert_eq!(Lang::from_sexp(&Sexp::named("lang", [])), Err(LangError::Malformed));
        let version = Sexp::list([Sexp::number(1)]);
        assert_eq!(
            Lang::from_sexp(&Sexp::named("lang", [Sexp::atom("x"), version])),
            Err(LangError::Malformed)
        );
    }
}
