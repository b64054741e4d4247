//! What runs did: one line for each in a bounded journal, and counters of what is no longer in it.
//!
//! A line is a JSON object; where a process was killed while it wrote, the line does not parse and is passed over. At 1 MiB
//! the journal becomes `journal.old`, after the one that had that name was added to the counters. A process that still
//! writes to the old file is counted all the same. `explain` reads both files, `stats` adds them to the counters.

use super::explain::Difference;
use crate::store::{Partition, Store};
use crate::time::Timestamp;
use serde_json::{Map, Value as Json, json};
use std::collections::BTreeMap;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::Path;

const LIMIT: u64 = 1 << 20;
/// Reasons beyond these many are counted together: a plugin's words are not bounded.
const MOST_REASONS: usize = 200;
const OTHER: &str = "other reasons";
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
    /// Why it was not cached, or was run and not recorded; empty otherwise.
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

/// How often what happened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Counters {
    /// Operations that were revived.
    pub hits: u64,
    /// Operations that had a key and ran.
    pub misses: u64,
    /// Operations without a key, and why.
    pub uncached: BTreeMap<String, u64>,
    /// Faults of plugins.
    pub faults: u64,
    /// The same by their codes.
    pub faults_by_code: BTreeMap<String, u64>,
    /// Misses that were not recorded, and why.
    pub unrecorded: BTreeMap<String, u64>,
    /// How long the commands had run that were revived instead, in nanoseconds.
    pub saved: u64,
}

impl Counters {
    /// Adds one run.
    pub fn add(&mut self, record: &Record) {
        match record.result {
            Result::Hit => {
                self.hits += 1;
                self.saved = self.saved.saturating_add(record.duration);
            }
            Result::Miss => {
                self.misses += 1;
                if !record.reason.is_empty() {
                    count(&mut self.unrecorded, &record.reason, 1);
                }
            }
            Result::Uncached => count(&mut self.uncached, &record.reason, 1),
            Result::Trim => {}
        }
        if !record.fault.is_empty() {
            self.faults += 1;
            count(&mut self.faults_by_code, &record.fault, 1);
        }
    }

    /// Adds other counters.
    pub fn join(&mut self, other: &Self) {
        self.hits += other.hits;
        self.misses += other.misses;
        self.faults += other.faults;
        self.saved = self.saved.saturating_add(other.saved);
        for (mine, theirs) in [
            (&mut self.uncached, &other.uncached),
            (&mut self.unrecorded, &other.unrecorded),
            (&mut self.faults_by_code, &other.faults_by_code),
        ] {
            for (reason, number) in theirs {
                count(mine, reason, *number);
            }
        }
    }

    fn to_json(&self, folded: u64) -> Json {
        json!({
            "hits": self.hits, "misses": self.misses, "uncached": self.uncached, "faults": self.faults,
            "faults_by_code": self.faults_by_code, "unrecorded": self.unrecorded, "saved": self.saved,
            "folded": folded,
        })
    }

    /// The counters, and the inode of the journal that was added last.
    fn from_json(json: &Json) -> (Self, u64) {
        let number = |name: &str| json.get(name).and_then(Json::as_u64).unwrap_or_default();
        let reasons = |name: &str| {
            let all = json.get(name).and_then(Json::as_object).into_iter().flatten();
            all.filter_map(|(reason, number)| Some((reason.clone(), number.as_u64()?))).collect()
        };
        let counters = Self {
            hits: number("hits"),
            misses: number("misses"),
            uncached: reasons("uncached"),
            faults: number("faults"),
            faults_by_code: reasons("faults_by_code"),
            unrecorded: reasons("unrecorded"),
            saved: number("saved"),
        };
        (counters, number("folded"))
    }
}

fn count(reasons: &mut BTreeMap<String, u64>, reason: &str, number: u64) {
    let known = reasons.len() < MOST_REASONS || reasons.contains_key(reason);
    *reasons.entry(if known { reason } else { OTHER }.to_owned()).or_default() += number;
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
