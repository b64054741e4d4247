//! The whole of an operation: revived if it can be, done if it must be, recorded if it may be.
//!
//! | what happens | result | done | recorded |
//! |---|---|---|---|
//! | reads are absent | [`Failure::MissingReads`] | no | no |
//! | an entry that can be used | [`Ran::Revived`] | no | |
//! | none, or no key | [`Ran::Executed`] | yes | or why not |
//! | it failed | [`Failure`] | as far as it came | no |
//! | it left writes undone | [`Failure::MissingWrites`] | yes | no |
//!
//! Nothing in here makes an operation fail that succeeds without a cache.

use super::super::execute::Outputs;
use super::super::guard::{Guard, unlink_shared};
use super::super::run::RunError;
use super::super::writes::state;
use super::declare::Declared;
use super::hash::{HashError, Hashed, list, missing, watch};
use super::native::BoxError;
use super::perform::Unperformed;
use super::record::{Recorded, Witness, accepts, missing_writes};
use super::revive::{Absence, Revival, Revived};
use super::reviver::DeclaredReviver;
use super::unrecorded::Unrecorded;
use crate::outcome::Outcome;
use crate::store::ReviveError;
use std::fmt;
use std::io;
use std::path::PathBuf;

/// What became of an operation.
#[derive(Debug)]
pub enum Ran {
    /// It was revived; what it had said was said again.
    Revived(Revived),
    /// It was done.
    Executed {
        /// How it went.
        outcome: Outcome,
        /// Why it was not revived.
        missed: Missed,
        /// Whether it will be, or why not.
        recorded: Result<Recorded, Unrecorded>,
    },
    /// It failed, with a cache as without.
    Failed(Failure),
}

/// Why an operation was not revived.
#[derive(Debug)]
#[non_exhaustive]
pub enum Missed {
    /// It has no key; the reason is that for which it was not recorded.
    Unkeyed,
    /// There is nothing to revive.
    Absent(Absence),
    /// What there is cannot be revived.
    Refused(ReviveError),
}

/// How an operation failed. It is not recorded then.
#[derive(Debug)]
#[non_exhaustive]
pub enum Failure {
    /// These reads are absent, sorted; nothing was done.
    MissingReads(Vec<PathBuf>),
    /// It left these writes undone, sorted.
    MissingWrites(Vec<PathBuf>, Outcome),
    /// It ended as it may not.
    Exit(Outcome),
    /// The command did not start.
    Start(RunError),
    /// A file could not be used.
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The function failed.
    Function(BoxError),
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MissingReads(missing) => write!(f, "no such file to read: {}", list(missing)),
            Self::MissingWrites(missing, _) => write!(f, "it did not write {}", list(missing)),
            Self::Exit(outcome) => Unrecorded::Failed(outcome.exit).fmt(f),
            Self::Start(error) => error.fmt(f),
            Self::File { path, source } => write!(f, "cannot use {}: {source}", path.display()),
            Self::Function(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for Failure {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Start(error) => Some(error),
            Self::File { source, .. } => Some(source),
            Self::Function(error) => Some(&**error),
            Self::MissingReads(_) | Self::MissingWrites(..) | Self::Exit(_) => None,
        }
    }
}

impl From<Unperformed> for Failure {
    fn from(why: Unperformed) -> Self {
        match why {
            Unperformed::Start(error) => Self::Start(error),
            Unperformed::File { path, source } => Self::File { path, source },
            Unperformed::Function(error) => Self::Function(error),
        }
    }
}

impl DeclaredReviver<'_> {
    /// Does an operation; see the [module](self) for the outcomes. What is shown goes to `outputs`, now or again.
    pub fn run(&self, declared: &Declared<'_>, outputs: &mut Outputs<'_>) -> Ran {
        let hashed = match self.hash(declared) {
            Ok(hashed) => hashed,
            Err(HashError::MissingReads(missing)) => return Ran::Failed(Failure::MissingReads(missing)),
            Err(error) => return self.unkeyed(declared, error, outputs),
        };
        let missed = match self.revive(&hashed) {
            Ok(Revival::Revived(revived)) => {
                for chunk in &revived.outcome.output {
                    outputs.say(chunk.stream, &chunk.bytes);
                }
                return Ran::Revived(revived);
            }
            Ok(Revival::Absent(Absence::Passing)) => Missed::Unkeyed,
            Ok(Revival::Absent(absence)) => Missed::Absent(absence),
            Err(error) => Missed::Refused(error),
        };
        self.execute(hashed, missed, outputs).unwrap_or_else(Ran::Failed)
    }

    /// Does an operation that has no key. One that is wrongly declared may lack reads all the same.
    fn unkeyed(&self, declared: &Declared<'_>, why: HashError, outputs: &mut Outputs<'_>) -> Ran {
        let files = self.look_around(declared).files;
        match missing(&files, &declared.read_paths()) {
            Ok(missing) if !missing.is_empty() => return Ran::Failed(Failure::MissingReads(missing)),
            _ => {}
        }
        let done = self.perform(declared, outputs).map_err(Failure::from);
        match done.and_then(|executed| judged(declared, executed.outcome())) {
            Ok(outcome) => {
                let recorded = Err(Unrecorded::Unkeyed(why));
                Ran::Executed { outcome, missed: Missed::Unkeyed, recorded }
            }
            Err(failure) => Ran::Failed(failure),
        }
    }

    fn execute(
        &self,
        mut hashed: Hashed<'_>,
        missed: Missed,
        outputs: &mut Outputs<'_>,
    ) -> Result<Ran, Failure> {
        let (declared, store) = (hashed.declared, self.partition.store());
        let guard = match hashed.key {
            Some(_) => Guard::of(store, declared.write_paths()),
            None => Guard::default(),
        };
        // Once more, now that nobody else who asks first writes there: what came since is not this run's work.
        let watched = watch(declared).map(|watched| hashed.watched = watched);
        unlink_shared(store, &hashed.watched);
        let executed = self.perform(declared, outputs)?;
        // At once: what changes from here on is not the operation's work.
        let left = hashed.watched.iter().map(|watched| state(&watched.path).ok()).collect();
        let unsure = executed.unsure();
        let outcome = judged(declared, executed.outcome())?;
        let mut witness = Witness { ended: executed.ended, left, guard };
        let recorded = if hashed.key.is_none() {
            Err(Unrecorded::Passing)
        } else if let Err(doubt) = watched {
            Err(Unrecorded::Doubt(doubt))
        } else if let Some(unsure) = unsure {
            Err(Unrecorded::Unsure(unsure))
        } else if let Some(path) = witness.guard.contended.pop() {
            Err(Unrecorded::Contended(path))
        } else if let Some(error) = witness.guard.refused.pop() {
            Err(Unrecorded::Store(error))
        } else {
            self.witnessed(&hashed, &outcome, Some(&witness))
        };
        Ok(Ran::Executed { outcome, missed, recorded })
    }
}

/// Whether an operation that was done succeeded.
fn judged(declared: &Declared<'_>, outcome: Outcome) -> Result<Outcome, Failure> {
    if !accepts(declared, outcome.exit) {
        return Err(Failure::Exit(outcome));
    }
    let missing = missing_writes(declared);
    if missing.is_empty() { Ok(outcome) } else { Err(Failure::MissingWrites(missing, outcome)) }
}
