//! Operations that the repository's plugins name, between their derivation and their end.
//!
//! ```text
//! derive --[found]--> found --[revive]--> closed
//!    |                  |
//!    |                  +--[revive, and it proves to be no hit]--+
//!    |                                                           v
//!    +--[not found]--------------------------------------------> open --[record]--> closed
//!                                                                           |
//!                                                                           +--[to be run again]--> again --[forget]--> closed
//! ```
//!
//! `forget` closes any of them. An open one holds the locks of its writes.

use super::entries::UMASK;
use super::globs::{self, Globs};
use super::refusal::Refused;
use super::repository::Bench;
use super::session::Session;
use super::table::{Operation, State};
use crate::digest::Digest;
use crate::key::Key;
use crate::policy::Role;
use crate::protocol::own::Code;
use crate::protocol::own::reply::{Again, Derived, Open, Recorded, Write};
use crate::protocol::own::request::{Derive, Ran};
use crate::repository::choose::key_plugin;
use crate::repository::operation::{Declarations, NoOperation, operation};
use crate::reviver::attempt::{self, Begun, Finished, Pending, Task};
use crate::reviver::environment::Environment;
use crate::reviver::execute::Executed;
use crate::reviver::matched::OTHERS_MATCH;
use crate::reviver::run::{Report, Reviver};
use crate::runtime::Level;
use crate::time::Timestamp;
use std::fs;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// Names an operation, and looks it up.
pub(super) fn derive(session: &Session<'_>, bench: &mut Bench, derive: Derive) -> Result<Derived, Refused> {
    let room = session.operations.room()?;
    let with_globs = globs::are_in(&bench.opened.place.settings, &derive).then(|| derive.clone());
    let (plugin, task) = task(bench, derive)?;
    let globs = with_globs.map(|derive| Globs::new(derive, &task));
    let begun = with_reviver(session, bench, &plugin, |reviver| reviver.begin(task))?;
    Ok(match begun {
        Begun::Found(found) => {
            let (key, label) = (Some(found.key()), found.label().to_owned());
            let operation = room.fill(Operation { plugin, globs, state: State::Found(found) });
            Derived { operation, label, key, open: None }
        }
        Begun::Open(pending) => {
            let (label, open) = (pending.label().to_owned(), Some(open(&pending)));
            let operation = room.fill(Operation { plugin, globs, state: State::Open(pending) });
            Derived { operation, label, key: None, open }
        }
        Begun::Bare(report) => return Err(bare(session, bench, &report)),
    })
}

/// Puts in place what was found.
pub(super) fn revive(session: &Session<'_>, bench: &mut Bench, number: u64) -> Result<Again, Refused> {
    let Operation { plugin, globs, state } = session.operations.take(number)?;
    let State::Found(found) = state else {
        let open = match &state {
            State::Open(pending) => Ok(Again::No(open(pending))),
            _ => {
                Err(Refused::because(Code::UnknownOperation, format_args!("operation {number} was recorded")))
            }
        };
        session.operations.put_back(number, Operation { plugin, globs, state });
        return open;
    };
    let (globs, anew) = match globs {
        Some(globs) => {
            let (globs, anew) = as_matched_now(bench, globs, &found)?;
            (Some(globs), anew)
        }
        None => (None, None),
    };
    let revived = with_reviver(session, bench, &plugin, |reviver| match anew {
        None => reviver.revive_found(*found),
        Some(task) => match reviver.begin(task) {
            Begun::Found(found) => reviver.revive_found(*found),
            no_hit => Err(no_hit),
        },
    })?;
    match revived {
        Ok(attempt::Revived { key, outcome, report }) => {
            tell(session, &report);
            let (exit, output, duration) = (outcome.exit, outcome.output, outcome.duration);
            Ok(Again::Yes { key, exit, output, duration })
        }
        Err(Begun::Open(pending)) => {
            let open = open(&pending);
            let state = State::Open(pending);
            session.operations.put_back(number, Operation { plugin, globs, state });
            Ok(Again::No(open))
        }
        Err(Begun::Found(found)) => {
            // It is not looked for again in this case; were it, it would be what was just no hit.
            drop(found);
            Err(Refused::because(Code::Store, "what was found cannot be revived"))
        }
        Err(Begun::Bare(report)) => Err(bare(session, bench, &report)),
    }
}

/// Records how an operation went that the client ran; and how large the cache is now.
pub(super) fn record(
    session: &Session<'_>,
    bench: &mut Bench,
    ran: Ran,
) -> Result<(Recorded, Option<u64>), Refused> {
    let Ran { operation: number, exit, started, ended, output } = ran;
    let Operation { plugin, globs, state } = session.operations.take(number)?;
    let State::Open(mut pending) = state else {
        session.operations.put_back(number, Operation { plugin, globs, state });
        return Err(Refused::because(
            Code::UnknownOperation,
            format_args!("operation {number} is not to be run"),
        ));
    };
    let (started, ended) = (Timestamp(started), Timestamp(ended.max(started)));
    let told = Executed { exit, output, started, ended, held: false, cut: false, interrupted: false };
    if let Some(globs) = &globs {
        let places = pending.writes().iter().map(|watched| watched.path.as_path());
        if !task(bench, globs.derive.clone()).is_ok_and(|(_, now)| globs.hold(&now, places)) {
            pending.doubt(OTHERS_MATCH);
        }
    }
    let finished = with_reviver(session, bench, &plugin, |reviver| reviver.finish(*pending, told))?;
    let Finished { report, again } = finished;
    tell(session, &report);
    let is_again = again.is_some();
    if let Some(again) = again {
        let state = State::Again { _held: again };
        session.operations.put_back(number, Operation { plugin, globs: None, state });
    }
    if report.size.is_some() {
        bench.opened.note_place();
    }
    let key = Digest::from_hex(&report.record.key).map(Key::new);
    Ok(match key {
        Some(key) if report.record.reason.is_empty() => (Recorded::Yes(key), report.size),
        _ => (Recorded::No { reason: report.record.reason, again: is_again }, report.size),
    })
}

/// The globs of what was found as they match now, and the task that it is by them, where that is another one.
fn as_matched_now(
    bench: &Bench,
    globs: Globs,
    found: &attempt::Found,
) -> Result<(Globs, Option<Task>), Refused> {
    let unmatched = |refused: Refused| Refused { code: Code::Refused, ..refused };
    let (_, task) = task(bench, globs.derive.clone()).map_err(unmatched)?;
    if globs.hold(&task, found.writes().iter().map(PathBuf::as_path)) {
        return Ok((globs, None));
    }
    Ok((Globs::new(globs.derive, &task), Some(task)))
}

/// What is asked of a reviver: the operation that a rule and the client's words make.
fn task(bench: &Bench, derive: Derive) -> Result<(String, Task), Refused> {
    let place = &bench.opened.place;
    let directory = bench.absolute(derive.directory.as_deref().unwrap_or(&place.root.path));
    let unseen =
        |error| Refused::because(Code::Io, format_args!("cannot look at `{}`: {error}", directory.display()));
    let directory = fs::canonicalize(&directory).map_err(unseen)?;
    let (rule, plugin) = key_plugin(&place.settings, &derive.argv);
    let given = Declarations { reads: derive.reads, writes: derive.writes, variables: derive.variables };
    let operation = operation(given, derive.argv, &place.root.path, &directory, rule);
    let operation = operation.map_err(|problem| match problem {
        NoOperation::NotText(_) => Refused::because(Code::Refused, problem),
        NoOperation::Slip(_) => Refused::because(Code::Malformed, problem),
    })?;
    let environment = Environment {
        variables: derive.environment.into_iter().collect(),
        directory,
        umask: derive.umask.unwrap_or(UMASK),
        terminal: false,
    };
    let accepted = derive.exits.into_iter().chain([0]).collect();
    Ok((plugin.to_owned(), Task { operation, environment, accepted, joined: derive.joined }))
}

/// Asks a reviver with this key plugin.
fn with_reviver<T>(
    session: &Session<'_>,
    bench: &mut Bench,
    plugin: &str,
    ask: impl FnOnce(&Reviver<'_>) -> T,
) -> Result<T, Refused> {
    let key = bench.opened.trusted(plugin, Role::Key)?.source;
    let codec = bench.opened.trusted(&bench.opened.place.settings.metadata, Role::Metadata)?.source;
    let limits = key.bounds();
    let (store, partition) = (bench.opened.store.clone(), bench.opened.partition.clone());
    let (table, clock) = (Rc::clone(&bench.opened.table), bench.opened.clock);
    let runtime = Arc::clone(&bench.opened.runtime);
    let (key_policy, codec) = bench.policies(&key, codec);
    let reviver = Reviver {
        store: &store,
        partition: &partition,
        table,
        clock: Rc::new(clock),
        key_policy,
        limits,
        codec,
    };
    let answer = ask(&reviver);
    for line in runtime.take_log().iter().filter(|line| line.level == Level::Warning) {
        session.shared.log(format_args!("{}: {}", line.plugin, line.message));
    }
    Ok(answer)
}

fn open(pending: &Pending) -> Open {
    let writes = pending.writes().iter().map(|watched| Write {
        label: watched.write.label.clone(),
        path: watched.path.clone(),
        kind: watched.write.kind,
    });
    Open {
        base: pending.base(),
        arguments: pending.arguments().to_vec(),
        report: pending.report(),
        writes: writes.collect(),
        unrecorded: pending.unrecorded().map(str::to_owned),
    }
}

fn bare(session: &Session<'_>, bench: &Bench, report: &Report) -> Refused {
    tell(session, report);
    Refused::of_report(report, bench.opened.store.options().read_only)
}

fn tell(session: &Session<'_>, report: &Report) {
    for warning in &report.warnings {
        session.shared.log(format_args!("{warning}"));
    }
}
