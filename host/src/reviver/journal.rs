//! What runs did: one line for each in a bounded journal, and counters of what is no longer in it.
//!
//! A line is a JSON object; where a process was killed while it wrote, the line does not parse and is passed over. At 1 MiB
//! the journal becomes `journal.old`, after the one that had that name was added to the counters. A process that still
//! writes to the old file is counted all the same. `explain` reads both files, `stats` adds them to the counters.

use super::counters::Counters;
use super::explain::Difference;
use crate::store::{Partition, Store, StoreError};
use crate::time::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

const LIMIT: u64 = 1 << 20;
/// Differences beyond these many are counted, not told.
const MOST_DIFFERENCES: usize = 20;

/// What became of an operation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Result {
    /// It was revived.
    Hit,
    /// It ran.
    Miss,
    /// It ran, and had no key.
    Uncached,
    /// It was found, run again, and did the same, or could not be compared, for a reason.
    Rechecked,
    /// It was found, run again, and did something else.
    Differs,
    /// It is no operation: the cache was trimmed, and the eviction plugin was at fault.
    Trim,
}

impl Result {
    /// The word for it.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Hit => "hit",
            Self::Miss => "miss",
            Self::Uncached => "uncached",
            Self::Rechecked => "rechecked",
            Self::Differs => "differs",
            Self::Trim => "trim",
        }
    }
}

/// One run.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Record {
    /// When.
    pub time: Timestamp,
    /// What became of it.
    pub result: Result,
    /// What the operation is called.
    pub label: String,
    /// The key plugin's name.
    pub plugin: String,
    /// The key, in hexadecimal digits; empty without one.
    pub key: String,
    /// The base key, in hexadecimal digits; empty without one.
    pub base: String,
    /// Why it was not cached, or was run and not recorded or not compared, or how it differs; empty otherwise.
    pub reason: String,
    /// The code of a plugin's fault; empty without one.
    pub fault: String,
    /// How long the command ran; of a hit, how long the recorded one did. In nanoseconds.
    pub duration: u64,
    /// What differs from the nearest known operation of that label; `None` where none was known.
    pub differences: Option<Vec<Difference>>,
}

impl Record {
    /// That an eviction plugin was at fault while the cache was trimmed.
    #[must_use]
    pub fn trim(time: Timestamp, plugin: &str, fault: &str) -> Self {
        Self {
            time,
            result: Result::Trim,
            label: String::new(),
            plugin: plugin.to_owned(),
            key: String::new(),
            base: String::new(),
            reason: String::new(),
            fault: fault.to_owned(),
            duration: 0,
            differences: None,
        }
    }

    /// The record as it stands in the journal.
    #[must_use]
    pub fn to_json(&self) -> Json {
        let mut line = Map::new();
        line.insert("time".into(), json!(self.time.0));
        line.insert("result".into(), json!(self.result.word()));
        line.insert("duration".into(), json!(self.duration));
        for (name, text) in [
            ("label", &self.label),
            ("plugin", &self.plugin),
            ("key", &self.key),
            ("base", &self.base),
            ("reason", &self.reason),
            ("fault", &self.fault),
        ] {
            if !text.is_empty() {
                line.insert(name.into(), json!(text));
            }
        }
        if let Some(differences) = &self.differences {
            let told = differences
                .iter()
                .take(MOST_DIFFERENCES)
                .map(|found| json!([found.label, found.kind, found.place, found.was, found.now]));
            line.insert("differences".into(), told.collect());
        }
        Json::Object(line)
    }

    fn from_json(line: &Json) -> Option<Self> {
        let text = |name: &str| line.get(name).and_then(Json::as_str).unwrap_or_default().to_owned();
        let difference = |found: &Json| {
            let field = |at: usize| found.get(at).and_then(Json::as_str).map(str::to_owned);
            Some(Difference {
                label: field(0)?,
                kind: field(1)?,
                place: field(2)?,
                was: field(3),
                now: field(4),
            })
        };
        Some(Self {
            time: Timestamp(line.get("time")?.as_u64()?),
            result: match line.get("result")?.as_str()? {
                "hit" => Result::Hit,
                "miss" => Result::Miss,
                "uncached" => Result::Uncached,
                "rechecked" => Result::Rechecked,
                "differs" => Result::Differs,
                "trim" => Result::Trim,
                _ => return None,
            },
            label: text("label"),
            plugin: text("plugin"),
            key: text("key"),
            base: text("base"),
            reason: text("reason"),
            fault: text("fault"),
            duration: line.get("duration").and_then(Json::as_u64).unwrap_or_default(),
            differences: line
                .get("differences")
                .and_then(Json::as_array)
                .map(|all| all.iter().filter_map(difference).collect()),
        })
    }
}

/// Appends one run. The first one of a partition makes its directory.
pub fn append(store: &Store, partition: &Partition, record: &Record) -> io::Result<()> {
    let path = store.layout().journal(partition.id());
    let open = || OpenOptions::new().append(true).create(true).mode(0o600).open(&path);
    let mut file = open().or_else(|error| match path.parent() {
        Some(parent) if error.kind() == io::ErrorKind::NotFound => {
            DirBuilder::new().recursive(true).mode(0o700).create(parent)?;
            open()
        }
        _ => Err(error),
    })?;
    let mut line = record.to_json().to_string();
    line.push('\n');
    file.write_all(line.as_bytes())?;
    if file.metadata()?.len() > LIMIT {
        rotate(store, partition)?;
    }
    Ok(())
}

/// The counters of all runs in a partition.
#[must_use]
pub fn counters(store: &Store, partition: &Partition) -> Counters {
    let layout = store.layout();
    let (mut counters, folded) = stored(&layout.counters(partition.id()));
    let old = layout.journal_old(partition.id());
    if fs::metadata(&old).is_ok_and(|metadata| metadata.ino() != folded) {
        each(&old, |record| counters.add(&record));
    }
    each(&layout.journal(partition.id()), |record| counters.add(&record));
    counters
}

/// The counters since [`zero`], or all of them where it was never called.
#[must_use]
pub fn counters_since_zero(store: &Store, partition: &Partition) -> Counters {
    let (before, _) = stored(&store.layout().baseline(partition.id()));
    counters(store, partition).without(&before)
}

/// Lets [`counters_since_zero`] begin anew.
pub fn zero(store: &Store, partition: &Partition) -> std::result::Result<(), StoreError> {
    let now = counters(store, partition).to_json(0).to_string();
    store.publish(&store.layout().baseline(partition.id()), now.as_bytes())
}

/// The counters of the runs since a time, and the time of the oldest run that is known singly.
#[must_use]
pub fn counters_since(
    store: &Store,
    partition: &Partition,
    since: Timestamp,
) -> (Counters, Option<Timestamp>) {
    let (mut counters, mut oldest) = (Counters::default(), None);
    for record in latest(store, partition, usize::MAX) {
        oldest = oldest.or(Some(record.time));
        if record.time >= since {
            counters.add(&record);
        }
    }
    (counters, oldest)
}

/// The latest runs in a partition, oldest first.
#[must_use]
pub fn latest(store: &Store, partition: &Partition, most: usize) -> Vec<Record> {
    let mut records = Vec::new();
    for path in [store.layout().journal_old(partition.id()), store.layout().journal(partition.id())] {
        each(&path, |record| records.push(record));
    }
    records.split_off(records.len().saturating_sub(most))
}

fn stored(path: &Path) -> (Counters, u64) {
    let json = fs::read(path).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok());
    Counters::from_json(&json.unwrap_or(Json::Null))
}

fn each(path: &Path, mut visit: impl FnMut(Record)) {
    // Without the file there was no run; a line that does not parse was cut by a kill.
    let Ok(text) = fs::read(path) else { return };
    for line in text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        if let Some(record) = serde_json::from_slice(line).ok().as_ref().and_then(Record::from_json) {
            visit(record);
        }
    }
}

/// Adds `journal.old` to the counters and puts the journal in its place. Who finds another one at it leaves it to them.
fn rotate(store: &Store, partition: &Partition) -> io::Result<()> {
    let layout = store.layout();
    let (current, old) = (layout.journal(partition.id()), layout.journal_old(partition.id()));
    let lock = OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o600)
        .open(layout.counters(partition.id()).with_extension("lock"))?;
    if lock.try_lock().is_err() || File::open(&current)?.metadata()?.len() <= LIMIT {
        return Ok(());
    }
    if let Ok(inode) = fs::metadata(&old).map(|metadata| metadata.ino()) {
        let path = layout.counters(partition.id());
        let (mut counters, folded) = stored(&path);
        if folded != inode {
            each(&old, |record| counters.add(&record));
            let bytes = counters.to_json(inode).to_string();
            store.publish(&path, bytes.as_bytes()).map_err(io::Error::other)?;
        }
    }
    fs::rename(current, old)
}
