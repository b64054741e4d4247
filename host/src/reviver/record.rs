//! Recording: a proved run becomes an entry.
//!
//! Modes are kept apart from the umask that they were made under: what has exactly the bits that the umask leaves of 0666
//! or 0777 is recorded as 0666 or 0777, and a revival takes its own umask off again.

use super::tree::Node;
use super::writes::State;
use crate::store::{Content, DraftItem};
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// A path of an entry: the label of the write, then what is below it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Part {
    /// The path in the entry.
    pub path: Vec<u8>,
    /// The path in the file system.
    pub place: PathBuf,
    /// What is there.
    pub node: Node,
}

/// All parts of a write of this label, which is at this path, directories before what is in them.
#[must_use]
pub fn parts(label: &[u8], path: &Path, state: &State) -> Vec<Part> {
    let label = label.to_vec();
    match state {
        State::Absent => Vec::new(),
        State::File(identity) => {
            vec![Part { path: label, place: path.to_owned(), node: Node::File(*identity) }]
        }
        State::Link(target) => {
            vec![Part { path: label, place: path.to_owned(), node: Node::Link(target.clone()) }]
        }
        State::Directory(nodes) => {
            let below = nodes.iter().map(|(name, node)| Part {
                path: [&label, &b"/"[..], name.as_os_str().as_bytes()].concat(),
                place: path.join(name),
                node: node.clone(),
            });
            let top = Part { path: label.clone(), place: path.to_owned(), node: Node::Directory };
            std::iter::once(top).chain(below).collect()
        }
    }
}

/// The draft's item of a part.
#[must_use]
pub fn item(part: &Part, umask: u32) -> DraftItem<'_> {
    let (content, mode) = match &part.node {
        Node::Directory => {
            let mode = fs::metadata(&part.place).map_or(0o777, |there| there.mode() & 0o777);
            (Content::Directory, recorded_mode(mode, umask))
        }
        Node::Link(target) => (Content::Link(target.as_os_str().as_bytes()), 0o777),
        Node::File(identity) => (Content::Path(&part.place), recorded_mode(identity.mode & 0o777, umask)),
    };
    DraftItem { path: part.path.clone(), content, mode: Some(mode) }
}

/// The mode that is recorded for one that was made under `umask`.
#[must_use]
pub fn recorded_mode(mode: u32, umask: u32) -> u32 {
    [0o666, 0o777].into_iter().find(|open| open & !umask == mode).unwrap_or(mode)
}

/// The mode that a recorded one has under `umask`.
#[must_use]
pub const fn revived_mode(mode: u32, umask: u32) -> u32 {
    mode & !umask
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_follow_the_umask_of_who_revives() {
        assert_eq!(revived_mode(recorded_mode(0o644, 0o022), 0o002), 0o664);
        assert_eq!(revived_mode(recorded_mode(0o755, 0o022), 0o077), 0o700);
        assert_eq!(revived_mode(recorded_mode(0o444, 0o022), 0o022), 0o444);
        assert_eq!(revived_mode(recorded_mode(0o600, 0o022), 0o022), 0o600);
    }
}
