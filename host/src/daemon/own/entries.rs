//! Entries with keys of the client's own: what `reviver cache add`, `find` and `revive` do, without a process for each.

use super::crew::Pass;
use super::refusal::Refused;
use super::repository::Bench;
use crate::digest::Digest;
use crate::key::Key;
use crate::protocol::own::Code;
use crate::protocol::own::reply::{Entry, Found, Item, Recorded, Revived, Unrevived};
use crate::protocol::own::request::{Destination, Record, Revive, Which};
use crate::store::{Added, Draft, Gathered, Manifest, StoreError};
use std::fs;
use std::path::{Path, PathBuf};

/// As many bytes are revived while others wait.
const QUICK: u64 = 256 << 10;

/// What is taken off the permissions of an operation's files where a client does not say.
pub(super) const UMASK: u32 = 0o022;

/// What is bound to a key.
pub(super) fn find(bench: &Bench, which: &Which) -> Result<Found, Refused> {
    let entry = found(bench, which)?;
    Ok(Found(entry.map(|entry| {
        let items = entry.items().iter().map(|item| Item {
            path: item.path.clone(),
            kind: item.kind,
            mode: item.mode,
            size: item.size,
            digest: item.digest,
        });
        Entry { key: entry.key(), metadata: entry.metadata().to_vec(), items: items.collect() }
    })))
}

/// Makes an entry's files again, all or none.
pub(super) fn revive(bench: &Bench, revive: &Revive, pass: &mut Pass<'_>) -> Result<Revived, Refused> {
    let (partition, key) = (&bench.opened.partition, revive.which.key());
    let is_bound = partition.contains(key);
    let Some(entry) = found(bench, &revive.which)? else {
        return Ok(Revived::No(if is_bound { Unrevived::Damaged } else { Unrevived::Absent }));
    };
    if entry.items().iter().map(|item| item.size).sum::<u64>() > QUICK {
        pass();
    }
    let now = (bench.opened.clock)();
    let revived = match &revive.to {
        Destination::Root(_) if !entry.is_manifest() => return Ok(Revived::No(Unrevived::Places)),
        Destination::Root(root) => partition.manifest_revive(key, &bench.absolute(root), now),
        Destination::Each(to) if to.len() != entry.items().len() => {
            return Ok(Revived::No(Unrevived::Number));
        }
        Destination::Each(to) => {
            let to: Vec<PathBuf> = to.iter().map(|path| bench.absolute(path)).collect();
            let to: Vec<&Path> = to.iter().map(PathBuf::as_path).collect();
            // The files of a run are what the umask leaves of what was recorded, as they are where a run is a hit.
            let umask = if entry.name().is_some() { 0 } else { revive.umask.unwrap_or(UMASK) };
            partition.revive_entry(&entry, &to, umask, now)
        }
    };
    let revived = revived.map_err(|error| Refused::of_revival(&bench.opened.store, &error))?;
    Ok(match revived {
        Some(revived) => Revived::Yes { key, metadata: revived.metadata, files: revived.paths },
        None => Revived::No(Unrevived::Damaged),
    })
}

/// Binds a name to files; and how large the cache is now.
pub(super) fn record(bench: &Bench, record: &Record) -> Result<(Recorded, Option<u64>), Refused> {
    let Record { name, metadata, files, root } = record;
    if Digest::from_hex(name.as_str()).is_some() {
        let words = format!("`{name}` is the key of an operation, which only a run can bind");
        return Err(Refused::because(Code::Malformed, words));
    }
    let opened = &bench.opened;
    let files: Vec<PathBuf> = match root {
        Some(root) if files.is_empty() => all_in(&bench.absolute(root))?,
        _ => files.iter().map(|path| bench.absolute(path)).collect(),
    };
    let files: Vec<&Path> = files.iter().map(PathBuf::as_path).collect();
    let key = Key::named(name);
    let add =
        |draft: Draft<'_>| opened.partition.add(key, &Draft { name: Some(name), ..draft }, (opened.clock)());
    let refused = |error: StoreError| Refused::of_store(&opened.store, &error);
    let added = match root {
        None => add(Draft::of_files(metadata, &files)).map_err(refused)?,
        Some(root) => match Manifest::gather(&bench.absolute(root), &files).map_err(refused)? {
            Gathered::All(manifest) => add(manifest.draft(metadata)).map_err(refused)?,
            Gathered::Missing(path) => Added::SourceMissing(path),
        },
    };
    Ok(match added {
        Added::Stored { bytes, .. } => {
            opened.note_place();
            (Recorded::Yes(key), opened.store.grown(bytes).ok())
        }
        Added::SourceMissing(path) => {
            let reason = format!("`{}` is not there", path.display());
            (Recorded::No { reason, again: false }, None)
        }
    })
}

fn found(bench: &Bench, which: &Which) -> Result<Option<crate::store::Entry>, Refused> {
    let found = bench.opened.partition.find(which.key());
    found.map_err(|error| Refused::of_store(&bench.opened.store, &error))
}

/// What is in a directory, in order.
fn all_in(directory: &Path) -> Result<Vec<PathBuf>, Refused> {
    let entries = fs::read_dir(directory).and_then(Iterator::collect::<Result<Vec<_>, _>>);
    let unread =
        |error| Refused::because(Code::Io, format_args!("cannot list `{}`: {error}", directory.display()));
    let mut all: Vec<PathBuf> = entries.map_err(unread)?.into_iter().map(|entry| entry.path()).collect();
    all.sort_unstable();
    Ok(all)
}
