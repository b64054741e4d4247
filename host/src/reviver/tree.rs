//! Whole directories as values.

use super::files::{Files, absent_is_none};
use super::resolve::{Doubt, unseen};
use super::value::Value;
use crate::bytes::to_bytes;
use crate::digest::Framer;
use crate::identity::Identity;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

/// Links that lead to more names than this outside of a tree are not followed: it has no value then.
const MOST_OUTSIDE: usize = 20_000;

/// What lies below a directory.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Node {
    /// A regular file.
    File(Identity),
    /// A directory.
    Directory,
    /// A symbolic link, with its target. Links are never followed below the top.
    Link(PathBuf),
}

/// All that lies below `top`, by relative path, in order; `None` where there is no such directory.
pub fn walk(top: &Path) -> Result<Option<Vec<(PathBuf, Node)>>, Doubt> {
    walk_telling(top, |_| {})
}

/// The same; `tell` hears of each directory before its names are read.
fn walk_telling(top: &Path, tell: impl Fn(&Path)) -> Result<Option<Vec<(PathBuf, Node)>>, Doubt> {
    tell(top);
    match absent_is_none(fs::metadata(top)).map_err(unseen(top))? {
        None => return Ok(None),
        Some(metadata) if metadata.is_dir() => {}
        Some(_) => return Err(Doubt::Special(top.to_owned())),
    }
    let mut nodes = Vec::new();
    let mut pending = vec![PathBuf::new()];
    while let Some(directory) = pending.pop() {
        let place = top.join(&directory);
        if !directory.as_os_str().is_empty() {
            tell(&place);
        }
        for entry in fs::read_dir(&place).map_err(unseen(&place))? {
            let entry = entry.map_err(unseen(&place))?;
            let (relative, path) = (directory.join(entry.file_name()), entry.path());
            let metadata = entry.metadata().map_err(unseen(&path))?;
            let node = if metadata.is_dir() {
                pending.push(relative.clone());
                Node::Directory
            } else if metadata.is_symlink() {
                Node::Link(fs::read_link(&path).map_err(unseen(&path))?)
            } else if metadata.is_file() {
                Node::File(Identity::of(&metadata))
            } else {
                return Err(Doubt::Special(path));
            };
            nodes.push((relative, node));
        }
    }
    nodes.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(Some(nodes))
}

/// The value of a directory with all that is below it, and what links in it lead to outside of it.
pub fn tree(files: &Files, top: &Path) -> Result<Value, Doubt> {
    // Most trees that a compilation names are absent, and an absent one costs a hit one call.
    if files.identity(top).map_err(unseen(top))?.is_none() {
        return Ok(Value::Absent);
    }
    let Some(nodes) = walk_telling(top, |directory| files.walks(directory))? else {
        return Ok(Value::Absent);
    };
    let real = fs::canonicalize(top).unwrap_or_else(|_| top.to_owned());
    deep(files, top, nodes, &mut Looked { above: vec![real], outside: 0 })
}

/// What is looked at besides a tree.
struct Looked {
    /// The directories that are looked at already, without links.
    above: Vec<PathBuf>,
    /// How many names were found outside of the tree.
    outside: usize,
}

fn deep(files: &Files, top: &Path, nodes: Vec<(PathBuf, Node)>, looked: &mut Looked) -> Result<Value, Doubt> {
    if looked.above.len() > 1 {
        looked.outside += nodes.len();
        if looked.outside > MOST_OUTSIDE {
            return Err(Doubt::Special(top.to_owned()));
        }
    }
    let mut framer = Framer::new("reviver.tree");
    for (relative, node) in nodes {
        framer.bytes(relative.as_os_str().as_bytes());
        match node {
            Node::Directory => framer.number(0),
            Node::Link(target) => {
                let value = outside(files, &top.join(&relative), looked)?;
                framer.number(1).bytes(target.as_os_str().as_bytes()).bytes(&to_bytes(&value))
            }
            Node::File(identity) => {
                let path = top.join(&relative);
                files.identity(&path).map_err(unseen(&path))?;
                let content = files.content(&path, &identity).map_err(unseen(&path))?;
                framer.number(2 + u64::from(identity.is_executable())).digest(content)
            }
        };
    }
    Ok(Value::Other(framer.finish()))
}

/// What a link leads to outside of the directories that are looked at; absent where it leads into them, or nowhere.
fn outside(files: &Files, link: &Path, looked: &mut Looked) -> Result<Value, Doubt> {
    files.note(link);
    let Some(real) = absent_is_none(fs::canonicalize(link)).map_err(unseen(link))? else {
        return Ok(Value::Absent);
    };
    if looked.above.iter().any(|directory| real.starts_with(directory)) {
        return Ok(Value::Absent);
    }
    let Some(identity) = files.identity(&real).map_err(unseen(&real))? else { return Ok(Value::Absent) };
    if identity.is_directory() {
        // A way up leads to everything, the outputs too. Who follows one reads what nobody declared.
        if looked.above.iter().any(|directory| directory.starts_with(&real)) {
            return Ok(Value::Directory);
        }
        let Some(nodes) = walk_telling(&real, |directory| files.walks(directory))? else {
            return Ok(Value::Absent);
        };
        looked.above.push(real.clone());
        let value = deep(files, &real, nodes, looked);
        looked.above.pop();
        return value;
    }
    if !identity.is_file() {
        return Err(Doubt::Special(link.to_owned()));
    }
    let content = files.content(&real, &identity).map_err(unseen(&real))?;
    Ok(Value::File { content, executable: identity.is_executable() })
}

/// The value of the names in a directory.
pub fn listing(files: &Files, directory: &Path) -> Result<Value, Doubt> {
    let Some(names) = files.names(directory).map_err(unseen(directory))? else { return Ok(Value::Absent) };
    let mut names: Vec<_> = names.iter().collect();
    names.sort_unstable();
    let mut framer = Framer::new("reviver.listing");
    for name in names {
        framer.bytes(name.as_bytes());
    }
    Ok(Value::Other(framer.finish()))
}

#[cfg(test)]
mod tests {
    use super::super::table::Table;
    use super::*;
    use crate::time::Timestamp;
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    use std::rc::Rc;

    fn value(top: &Path) -> Value {
        let table = Rc::new(Table::new(PathBuf::from("/nowhere")));
        tree(&Files::new(table, Rc::new(|| Timestamp(0))), top).unwrap()
    }

    #[test]
    fn every_change_below_a_directory_changes_its_value() {
        let directory = tempfile::tempdir().unwrap();
        let top = directory.path().join("d");
        assert_eq!(value(&top), Value::Absent);
        fs::create_dir_all(top.join("a/empty")).unwrap();
        fs::write(top.join("a/f"), "x").unwrap();
        let mut seen = vec![value(&top)];
        let mut step = |what: &str, change: &dyn Fn()| {
            change();
            let now = value(&top);
            assert!(!seen.contains(&now), "{what}");
            seen.push(now);
        };
        step("content", &|| fs::write(top.join("a/f"), "y").unwrap());
        step("executable", &|| {
            fs::set_permissions(top.join("a/f"), fs::Permissions::from_mode(0o755)).unwrap();
        });
        step("new name", &|| fs::write(top.join("g"), "").unwrap());
        step("link", &|| symlink("g", top.join("l")).unwrap());
        step("target", &|| {
            fs::remove_file(top.join("l")).unwrap();
            symlink("a", top.join("l")).unwrap();
        });
        step("empty directory", &|| fs::remove_dir(top.join("a/empty")).unwrap());
        step("moved name", &|| fs::rename(top.join("g"), top.join("h")).unwrap());
    }

    #[test]
    fn what_a_link_leads_to_outside_of_the_tree_counts() {
        let directory = tempfile::tempdir().unwrap();
        let at = |name: &str| directory.path().join(name);
        for name in ["d", "e", "e/f"] {
            fs::create_dir(at(name)).unwrap();
        }
        symlink("../settings", at("d/l")).unwrap();
        symlink("../e", at("d/e")).unwrap();
        // Circles end.
        symlink("../../d", at("e/f/d")).unwrap();
        symlink("..", at("d/up")).unwrap();
        let mut seen = vec![value(&at("d"))];
        for change in ["settings", "e/f/x"] {
            for text in ["1", "2"] {
                fs::write(at(change), text).unwrap();
                let now = value(&at("d"));
                assert!(!seen.contains(&now), "{change} {text}");
                seen.push(now);
            }
        }
    }

    #[test]
    fn a_tree_that_holds_a_socket_has_no_value() {
        let directory = tempfile::tempdir().unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(directory.path().join("s")).unwrap();
        assert!(matches!(walk(directory.path()), Err(Doubt::Special(_))));
    }
}
