//! Notes of files outside the cache that nobody would look for.
//!
//! What is staged has a usual name, and what a killed process left under it goes with the next staging of the same
//! destination. Where that name is taken, by another process most likely, the file gets a unique one, as do old files that
//! wait for the end of a commit. Before one is made its path is noted in a file under `tmp/`, which is locked meanwhile and
//! goes in the end. A note that nobody holds any more has the file removed that it names, by
//! [`Store::clean_temporaries`].
//!
//! The file, `note-…`: absolute paths, each followed by a zero byte.

use super::Store;
use super::file::{self, TmpFile};
use rustix::fs::FlockOperation;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

/// What the names of notes start with.
pub(super) const PREFIX: &str = "note-";

/// What one staging noted.
#[derive(Default, Debug)]
pub(super) struct Notes(Vec<TmpFile>);

impl Notes {
    /// Notes a path. Where that fails it is worth no failure: only after a kill would it have been of use.
    pub(super) fn note(&mut self, store: &Store, path: &Path) {
        self.note_all(store, std::iter::once(path));
    }

    /// Notes many paths at once.
    pub(super) fn note_all<'p>(&mut self, store: &Store, paths: impl Iterator<Item = &'p Path>) {
        let mut bytes = Vec::new();
        for path in paths.filter_map(|path| std::path::absolute(path).ok()) {
            bytes.extend_from_slice(path.as_os_str().as_bytes());
            bytes.push(0);
        }
        if bytes.is_empty() || store.options().read_only {
            return;
        }
        if self.0.is_empty() {
            let Ok(tmp) = TmpFile::named(store.layout(), PREFIX) else { return };
            file::lock(&tmp.file, FlockOperation::LockExclusive).ok();
            self.0.push(tmp);
        }
        if let Some(tmp) = self.0.first() {
            (&tmp.file).write_all(&bytes).ok();
        }
    }

    /// Keeps another's notes as well.
    pub(super) fn append(&mut self, other: &mut Self) {
        self.0.append(&mut other.0);
    }
}

/// Removes what a note names that nobody holds any more, and tells whether nothing of it is left. Names are unique, so what
/// has one of them was left by who noted it.
pub(super) fn heed(mut note: &File) -> bool {
    let mut bytes = Vec::new();
    if note.read_to_end(&mut bytes).is_err() {
        return false;
    }
    // What stands behind the last zero was never made: it is noted first.
    let paths = bytes.split_inclusive(|&byte| byte == 0).filter_map(|path| path.strip_suffix(b"\0"));
    let mut all = true;
    for path in paths.map(|path| Path::new(OsStr::from_bytes(path))) {
        let name = path.file_name().map_or(&b""[..], |name| name.as_bytes());
        if !path.is_absolute() || !name.starts_with(b".") || !name.ends_with(b".reviver") {
            continue;
        }
        if let Ok(there) = fs::symlink_metadata(path) {
            all &= there.is_dir() || fs::remove_file(path).is_ok();
        }
    }
    all
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;
    use crate::store::Staging;
    use crate::store::testing::{Cache, draft, key};
    use crate::time::Timestamp;
    use std::time::{Duration, SystemTime};

    fn in_two_hours() -> Timestamp {
        Timestamp::of(SystemTime::now() + Duration::from_hours(2))
    }

    fn notes(cache: &Cache) -> usize {
        let names = fs::read_dir(cache.store.layout().tmp()).into_iter().flatten();
        names
            .filter(|name| name.as_ref().unwrap().file_name().as_bytes().starts_with(PREFIX.as_bytes()))
            .count()
    }

    /// How old a link is cannot be told, since all links to an object change together: what a killed process had linked stayed.
    #[test]
    fn every_link_is_noted_before_it_is_made() {
        let cache = Cache::linking(crate::store::LinkMode::Hardlink);
        let large = vec![7; 70_000];
        let contents = [&*large, b"small", &*large];
        cache.partition.add(key("k"), &draft(&contents), Timestamp(1)).unwrap();
        let entry = cache.partition.find(key("k")).unwrap().unwrap();
        let paths = ["out/a", "out/b", "out/c"].map(|name| cache.path(name));
        let files: Vec<_> = paths.iter().enumerate().map(|(at, path)| (at, path.as_path(), 0o444)).collect();
        let mut staging = Staging::new(&cache.store);
        staging.files(&entry, &files).unwrap();
        let noted = fs::read(staging.notes.0[0].path()).unwrap();
        let noted: Vec<_> = noted.split(|&byte| byte == 0).map(OsStr::from_bytes).map(Path::new).collect();
        let staged: Vec<_> =
            fs::read_dir(cache.path("out")).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(staged.len(), 3);
        assert_eq!(staged.iter().filter(|path| noted.contains(&path.as_path())).count(), 2);
        staging.commit().unwrap();
        assert_eq!(notes(&cache), 0);
    }

    /// Two stage one destination, and the second is killed: nobody would ever look for its file.
    #[test]
    fn what_a_kill_leaves_under_a_unique_name_goes_in_the_end() {
        let cache = Cache::new();
        let destination = cache.path("out/f");
        let mut first = Staging::new(&cache.store);
        first.bytes(&destination, b"1", 0o644).unwrap();
        assert_eq!(notes(&cache), 0, "the usual name needs none");
        let mut second = Staging::new(&cache.store);
        second.bytes(&destination, b"2", 0o644).unwrap();
        assert_eq!(notes(&cache), 1);
        first.commit().unwrap();
        let beside = || fs::read_dir(cache.path("out")).unwrap().count();
        assert_eq!(beside(), 2);

        // While its writer lives, its note is locked.
        cache.store.clean_temporaries(in_two_hours());
        assert_eq!((beside(), notes(&cache)), (2, 1));

        // A kill: all files are closed, and nothing is removed.
        let note = second.notes.0[0].path().to_owned();
        let kept = fs::read(&note).unwrap();
        let staged = fs::read_dir(cache.path("out")).unwrap().map(|entry| entry.unwrap().path());
        let staged: Vec<_> = staged.filter(|path| *path != destination).collect();
        drop(second);
        assert_eq!((beside(), notes(&cache)), (1, 0));
        fs::write(&note, [&kept[..], destination.as_os_str().as_bytes(), b"\0/half/.a.rev"].concat())
            .unwrap();
        fs::write(&staged[0], b"2").unwrap();
        cache.store.clean_temporaries(Timestamp::of(SystemTime::now()));
        assert_eq!((beside(), notes(&cache)), (2, 1), "it may be somebody's still");
        cache.store.clean_temporaries(in_two_hours());
        assert_eq!((beside(), notes(&cache)), (1, 0));
        assert_eq!(fs::read(&destination).unwrap(), b"1", "only what was staged may go");
    }
}
