//! Putting in place what was staged, all of it or nothing.
//!
//! | outcome | the destinations afterwards |
//! |---|---|
//! | done | all new, with the present time |
//! | error | all as before, but for the times of those to be touched |
//! | killed in between | each is old or new, complete; a file `.<name>.reviver` may lie beside it |
//!
//! The last rename cannot be followed by a failure, so it is a plain one, and so is the only one. Those before exchange the
//! staged file with the old one, which can therefore come back. Many steps are shared by all cores; then none is the last.

use super::note::Notes;
use super::object::touch;
use super::share::shared;
use super::stage_error::StageError;
use super::staging::{Staging, unique_beside};
use super::{LinkMode, Store};
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::collections::HashSet;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileTypeExt as _;
use std::path::{Path, PathBuf};

/// What is to happen at a destination.
#[derive(Debug)]
pub(super) struct Step {
    pub(super) destination: PathBuf,
    pub(super) action: Action,
}

#[derive(Debug)]
pub(super) enum Action {
    Put { staged: PathBuf },
    Directory,
    Remove,
    Touch,
}

/// How a step is taken back, or what is left to do once nothing can fail any more.
enum Undo {
    Nothing,
    /// There was nothing before.
    Created(PathBuf),
    /// What was there before has the staged file's name, and keeps it until the end.
    Exchanged {
        destination: PathBuf,
        old: PathBuf,
    },
    /// What was there before has this name.
    Moved {
        destination: PathBuf,
        old: PathBuf,
    },
    /// A directory that goes in the very end, if it is empty by then.
    Empties(PathBuf),
}

impl Staging<'_> {
    /// Puts everything in place; see the [module](self) for the outcomes.
    ///
    /// Errors: a destination is a directory; the system refuses a rename.
    pub fn commit(mut self) -> Result<(), StageError> {
        let mut done = Vec::with_capacity(self.steps.len());
        let mut notes = Notes::default();
        for (group, many) in grouped(&self.steps) {
            let store = self.store;
            let perform = |steps: &[&Step], alone: bool| {
                let (mut done, mut notes) = (Vec::with_capacity(steps.len()), Notes::default());
                for (at, step) in steps.iter().enumerate() {
                    match perform(store, &mut notes, step, alone && at + 1 == steps.len()) {
                        Ok(undo) => done.push(undo),
                        Err(error) => return (done, notes, Some(error)),
                    }
                }
                (done, notes, None)
            };
            let shares = if many {
                shared(&group, |steps| perform(steps, false))
            } else {
                vec![perform(&group, true)]
            };
            let mut failed = None;
            for (mut share, mut noted, error) in shares {
                done.append(&mut share);
                notes.append(&mut noted);
                failed = failed.or(error);
            }
            if let Some(error) = failed {
                return Err(take_back(done, error));
            }
        }
        self.steps.clear();
        self.made.clear();
        shared(&done, |done| {
            for undo in done {
                if let Undo::Exchanged { old, .. } | Undo::Moved { old, .. } = undo {
                    drop(fs::remove_file(old));
                }
            }
        });
        // Only now are the old files gone that kept a name in them. One that holds something of somebody else stays.
        for undo in done {
            if let Undo::Empties(directory) = undo {
                drop(fs::remove_dir(directory));
            }
        }
        Ok(())
    }
}

/// The steps in groups, which are performed one after the other, and whether all cores may share the group. Touching cannot
/// be taken back, and need not: it comes last.
fn grouped(steps: &[Step]) -> Vec<(Vec<&Step>, bool)> {
    const MANY: usize = 128;
    let (touches, others): (Vec<_>, Vec<_>) =
        steps.iter().partition(|step| matches!(step.action, Action::Touch));
    if steps.len() >= MANY {
        let distinct: HashSet<_> = others.iter().map(|step| step.destination.as_os_str()).collect();
        if distinct.len() == others.len() {
            let (puts, others): (Vec<_>, Vec<_>) =
                others.into_iter().partition(|step| matches!(step.action, Action::Put { .. }));
            // Only one step may be the last of all.
            let others = others.into_iter().map(|step| (vec![step], true));
            return others.chain([(puts, true), (touches, true)]).collect();
        }
    }
    vec![(others.into_iter().chain(touches).collect(), false)]
}

fn perform(store: &Store, notes: &mut Notes, step: &Step, last: bool) -> Result<Undo, StageError> {
    let destination = step.destination.as_path();
    match &step.action {
        Action::Directory => Ok(Undo::Nothing),
        Action::Touch => {
            touch(destination).map_err(StageError::destination("touch", destination))?;
            Ok(Undo::Nothing)
        }
        Action::Put { .. } if examine(destination)?.is_some_and(|there| is_device(&there)) => {
            let device = std::io::Error::new(ErrorKind::AlreadyExists, "it is a device");
            Err(StageError::destination("replace", destination)(device))
        }
        Action::Put { staged } if last => {
            fs::rename(staged, destination).map_err(|error| refused(destination, error))?;
            if store.options().link == LinkMode::Hardlink {
                // A link to what is there already was renamed to it: the system does nothing then, and calls that a success.
                drop(fs::remove_file(staged));
            }
            Ok(Undo::Nothing)
        }
        Action::Put { staged } => replace(store, notes, staged, destination),
        Action::Remove => remove(store, notes, destination, last),
    }
}

fn examine(path: &Path) -> Result<Option<Metadata>, StageError> {
    super::file::if_there(fs::symlink_metadata(path)).map_err(StageError::destination("examine", path))
}

/// Whether this is everybody's: root, who may, would take `/dev/null` from all others.
fn is_device(there: &Metadata) -> bool {
    there.file_type().is_char_device() || there.file_type().is_block_device()
}

fn refused(destination: &Path, error: io::Error) -> StageError {
    if error.kind() == ErrorKind::IsADirectory {
        return StageError::IsADirectory { path: destination.to_owned() };
    }
    StageError::destination("replace", destination)(error)
}

/// Puts a staged file where it belongs so that this can be taken back, the destination being old or new at every moment.
fn replace(store: &Store, notes: &mut Notes, staged: &Path, destination: &Path) -> Result<Undo, StageError> {
    let refuse = |error: Errno| refused(destination, error.into());
    let mut by_link = || {
        let old = unique_beside(destination, destination.file_name().unwrap_or_default());
        notes.note(store, &old);
        replace_by_link(staged, destination, &old).map_err(|error| refused(destination, error))
    };
    loop {
        match renameat_with(CWD, staged, CWD, destination, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(Undo::Created(destination.to_owned())),
            Err(Errno::EXIST) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return by_link(),
            Err(error) => return Err(refuse(error)),
        }
        if examine(destination)?.is_some_and(|there| there.is_dir()) {
            return Err(StageError::IsADirectory { path: destination.to_owned() });
        }
        match renameat_with(CWD, staged, CWD, destination, RenameFlags::EXCHANGE) {
            Ok(()) => {
                let (destination, old) = (destination.to_owned(), staged.to_owned());
                return Ok(Undo::Exchanged { destination, old });
            }
            // It has just gone: there is nothing to exchange with.
            Err(Errno::NOENT) if staged.symlink_metadata().is_ok() => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return by_link(),
            Err(error) => return Err(refuse(error)),
        }
    }
}

/// The same on a file system that cannot exchange: the old file gets a second name first.
fn replace_by_link(staged: &Path, destination: &Path, old: &Path) -> io::Result<Undo> {
    let undo = match fs::hard_link(destination, old) {
        Ok(()) => Undo::Moved { destination: destination.to_owned(), old: old.to_owned() },
        Err(error) if error.kind() == ErrorKind::NotFound => Undo::Created(destination.to_owned()),
        Err(error) => return Err(error),
    };
    fs::rename(staged, destination).inspect_err(|_| drop(fs::remove_file(old)))?;
    Ok(undo)
}

fn remove(store: &Store, notes: &mut Notes, destination: &Path, last: bool) -> Result<Undo, StageError> {
    let refused = StageError::destination("remove", destination);
    let Some(there) = examine(destination)? else { return Ok(Undo::Nothing) };
    if there.is_dir() {
        return Ok(Undo::Empties(destination.to_owned()));
    }
    if last {
        fs::remove_file(destination).map_err(refused)?;
        return Ok(Undo::Nothing);
    }
    let old = unique_beside(destination, destination.file_name().unwrap_or_default());
    notes.note(store, &old);
    fs::rename(destination, &old).map_err(refused)?;
    Ok(Undo::Moved { destination: destination.to_owned(), old })
}

/// Takes steps back, the latest first, and gives the error to be told. Staged files go when the staging is dropped.
fn take_back(done: Vec<Undo>, mut error: StageError) -> StageError {
    for undo in done.into_iter().rev() {
        let (path, result) = match undo {
            Undo::Nothing | Undo::Empties(_) => continue,
            Undo::Created(destination) => {
                let result = fs::remove_file(&destination);
                (destination, result)
            }
            Undo::Exchanged { destination, old } => {
                let result = renameat_with(CWD, &old, CWD, &destination, RenameFlags::EXCHANGE);
                (destination, result.map_err(io::Error::from))
            }
            Undo::Moved { destination, old } => {
                let result = fs::rename(&old, &destination);
                (destination, result)
            }
        };
        if let Err(source) = result {
            error = StageError::NotPutBack { path, source, cause: Box::new(error) };
        }
    }
    error
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;

    /// Network and layered file systems refuse to exchange; nothing else may change for that.
    #[test]
    fn without_exchange_a_destination_is_replaced_and_put_back_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = |name: &str| directory.path().join(name);
        for old in [true, false] {
            fs::write(path("staged"), b"new").unwrap();
            if old {
                fs::write(path("out"), b"old").unwrap();
            }
            let undo = replace_by_link(&path("staged"), &path("out"), &path("kept")).unwrap();
            assert_eq!(fs::read(path("out")).unwrap(), b"new");
            let cause = StageError::IsADirectory { path: path("other") };
            assert!(matches!(take_back(vec![undo], cause), StageError::IsADirectory { .. }));
            assert_eq!(fs::read(path("out")).ok(), old.then(|| b"old".to_vec()));
            drop(fs::remove_file(path("out")));
            assert_eq!(fs::read_dir(directory.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_cannot_be_put_back_is_told_with_its_cause() {
        let directory = tempfile::tempdir().unwrap();
        let gone = directory.path().join("gone");
        let cause = StageError::IsADirectory { path: directory.path().to_owned() };
        let error = take_back(vec![Undo::Created(gone.clone())], cause);
        assert!(matches!(error, StageError::NotPutBack { path, cause, .. }
            if path == gone && matches!(*cause, StageError::IsADirectory { .. })));
    }
}
