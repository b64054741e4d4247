//! Putting in place what was staged, all of it or nothing.
//!
//! | outcome | the destinations afterwards |
//! |---|---|
//! | done | all new, with the present time |
//! | error | all as before, but for the times of those to be touched |
//! | killed in between | each is old or new, complete; a file `.<name>.reviver` may lie beside it |
//!
//! The last rename cannot be followed by a failure, so it is a plain one, and so is the only one. Those before exchange the
//! staged file with the old one, which can therefore come back.

use super::LinkMode;
use super::object::touch;
use super::stage_error::StageError;
use super::staging::{Staging, unique_beside};
use crate::identity::Identity;
use rustix::fs::{CWD, RenameFlags, renameat_with};
use rustix::io::Errno;
use std::fs::{self, Metadata};
use std::io::{self, ErrorKind};
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

/// What is in place now.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Committed {
    /// One for each step, in the order of the steps.
    pub placed: Vec<Placed>,
}

/// One destination.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Placed {
    /// Where.
    pub destination: PathBuf,
    /// What is there; `None` for what was removed, or if somebody else removed it already.
    pub identity: Option<Identity>,
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
    pub fn commit(mut self) -> Result<Committed, StageError> {
        // Touching cannot be taken back, and need not: it comes last.
        let is_touch = |index: &usize| matches!(self.steps[*index].action, Action::Touch);
        let (touches, others): (Vec<_>, Vec<_>) = (0..self.steps.len()).partition(is_touch);
        let order: Vec<_> = others.into_iter().chain(touches).collect();
        let mut done = Vec::with_capacity(order.len());
        for (at, &index) in order.iter().enumerate() {
            match perform(&self.steps[index], at + 1 == order.len()) {
                Ok(undo) => done.push(undo),
                Err(error) => return Err(take_back(done, error)),
            }
        }
        let steps = std::mem::take(&mut self.steps);
        self.made.clear();
        if self.store.options().link == LinkMode::Hardlink {
            // A link to what is there already was renamed to it: the system does nothing then, and calls that a success.
            for step in &steps {
                if let Action::Put { staged } = &step.action {
                    drop(fs::remove_file(staged));
                }
            }
        }
        let mut emptied = Vec::new();
        for undo in done {
            match undo {
                Undo::Exchanged { old, .. } | Undo::Moved { old, .. } => drop(fs::remove_file(old)),
                Undo::Empties(directory) => emptied.push(directory),
                Undo::Nothing | Undo::Created(_) => {}
            }
        }
        // Only now are the old files gone that kept a name in them. One that holds something of somebody else stays.
        for directory in emptied {
            drop(fs::remove_dir(directory));
        }
        let placed = steps.into_iter().map(|step| {
            let identity = match step.action {
                Action::Remove => None,
                _ => fs::symlink_metadata(&step.destination).ok().map(|there| Identity::of(&there)),
            };
            Placed { destination: step.destination, identity }
        });
        Ok(Committed { placed: placed.collect() })
    }
}

fn perform(step: &Step, last: bool) -> Result<Undo, StageError> {
    let destination = step.destination.as_path();
    match &step.action {
        Action::Directory => Ok(Undo::Nothing),
        Action::Touch => {
            touch(destination).map_err(StageError::destination("touch", destination))?;
            Ok(Undo::Nothing)
        }
        Action::Put { staged } if last => {
            fs::rename(staged, destination).map_err(|error| refused(destination, error))?;
            Ok(Undo::Nothing)
        }
        Action::Put { staged } => {
            if examine(destination)?.is_some_and(|there| there.is_dir()) {
                return Err(StageError::IsADirectory { path: destination.to_owned() });
            }
            replace(staged, destination).map_err(|error| refused(destination, error))
        }
        Action::Remove => remove(destination, last),
    }
}

fn examine(path: &Path) -> Result<Option<Metadata>, StageError> {
    super::file::if_there(fs::symlink_metadata(path)).map_err(StageError::destination("examine", path))
}

fn refused(destination: &Path, error: io::Error) -> StageError {
    if error.kind() == ErrorKind::IsADirectory {
        return StageError::IsADirectory { path: destination.to_owned() };
    }
    StageError::destination("replace", destination)(error)
}

/// Puts a staged file where it belongs so that this can be taken back, the destination being old or new at every moment.
fn replace(staged: &Path, destination: &Path) -> io::Result<Undo> {
    loop {
        match renameat_with(CWD, staged, CWD, destination, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(Undo::Created(destination.to_owned())),
            Err(Errno::EXIST) => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return replace_by_link(staged, destination),
            Err(error) => return Err(error.into()),
        }
        match renameat_with(CWD, staged, CWD, destination, RenameFlags::EXCHANGE) {
            Ok(()) => {
                let (destination, old) = (destination.to_owned(), staged.to_owned());
                return Ok(Undo::Exchanged { destination, old });
            }
            // It has just gone: there is nothing to exchange with.
            Err(Errno::NOENT) if staged.symlink_metadata().is_ok() => {}
            Err(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP) => return replace_by_link(staged, destination),
            Err(error) => return Err(error.into()),
        }
    }
}

/// The same on a file system that cannot exchange: the old file gets a second name first.
fn replace_by_link(staged: &Path, destination: &Path) -> io::Result<Undo> {
    let old = unique_beside(destination, destination.file_name().unwrap_or_default());
    let undo = match fs::hard_link(destination, &old) {
        Ok(()) => Undo::Moved { destination: destination.to_owned(), old: old.clone() },
        Err(error) if error.kind() == ErrorKind::NotFound => Undo::Created(destination.to_owned()),
        Err(error) => return Err(error),
    };
    fs::rename(staged, destination).inspect_err(|_| drop(fs::remove_file(&old)))?;
    Ok(undo)
}

fn remove(destination: &Path, last: bool) -> Result<Undo, StageError> {
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
            let undo = replace_by_link(&path("staged"), &path("out")).unwrap();
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
