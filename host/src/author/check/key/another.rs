//! All counts that the caller declared: another content, another value, another argument is another key.

use super::{Bench, Case};
use crate::author::check::verdict::{Law, Tally, Tried, Verdict};
use crate::operation::Operation;
use crate::reviver::rehearse::Rehearsed;
use crate::reviver::writes::normal;
use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The most reads, variables and arguments of one operation that are changed.
const MOST: usize = 64;

/// The laws of this module.
pub(super) fn another(bench: &Bench<'_>, cases: &[Case<'_>]) -> [Verdict; 3] {
    let (mut reads, mut variables, mut arguments) =
        (Tally::new(Law::Reads), Tally::new(Law::Variables), Tally::new(Law::Arguments));
    for case in cases {
        each_read(bench, case, &mut reads);
        each_variable(bench, case, &mut variables);
        each_argument(bench, case, &mut arguments);
    }
    [reads.verdict(), variables.verdict(), arguments.verdict()]
}

fn each_read(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    let operation = &case.operation;
    let directory = Path::new(&operation.root).join(&operation.directory);
    let mut tested = 0;
    for read in operation.reads.iter().take(MOST) {
        let path = normal(&directory.join(read));
        // Of what lies elsewhere there is no copy.
        let Some(file) = first_file(&path).filter(|_| path.starts_with(&operation.root)) else { continue };
        let changed = match Changed::new(file) {
            Ok(changed) => changed,
            Err(error) => {
                tally.unchecked(format!("cannot change a copy of {read}: {error}"));
                continue;
            }
        };
        let now = bench.scenes.ask(operation, &bench.scenes.variables, &bench.plugin).0;
        tally.tried(bench.unchanged(case, &now, &format!("one byte of the declared read `{read}` changed")));
        tested += 1;
        if let Err(error) = changed.back() {
            return tally.unchecked(format!("cannot undo a change of a copy of {read}: {error}"));
        }
    }
    if tested == 0 {
        tally.unchecked(format!("{} declares no read that exists in the repository", case.label()));
    } else if operation.reads.len() > MOST {
        tally.note(format!("{}: only the first {MOST} reads were changed", case.label()));
    }
}

/// The file itself, or the first one below a directory.
fn first_file(path: &Path) -> Option<PathBuf> {
    let metadata = fs::metadata(path).ok()?;
    if metadata.is_file() {
        return Some(path.to_owned());
    }
    let mut names: Vec<_> = fs::read_dir(path).ok()?.flatten().map(|entry| entry.path()).collect();
    names.sort();
    // A link may lead back up, or out of the copy.
    names.iter().filter(|path| !path.is_symlink()).find_map(|path| first_file(path))
}

/// A file of a copy with one byte changed.
struct Changed {
    path: PathBuf,
    was: Vec<u8>,
}

impl Changed {
    fn new(path: PathBuf) -> io::Result<Self> {
        let was = fs::read(&path)?;
        let mut now = was.clone();
        match now.last_mut() {
            Some(last) => *last ^= 1,
            None => now.push(b'x'),
        }
        replace(&path, &now)?;
        Ok(Self { path, was })
    }

    fn back(&self) -> io::Result<()> {
        replace(&self.path, &self.was)
    }
}

/// Another content with the same mode: the copy may be read-only, as its original is.
fn replace(path: &Path, content: &[u8]) -> io::Result<()> {
    let permissions = fs::metadata(path)?.permissions();
    fs::remove_file(path)?;
    fs::write(path, content)?;
    fs::set_permissions(path, permissions)
}

fn each_variable(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    if case.operation.variables.is_empty() {
        return tally.unchecked(format!("{} declares no variable", case.label()));
    }
    for name in case.operation.variables.iter().take(MOST) {
        let mut variables = bench.scenes.variables.clone();
        let was = variables.get(std::ffi::OsStr::new(name)).cloned().unwrap_or_default();
        let value = [was.into_vec(), b"x".to_vec()].concat();
        variables.insert(name.into(), std::ffi::OsString::from_vec(value));
        let now = bench.scenes.ask(&case.operation, &variables, &bench.plugin).0;
        tally.tried(bench.unchanged(
            case,
            &now,
            &format!("the declared variable `{name}` has another value"),
        ));
    }
}

/// An argument may say where something is written, which is no part of a key: then the writes are others.
fn each_argument(bench: &Bench<'_>, case: &Case<'_>, tally: &mut Tally) {
    let argv = &case.operation.argv;
    let mut changes: Vec<_> = (1..argv.len().min(MOST))
        .map(|at| {
            let mut argv = argv.clone();
            argv[at].push('x');
            (format!("argument {at} became `{}`", argv[at].escape_debug()), argv)
        })
        .collect();
    let mut longer = argv.clone();
    longer.push("reviver-check".to_owned());
    changes.push(("there is one more argument".to_owned(), longer));
    for (what, argv) in changes {
        let operation = Rc::new(Operation { argv, ..Operation::clone(&case.operation) });
        let now = bench.scenes.ask(&operation, &bench.scenes.variables, &bench.plugin).0;
        let written = matches!(&now, Rehearsed::Named(now) if now.places != case.named.places);
        tally.tried(if written { Tried::Passed } else { bench.unchanged(case, &now, &what) });
    }
}
