//! Preparing what is to be revived: everything is verified and written beside its destination before anything is renamed.
//!
//! | outcome of each step | the file system afterwards |
//! |---|---|
//! | done | a file `.<name>.reviver` beside the destination, and the directories above it |
//! | error | as before |
//!
//! Where that name is taken the file has a unique one, which is [noted](super::note) first.
//!
//! Dropping a staging takes all of that back; [`Staging::commit`] puts it in place. A destination that is a symbolic link is
//! replaced, not followed. Where two steps name one destination, the later wins.

use super::commit::{Action, Step};
use super::entry::Entry;
use super::format::ItemKind;
use super::hash::{PassError, pass};
use super::layout::object_mode;
use super::note::Notes;
use super::object::touch;
use super::share::shared;
use super::stage_error::{Damage, StageError};
use super::{LinkMode, Store};
use crate::digest::Digest;
use crate::identity::Identity;
use rustix::fs::ioctl_ficlone;
use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

/// A staged file of this age, in nanoseconds, was left by a killed process.
const LEFT_BEHIND: i64 = 60_000_000_000;
/// How often a directory is tried to be made: a staging that is dropped may take away those above it again. Not for ever, since
/// there are directories in which nothing can be made and which say that they are absent, such as `/proc` and removed ones.
const ATTEMPTS: u32 = 8;
/// The longest name that file systems take.
const LONGEST_NAME: usize = 255;

/// What is prepared but not in place yet.
#[derive(Debug)]
pub struct Staging<'s> {
    pub(super) store: &'s Store,
    pub(super) steps: Vec<Step>,
    /// Directories that were made, those above before those below.
    pub(super) made: Vec<PathBuf>,
    /// Destinations of links to come, with unique names that are noted already.
    foreseen: VecDeque<(PathBuf, PathBuf)>,
    /// Of names that nobody would look for. Dropped last.
    pub(super) notes: Notes,
}

impl<'s> Staging<'s> {
    /// An empty staging.
    #[must_use]
    pub fn new(store: &'s Store) -> Self {
        Self {
            store,
            steps: Vec::new(),
            made: Vec::new(),
            foreseen: VecDeque::new(),
            notes: Notes::default(),
        }
    }

    /// Prepares a content of an entry as a file with these permissions, of which `0o777` count. Missing directories above it
    /// are made as the umask has it.
    ///
    /// Errors: [`StageError::Damaged`] if the content is not what was added; the entry is in quarantine then.
    pub fn file(
        &mut self,
        entry: &Entry,
        item: usize,
        destination: &Path,
        mode: u32,
    ) -> Result<(), StageError> {
        if entry.items().get(item).is_none_or(|item| item.kind != ItemKind::File) {
            return Err(StageError::Damaged { key: entry.key(), item: Some(item), damage: Damage::Kind });
        }
        match entry.here(item)? {
            Some(bytes) => self.bytes(destination, bytes, mode),
            None => self.object(entry, item, destination, mode & 0o777),
        }
    }

    /// Prepares contents of an entry as [`file`](Self::file) does each: which, where, and with which permissions. All cores
    /// take part where there are enough of them. After an error nothing of them is left.
    pub fn files(&mut self, entry: &Entry, files: &[(usize, &Path, u32)]) -> Result<(), StageError> {
        let store = self.store;
        let done = shared(files, |files| {
            let mut staging = Staging::new(store);
            staging.foresee(entry, files);
            let staged = files.iter().try_for_each(|&(item, to, mode)| staging.file(entry, item, to, mode));
            (staging, staged)
        });
        let mut all = Staging::new(store);
        let mut result = Ok(());
        for (mut staging, staged) in done {
            all.steps.append(&mut staging.steps);
            all.made.append(&mut staging.made);
            all.notes.append(&mut staging.notes);
            result = result.and(staged);
        }
        // Each may have made what is above or below what another made.
        all.made.sort_unstable();
        result?;
        self.steps.append(&mut all.steps);
        self.made.append(&mut all.made);
        self.notes.append(&mut all.notes);
        Ok(())
    }

    /// Notes the names of all links to come at once: one by one would cost as much again as linking does.
    fn foresee(&mut self, entry: &Entry, files: &[(usize, &Path, u32)]) {
        if self.store.options().link != LinkMode::Hardlink {
            return;
        }
        for (index, destination, mode) in files {
            let item = entry.items().get(*index);
            if let Some(name) = destination.file_name()
                && item.is_some_and(|item| item.is_object() && mode & 0o555 == object_mode(item.mode))
            {
                self.foreseen.push_back((destination.to_path_buf(), unique_beside(destination, name)));
            }
        }
        self.notes.note_all(self.store, self.foreseen.iter().map(|(_, unique)| unique.as_path()));
    }

    /// Prepares a file of these bytes.
    pub fn bytes(&mut self, destination: &Path, bytes: &[u8], mode: u32) -> Result<(), StageError> {
        self.filled(destination, mode & 0o777, |file, staged| {
            (&*file).write_all(bytes).map_err(StageError::destination("write", staged))
        })
    }

    /// Prepares a symbolic link.
    pub fn link(&mut self, destination: &Path, target: &[u8]) -> Result<(), StageError> {
        let ((), staged) =
            self.fresh(destination, |path| std::os::unix::fs::symlink(OsStr::from_bytes(target), path))?;
        self.push(destination, Action::Put { staged });
        Ok(())
    }

    /// Makes a directory at once, with those above it; one that is there already is fine.
    ///
    /// Errors: something else is there.
    pub fn directory(&mut self, destination: &Path) -> Result<(), StageError> {
        self.make_directories(destination)?;
        self.push(destination, Action::Directory);
        Ok(())
    }

    /// Lets a file or a link go on commit, or a directory if it is empty in the end; one that is absent by then is fine.
    pub fn remove(&mut self, destination: &Path) {
        self.push(destination, Action::Remove);
    }

    /// Gives a file that is right already the present time on commit.
    pub fn touch(&mut self, destination: &Path) {
        self.push(destination, Action::Touch);
    }

    fn push(&mut self, destination: &Path, action: Action) {
        self.steps.push(Step { destination: destination.to_owned(), action });
    }

    /// Stages a file and has it filled; one that could not be filled is removed.
    fn filled(
        &mut self,
        destination: &Path,
        mode: u32,
        fill: impl FnOnce(&File, &Path) -> Result<(), StageError>,
    ) -> Result<(), StageError> {
        let open =
            |path: &Path| OpenOptions::new().read(true).write(true).create_new(true).mode(mode).open(path);
        let (opened, staged) = self.fresh(destination, open)?;
        let result = set_mode(&opened, mode)
            .map_err(StageError::destination("set the mode of", &staged))
            .and_then(|()| fill(&opened, &staged));
        match result {
            Ok(()) => self.push(destination, Action::Put { staged }),
            Err(_) => drop(fs::remove_file(&staged)),
        }
        result
    }

    fn object(
        &mut self,
        entry: &Entry,
        index: usize,
        destination: &Path,
        mode: u32,
    ) -> Result<(), StageError> {
        let options = self.store.options();
        let item = &entry.items()[index];
        if options.link == LinkMode::Hardlink
            && mode & 0o555 == object_mode(item.mode)
            && let Some(staged) = self.linked(&entry.object(index), object_mode(item.mode), destination)?
        {
            let judge = || {
                let linked = File::open(&staged).map_err(StageError::destination("open", &staged))?;
                entry.judge(index, &entry.object(index), pass(&linked, item.size, None))
            };
            let judged = if options.verify { judge() } else { Ok(()) };
            match judged {
                Ok(()) => self.push(destination, Action::Put { staged }),
                Err(_) => drop(fs::remove_file(&staged)),
            }
            return judged;
        }
        let (source, path) = entry.open(index)?;
        self.filled(destination, mode, |file, staged| {
            let cloned = options.link != LinkMode::Copy && ioctl_ficlone(file, &source).is_ok();
            match (cloned, options.verify) {
                // The clone is ours alone; what is hashed is what will be there.
                (true, true) => entry.judge(index, &path, pass(file, item.size, None)),
                (true, false) => Ok(()),
                (false, true) => match pass(&source, item.size, Some(file)) {
                    Err(PassError::Write(source)) => Err(StageError::destination("write", staged)(source)),
                    read => entry.judge(index, &path, read),
                },
                (false, false) => copy(&source, file).map_err(StageError::destination("write", staged)),
            }
        })
    }

    /// Stages a link to an object; `None` where the file system has none, or has no more for it, where there is no object, or
    /// where somebody changed its permissions through another link.
    fn linked(
        &mut self,
        object: &Path,
        mode: u32,
        destination: &Path,
    ) -> Result<Option<PathBuf>, StageError> {
        match self.unique(destination, |path| fs::hard_link(object, path)) {
            Ok(staged) => {
                // Who does not want contents verified does not want to wait for this either.
                let is_right = || fs::symlink_metadata(&staged).map(|there| there.mode() & 0o7777 == mode);
                let right = if self.store.options().verify { is_right() } else { Ok(true) };
                match right.and_then(|right| if right { touch(&staged).map(|()| true) } else { Ok(false) }) {
                    Ok(true) => Ok(Some(staged)),
                    useless => {
                        drop(fs::remove_file(&staged));
                        useless.map(|_| None).map_err(StageError::destination("touch", &staged))
                    }
                }
            }
            Err(StageError::Destination { source, .. })
                if matches!(
                    source.kind(),
                    ErrorKind::NotFound
                        | ErrorKind::CrossesDevices
                        | ErrorKind::TooManyLinks
                        | ErrorKind::PermissionDenied
                        | ErrorKind::Unsupported
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// Makes a new link under a unique name, which is noted. How old what was left under the usual name is cannot be told of
    /// links: all of them change together.
    fn unique(
        &mut self,
        destination: &Path,
        link: impl Fn(&Path) -> io::Result<()>,
    ) -> Result<PathBuf, StageError> {
        let Some(name) = destination.file_name() else {
            return Err(StageError::IsADirectory { path: destination.to_owned() });
        };
        let unique = if let Some((_, unique)) = self.foreseen.pop_front_if(|(to, _)| to == destination) {
            unique
        } else {
            let unique = unique_beside(destination, name);
            self.notes.note(self.store, &unique);
            unique
        };
        let mut result = link(&unique);
        if let (Err(error), Some(parent)) = (&result, destination.parent())
            && error.kind() == ErrorKind::NotFound
        {
            self.make_directories(parent)?;
            result = link(&unique);
        }
        result.map(|()| unique).map_err(StageError::destination("create", destination))
    }

    /// Makes something new under the staged name of a destination, or under another one where that is taken.
    fn fresh<T>(
        &mut self,
        destination: &Path,
        mut create: impl FnMut(&Path) -> io::Result<T>,
    ) -> Result<(T, PathBuf), StageError> {
        let Some(name) = destination.file_name() else {
            return Err(StageError::IsADirectory { path: destination.to_owned() });
        };
        let usual = destination.with_file_name(staged_name(name, ""));
        let mut result = create(&usual);
        if let (Err(error), Some(parent)) = (&result, destination.parent())
            && error.kind() == ErrorKind::NotFound
        {
            self.make_directories(parent)?;
            result = create(&usual);
        }
        match result {
            Ok(made) => Ok((made, usual)),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                let unique = unique_beside(destination, name);
                self.notes.note(self.store, &unique);
                let made = create(&unique).map_err(StageError::destination("create", &unique))?;
                remove_leftover(&usual, &unique);
                Ok((made, unique))
            }
            Err(error) => Err(StageError::destination("create", destination)(error)),
        }
    }

    /// Makes a directory and those above it that are missing.
    fn make_directories(&mut self, path: &Path) -> Result<(), StageError> {
        let mut attempt = 1;
        loop {
            let error = match DirBuilder::new().mode(0o777).create(path) {
                Ok(()) => {
                    self.made.push(path.to_owned());
                    return Ok(());
                }
                Err(error) => error,
            };
            let above = path.parent().filter(|above| !above.as_os_str().is_empty());
            match (error.kind(), above) {
                (ErrorKind::NotFound, Some(above)) if attempt < ATTEMPTS => {
                    self.make_directories(above)?;
                    attempt += 1;
                }
                (ErrorKind::AlreadyExists, _) if path.is_dir() => return Ok(()),
                (ErrorKind::AlreadyExists, _) => {
                    return Err(StageError::NotADirectory { path: path.to_owned() });
                }
                _ => return Err(StageError::destination("create the directory", path)(error)),
            }
        }
    }
}

impl Drop for Staging<'_> {
    fn drop(&mut self) {
        for step in &self.steps {
            if let Action::Put { staged } = &step.action {
                drop(fs::remove_file(staged));
            }
        }
        for directory in self.made.iter().rev() {
            // One that somebody has put something into by now stays.
            drop(fs::remove_dir(directory));
        }
    }
}

/// The umask may have taken permissions away.
fn set_mode(file: &File, mode: u32) -> io::Result<()> {
    if file.metadata()?.permissions().mode() & 0o7777 == mode {
        return Ok(());
    }
    file.set_permissions(Permissions::from_mode(mode))
}

/// Copies without looking, and within the kernel; where there are holes, with them.
fn copy(mut source: &File, mut to: &File) -> io::Result<()> {
    let there = source.metadata()?;
    if there.blocks() * 512 < there.len() {
        return match pass(source, there.len(), Some(to)) {
            Ok(_) => Ok(()),
            Err(PassError::Read(error) | PassError::Write(error)) => Err(error),
        };
    }
    io::copy(&mut source, &mut to).map(drop)
}

/// A name beside `destination` that nobody else uses.
pub(super) fn unique_beside(destination: &Path, name: &OsStr) -> PathBuf {
    let unique = format!(".{}-{}", std::process::id(), super::file::serial());
    destination.with_file_name(staged_name(name, &unique))
}

fn staged_name(name: &OsStr, unique: &str) -> OsString {
    const SUFFIX: &str = ".reviver";
    let mut staged = vec![b'.'];
    if 1 + name.len() + unique.len() + SUFFIX.len() <= LONGEST_NAME {
        staged.extend_from_slice(name.as_bytes());
    } else {
        staged.extend_from_slice(Digest::of(name.as_bytes()).to_hex().as_bytes());
    }
    staged.extend_from_slice(unique.as_bytes());
    staged.extend_from_slice(SUFFIX.as_bytes());
    OsString::from_vec(staged)
}

/// Removes what a killed process left under the usual name. How old it is tells the file that was made just now, by the clock
/// of the file system; and the time of the inode's change, since a rename may have put an old file there a moment ago.
fn remove_leftover(usual: &Path, just_made: &Path) {
    let changed = |path: &Path| fs::symlink_metadata(path).map(|metadata| Identity::of(&metadata));
    if let (Ok(old), Ok(new)) = (changed(usual), changed(just_made))
        && !old.is_directory()
        && new.ctime.saturating_sub(old.ctime) > LEFT_BEHIND
    {
        drop(fs::remove_file(usual));
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;
    use crate::store::testing::Cache;

    /// A sweep between opening and linking was told as a destination that could not be made, and a hit became an error.
    #[test]
    fn an_object_that_lost_its_name_is_copied() {
        let cache = Cache::linking(LinkMode::Hardlink);
        let mut staging = Staging::new(&cache.store);
        let linked = staging.linked(&cache.path("swept"), 0o444, &cache.path("deep/out"));
        assert!(matches!(linked, Ok(None)), "{linked:?}");
        drop(staging);
        assert!(!cache.path("deep").exists());
    }
}
