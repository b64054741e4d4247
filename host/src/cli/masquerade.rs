//! Under the name of a compiler: a link `gcc -> reviver` in a directory of `PATH` stands in for the next `gcc` there.
//!
//! | `PATH`, in order | what runs |
//! |---|---|
//! | our link, a program of that name | the program, by its path: it finds what lies beside it, and keys are those of `reviver run -- /usr/bin/gcc` |
//! | our links and copies alone, or nothing | nothing: exit status 127 |
//!
//! Only we ourselves are passed over. Another cache of that name is somebody's wish, and so is a wrapper: both may call that name
//! again, and come back to us. So every program that we stand in for is told, in `REVIVER_WITHIN`, which ones are running:
//!
//! * a compiler that would start itself again gets the next one behind it instead;
//! * any compiler within another one runs as it is: both write one object, and whoever is outside records it;
//! * any other program may well call its own name, and does so up to [`ROUNDS`] times.
//!
//! So there is no way to call each other for ever: a compiler's round has one candidate less, all others are counted.

use crate::repository::rule::is_compiler;
use rustix::fs::{Access, access};
use std::collections::BTreeSet;
use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io::{BufRead as _, BufReader};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

/// The variable that names the programs that are running under names of ours, innermost last.
pub(super) const WITHIN: &str = "REVIVER_WITHIN";
/// So often a program may start itself through us.
pub(super) const ROUNDS: usize = 32;
/// The variable that counts how often a compiler that we stand before has started one again.
pub(super) const DEPTH: &str = "REVIVER_DEPTH";
/// Where programs are without a `PATH`.
const USUAL: &str = "/usr/local/bin:/usr/bin:/bin";

/// The program that we stand in for.
#[derive(PartialEq, Eq, Debug)]
pub(super) struct Behind {
    /// Its path.
    pub(super) program: PathBuf,
    /// What it is told in [`WITHIN`].
    pub(super) within: OsString,
    /// Whether it is a compiler, and runs within another one.
    pub(super) is_nested: bool,
}

/// Why there is no such program.
#[derive(PartialEq, Eq, Debug)]
pub(super) enum Nothing {
    /// There is none but us.
    NotFound,
    /// It starts itself through us without an end.
    Endless(PathBuf),
}

/// The name that a process was started under, if it is not ours.
pub(super) fn name(argument: Option<&OsString>) -> Option<&OsStr> {
    let name = Path::new(argument?).file_name()?;
    let bytes = name.as_encoded_bytes();
    // What begins with a dash is a shell's way to start at login.
    (!bytes.starts_with(b"reviver") && !bytes.starts_with(b"-")).then_some(name)
}

/// The program of this name that is next in `path` and not this process's own. `within` is what we were told.
pub(super) fn behind(name: &OsStr, path: Option<&OsStr>, within: Option<&OsStr>) -> Result<Behind, Nothing> {
    let ours = Ours::new(Path::new("/proc/self/exe"));
    let running = within.into_iter().flat_map(std::env::split_paths);
    let running: Vec<PathBuf> = running.filter(|path| !path.as_os_str().is_empty()).collect();
    let listed = std::env::split_paths(path.unwrap_or(OsStr::new(USUAL)));
    let mut seen = BTreeSet::new();
    let candidates: Vec<PathBuf> = listed
        .map(|directory| if directory.as_os_str().is_empty() { PathBuf::from(".") } else { directory })
        .map(|directory| directory.join(name))
        .filter(|path| seen.insert(path.clone()) && runs(path) && !ours.is_at(path))
        .collect();
    let first = candidates.first().ok_or(Nothing::NotFound)?;
    let compiles = name.to_str().is_some_and(is_compiler);
    let next = candidates.iter().find(|path| !running.contains(path)).filter(|_| compiles);
    let program = next.unwrap_or(first);
    let rounds = running.iter().filter(|path| *path == program).count();
    // All together are counted too: a program might add to `PATH` each time.
    if rounds >= ROUNDS || running.len() >= 4 * ROUNDS {
        return Err(Nothing::Endless(program.clone()));
    }
    let told = running.iter().chain([program]);
    Ok(Behind {
        // Elements of `PATH` hold no colon.
        within: std::env::join_paths(told).unwrap_or_default(),
        is_nested: compiles && running.iter().any(|path| path.to_str().is_some_and(is_compiler)),
        program: program.clone(),
    })
}

/// How deep we are in compilers that start us before a compiler, this one included, for a script `gcc` that says `reviver gcc`.
pub(super) fn depth(depth: Option<&OsStr>) -> usize {
    depth.and_then(OsStr::to_str).and_then(|depth| depth.parse::<usize>().ok()).unwrap_or_default() + 1
}

/// Whether it is a file that this process may run.
fn runs(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|there| there.is_file()) && access(path, Access::EXEC_OK).is_ok()
}

/// This process's own program. Links lead to it; a copy is one of equal content.
struct Ours<'p> {
    path: &'p Path,
    metadata: Option<Metadata>,
}

impl<'p> Ours<'p> {
    fn new(path: &'p Path) -> Self {
        Self { path, metadata: fs::metadata(path).ok() }
    }

    fn is_at(&self, path: &Path) -> bool {
        let (Some(ours), Ok(there)) = (&self.metadata, fs::metadata(path)) else { return false };
        (there.dev(), there.ino()) == (ours.dev(), ours.ino())
            || (there.len() == ours.len() && same(self.path, path).unwrap_or(false))
    }
}

fn same(one: &Path, other: &Path) -> std::io::Result<bool> {
    let (mut one, mut other) = (BufReader::new(File::open(one)?), BufReader::new(File::open(other)?));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let both = left.len().min(right.len());
        if both == 0 || left[..both] != right[..both] {
            return Ok(left.is_empty() && right.is_empty());
        }
        one.consume(both);
        other.consume(both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::{PermissionsExt as _, symlink};

    struct Place(tempfile::TempDir);

    impl Place {
        fn new(programs: &[&str]) -> Self {
            let place = Self(tempfile::tempdir().unwrap());
            for path in programs.iter().map(|program| place.path(program)) {
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(&path, "#!/bin/sh\n").unwrap();
                fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
            }
            place
        }

        fn path(&self, name: &str) -> PathBuf {
            self.0.path().join(name)
        }

        fn behind(&self, name: &str, path: &[&str], within: &[&str]) -> Result<Behind, Nothing> {
            let joined = |names: &[&str]| std::env::join_paths(names.iter().map(|name| self.path(name)));
            behind(OsStr::new(name), Some(&joined(path).unwrap()), Some(&joined(within).unwrap()))
        }
    }

    fn found(behind: &Result<Behind, Nothing>) -> (&Path, bool) {
        let behind = behind.as_ref().unwrap();
        (&behind.program, behind.is_nested)
    }

    #[test]
    fn names_of_ours_are_none_to_stand_in_for() {
        let name = |text: &str| name(Some(&text.into())).map(|name| name.to_str().unwrap().to_owned());
        for ours in ["reviver", "/usr/bin/reviver-0.1", "-reviver", "", "/"] {
            assert_eq!(name(ours), None, "{ours}");
        }
        assert_eq!(name("/masquerade/gcc").as_deref(), Some("gcc"));
        assert_eq!(super::name(None), None);
    }

    #[test]
    fn we_are_passed_over_as_link_as_hard_link_and_as_copy() {
        let place = Place::new(&["real/gcc", "other/not-executable"]);
        let ours = fs::canonicalize("/proc/self/exe").unwrap();
        for directory in ["link", "hard", "copy"] {
            fs::create_dir(place.path(directory)).unwrap();
        }
        symlink(&ours, place.path("link/gcc")).unwrap();
        symlink(place.path("link"), place.path("again")).unwrap();
        fs::hard_link(&ours, place.path("hard/gcc"))
            .or_else(|_| symlink(&ours, place.path("hard/gcc")))
            .unwrap();
        fs::copy(&ours, place.path("copy/gcc")).unwrap();
        let all = ["link", "again", "hard", "copy", "nowhere", "other", "link", "real"];
        assert_eq!(found(&place.behind("gcc", &all, &[])), (&*place.path("real/gcc"), false));
        assert_eq!(place.behind("gcc", &all[..7], &[]), Err(Nothing::NotFound));
    }

    #[test]
    fn a_compiler_that_runs_already_is_passed_over_and_others_are_counted() {
        let place = Place::new(&["wrapper/gcc", "real/gcc", "venv/python", "real/python"]);
        let path = ["wrapper", "venv", "real"];
        let first = place.behind("gcc", &path, &[]);
        assert_eq!(found(&first), (&*place.path("wrapper/gcc"), false));
        assert_eq!(first.unwrap().within, place.path("wrapper/gcc"));
        let nested = place.behind("gcc", &path, &["wrapper/gcc"]);
        assert_eq!(found(&nested), (&*place.path("real/gcc"), true));
        let both = ["wrapper/gcc", "real/gcc"];
        assert_eq!(found(&place.behind("gcc", &path, &both)), (&*place.path("wrapper/gcc"), true));
        let other = place.behind("gcc", &path, &["usr/x86_64-linux-gnu-cc-12"]);
        assert_eq!(found(&other), (&*place.path("wrapper/gcc"), true));
        assert_eq!(
            found(&place.behind("gcc", &path, &["venv/python"])),
            (&*place.path("wrapper/gcc"), false)
        );
        let python = ["venv/python"; ROUNDS];
        assert_eq!(
            found(&place.behind("python", &path, &python[1..])),
            (&*place.path("venv/python"), false),
            "it calls itself for good reasons"
        );
        let endless = |name| Err(Nothing::Endless(place.path(name)));
        assert_eq!(place.behind("python", &path, &python), endless("venv/python"));
        let gcc = [&["real/gcc"][..], &["wrapper/gcc"; ROUNDS]].concat();
        assert_eq!(place.behind("gcc", &path, &gcc), endless("wrapper/gcc"));
    }
}
