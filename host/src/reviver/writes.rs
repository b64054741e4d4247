//! Writes, proved: what a run is recorded to have written, it surely wrote.
//!
//! A file counts only if its identity changed between the start and the end of the run. In a directory every file and link
//! must be new or changed: one that was there before and was left alone may be foreign, stale, or an output that the
//! command found to be right already, and nobody can tell which. Such a run is not recorded.
//!
//! A symbolic link is recorded as the link that it is if the run made it. One that was there before and still is proves
//! nothing of what lies behind it, a directory excepted, whose files prove themselves.
//!
//! Paths are bounded: under the root, declared by the caller, standing in the arguments, or a sibling of one of those with
//! the same stem. A plugin cannot make the host record, or write, anything else.

use super::environment::Environment;
use super::files::absent_is_none;
use super::resolve::{Doubt, unseen};
use super::tree::{Node, walk};
use crate::identity::Identity;
use crate::operation::{Derivation, Operation, Write, WriteKind};
use std::collections::BTreeMap;
use std::fmt;
use std::fs;
use std::path::{Component, Path, PathBuf};

/// Why a run cannot be recorded for what it wrote, or did not write.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unproved {
    /// A write is not there.
    Missing(PathBuf),
    /// A path was there before and the command did not write it.
    Untouched(PathBuf),
    /// A path is of another kind than the derivation says.
    Kind(PathBuf),
    /// A path cannot be looked at.
    Doubt(Doubt),
}

impl fmt::Display for Unproved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(path) => write!(f, "the command did not write {}", path.display()),
            Self::Untouched(path) => {
                write!(f, "{} was there before and the command did not write it", path.display())
            }
            Self::Kind(path) => write!(f, "{} is not of the kind that was declared", path.display()),
            Self::Doubt(doubt) => doubt.fmt(f),
        }
    }
}

impl std::error::Error for Unproved {}

impl From<Doubt> for Unproved {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

/// What is at the path of a write.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing.
    Absent,
    /// A file, links followed.
    File(Identity),
    /// A directory with all that is below it.
    Directory(BTreeMap<PathBuf, Node>),
    /// A symbolic link that the run made, with its target.
    Link(PathBuf),
}

/// A write with its absolute path and what was there before the run.
#[derive(Debug)]
pub struct Watched {
    /// What the derivation says.
    pub write: Write,
    /// Where it is.
    pub path: PathBuf,
    /// What was there before.
    pub before: State,
    /// The target of the symbolic link that was there before.
    pub link: Option<PathBuf>,
}

/// The absolute paths of the writes, or the first that lies out of bounds.
pub fn places(
    environment: &Environment,
    operation: &Operation,
    derivation: &Derivation,
) -> Result<Vec<PathBuf>, PathBuf> {
    let normal = |path: &str| normal(&environment.absolute(path));
    let root = Path::new(&operation.root);
    let mut named: Vec<PathBuf> = operation.writes.iter().map(|path| normal(path)).collect();
    // A path may stand in an argument behind an option or an equals sign: -oout.o, --depfile=out.d.
    let paths: Vec<_> = derivation.writes.iter().map(|write| (normal(&write.path), &write.path)).collect();
    for argument in &operation.argv[1..] {
        named.push(normal(argument));
        let standing = |path: &&(PathBuf, &String)| !path.1.is_empty() && argument.ends_with(path.1.as_str());
        named.extend(paths.iter().filter(standing).map(|(path, _)| path.clone()));
    }
    for (path, _) in &paths {
        let sibling =
            |other: &PathBuf| other.parent() == path.parent() && other.file_stem() == path.file_stem();
        if !named.contains(path)
            && !named.iter().any(sibling)
            && !is_below(path, root, &environment.directory)
        {
            return Err(path.clone());
        }
    }
    Ok(paths.into_iter().map(|(path, _)| path).collect())
}

/// Whether a path that nobody but the plugin named lies below the root, through no link that leads out of it.
fn is_below(path: &Path, root: &Path, directory: &Path) -> bool {
    if !path.starts_with(root) {
        return false;
    }
    // The working directory has no links in it, and is where most such paths are.
    if path.parent() == Some(directory) {
        return true;
    }
    let real = path.ancestors().skip(1).find_map(|parent| fs::canonicalize(parent).ok());
    real.is_some_and(|real| fs::canonicalize(root).is_ok_and(|root| real.starts_with(root)))
}

/// Looks at what is there before a run.
pub fn watch(derivation: &Derivation, places: &[PathBuf]) -> Result<Vec<Watched>, Doubt> {
    let watched = |(write, path): (&Write, &PathBuf)| Watched::before(write.clone(), path.clone());
    derivation.writes.iter().zip(places).map(watched).collect()
}

impl Watched {
    /// Looks at what is at the path of a write before a run.
    pub(super) fn before(write: Write, path: PathBuf) -> Result<Self, Doubt> {
        let (before, link) = (state(&path)?, link(&path));
        Ok(Self { write, path, before, link })
    }
}

/// What a watched write is after the run, if that run surely wrote it. An optional write may be absent.
pub fn prove(watched: &Watched) -> Result<State, Unproved> {
    let (path, kind) = (&watched.path, watched.write.kind);
    let now = match link(path) {
        Some(target) if watched.link.as_ref() != Some(&target) => State::Link(target),
        Some(_) if !matches!(watched.before, State::Directory(_)) => {
            return Err(Unproved::Untouched(path.clone()));
        }
        _ => state(path)?,
    };
    match (&now, &watched.before) {
        (State::Absent, _) if watched.write.optional => {}
        (State::Absent, _) => return Err(Unproved::Missing(path.clone())),
        (State::File(_) | State::Link(_), _) if kind == WriteKind::Directory => {
            return Err(Unproved::Kind(path.clone()));
        }
        (State::Directory(_), _) if kind == WriteKind::File => return Err(Unproved::Kind(path.clone())),
        (State::File(now), State::File(before)) if now == before => {
            return Err(Unproved::Untouched(path.clone()));
        }
        (State::Directory(now), State::Directory(before)) => {
            let kept =
                now.iter().find(|(name, node)| **node != Node::Directory && before.get(*name) == Some(node));
            if let Some((name, _)) = kept {
                return Err(Unproved::Untouched(path.join(name)));
            }
        }
        _ => {}
    }
    Ok(now)
}

/// The target of the symbolic link at a path.
fn link(path: &Path) -> Option<PathBuf> {
    fs::read_link(path).ok()
}

/// What is at a path, links followed.
pub fn state(path: &Path) -> Result<State, Doubt> {
    Ok(match absent_is_none(fs::metadata(path)).map_err(unseen(path))? {
        None => State::Absent,
        Some(metadata) if metadata.is_file() => State::File(Identity::of(&metadata)),
        Some(metadata) if metadata.is_dir() => {
            State::Directory(walk(path)?.unwrap_or_default().into_iter().collect())
        }
        Some(_) => return Err(Doubt::Special(path.to_owned())),
    })
}

/// A path without `.`, `..` and a trailing slash, as text.
#[must_use]
pub fn normal(path: &Path) -> PathBuf {
    let mut normal = PathBuf::new();
    for component in path.components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir => {
                normal.pop();
            }
            other => normal.push(other),
        }
    }
    normal
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::operation::Input;

    fn derivation(paths: &[&str], kind: WriteKind) -> Derivation {
        let write =
            |path: &&str| Write { label: (*path).into(), path: (*path).into(), kind, optional: false };
        Derivation {
            label: String::new(),
            ingredients: Vec::new(),
            writes: paths.iter().map(write).collect(),
            input: Input::Unused,
            arguments: None,
            report: None,
        }
    }

    /// A link in the repository that leads out of it would let a repository's plugin write anywhere.
    #[test]
    fn a_link_leads_no_write_out_of_the_repository() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().canonicalize().unwrap();
        fs::create_dir_all(top.join("repo/sub")).unwrap();
        std::os::unix::fs::symlink("/etc", top.join("repo/out")).unwrap();
        let environment = Environment { directory: top.join("repo"), ..Environment::default() };
        let root = top.join("repo").to_str().unwrap().to_owned();
        let operation = Operation { argv: vec!["gen".into()], root, ..Operation::default() };
        let allowed =
            |path: &str| places(&environment, &operation, &derivation(&[path], WriteKind::File)).is_ok();
        assert!(allowed("a") && allowed("sub/a") && allowed("new/deep/a"));
        assert!(!allowed("out/passwd") && !allowed("sub/../out/passwd"));
    }

    #[test]
    fn writes_are_bounded() {
        let environment = Environment { directory: "/repo/sub".into(), ..Environment::default() };
        let operation = Operation {
            argv: ["cc", "-o/out/a.o", "--dep=/deps/a.d", "/objs/x.o"].map(str::to_owned).to_vec(),
            root: "/repo".into(),
            directory: "sub".into(),
            writes: vec!["/declared/dir/".into()],
            ..Operation::default()
        };
        let allowed =
            |path: &str| places(&environment, &operation, &derivation(&[path], WriteKind::File)).is_ok();
        for good in ["a.o", "/out/a.o", "/deps/a.d", "/objs/x.o", "/objs/x.dwo", "/declared/dir"] {
            assert!(allowed(good), "{good}");
        }
        for bad in ["../../etc/passwd", "/out/b.o", "/objs/y.o", "/repository/x", "/declared/other"] {
            assert!(!allowed(bad), "{bad}");
        }
    }

    #[test]
    fn what_the_command_left_alone_is_not_proved() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("gen");
        fs::create_dir(&top).unwrap();
        fs::write(top.join("old"), "x").unwrap();
        let derivation = derivation(&["gen"], WriteKind::Either);
        let watched = watch(&derivation, std::slice::from_ref(&top)).unwrap().remove(0);
        fs::write(top.join("new"), "y").unwrap();
        assert!(matches!(prove(&watched), Err(Unproved::Untouched(path)) if path.ends_with("gen/old")));
        fs::remove_file(top.join("old")).unwrap();
        fs::write(top.join("old"), "x").unwrap();
        assert!(matches!(prove(&watched), Ok(State::Directory(nodes)) if nodes.len() == 2));
    }

    #[test]
    fn a_link_is_proved_as_a_link_and_what_lies_behind_an_old_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("out");
        let derivation = derivation(&["out"], WriteKind::Either);
        let watched = || watch(&derivation, std::slice::from_ref(&path)).unwrap().remove(0);
        let fresh = watched();
        fs::write(directory.path().join("real"), "x").unwrap();
        std::os::unix::fs::symlink("real", &path).unwrap();
        assert!(matches!(prove(&fresh), Ok(State::Link(target)) if target == Path::new("real")));
        let through = watched();
        fs::write(&path, "longer").unwrap();
        assert!(matches!(prove(&through), Err(Unproved::Untouched(_))));
        fs::remove_file(&path).unwrap();
        fs::write(&path, "a file in its place").unwrap();
        assert!(matches!(prove(&through), Ok(State::File(_))));
    }

    #[test]
    fn a_missing_or_untouched_file_is_not_proved_and_a_wrong_kind_neither() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("a.o");
        let derivation = derivation(&["a.o"], WriteKind::File);
        let watched = || watch(&derivation, std::slice::from_ref(&path)).unwrap().remove(0);
        assert!(matches!(prove(&watched()), Err(Unproved::Missing(_))));
        let fresh = watched();
        fs::write(&path, "1").unwrap();
        assert!(matches!(prove(&fresh), Ok(State::File(_))));
        assert!(matches!(prove(&watched()), Err(Unproved::Untouched(_))));
        let stale = watched();
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        assert!(matches!(prove(&stale), Err(Unproved::Kind(_))));
    }
}
