//! Hashes of files, statistics, and trims.

use super::crew::Pass;
use super::refusal::Refused;
use super::repository::Bench;
use super::session::Session;
use crate::protocol::own::Code;
use crate::protocol::own::reply::{Hashed, Stats, Trim, Trimmed};
use crate::repository::trimming::{self, Asked};
use crate::reviver::journal;
use crate::store::{self, StoreError};
use std::fs;
use std::path::Path;

/// Files of so many bytes are hashed while others wait.
const QUICK: u64 = 1 << 20;

/// The digest of a file, as it is known, or as it is now.
pub(super) fn hash(bench: &Bench, path: &Path, pass: &mut Pass<'_>) -> Result<Hashed, Refused> {
    let path = bench.absolute(path);
    let unread =
        |error| Refused::because(Code::Io, format_args!("cannot hash `{}`: {error}", path.display()));
    if fs::metadata(&path).map_err(unread)?.len() > QUICK {
        pass();
    }
    let (identity, digest) = bench.opened.identified(&path).map_err(unread)?;
    Ok(Hashed { digest, size: identity.size })
}

/// How much is there, and how often what happened.
pub(super) fn stats(bench: &Bench) -> Result<Stats, Refused> {
    let opened = &bench.opened;
    let refused = |error: StoreError| Refused::of_store(&opened.store, &error);
    let partition = opened.partition.stats().map_err(refused)?;
    let usage = opened.store.usage().map_err(refused)?;
    let counters = journal::counters_since_zero(&opened.store, &opened.partition);
    Ok(Stats {
        entries: partition.entries,
        bytes: partition.bytes,
        uses: partition.uses,
        hits: counters.hits,
        misses: counters.misses,
        uncached: counters.uncached.values().sum(),
        cache_entries: usage.entries,
        cache_bytes: usage.bytes,
        limit: opened.place.user.size.0,
    })
}

/// Brings the cache under a limit; without one, under the user's.
pub(super) fn trim(session: &Session<'_>, bench: &Bench, size: Option<u64>) -> Result<Trimmed, Refused> {
    let opened = &bench.opened;
    let limit = size.unwrap_or(opened.place.user.size.0);
    if opened.store.options().read_only {
        return Err(Refused::because(Code::ReadOnly, "the cache is only read"));
    }
    let asked = trimming::trim(opened, limit, &|_| false);
    let asked = asked.map_err(|error| Refused::of_store(&opened.store, &error))?;
    Ok(Trimmed(match told(session, asked) {
        store::Trimmed::Done(report) => {
            Some(Trim { used: report.plan.used, left: report.plan.left, entries: report.removed })
        }
        store::Trimmed::Busy => None,
    }))
}

/// Trims where the cache outgrew what is said of it. A failure costs space.
pub(super) fn trim_when_due(session: &Session<'_>, bench: &Bench, size: u64) {
    let Some(limit) = trimming::due(&bench.opened, size) else { return };
    match trimming::trim(&bench.opened, limit, &|_| false) {
        Ok(asked) => drop(told(session, asked)),
        Err(error) => session.shared.log(format_args!("cannot trim the cache: {error}")),
    }
}

fn told(session: &Session<'_>, asked: Asked<store::Trimmed>) -> store::Trimmed {
    if let Some(error) = &asked.unusable {
        session.shared.log(format_args!("{error}; the cache is trimmed in the host's own order"));
    }
    if let store::Trimmed::Done(report) = &asked.done {
        for fault in report.plan.faults.iter().filter(|fault| !fault.is_off()) {
            session.shared.log(format_args!("{fault}; the cache is trimmed in the host's own order"));
        }
    }
    asked.done
}
