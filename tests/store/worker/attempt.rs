//! Doing each thing once, whatever becomes of the one before.

use anyhow::Result;
use reviver::store::{
    Content, Draft, DraftItem, LinkMode, Remedy, ReviveError, StageError, StoreError, TrimRequest,
};
use std::error::Error;
use std::io;
use std::io::Write as _;
use std::path::Path;
use tests::generation::{CONTENTS, Generation, key};
use tests::place::{Place, now};

/// Tells what became of each attempt: a line of its name and `ok`, `none`, or the number of the system's error.
pub(crate) fn attempt(directory: &Path, cache: &Path) -> Result<()> {
    // Told in the end: descriptors may be few.
    let mut lines = String::new();
    let mut tell = |name: &str, outcome: String| lines.extend([name, " ", &outcome, "\n"]);
    let place = match Place::apart(directory, cache, LinkMode::Auto) {
        Ok(place) => place,
        Err(error) => {
            tell("open", number(&*error.into_boxed_dyn_error()));
            writeln!(io::stdout(), "{lines}")?;
            return Ok(());
        }
    };
    let partition = &place.partition;
    let added = |generation: Generation| -> Result<String> {
        Ok(place.try_add(generation)?.map_or_else(|error| of_store(&error), |_| "ok".to_owned()))
    };
    tell("add-small", added(Generation::new(0, 15))?);
    tell("add-large", added(Generation::new(1, 16))?);
    tell("find", of(partition.find(key(0)).map(|found| found.is_some())));
    let out = place.out(1);
    let destinations: Vec<_> = (0..CONTENTS).map(|index| out.join(index.to_string())).collect();
    let paths: Vec<_> = destinations.iter().map(std::path::PathBuf::as_path).collect();
    tell(
        "revive",
        match partition.revive(key(1), &paths, now()) {
            Ok(revived) => told(revived.is_some()),
            Err(ReviveError::Store(error)) => of_store(&error),
            Err(ReviveError::Stage(error)) => of_stage(&error),
            Err(_) => "another error".to_owned(),
        },
    );
    let secret = vec![b's'; 70_000];
    let items = vec![DraftItem { path: Vec::new(), content: Content::Bytes(&secret), mode: Some(0o200) }];
    let draft = Draft { items, ..Draft::default() };
    tell("add-unreadable", of(partition.add(key(4), &draft, now()).map(|_| true)));
    tell(
        "find-unreadable",
        match partition.find(key(4)) {
            Ok(None) => "none".to_owned(),
            Ok(Some(entry)) => {
                entry.bytes(0).map_or_else(|error| of_stage(&error), |bytes| told(*bytes == secret))
            }
            Err(error) => of_store(&error),
        },
    );
    tell("used", of(partition.used(key(0), now()).map(|()| true)));
    tell("keys", of(partition.keys().map(|keys| !keys.is_empty())));
    tell("stats", of(partition.stats().map(|stats| stats.entries > 0)));
    tell(
        "verify",
        of(place.store.verify(Remedy::Tell, &mut |_| {}).map(|verified| verified.findings.is_empty())),
    );
    tell("remove", of(partition.remove(key(2), now())));
    let usage = place.store.usage();
    let limit = usage.as_ref().map_or(0, |usage| usage.bytes - 1);
    tell("usage", of(usage.map(|usage| usage.bytes > 0)));
    tell("trim", of(place.store.trim(&TrimRequest::new(limit, now())).map(|_| true)));
    Ok(write!(io::stdout(), "{lines}")?)
}

fn told(there: bool) -> String {
    if there { "ok" } else { "none" }.to_owned()
}

fn of(result: Result<bool, StoreError>) -> String {
    result.map_or_else(|error| of_store(&error), told)
}

fn of_store(error: &StoreError) -> String {
    number(error)
}

fn of_stage(error: &StageError) -> String {
    if error.is_damage() { "none".to_owned() } else { number(error) }
}

/// The system's number of an error, or all it says.
fn number(error: &(dyn Error + 'static)) -> String {
    let mut cause = error.source();
    while let Some(error) = cause {
        if let Some(number) = error.downcast_ref::<io::Error>().and_then(io::Error::raw_os_error) {
            return number.to_string();
        }
        cause = error.source();
    }
    format!("{error}")
}
