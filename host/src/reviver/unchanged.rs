//! Whether what was looked at before a run is still what it was.

use super::age;
use super::files::{Files, Seen};
use super::prepare::Prepared;
use super::resolve::Resolver;
use super::value::Value;
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
/// where they were not settled: values are to be compared too.
pub(super) fn same_identities(before: &Seen, after: &Files, places: &[PathBuf]) -> Result<(), Changed> {
    for (path, then) in before {
        // Directories change with every name; what matters of them is in the values.
        if places.contains(path) || then.is_some_and(|identity| identity.is_directory()) {
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

/// Whether nothing that was looked at has another identity, directories among it, but for what is put in these places.
pub(super) fn as_seen(seen: &Seen, now: &Files, places: &[PathBuf]) -> bool {
    seen.iter().all(|(path, then)| {
        places.contains(path) || now.identity(path).is_ok_and(|identity| identity == *then)
    })
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
    same_identities(before, &after.files, &prepared.places).map_err(|changed| changed.to_string())?;
    let known = prepared.derivation.ingredients.iter().zip(&prepared.values);
    for (ingredient, then) in known.map(|(ingredient, value)| (ingredient, *value)) {
        let now = after.value(&ingredient.source).map_err(|doubt| doubt.to_string())?;
        if now != then {
            return Err(format!("{} changed while the command ran", ingredient.label));
        }
    }
    Ok(())
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
