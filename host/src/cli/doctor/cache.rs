//! The cache directory, and that of compiled plugins: whose they are, and who may write there.

use super::{Finding, Scene};
use crate::store::Layout;
use rustix::fs::{Access, AtFlags, CWD};
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

pub(super) fn directory(scene: &Scene) -> Vec<Finding> {
    let Some(cache) = &scene.cache else {
        let says = "where it is stands in settings that cannot be read";
        return vec![Finding::note("cache", says)];
    };
    let shown = cache.display();
    let elsewhere = "name another cache directory with REVIVER_CACHE_DIR, or `cache` in config.toml";
    if fs::symlink_metadata(cache).is_err() {
        let above = nearest(cache);
        return vec![if above.is_dir() && may_write(above) {
            Finding::ok("cache", format!("{shown} is not there yet; the first run makes it"))
        } else {
            let says = format!("{shown} is not there, and {} lets nobody make it", above.display());
            Finding::problem("cache", says, elsewhere)
        }];
    }
    if !cache.is_dir() {
        return vec![Finding::problem("cache", format!("{shown} is no directory"), elsewhere)];
    }
    let layout = Layout::new(cache);
    for path in [cache.as_path(), layout.root()].into_iter().filter(|path| path.is_dir()) {
        if let Some(problem) = rights("cache", path) {
            return vec![problem];
        }
    }
    vec![Finding::ok("cache", format!("{shown} is ours alone to write"))]
}

pub(super) fn artifacts(scene: &Scene) -> Vec<Finding> {
    let Some(cache) = &scene.cache else { return Vec::new() };
    let path = Layout::new(cache).artifacts();
    let Ok(metadata) = fs::symlink_metadata(&path) else { return Vec::new() };
    let shown = path.display();
    let remove = format!("run `rm -r {shown}`; plugins are compiled again");
    if !metadata.is_dir() {
        let says = format!("{shown} is no directory, so plugins are compiled in each process");
        return vec![Finding::problem("compiled plugins", says, remove)];
    }
    vec![
        rights("compiled plugins", &path)
            .unwrap_or_else(|| Finding::ok("compiled plugins", format!("{shown} is ours alone to write"))),
    ]
}

/// What is wrong with who owns a directory, and who may write there.
fn rights(subject: &str, path: &Path) -> Option<Finding> {
    let shown = path.display();
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) => {
            let cure = format!("run `chmod u+rwx {shown}` and what is above it");
            return Some(Finding::problem(subject, format!("cannot look at {shown}: {error}"), cure));
        }
    };
    let user = rustix::process::geteuid().as_raw();
    if metadata.uid() != user {
        let says = format!("{shown} belongs to user {}, and we are {user}", metadata.uid());
        return Some(Finding::problem(subject, says, format!("run `chown -R {user} {shown}` as root")));
    }
    if metadata.mode() & 0o022 != 0 {
        let says = format!("others may write to {shown}, and so put there what we would trust");
        return Some(Finding::problem(subject, says, format!("run `chmod go-w {shown}`")));
    }
    if !may_write(path) {
        let says = format!("we may not write to {shown}, so nothing is recorded");
        return Some(Finding::problem(subject, says, format!("run `chmod u+rwx {shown}`")));
    }
    None
}

fn may_write(path: &Path) -> bool {
    let rights = Access::WRITE_OK | Access::EXEC_OK;
    rustix::fs::accessat(CWD, path, rights, AtFlags::EACCESS).is_ok()
}

/// The nearest of what is above a path that is there.
pub(super) fn nearest(path: &Path) -> &Path {
    path.ancestors().find(|path| fs::metadata(path).is_ok()).unwrap_or(Path::new("/"))
}
