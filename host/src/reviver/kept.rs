//! A list as it lies in its file, resolved in one pass and not taken apart: a warm hit looks at hundreds of places here, and
//! keeps none of them.
//!
//! Laws:
//!
//! * What a list resolves to here is what [`Resolved::now`](super::remember::Resolved::now) resolves it to once it is
//!   taken apart.
//! * A directory that names were missed in is looked at once, however many they are. Unchanged, it gained no name. Changed,
//!   its names are read if many were missed in it; what is missed in few is asked for by itself.

use super::files::Names;
use super::hints::{Hint, MANY, step};
use super::list::ROOT;
use super::resolve::{Doubt, Resolver, unseen};
use super::value::Value;
use crate::bytes::{Layout as _, Malformed, Reader};
use crate::digest::Digest;
use crate::identity::Identity;
use crate::operation::{FILE, Source};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;
use std::rc::Rc;

/// The bytes of a list.
#[derive(Clone, Copy, Debug)]
pub struct Kept<'a>(&'a [u8]);

/// What a list resolves to.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Now {
    /// What stands for its labels and kinds in a key.
    pub names: Digest,
    /// The value of each ingredient.
    pub values: Vec<Value>,
    /// How many files are no longer what was seen.
    pub stale: usize,
}

/// Why a list leads nowhere.
#[derive(Debug)]
pub enum Astray {
    /// Something in it cannot be looked at now.
    Doubt(Doubt),
    /// It is no list.
    Malformed(Malformed),
}

/// A directory that names were missed in.
struct Directory {
    path: Vec<u8>,
    identity: Option<Identity>,
    missed: u32,
    /// What was found when it was looked at.
    state: Option<State>,
}

enum State {
    Unchanged,
    /// The names in it, where they were worth reading; `None` where it is gone.
    Read(Option<Rc<Names>>),
    Changed,
}

impl<'a> Kept<'a> {
    /// A list that lies in these bytes, which need not be one.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What it resolves to now, in the repository at `root`.
    pub fn now(&self, resolver: &Resolver, root: &str) -> Result<Now, Astray> {
        let mut from = Reader::new(self.0);
        let names = Digest::take(&mut from)?;
        let base = resolver.environment.directory.as_os_str().as_bytes();
        let mut directories = Vec::new();
        for _ in 0..from.number()? {
            let mut path = Vec::new();
            absolute(&mut path, from.bytes()?, root, base);
            let (identity, missed) = (from.option()?, from.u32()?);
            directories.push(Directory { path, identity, missed, state: None });
        }
        let number = from.number()?;
        let mut now = Now { names, values: Vec::with_capacity(number.min(4096)), stale: 0 };
        let mut path = Vec::with_capacity(256);
        for _ in 0..number {
            // Labels are in `names`.
            from.bytes()?;
            let source = from.clone();
            let value = if from.u8()? == FILE {
                absolute(&mut path, from.bytes()?, root, base);
                file(
                    resolver,
                    Path::new(OsStr::from_bytes(&path)),
                    &mut from,
                    &mut directories,
                    &mut now.stale,
                )?
            } else {
                from = source;
                other(resolver, &mut from)?
            };
            now.values.push(value);
        }
        from.end()?;
        Ok(now)
    }
}

/// The value of a file, whose kept value and hint come next.
fn file(
    resolver: &Resolver,
    path: &Path,
    from: &mut Reader<'_>,
    directories: &mut [Directory],
    stale: &mut usize,
) -> Result<Value, Astray> {
    let value = Value::take(from)?;
    match Hint::take(from)? {
        Hint::Seen(identity) => {
            if resolver.files.identity(path).map_err(unseen(path))? == Some(identity) {
                return Ok(value);
            }
            *stale += 1;
        }
        Hint::Missed(position) => {
            if let Some(directory) = directories.get_mut(position as usize)
                && directory.lacks(resolver, path)?
            {
                return Ok(Value::Absent);
            }
        }
        Hint::None | Hint::Program(..) => {}
    }
    Ok(resolver.file(path)?)
}

/// The value of anything else than a file.
fn other(resolver: &Resolver, from: &mut Reader<'_>) -> Result<Value, Astray> {
    let (source, value, hint) = (Source::take(from)?, Value::take(from)?, Hint::take(from)?);
    Ok(match resolver.hinted_program(&source, &value, &hint)? {
        Some(value) => value,
        None => resolver.value(&source)?,
    })
}

impl Directory {
    /// Whether the path is surely absent, because the name that leads to it is not in this directory.
    fn lacks(&mut self, resolver: &Resolver, path: &Path) -> Result<bool, Astray> {
        if self.state.is_none() {
            self.state = Some(self.look(resolver)?);
        }
        Ok(match &self.state {
            Some(State::Unchanged) => true,
            None | Some(State::Changed) => false,
            Some(State::Read(names)) => step(&self.path, path.as_os_str().as_bytes())
                .is_some_and(|name| names.as_ref().is_none_or(|names| !names.contains(name))),
        })
    }

    fn look(&self, resolver: &Resolver) -> Result<State, Doubt> {
        let path = Path::new(OsStr::from_bytes(&self.path));
        if self.identity.is_some() && resolver.files.identity(path).map_err(unseen(path))? == self.identity {
            return Ok(State::Unchanged);
        }
        if self.missed < MANY {
            return Ok(State::Changed);
        }
        Ok(State::Read(resolver.files.names(path).map_err(unseen(path))?))
    }
}

/// Makes `path` the absolute form of a place that is kept.
fn absolute(path: &mut Vec<u8>, place: &[u8], root: &str, base: &[u8]) {
    path.clear();
    let (before, rest) = match place.strip_prefix(ROOT.as_bytes()) {
        Some(b"") => return path.extend_from_slice(root.as_bytes()),
        Some(rest) => (root.as_bytes(), rest),
        None if place.starts_with(b"/") => return path.extend_from_slice(place),
        None => (base, place),
    };
    path.extend_from_slice(before);
    if !before.ends_with(b"/") || place.starts_with(ROOT.as_bytes()) {
        path.push(b'/');
    }
    path.extend_from_slice(rest);
}

impl From<Doubt> for Astray {
    fn from(doubt: Doubt) -> Self {
        Self::Doubt(doubt)
    }
}

impl From<Malformed> for Astray {
    fn from(malformed: Malformed) -> Self {
        Self::Malformed(malformed)
    }
}

#[cfg(test)]
mod tests {
    use super::super::environment::Environment;
    use super::super::files::Files;
    use super::super::list::Lists;
    use super::super::program::Programs;
    use super::super::remember::Resolved;
    use super::super::table::Table;
    use super::*;
    use crate::operation::Ingredient;
    use crate::time::Timestamp;
    use std::fs;
    use std::path::PathBuf;
    use std::time::SystemTime;

    /// A look at the directory, as from an hour later, so that all there is settled.
    fn resolver(directory: &Path) -> Resolver {
        let later = || Timestamp(Timestamp::of(SystemTime::now()).0 + 3_600_000_000_000);
        let files = Files::new(Rc::new(Table::new(PathBuf::from("/nowhere"))), Rc::new(later));
        let environment = Environment { directory: directory.to_owned(), ..Environment::default() };
        let programs = Rc::new(Programs::default());
        Resolver { environment: Rc::new(environment), files: Rc::new(files), programs }
    }

    fn ingredients(root: &Path) -> Vec<Ingredient> {
        let root = root.to_str().unwrap();
        let mut places: Vec<String> =
            ["a.h", "sub/b.h", "missing/c.h", "./d.h", "x/../e.h", "sub", "link", "f.h", "g.h", "h.h"]
                .map(str::to_owned)
                .to_vec();
        places.extend(places.clone().iter().map(|place| format!("{root}/{place}")));
        places.extend((0..6).map(|number| format!("{root}/sub/none-{number}.h")));
        let file = |place: &String| Ingredient { label: place.clone(), source: Source::File(place.clone()) };
        let mut all: Vec<Ingredient> = places.iter().map(file).collect();
        let others = [Source::Listing("sub".into()), Source::Tree("sub".into()), Source::Text("t".into())];
        all.extend(others.map(|source| Ingredient { label: "other".into(), source }));
        all
    }

    fn now(bytes: &[u8], root: &Path) -> Now {
        let lists = Lists::kept(bytes).unwrap();
        lists[0].now(&resolver(root), root.to_str().unwrap()).unwrap()
    }

    /// Whatever happens to the files, the pass over the bytes says what the list says once it is taken apart.
    #[test]
    fn a_list_resolves_in_its_bytes_to_what_it_resolves_to_taken_apart() {
        let directory = tempfile::tempdir().unwrap();
        let root = fs::canonicalize(directory.path()).unwrap();
        fs::create_dir_all(root.join("sub")).unwrap();
        for name in ["a.h", "sub/b.h", "e.h"] {
            fs::write(root.join(name), name).unwrap();
        }
        std::os::unix::fs::symlink("nowhere", root.join("link")).unwrap();
        let first = resolver(&root);
        let ingredients = ingredients(&root);
        let values = first.values(&ingredients, None).unwrap();
        let list = Resolved::new(&first, ingredients.clone(), &values, &Digest::of(b""), first.files.since());
        let mut lists = Lists::default();
        lists.put(list);
        let bytes = lists.to_bytes(root.to_str().unwrap());

        let same = |what: &str| {
            let taken = Lists::from_bytes(&bytes, root.to_str().unwrap()).unwrap();
            let apart = taken.lists[0].now(&resolver(&root)).unwrap();
            let fresh = resolver(&root).values(&ingredients, None).unwrap();
            let here = now(&bytes, &root);
            assert_eq!((&here.values, here.names), (&apart, taken.lists[0].names), "{what}");
            assert_eq!(here.values, fresh, "{what}");
            here
        };
        assert_eq!((same("nothing").values, now(&bytes, &root).stale), (values, 0));
        fs::write(root.join("a.h"), "b").unwrap();
        assert_eq!(same("an edit").stale, 2, "by both of its places");
        fs::write(root.join("d.h"), "").unwrap();
        same("a name that came");
        fs::create_dir(root.join("missing")).unwrap();
        same("a directory that came");
        fs::write(root.join("missing/c.h"), "c").unwrap();
        same("a name that came in it");
        fs::write(root.join("nowhere"), "target").unwrap();
        same("the target of a link");
        fs::write(root.join("sub/none-3.h"), "3").unwrap();
        same("one of many that were missed");
        fs::remove_dir_all(root.join("sub")).unwrap();
        same("a directory that went");
    }

    #[test]
    fn bytes_that_are_no_list_lead_nowhere() {
        let directory = tempfile::tempdir().unwrap();
        let resolver = resolver(directory.path());
        let file = Ingredient { label: String::new(), source: Source::File("a".into()) };
        let values = resolver.values(std::slice::from_ref(&file), None).unwrap();
        let list = Resolved::new(&resolver, vec![file], &values, &Digest::of(b""), resolver.files.since());
        let bytes = crate::bytes::to_bytes(&list);
        assert!(Kept::new(&bytes).now(&resolver, "/r").is_ok());
        for end in 0..bytes.len() {
            assert!(Kept::new(&bytes[..end]).now(&resolver, "/r").is_err(), "cut off at {end}");
        }
        assert!(Kept::new(&[&bytes[..], b"x"].concat()).now(&resolver, "/r").is_err());
    }
}
