//! Whether the ways to files are older than a run.
//!
//! A file that is old by its own times may still have come during the run: behind a link that was made anew, or in a
//! directory that was moved. A link's own change tells of the one. The other shows by the change of the directory's inode,
//! which is later than that of its names then; a directory that got new names besides cannot be told from one that
//! only got names, as those do that compilers write to.

use super::program;
use super::resolve::Resolver;
use super::unchanged::Changed;
use crate::identity::Identity;
use crate::operation::{Ingredient, Source};
use crate::time::Timestamp;
use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

/// How long and how often a directory whose times differ is looked at again.
const LOOK_AGAIN: Duration = Duration::from_millis(4);
const LOOKS: u32 = 5;

/// Says which link or directory on the way to an ingredient is too young to be sure of.
pub(super) fn all_older(
    resolver: &Resolver,
    ingredients: &[Ingredient],
    started: Timestamp,
) -> Result<(), Changed> {
    let mut known = HashSet::new();
    for Ingredient { source, .. } in ingredients {
        match source {
            Source::File(path) | Source::Tree(path) | Source::Listing(path) => {
                older(resolver, &resolver.environment.absolute(path), started, &mut known)?;
            }
            Source::Program(name) => {
                if let Ok(Some(path)) = program::find(resolver, name) {
                    older(resolver, &path, started, &mut known)?;
                }
            }
            _ => {}
        }
    }
    Ok(())
}

/// Says which link or directory on the way to a file or directory is too young to be sure of. `known` are those that are
/// old enough.
pub(super) fn older(
    resolver: &Resolver,
    path: &Path,
    started: Timestamp,
    known: &mut HashSet<PathBuf>,
) -> Result<(), Changed> {
    let there = resolver.files.identity(path).ok().flatten();
    let whole = path.is_symlink() || there.is_some_and(|there| there.is_directory());
    let way = if whole { path } else { path.parent().unwrap_or(path) };
    way_is_older(way, started, known)
}

/// Looks at each part of a path, and of what it leads to.
fn way_is_older(path: &Path, started: Timestamp, known: &mut HashSet<PathBuf>) -> Result<(), Changed> {
    if known.contains(path) {
        return Ok(());
    }
    let mut links = false;
    for part in path.ancestors() {
        if !known.insert(part.to_owned()) {
            continue;
        }
        let Ok(metadata) = fs::symlink_metadata(part) else { continue };
        let identity = Identity::of(&metadata);
        links |= metadata.is_symlink();
        let old = Identity { mtime: identity.ctime, ..identity }.unchanged_since(started);
        if !old && (metadata.is_symlink() || (metadata.is_dir() && is_moved(part, identity))) {
            return Err(Changed::Young(part.to_owned()));
        }
    }
    match fs::canonicalize(path) {
        Ok(real) if links || real != path => way_is_older(&real, started, known),
        _ => Ok(()),
    }
}

/// Whether a directory's inode changed later than its names. The system neither writes nor reads both times at one moment:
/// in a busy directory, such as one for temporary files, names may come between the two, and who puts one there may have
/// to wait for a processor meanwhile. So a difference must stay for a while.
fn is_moved(directory: &Path, seen: Identity) -> bool {
    let differs = |identity: Identity| identity.ctime != identity.mtime;
    let stays = || {
        thread::sleep(LOOK_AGAIN);
        fs::symlink_metadata(directory).map_or(true, |there| differs(Identity::of(&there)))
    };
    differs(seen) && (0..LOOKS).all(|_| stays())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;
    use std::time::SystemTime;

    #[test]
    fn a_link_made_anew_and_a_moved_directory_are_young_and_new_names_are_not() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        fs::create_dir(at("one")).unwrap();
        fs::write(at("one/x.h"), "").unwrap();
        symlink("one", at("link")).unwrap();
        std::thread::sleep(Duration::from_millis(40));
        let started = Timestamp::of(SystemTime::now());
        let older = |name: &str| way_is_older(&at(name), started, &mut HashSet::new());
        std::thread::sleep(Duration::from_millis(20));
        assert!(older("one/x.h").is_ok());
        fs::write(at("one/x.o"), "").unwrap();
        assert!(older("one/x.h").is_ok());
        fs::rename(at("one"), at("two")).unwrap();
        assert!(older("two/x.h").is_err());
        fs::remove_file(at("link")).unwrap();
        fs::create_dir(at("other")).unwrap();
        symlink("other", at("link")).unwrap();
        assert!(older("link/x.h").is_err());
    }
}
