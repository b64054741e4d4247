//! Programs as values: not the one file that `PATH` finds, but what runs when it is started.
//!
//! That is the file itself, links followed; for a script, the interpreters of its `#!` line, through `env` too; for an
//! ELF program, its dynamic loader and the closure of its needed shared libraries ([`library`]). `clang`
//! is a thin program over `libLLVM`, and a library's upgrade leaves the program's own bytes as they were.
//!
//! The shims of version managers have one content for all the programs that they may run. They have no value, and neither has
//! this very program under another name, which stands in for whatever has that name next.

use super::environment::Environment;
use super::hints::Look;
use super::library::{self, LoaderCache};
use super::remember::{check, checked};
use super::resolve::{Doubt, Resolver, unseen};
use super::value::Value;
use crate::bytes::{Layout as _, Malformed, Reader, Writer};
use crate::digest::{Digest, Framer};
use crate::identity::Identity;
use crate::store::{PartitionId, Store};
use std::cell::{OnceCell, RefCell};
use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read as _;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A program that needs more files than this is not followed.
const MOST_FILES: usize = 512;

/// What programs resolved to, within one operation and, where there is a cache, across all of them: following a compiler
/// through its libraries costs more than a whole hit.
#[derive(Default, Debug)]
pub struct Programs {
    known: RefCell<BTreeMap<String, Found>>,
    kept: Option<(Store, PartitionId)>,
    libraries: OnceCell<Rc<LoaderCache>>,
    searched: OnceCell<Digest>,
}

/// The value of a program, and all that was looked at to find it; nothing where not all of it can be written down.
#[derive(Clone, Debug)]
pub struct Found {
    /// What it resolved to.
    pub value: Value,
    /// What was looked at.
    pub looks: Vec<Look>,
}

impl Programs {
    /// Programs that are remembered in a partition.
    #[must_use]
    pub fn kept_in(store: Store, partition: PartitionId) -> Self {
        Self { kept: Some((store, partition)), ..Self::default() }
    }

    /// All that decides where programs and their libraries are searched.
    #[must_use]
    pub fn searched(&self, environment: &Environment) -> Digest {
        *self.searched.get_or_init(|| {
            let mut framer = Framer::new("reviver.program.searched");
            framer.bytes(environment.directory.as_os_str().as_bytes());
            for variable in ["PATH", "LD_LIBRARY_PATH", "LD_PRELOAD"] {
                framer.bytes(environment.variable(variable).unwrap_or_default().as_bytes());
            }
            framer.finish()
        })
    }

    /// Where a program is remembered.
    fn place(&self, resolver: &Resolver, name: &str) -> Option<PathBuf> {
        let (store, partition) = self.kept.as_ref()?;
        let mut framer = Framer::new("reviver.program.kept");
        framer.text(name).digest(self.searched(&resolver.environment));
        Some(store.layout().derivation(*partition, framer.finish()))
    }
}

/// The value of a program, and all that was looked at to find it.
pub fn resolve(resolver: &Resolver, name: &str) -> Result<Found, Doubt> {
    let programs = &resolver.programs;
    if let Some(found) = programs.known.borrow().get(name) {
        return Ok(found.clone());
    }
    let place = programs.place(resolver, name);
    let kept =
        place.as_deref().and_then(|place| fs::read(place).ok()).and_then(|bytes| Found::read(&bytes).ok());
    let same = |look: &Look| resolver.files.identity(Path::new(&look.path)).ok() == Some(look.identity);
    let kept = kept.filter(|found| !found.looks.is_empty() && found.looks.iter().all(same));
    let found = match kept {
        Some(found) => found,
        None => follow(resolver, name, place.as_deref())?,
    };
    programs.known.borrow_mut().insert(name.to_owned(), found.clone());
    Ok(found)
}

fn follow(resolver: &Resolver, name: &str, place: Option<&Path>) -> Result<Found, Doubt> {
    let now = resolver.files.now();
    let search = Search { resolver, looks: RefCell::default() };
    let value = match search.find(name)? {
        None => Value::Absent,
        Some(program) => search.closure(&program)?,
    };
    let looks: Vec<Look> = search.looks.take().into_values().collect::<Option<_>>().unwrap_or_default();
    let found = Found { value, looks };
    let settled = found.looks.iter().all(|look| look.identity.is_none_or(|identity| identity.settled(now)));
    if let (Some(place), Some((store, _)), true) = (place, &resolver.programs.kept, settled) {
        // What cannot be kept is found again.
        store.publish(place, &found.written()).ok();
    }
    Ok(found)
}

const MAGIC: &[u8; 8] = b"RVPROGR1";

impl Found {
    fn written(&self) -> Vec<u8> {
        let mut out = Writer::default();
        self.value.put(&mut out);
        out.list(&self.looks);
        checked(MAGIC, &out.into_bytes())
    }

    fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut from = Reader::new(check(MAGIC, bytes)?);
        let found = Self { value: Value::take(&mut from)?, looks: from.list()? };
        from.end()?;
        Ok(found)
    }
}

/// Where `PATH` finds a program; `None` where it does not.
pub fn find(resolver: &Resolver, name: &str) -> Result<Option<PathBuf>, Doubt> {
    Search { resolver, looks: RefCell::default() }.find(name)
}

/// The path by which a program that was found is started: a script is told it, and says it.
pub(super) fn started_as(environment: &Environment, program: &Path, name: &str) -> PathBuf {
    if name.contains('/') {
        return PathBuf::from(name);
    }
    let listed = environment.variable("PATH").into_iter().flat_map(std::env::split_paths);
    let mut listed = listed.map(|directory| directory.join(name));
    listed.find(|path| *environment.absolute(path) == *program).unwrap_or_else(|| program.to_owned())
}

/// One search for a program, noting what it looked at. A path that is no text has no look, and then there are no hints.
pub(super) struct Search<'a> {
    pub(super) resolver: &'a Resolver,
    looks: RefCell<BTreeMap<PathBuf, Option<Look>>>,
}

impl Search<'_> {
    /// What is at a path, noted.
    pub(super) fn look(&self, path: &Path) -> Result<Option<Identity>, Doubt> {
        let identity = self.resolver.files.identity(path).map_err(unseen(path))?;
        let look = path.to_str().map(|text| Look { path: text.to_owned(), identity });
        self.looks.borrow_mut().insert(path.to_owned(), look);
        Ok(identity)
    }

    fn find(&self, name: &str) -> Result<Option<PathBuf>, Doubt> {
        if name.contains('/') {
            let path = self.resolver.environment.absolute(name);
            return Ok(self.look(&path)?.is_some().then(|| path.into_owned()));
        }
        for directory in self.resolver.environment.path() {
            let path = directory.join(name);
            // A directory of PATH that nobody may enter is passed over, as a shell does.
            let Ok(Some(identity)) = self.look(&path) else { continue };
            if identity.is_file() && identity.is_executable() {
                return Ok(Some(path));
            }
        }
        Ok(None)
    }

    /// What the dynamic loader's cache holds, read once in an operation.
    pub(super) fn loader_cache(&self) -> Result<Rc<LoaderCache>, Doubt> {
        // Looking is noted for each program, reading is not repeated.
        let there = self.look(Path::new(library::LOADER_CACHE))?.is_some();
        let libraries = &self.resolver.programs.libraries;
        if let Some(known) = libraries.get() {
            return Ok(Rc::clone(known));
        }
        let read = Rc::new(if there { library::loader_cache()? } else { LoaderCache::default() });
        Ok(Rc::clone(libraries.get_or_init(|| read)))
    }

    fn closure(&self, program: &Path) -> Result<Value, Doubt> {
        let mut framer = Framer::new("reviver.program");
        let mut pending = vec![program.to_owned()];
        let mut done = Vec::new();
        while let Some(path) = pending.pop() {
            if done.contains(&path) {
                continue;
            }
            if done.len() > MOST_FILES {
                return Err(Doubt::Special(program.to_owned()));
            }
            refuse_shim(&path)?;
            let Some(identity) = self.look(&path)? else {
                framer.number(0);
                done.push(path);
                continue;
            };
            if !identity.is_file() {
                return Err(Doubt::Special(path));
            }
            let content = self.resolver.files.content(&path, &identity).map_err(unseen(&path))?;
            if done.is_empty() && self.is_ourselves(&path, &identity, content) {
                return Err(Doubt::Ourselves(path));
            }
            framer.number(1).digest(content);
            let mut needs = self.needs(&path)?;
            // The last one pushed is looked at first: keep the order of the file itself.
            needs.reverse();
            pending.append(&mut needs);
            done.push(path);
        }
        Ok(Value::Other(framer.finish()))
    }

    /// Whether a program is the one of this process under another name: by a link, or as a copy.
    fn is_ourselves(&self, path: &Path, identity: &Identity, content: Digest) -> bool {
        let Ok(own) = fs::read_link("/proc/self/exe") else { return false };
        let Ok(Some(ours)) = self.resolver.files.identity(&own) else { return false };
        let same = || self.resolver.files.content(&own, &ours).is_ok_and(|ours| ours == content);
        own.file_name() != path.file_name() && ours.size == identity.size && same()
    }

    /// What a file needs to run.
    fn needs(&self, path: &Path) -> Result<Vec<PathBuf>, Doubt> {
        let mut front = Vec::new();
        let mut file = File::open(path).map_err(unseen(path))?;
        file.by_ref().take(512).read_to_end(&mut front).map_err(unseen(path))?;
        if let Some(line) = front.strip_prefix(b"#!") {
            return self.interpreters(line);
        }
        if front.starts_with(b"\x7fELF") {
            return library::needed(self, path, file);
        }
        Ok(Vec::new())
    }

    fn interpreters(&self, line: &[u8]) -> Result<Vec<PathBuf>, Doubt> {
        let line = line.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let line = String::from_utf8_lossy(line);
        let mut words = line.split_ascii_whitespace();
        let Some(interpreter) = words.next() else { return Ok(Vec::new()) };
        let mut needs = vec![self.resolver.environment.absolute(interpreter).into_owned()];
        if Path::new(interpreter).file_name().is_some_and(|name| name == "env") {
            let word = words.find(|word| !word.starts_with('-') && !word.contains('='));
            if let Some(found) = word.map(|word| self.find(word)).transpose()?.flatten() {
                needs.push(found);
            }
        }
        Ok(needs)
    }
}

/// Refuses programs whose content does not tell what they run: the shims of pyenv, rbenv, nodenv, asdf and mise lie in a
/// directory called `shims`, those of rustup are links to `rustup` itself.
fn refuse_shim(path: &Path) -> Result<(), Doubt> {
    let in_shims = path.parent().and_then(Path::file_name).is_some_and(|name| name == "shims");
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let manager =
        target.file_name().is_some_and(|name| name == "rustup" || name == "mise" || name == "volta-shim");
    if in_shims || manager || is_rustup_proxy(path) { Err(Doubt::Shim(path.to_owned())) } else { Ok(()) }
}

/// rustup's proxies are hard links: they share their inode with the `rustup` beside them.
fn is_rustup_proxy(path: &Path) -> bool {
    let inode =
        |path: &Path| fs::metadata(path).ok().map(|metadata| crate::identity::Identity::of(&metadata));
    let beside = path.with_file_name("rustup");
    beside != path && inode(&beside).is_some_and(|rustup| inode(path).is_some_and(|own| own == rustup))
}

#[cfg(test)]
mod tests {
    use super::super::files::Files;
    use super::super::table::Table;
    use super::*;
    use crate::time::Timestamp;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    struct Place {
        directory: tempfile::TempDir,
        environment: Environment,
    }

    impl Place {
        fn new() -> Self {
            let directory = tempfile::tempdir().unwrap();
            let mut environment =
                Environment { directory: directory.path().to_owned(), ..Environment::default() };
            for name in ["one", "two"] {
                fs::create_dir(directory.path().join(name)).unwrap();
            }
            environment.variables.insert("PATH".into(), "one:two:/usr/bin:/bin".into());
            Self { directory, environment }
        }

        fn script(&self, path: &str, text: &str) {
            let path = self.directory.path().join(path);
            fs::write(&path, text).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
        }

        fn resolve(&self, name: &str) -> Result<Found, Doubt> {
            let table = Rc::new(Table::new(PathBuf::from("/nowhere")));
            let files = Rc::new(Files::new(table, Rc::new(|| Timestamp(0))));
            let (environment, programs) = (Rc::new(self.environment.clone()), Rc::default());
            resolve(&Resolver { environment, files, programs }, name)
        }

        fn value(&self, name: &str) -> Value {
            self.resolve(name).unwrap().value
        }
    }

    #[test]
    fn a_program_that_appears_earlier_in_path_changes_the_value() {
        let place = Place::new();
        assert_eq!(place.value("tool"), Value::Absent);
        place.script("two/tool", "#!/bin/sh\necho 2\n");
        let second = place.value("tool");
        place.script("one/tool", "#!/bin/sh\necho 1\n");
        assert_ne!(place.value("tool"), second);
        fs::set_permissions(place.directory.path().join("one/tool"), fs::Permissions::from_mode(0o644))
            .unwrap();
        assert_eq!(place.value("tool"), second, "what nobody may execute is passed over");
    }

    #[test]
    fn an_interpreter_is_part_of_a_script_through_env_too() {
        let place = Place::new();
        place.script("one/inner", "#!/bin/sh\n");
        place.script("two/script", "#!/usr/bin/env inner\n");
        let before = place.value("script");
        place.script("one/inner", "#!/bin/sh\n# changed\n");
        assert_ne!(place.value("script"), before);
    }

    #[test]
    fn the_libraries_of_an_elf_program_are_looked_at() {
        let looks = Place::new().resolve("/bin/ls").unwrap().looks;
        let has = |part: &str| looks.iter().any(|look| look.identity.is_some() && look.path.contains(part));
        assert!(has("libc.so") && has("ld-linux"), "{looks:?}");
    }

    #[test]
    fn shims_have_no_value() {
        let place = Place::new();
        fs::create_dir(place.directory.path().join("shims")).unwrap();
        place.script("shims/python", "#!/bin/sh\nexec pyenv exec python\n");
        assert!(matches!(place.resolve("shims/python"), Err(Doubt::Shim(_))));
        place.script("two/rustup", "x");
        symlink("rustup", place.directory.path().join("two/cargo")).unwrap();
        assert!(matches!(place.resolve("cargo"), Err(Doubt::Shim(_))));
    }
}
