//! How often what happened.
//!
//! Reasons are counted as they are told, as long as there are few; a plugin's words are not bounded. Beyond that those are
//! counted together that are the same but for the names in them ([`folded`]), and in the end all others.

use super::journal::{Record, Result};
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;

/// Beyond these many reasons those that come are folded, beyond twice as many counted together.
const MOST_REASONS: usize = 200;
const OTHER: &str = "other reasons";

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
    /// Misses that were not recorded, and rechecks that could not be compared, and why.
    pub unrecorded: BTreeMap<String, u64>,
    /// How long the commands had run that were revived instead, in nanoseconds.
    pub saved: u64,
    /// Operations that were found, and did the same when they ran again; [`differing`](Self::differing) ones are not among them.
    pub rechecked: u64,
    /// Operations that were found, and did something else.
    pub differing: u64,
    /// The same by key plugin.
    pub plugins: BTreeMap<String, Share>,
}

/// What one key plugin had a part in.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Share {
    /// Operations that were revived.
    pub hits: u64,
    /// Operations that had a key and ran.
    pub misses: u64,
    /// Operations without a key.
    pub uncached: u64,
}

impl Counters {
    /// Adds one run.
    pub fn add(&mut self, record: &Record) {
        let mut share = Share::default();
        match record.result {
            Result::Hit => {
                (self.hits, share.hits) = (self.hits + 1, 1);
                self.saved = self.saved.saturating_add(record.duration);
            }
            Result::Miss => {
                (self.misses, share.misses) = (self.misses + 1, 1);
                if !record.reason.is_empty() {
                    count(&mut self.unrecorded, &record.reason, 1);
                }
            }
            Result::Uncached => {
                share.uncached = 1;
                count(&mut self.uncached, &record.reason, 1);
            }
            Result::Rechecked if record.reason.is_empty() => self.rechecked += 1,
            Result::Rechecked => count(&mut self.unrecorded, &record.reason, 1),
            Result::Differs => self.differing += 1,
            Result::Trim => {}
        }
        if share != Share::default() {
            self.share(&record.plugin, share);
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
        self.rechecked += other.rechecked;
        self.differing += other.differing;
        for (mine, theirs) in [
            (&mut self.uncached, &other.uncached),
            (&mut self.unrecorded, &other.unrecorded),
            (&mut self.faults_by_code, &other.faults_by_code),
        ] {
            for (reason, number) in theirs {
                count(mine, reason, *number);
            }
        }
        for (plugin, share) in &other.plugins {
            self.share(plugin, *share);
        }
    }

    /// What was counted after `before` had been.
    #[must_use]
    pub fn without(&self, before: &Self) -> Self {
        let reasons =
            |mine: &BTreeMap<String, u64>, theirs: &BTreeMap<String, u64>| -> BTreeMap<String, u64> {
                let left = mine.iter().map(|(reason, number)| {
                    (reason.clone(), number.saturating_sub(theirs.get(reason).copied().unwrap_or_default()))
                });
                left.filter(|(_, number)| *number > 0).collect()
            };
        let plugins = self.plugins.iter().map(|(plugin, now)| {
            let was = before.plugins.get(plugin).copied().unwrap_or_default();
            let share = Share {
                hits: now.hits.saturating_sub(was.hits),
                misses: now.misses.saturating_sub(was.misses),
                uncached: now.uncached.saturating_sub(was.uncached),
            };
            (plugin.clone(), share)
        });
        Self {
            hits: self.hits.saturating_sub(before.hits),
            misses: self.misses.saturating_sub(before.misses),
            uncached: reasons(&self.uncached, &before.uncached),
            faults: self.faults.saturating_sub(before.faults),
            faults_by_code: reasons(&self.faults_by_code, &before.faults_by_code),
            unrecorded: reasons(&self.unrecorded, &before.unrecorded),
            saved: self.saved.saturating_sub(before.saved),
            rechecked: self.rechecked.saturating_sub(before.rechecked),
            differing: self.differing.saturating_sub(before.differing),
            plugins: plugins.filter(|(_, share)| *share != Share::default()).collect(),
        }
    }

    fn share(&mut self, plugin: &str, more: Share) {
        let known = self.plugins.len() < MOST_REASONS || self.plugins.contains_key(plugin);
        let share = self.plugins.entry(if known { plugin } else { OTHER }.to_owned()).or_default();
        share.hits += more.hits;
        share.misses += more.misses;
        share.uncached += more.uncached;
    }

    pub(super) fn to_json(&self, folded: u64) -> Json {
        let plugins = self.plugins.iter();
        let plugins =
            plugins.map(|(name, share)| (name.clone(), json!([share.hits, share.misses, share.uncached])));
        json!({
            "hits": self.hits, "misses": self.misses, "uncached": self.uncached, "faults": self.faults,
            "faults_by_code": self.faults_by_code, "unrecorded": self.unrecorded, "saved": self.saved,
            "rechecked": self.rechecked, "differing": self.differing,
            "plugins": plugins.collect::<serde_json::Map<_, _>>(), "folded": folded,
        })
    }

    /// The counters, and the inode of the journal that was added last.
    pub(super) fn from_json(json: &Json) -> (Self, u64) {
        let number = |name: &str| json.get(name).and_then(Json::as_u64).unwrap_or_default();
        let all = |name: &str| json.get(name).and_then(Json::as_object).into_iter().flatten();
        let reasons = |name: &str| {
            all(name).filter_map(|(reason, number)| Some((reason.clone(), number.as_u64()?))).collect()
        };
        let share = |share: &Json| {
            let at = |index: usize| share.get(index).and_then(Json::as_u64).unwrap_or_default();
            Share { hits: at(0), misses: at(1), uncached: at(2) }
        };
        let counters = Self {
            hits: number("hits"),
            misses: number("misses"),
            uncached: reasons("uncached"),
            faults: number("faults"),
            faults_by_code: reasons("faults_by_code"),
            unrecorded: reasons("unrecorded"),
            saved: number("saved"),
            rechecked: number("rechecked"),
            differing: number("differing"),
            plugins: all("plugins").map(|(name, of)| (name.clone(), share(of))).collect(),
        };
        (counters, number("folded"))
    }
}

fn count(reasons: &mut BTreeMap<String, u64>, reason: &str, number: u64) {
    let fits = |reasons: &BTreeMap<String, u64>, reason: &str, most: usize| {
        reasons.len() < most || reasons.contains_key(reason)
    };
    if fits(reasons, reason, MOST_REASONS) {
        *reasons.entry(reason.to_owned()).or_default() += number;
        return;
    }
    let folded = folded(reason);
    let known = fits(reasons, &folded, 2 * MOST_REASONS);
    *reasons.entry(if known { folded } else { OTHER.to_owned() }).or_default() += number;
}

/// A reason without the names of files in it, so that equal ones of many operations are one. The names of options stay.
#[must_use]
pub fn folded(reason: &str) -> String {
    let mut words: Vec<String> = Vec::new();
    let mut parts = reason.split('`');
    // Every second part is quoted, if the quotes are whole.
    let is_whole = reason.matches('`').count().is_multiple_of(2);
    let mut text = parts.next().map(plain).unwrap_or_default();
    while let Some(part) = parts.next() {
        if is_whole {
            text = format!("{text}`{}`{}", quoted(part), parts.next().map(plain).unwrap_or_default());
        } else {
            text = format!("{text}`{}", plain(part));
        }
    }
    // Names that follow each other are some names.
    for word in text.split(' ') {
        let is_name = |word: &str| word.trim_end_matches([',', ';']).trim_matches('`') == "…";
        let follows = match &words[..] {
            [.., name, and] if and == "and" => is_name(name),
            [.., name] => name.ends_with(',') && is_name(name),
            [] => false,
        };
        if is_name(word) && follows {
            if words.last().is_some_and(|and| and == "and") {
                words.pop();
            }
            words.pop();
        }
        words.push(word.to_owned());
    }
    words.join(" ")
}

/// What was quoted: an option without its value, or any name.
fn quoted(part: &str) -> String {
    if !part.starts_with('-') {
        return "…".to_owned();
    }
    let end = part.find(|c: char| !c.is_ascii_alphanumeric() && !"-_+".contains(c)).unwrap_or(part.len());
    if end == part.len() { part.to_owned() } else { format!("{}…", &part[..end]) }
}

/// Text with paths and names of files left out.
fn plain(text: &str) -> String {
    let is_file = |word: &str| {
        let word = word.trim_end_matches([',', ';', ':', '.']);
        let suffix =
            word.rsplit_once('.').filter(|(stem, _)| !stem.is_empty()).map_or("", |(_, suffix)| suffix);
        let is_suffix =
            (1..=5).contains(&suffix.len()) && suffix.starts_with(|c: char| c.is_ascii_alphabetic());
        word.contains('/') || (is_suffix && suffix.chars().all(|c| c.is_ascii_alphanumeric()))
    };
    let fold = |word: &str| {
        let rest = word.trim_end_matches([',', ';', ':']);
        if is_file(word) { format!("…{}", &word[rest.len()..]) } else { word.to_owned() }
    };
    text.split(' ').map(fold).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Timestamp;

    #[test]
    fn reasons_are_the_same_but_for_the_names_in_them() {
        for (reason, expected) in [
            ("there are several sources, `hello.o` and `util.o`", "there are several sources, `…`"),
            ("there are several sources, `a.c`, `b.c` and `d/c.c`", "there are several sources, `…`"),
            ("the option `-save-temps` is not known", "the option `-save-temps` is not known"),
            ("the option `-Wp,-MD,x.d` is not known", "the option `-Wp…` is not known"),
            ("the option `--param=a/b` is not known", "the option `--param…` is not known"),
            ("another operation writes /a/b.o too", "another operation writes … too"),
            ("src/a.h changed while the command ran", "… changed while the command ran"),
            ("a.h changed while the command ran", "… changed while the command ran"),
            ("it reads a/b and writes c.o: no", "it reads … and writes …: no"),
            ("exit status 3", "exit status 3"),
            ("one ` alone in a.c", "one ` alone in …"),
            ("", ""),
        ] {
            assert_eq!(folded(reason), expected, "{reason}");
        }
    }

    fn record(result: Result, plugin: &str, reason: &str) -> Record {
        let trim = Record::trim(Timestamp(1), plugin, "");
        Record { result, reason: reason.to_owned(), duration: 7, ..trim }
    }

    #[test]
    fn what_is_counted_since_is_the_difference_and_survives_the_disk() {
        let mut counters = Counters::default();
        for result in [Result::Hit, Result::Miss, Result::Uncached, Result::Rechecked, Result::Differs] {
            counters.add(&record(result, "key-cc", "why"));
            counters.add(&record(result, "key-command", ""));
        }
        let before = counters.clone();
        assert_eq!((before.hits, before.misses, before.rechecked, before.differing), (2, 2, 1, 2));
        assert_eq!((before.saved, before.unrecorded["why"]), (14, 2));
        assert_eq!(Counters::from_json(&before.to_json(5)), (before.clone(), 5));
        assert_eq!(counters.without(&before), Counters::default());
        counters.add(&record(Result::Hit, "key-cc", ""));
        let since = counters.without(&before);
        assert_eq!((since.hits, since.misses, since.saved), (1, 0, 7));
        assert_eq!(since.plugins.keys().collect::<Vec<_>>(), ["key-cc"]);
    }

    #[test]
    fn thousands_of_reasons_with_names_in_them_stay_few_and_tell_what_they_are() {
        let mut counters = Counters::default();
        for number in 0..5000 {
            counters.add(&record(Result::Uncached, "p", &format!("`{number}.c` is odd")));
            counters.add(&record(Result::Uncached, "p", &format!("number {number} of a plugin's words")));
        }
        assert!(counters.uncached.len() <= 2 * MOST_REASONS + 1);
        assert!(counters.uncached["`…` is odd"] > 4800);
        assert_eq!(counters.uncached.values().sum::<u64>(), 10_000);
    }
}
