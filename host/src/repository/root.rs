//! Where a repository begins, and which partition of the cache is its own.
//!
//! The root is the nearest directory upward that holds a `reviver.toml`; without one, the enclosing git work tree; without
//! that, the working directory. A `reviver.toml` of another user is none: whoever can write to a directory above ours
//! must not choose the plugins that run here.
//!
//! The partition is that of the git common directory, so that worktrees share theirs, with the root's place in the work
//! tree; outside of git, that of the root.

use crate::digest::Framer;
use crate::store::PartitionId;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The name of the settings file.
pub const SETTINGS: &str = "reviver.toml";

/// A repository in the file system.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Root {
    /// Its root, without symbolic links.
    pub path: PathBuf,
    /// Its settings file, where it has one.
    pub settings: Option<PathBuf>,
    /// A settings file that was passed over because of its owner.
    pub foreign: Option<PathBuf>,
    /// The enclosing git work tree.
    pub work_tree: Option<PathBuf>,
    /// Whether the `.git` in it is a directory, and neither a file, as in a worktree, nor a link.
    pub is_main: bool,
}

/// Finds the repository around a directory, which has no symbolic links in its path. `user` is who asks.
#[must_use]
pub fn find(directory: &Path, user: u32) -> Root {
    let path = directory.to_owned();
    let mut root = Root { path, settings: None, foreign: None, work_tree: None, is_main: false };
    for place in directory.ancestors() {
        let settings = place.join(SETTINGS);
        if root.settings.is_none()
            && let Ok(metadata) = fs::metadata(&settings)
            && metadata.is_file()
        {
            if metadata.uid() == user || metadata.uid() == 0 {
                root.settings = Some(settings);
                place.clone_into(&mut root.path);
            } else {
                root.foreign = root.foreign.or(Some(settings));
            }
        }
        if let Ok(git) = fs::symlink_metadata(place.join(".git")) {
            root.is_main = git.is_dir();
            root.work_tree = Some(place.to_owned());
            if root.settings.is_none() {
                place.clone_into(&mut root.path);
            }
            break;
        }
    }
    root
}

impl Root {
    /// The partition of this repository. Roots that the user joined share that of the first one.
    #[must_use]
    pub fn partition(&self, joined: &[Vec<PathBuf>]) -> PartitionId {
        if let Some(first) =
            joined.iter().find(|roots| roots.contains(&self.path)).and_then(|roots| roots.first())
        {
            return PartitionId::of(Framer::new("reviver.partition.joined").bytes(bytes(first)).finish());
        }
        let mut framer = Framer::new("reviver.partition");
        match &self.work_tree {
            Some(work_tree) => {
                let within = self.path.strip_prefix(work_tree).unwrap_or(Path::new(""));
                framer.bytes(bytes(&common_directory(work_tree, self.is_main))).bytes(bytes(within));
            }
            None => {
                framer.bytes(bytes(&self.path));
            }
        }
        PartitionId::of(framer.finish())
    }
}

fn bytes(path: &Path) -> &[u8] {
    path.as_os_str().as_bytes()
}

/// The directory that all worktrees of a git repository have in common (gitrepository-layout(5): a `.git` file names the
/// worktree's own directory, whose file `commondir` names the common one).
fn common_directory(work_tree: &Path, is_main: bool) -> PathBuf {
    let git = work_tree.join(".git");
    let line = |path: &Path| {
        // A pipe of that name must not be waited for.
        let text = if path.is_file() { fs::read_to_string(path).ok() } else { None };
        text.map(|text| text.trim_end().to_owned())
    };
    let named = || line(&git).and_then(|text| text.strip_prefix("gitdir: ").map(|path| work_tree.join(path)));
    let own = if is_main { None } else { named() }.unwrap_or_else(|| git.clone());
    match line(&own.join("commondir")) {
        // Neither the work tree's path nor this name is a link.
        None if is_main => own,
        common => {
            let common = common.map_or_else(|| own.clone(), |path| own.join(path));
            fs::canonicalize(&common).unwrap_or(common)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(path: &Path) -> u32 {
        fs::metadata(path).unwrap().uid()
    }

    #[test]
    fn the_nearest_settings_then_git_then_the_directory_itself() {
        let directory = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(directory.path()).unwrap();
        let deep = top.join("a/b");
        fs::create_dir_all(&deep).unwrap();
        assert_eq!(find(&deep, user(&top)).path, deep);
        fs::create_dir(top.join(".git")).unwrap();
        assert_eq!(find(&deep, user(&top)).path, top);
        fs::write(top.join("a").join(SETTINGS), "").unwrap();
        let root = find(&deep, user(&top));
        assert_eq!((root.path, root.settings), (top.join("a"), Some(top.join("a").join(SETTINGS))));
    }

    #[test]
    fn worktrees_share_a_partition_and_subdirectories_do_not() {
        let directory = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(directory.path()).unwrap();
        for path in ["main/.git/worktrees/w", "main/sub", "w", "other/.git"] {
            fs::create_dir_all(top.join(path)).unwrap();
        }
        fs::write(top.join("w/.git"), format!("gitdir: {}\n", top.join("main/.git/worktrees/w").display()))
            .unwrap();
        fs::write(top.join("main/.git/worktrees/w/commondir"), "../..\n").unwrap();
        let partition = |path: &str| find(&top.join(path), user(&top)).partition(&[]);
        assert_eq!(partition("main"), partition("w"));
        assert_ne!(partition("main"), partition("other"));
        assert_eq!(partition("main"), partition("main/sub"), "one root, one partition");
        fs::write(top.join("main/sub").join(SETTINGS), "").unwrap();
        assert_ne!(partition("main"), partition("main/sub"));
        let joined = [vec![top.join("main"), top.join("other")]];
        let joined = |path: &str| find(&top.join(path), user(&top)).partition(&joined);
        assert_eq!(joined("main"), joined("other"));
    }

    #[test]
    fn settings_of_another_user_are_passed_over() {
        let directory = tempfile::tempdir().unwrap();
        let top = fs::canonicalize(directory.path()).unwrap();
        fs::write(top.join(SETTINGS), "").unwrap();
        let root = find(&top, user(&top) + 1);
        // Root's own files are trusted, and the tests may run as root.
        assert_eq!(root.settings.is_none(), user(&top) != 0);
    }

    /// Whoever ran something in a directory with a pipe of git's name waited for somebody to write into it.
    #[test]
    fn a_pipe_in_the_place_of_git_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let git = directory.path().join(".git");
        assert!(std::process::Command::new("mkfifo").arg(&git).status().unwrap().success());
        let root = find(directory.path(), user(directory.path()));
        assert_eq!(root.work_tree.as_deref(), Some(directory.path()));
        assert_eq!(root.partition(&[]), find(directory.path(), user(directory.path())).partition(&[]));
    }
}
