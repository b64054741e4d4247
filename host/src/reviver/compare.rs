//! What a command did, held against what an entry holds.
//!
//! Contents are compared byte for byte, links by their targets, files by whether they can be executed. What each stream said is
//! compared as a whole: in which order two pipes were read says nothing. A file that the run left alone is no difference but a
//! doubt, unless it is right.

use super::examine::Performed;
use super::revive::join;
use super::tree::Node;
use super::writes::{State, Watched, state};
use crate::outcome::{Chunk, Exit, Outcome, Stream};
use crate::store::{Entry, Item, ItemKind};
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// An entry, and where what it holds belongs.
#[derive(Clone, Copy, Debug)]
pub(super) struct Compared<'a> {
    pub(super) entry: &'a Entry,
    pub(super) outcome: &'a Outcome,
    /// For each item the place of its write and the path below it.
    pub(super) targets: &'a [(PathBuf, PathBuf)],
    pub(super) watched: &'a [Watched],
}

impl Compared<'_> {
    /// What differs, in words; the error says why that cannot be told.
    pub(super) fn with(&self, performed: &Performed, joined: bool) -> Result<Vec<String>, String> {
        let executed = &performed.executed;
        let mut found = Vec::new();
        if executed.exit != self.outcome.exit {
            found.push(format!(
                "it ends with {} instead of {}",
                ended(executed.exit),
                ended(self.outcome.exit)
            ));
        }
        let streams = [(Stream::Stdout, "standard output"), (Stream::Stderr, "standard error")];
        for (stream, name) in streams {
            let of = |chunks: &[Chunk]| -> Vec<u8> {
                let mine = chunks.iter().filter(|chunk| joined || chunk.stream == stream);
                mine.flat_map(|chunk| chunk.bytes.iter().copied()).collect()
            };
            let (was, now) = (of(&self.outcome.output), of(&executed.output));
            if was != now && !(joined && stream == Stream::Stderr) {
                found.push(format!("{name} {}", differing(&was, &now)));
            }
        }
        if executed.exit != self.outcome.exit {
            // A command that fails owes no files.
            return Ok(found);
        }
        for (index, (item, (top, relative))) in self.entry.items().iter().zip(self.targets).enumerate() {
            let path = join(top, relative);
            let Some(difference) = self.item(index, item, &path)? else { continue };
            if self.is_left_alone(top, relative) {
                return Err(format!("{} was there before and the command did not write it", path.display()));
            }
            found.push(format!("{} {difference}", path.display()));
        }
        found.extend(self.further());
        Ok(found)
    }

    /// How what is at a path differs from an item.
    fn item(&self, index: usize, item: &Item, path: &Path) -> Result<Option<String>, String> {
        let held = || self.entry.bytes(index).map_err(|error| error.to_string());
        let absent = || Ok(Some("is missing".to_owned()));
        Ok(match item.kind {
            ItemKind::Directory if path.is_dir() => None,
            ItemKind::Directory => Some("is no directory".to_owned()),
            ItemKind::Link => match fs::read_link(path) {
                Ok(target) if target.as_os_str() == OsStr::from_bytes(&held()?) => None,
                Ok(target) => Some(format!("leads to {}", target.display())),
                Err(_) => Some("is no link".to_owned()),
            },
            ItemKind::File => {
                let Ok(metadata) = fs::metadata(path) else { return absent() };
                if !metadata.is_file() {
                    return Ok(Some("is no file".to_owned()));
                }
                let now =
                    fs::read(path).map_err(|error| format!("cannot read {}: {error}", path.display()))?;
                let was = held()?;
                if *was != *now {
                    Some(differing(&was, &now))
                } else if (item.mode & 0o111 == 0) != (metadata.mode() & 0o111 == 0) {
                    Some("can be executed, or cannot any more".to_owned())
                } else {
                    None
                }
            }
        })
    }

    /// Whether what is at a path was there before, and is the same.
    fn is_left_alone(&self, top: &Path, relative: &Path) -> bool {
        let Some(watched) = self.watched.iter().find(|watched| watched.path == top) else { return false };
        match (&watched.before, state(top)) {
            (State::Directory(before), Ok(State::Directory(now))) => {
                before.get(relative).is_some_and(|node| now.get(relative) == Some(node))
            }
            (State::Absent, _) => false,
            (before, Ok(now)) => *before == now,
            (_, Err(_)) => true,
        }
    }

    /// What the command made that the entry knows nothing of.
    fn further(&self) -> Vec<String> {
        let known: Vec<PathBuf> = self.targets.iter().map(|(top, relative)| join(top, relative)).collect();
        let mut found = Vec::new();
        for Watched { path, before, .. } in self.watched {
            let Ok(now) = state(path) else { continue };
            if now != State::Absent && now != *before && !known.contains(path) {
                found.push(format!("{} is written too", path.display()));
            }
            let State::Directory(nodes) = now else { continue };
            let was = |name: &PathBuf, node: &Node| matches!(before, State::Directory(before) if before.get(name) == Some(node));
            let new =
                nodes.iter().filter(|(name, node)| !known.contains(&path.join(name)) && !was(name, node));
            found.extend(new.map(|(name, _)| format!("{} is written too", path.join(name).display())));
        }
        found
    }
}

fn ended(exit: Exit) -> String {
    match exit {
        Exit::Code(code) => format!("exit status {code}"),
        Exit::Signal(signal) => format!("signal {signal}"),
    }
}

fn differing(was: &[u8], now: &[u8]) -> String {
    let same = was.iter().zip(now).take_while(|(was, now)| was == now).count();
    let (was, now) = (was.len(), now.len());
    if was == now {
        format!("differs from byte {same} of {now}")
    } else {
        format!("differs from byte {same}: {now} bytes instead of {was}")
    }
}
