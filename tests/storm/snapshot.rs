//! The tree at an earlier time, to go back to as a checkout does: what differs is written anew, what does not keeps its
//! times.

use crate::Storm;
use crate::asked::Asked;
use crate::change::clear;
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

/// How many states are kept.
const KEPT: usize = 6;

/// Where headers and sources are.
const PLACES: [&str; 7] = ["src", "inc1", "inc2", "quoted", "system", "after", "link"];

/// A state of the tree, and how a compilation was asked for in it.
#[derive(Clone)]
pub(crate) struct Snapshot {
    asked: Asked,
    nodes: BTreeMap<PathBuf, Node>,
}

#[derive(Clone, PartialEq, Eq)]
enum Node {
    File(Vec<u8>),
    Link(PathBuf),
    Directory,
}

impl Storm {
    /// Keeps the present state, in place of an older one if there are many.
    pub(crate) fn remember(&mut self) {
        let now = Snapshot { asked: self.asked.clone(), nodes: self.nodes() };
        if self.earlier.len() < KEPT {
            self.earlier.push(now);
        } else {
            let which = self.dice.below(KEPT);
            self.earlier[which] = now;
        }
        self.note("remember".to_owned());
    }

    /// Makes the tree what it was.
    pub(crate) fn go_back(&mut self, which: usize) {
        let (Snapshot { asked, nodes }, now) = (self.earlier[which].clone(), self.nodes());
        for path in now.keys().filter(|path| now.get(*path) != nodes.get(*path)) {
            clear(&self.at(path));
        }
        for (path, node) in &nodes {
            let place = self.at(path);
            // Also what went with a directory that was no directory before.
            if now.get(path) == Some(node) && place.symlink_metadata().is_ok() {
                continue;
            }
            match node {
                Node::File(bytes) => fs::write(place, bytes).unwrap(),
                Node::Link(target) => symlink(target, place).unwrap(),
                Node::Directory => fs::create_dir(place).unwrap(),
            }
        }
        self.asked = asked;
        self.note(format!("go back to {which}"));
    }

    fn nodes(&self) -> BTreeMap<PathBuf, Node> {
        let mut nodes = BTreeMap::new();
        let mut open: Vec<PathBuf> = PLACES.iter().map(PathBuf::from).collect();
        while let Some(path) = open.pop() {
            if path == Path::new("src/out") {
                continue;
            }
            let place = self.at(&path);
            let kind = place.symlink_metadata().unwrap().file_type();
            let node = if kind.is_symlink() {
                Node::Link(fs::read_link(place).unwrap())
            } else if kind.is_dir() {
                open.extend(fs::read_dir(place).unwrap().map(|entry| path.join(entry.unwrap().file_name())));
                Node::Directory
            } else {
                Node::File(fs::read(place).unwrap())
            };
            nodes.insert(path, node);
        }
        nodes
    }
}
