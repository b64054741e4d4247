//! Whether what was looked at before a run is still what it was.

use super::age;
use super::files::{Files, Seen};
use super::prepare::Prepared;
use super::resolve::Resolver;
use super::value::Value;
use crate::identity::Identity;
use crate::operation::{Ingredient, Source};
use crate::time::Timestamp;
use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

/// Something that was looked at before a run, and is not the same any more.
#[derive(Debug)]
#[non_exhaustive]
pub enum Changed {
    /// It has another identity, or another value.
    Differs(PathBuf),
    /// It came, or the way to it changed, so shortly before the run that nobody can be sure of it.
    Young(PathBuf),
    /// It cannot be looked at any more.
    Unseen {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl fmt::Display for Changed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Differs(path) => write!(f, "{} changed while the command ran", path.display()),
            Self::Young(path) => write!(f, "{} is too young to be sure of", path.display()),
            Self::Unseen { path, source } => write!(f, "cannot look at {}: {source}", path.display()),
        }
    }
}

impl std::error::Error for Changed {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unseen { source, .. } => Some(source),
            _ => None,
        }
    }
}

/// Compares the identities of all that was looked at, but for what the run writes. Equal identities alone prove nothing
/// where they were not settled: values are to be compared too, and before this, so that `after` knows which directories matter.
pub(super) fn same_identities(before: &Seen, after: &Files, places: &[PathBuf]) -> Result<(), Changed> {
    for (path, then) in before {
        // Directories change with every name; what matters of them is in the values. Only where all that is in one matters, a
        // name may have come and gone again.
        let matters = |identity: &Identity| !identity.is_directory() || after.has_walked(path);
        if places.contains(path) || !then.as_ref().is_none_or(matters) {
            continue;
        }
        let written = places.iter().any(|place| path.starts_with(place) || place.starts_with(path));
        let now = after.identity(path).map_err(unseen(path))?;
        if now != *then && !written {
            return Err(Changed::Differs(path.clone()));
        }
    }
    Ok(())
}

/// All that was looked at for an operation, directories and links among it, to be compared later.
#[derive(Debug)]
pub(super) struct Snapshot {
    pub(super) seen: Seen,
    /// A moment before all looks.
    since: Timestamp,
}

impl Snapshot {
    /// What `files` looked at so far.
    pub(super) fn of(files: &Files) -> Self {
        Self { seen: files.seen_and_noted(), since: files.since() }
    }

    /// Whether all of it is surely as it was, but for what is put in these places: the same identities, which were settled when
    /// they were looked at.
    pub(super) fn holds(&self, now: &Files, places: &[PathBuf]) -> bool {
        let same = |path: &Path, then: Option<Identity>| {
            then.is_none_or(|then| then.settled(self.since))
                && now.identity(path).is_ok_and(|identity| identity == then)
        };
        self.seen.iter().all(|(path, then)| places.contains(path) || same(path, *then))
    }
}

/// Whether all that was known before the run is still so: by identity, and by value, since an identity that was not
/// settled proves nothing. `since` lies before the run.
pub(super) fn unchanged(
    before: &Seen,
    after: &Resolver,
    prepared: &Prepared,
    since: Timestamp,
) -> Result<(), String> {
    age::all_older(after, &prepared.derivation.ingredients, since).map_err(|young| young.to_string())?;
    let sources = prepared.derivation.ingredients.iter().map(|ingredient| after.value(&ingredient.source));
    let values = sources.collect::<Result<Vec<_>, _>>().map_err(|doubt| doubt.to_string())?;
    same_identities(before, &after.files, &prepared.places).map_err(|changed| changed.to_string())?;
    let mut known = prepared.derivation.ingredients.iter().zip(prepared.values.iter().zip(&values));
    match known.find(|(_, (then, now))| then != now) {
        Some((ingredient, _)) => Err(format!("{} changed while the command ran", ingredient.label)),
        None => Ok(()),
    }
}

/// The values of what was discovered, if all of it is surely older than `since`, which lies before the run.
pub(super) fn older(
    before: &Seen,
    after: &Resolver,
    ingredients: &[Ingredient],
    since: Timestamp,
) -> Result<Vec<Value>, String> {
    age::all_older(after, ingredients, since).map_err(|young| young.to_string())?;
    let values = after.values(ingredients, None).map_err(|doubt| doubt.to_string())?;
    for (Ingredient { source, .. }, value) in ingredients.iter().zip(&values) {
        let (Source::File(path), Value::File { .. }) = (source, value) else { continue };
        let path = after.environment.absolute(path);
        let identity = after.files.identity(&path).ok().flatten();
        // What was known before the run was proved by its value already.
        let proved = before.get(&*path).is_some_and(|then| *then == identity);
        if !proved && !identity.is_some_and(|identity| identity.unchanged_since(since)) {
            return Err(format!("{} is too young to be sure of", path.display()));
        }
    }
    Ok(values)
}

fn unseen(path: &Path) -> impl FnOnce(io::Error) -> Changed + '_ {
    move |source| Changed::Unseen { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;
    use std::rc::Rc;
    use std::time::SystemTime;

    /// Before Linux 6.13, and on some file systems after it, a file that is written twice within a tick keeps its identity. Who
    /// edited one, had it looked up, and edited it again at once, got the output of the first edit.
    #[test]
    fn what_was_looked_at_before_it_was_settled_is_not_surely_as_it_was() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("in");
        std::fs::write(&path, "words").unwrap();
        let holds = |clock: fn() -> Timestamp| {
            let files = || Files::new(Rc::new(Table::new(directory.path().join("t"))), Rc::new(clock));
            let before = files();
            before.identity(&path).unwrap();
            before.identity(&directory.path().join("absent")).unwrap();
            Snapshot::of(&before).holds(&files(), &[])
        };
        let now = || Timestamp::of(SystemTime::now());
        assert!(!holds(now), "it is young");
        assert!(holds(|| Timestamp(Timestamp::of(SystemTime::now()).0 + 1_000_000_000)));
    }
}
