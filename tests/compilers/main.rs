//! A table of command lines, each of which is run for real.
//!
//! A line runs plainly, then through the cache in the same tree, then again. What is understood must be a hit the second
//! time; what is refused must run uncached, for the reason that the table tells. Each time every file in the tree, its
//! bytes and its mode, what was printed and the exit status must be the plain run's. Then the line runs again behind the
//! changes of the table, those that must not change the key and those that must, each beside a plain run too.
//!
//! Where the compiler itself makes something else each time, names and modes are compared.

mod line;
mod refused;
#[path = "../support/mod.rs"]
#[allow(dead_code, unused_imports, reason = "this test uses a part of it")]
mod support;
mod tree;
mod understood;

use anyhow::{Context as _, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Mutex;
use std::time::Instant;

use line::{Change, End, Line};
use support::{REVIVER, Ran, Repository, Verdict, files, installed, settle};

/// All files of a tree, with their modes and contents.
type Tree = BTreeMap<PathBuf, (u32, Vec<u8>)>;

/// A line for one compiler.
struct Case {
    line: &'static Line,
    clang: bool,
}

/// How a line is run: the words, the directory, a variable.
#[derive(Clone)]
struct How {
    words: Vec<String>,
    directory: &'static str,
    variable: Option<(&'static str, &'static str)>,
}

/// What is expected of a run through the cache.
#[derive(Clone, Copy, Debug)]
enum Expected {
    Miss,
    Hit,
    Refused(&'static str),
}

/// What a run left behind.
struct Left {
    code: Option<i32>,
    stdout: Vec<u8>,
    stderr: Vec<u8>,
    made: Tree,
}

#[test]
fn each_line_does_what_the_table_says() -> Result<()> {
    let begun = Instant::now();
    let clang = installed("clang") && installed("clang++");
    let lines = [
        understood::SOURCES,
        understood::PREPROCESSOR,
        understood::OPTIONS,
        understood::ASIDE,
        refused::COMMANDS,
        refused::OUTPUTS,
        refused::INPUTS,
    ];
    let chosen = std::env::var("REVIVER_LINES").ok();
    let mut cases = Vec::new();
    let mut left_out = 0;
    for line in lines.into_iter().flatten() {
        for with_clang in [false, true] {
            let case = Case { line, clang: with_clang };
            let words = case.words(line.command);
            let fits = words.join(" ") == line.command
                || line.command.starts_with("CC")
                || line.command.starts_with("CXX");
            let of_clang = words[0].starts_with("clang");
            if !fits
                || of_clang != with_clang
                || chosen.as_ref().is_some_and(|text| !words.join(" ").contains(text))
            {
                continue;
            }
            if of_clang && !clang { left_out += 1 } else { cases.push(case) }
        }
    }
    // The compiled form of the plugin is made once for all lines.
    let shared = Repository::new()?;
    shared.write("a.c", "int a;\n")?;
    settle();
    shared.run(&["--", "gcc", "-c", "a.c"])?.miss()?;
    let pending = Mutex::new(cases.iter());
    let wrong = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(case) = pending.lock().ok().and_then(|mut cases| cases.next()) {
                    if let Err(error) = case.run(&shared)
                        && let Ok(mut wrong) = wrong.lock()
                    {
                        wrong.push(format!("{}: {error:#}", case.words(case.line.command).join(" ")));
                    }
                }
            });
        }
    });
    let understood = cases.iter().filter(|case| matches!(case.line.end, End::Understood)).count();
    let (all, seconds) = (cases.len(), begun.elapsed().as_secs());
    let summary = format!(
        "{all} command lines were run: {understood} understood, {} refused, {left_out} left out; {seconds} s\n",
        all - understood
    );
    std::io::stderr().write_all(summary.as_bytes())?;
    let wrong = wrong.into_inner()?;
    ensure!(wrong.is_empty(), "{} lines are wrong:\n{}", wrong.len(), wrong.join("\n"));
    ensure!(chosen.is_some() || !clang || all >= 160, "only {all} lines");
    Ok(())
}

impl Case {
    fn words(&self, command: &str) -> Vec<String> {
        let [c, cxx] = if self.clang { ["clang", "clang++"] } else { ["gcc", "g++"] };
        let word = |word: &str| match word {
            "CC" => c.to_owned(),
            "CXX" => cxx.to_owned(),
            word => word.to_owned(),
        };
        command.split_ascii_whitespace().map(word).collect()
    }

    fn run(&self, shared: &Repository) -> Result<()> {
        let Line { command, end, writes, before, directory, holds, misses, .. } = *self.line;
        let mut repository = Repository::new()?;
        repository.cache.clone_from(&shared.cache);
        for (name, content) in tree::FILES {
            repository.write(name, content)?;
        }
        shell(&repository, before)?;
        let how = How { words: self.words(command), directory, variable: None };
        let at =
            |name: &str| if directory == "." { name.into() } else { PathBuf::from(directory).join(name) };
        let expected: BTreeSet<PathBuf> = writes.split_ascii_whitespace().map(at).collect();
        let runs: &[Expected] = match end {
            End::Understood => &[Expected::Miss, Expected::Hit],
            // What is refused once is refused again.
            End::Refused(word) => &[Expected::Refused(word)],
        };
        let plain = self.compare(&repository, &how, runs)?;
        ensure!(
            (plain.code == Some(0)) != self.line.fails,
            "the compiler says: {}",
            String::from_utf8_lossy(&plain.stderr)
        );
        let made: BTreeSet<PathBuf> = plain.made.into_keys().collect();
        ensure!(made == expected, "the table says that it makes {expected:?}, and it makes {made:?}");
        debug_assert!(matches!(end, End::Understood) || holds.is_empty() && misses.is_empty());
        for (changes, expected) in [(holds, Expected::Hit), (misses, Expected::Miss)] {
            for change in changes {
                let mut how = how.clone();
                match change {
                    Change::Edit(edit) => shell(&repository, edit)?,
                    Change::Line(line) => how.words = self.words(line),
                    Change::In(directory) => how.directory = directory,
                    Change::With(variable) => how.variable = variable.split_once('='),
                }
                self.compare(&repository, &how, &[expected]).with_context(|| format!("behind {change:?}"))?;
            }
        }
        Ok(())
    }

    /// Runs plainly and then through the cache once for each of `runs`, and compares what is left behind.
    fn compare(&self, repository: &Repository, how: &How, runs: &[Expected]) -> Result<Left> {
        let inputs = tree(repository)?;
        let begun = Instant::now();
        let output = how.prepare(repository, repository.command(&how.words[0]), &how.words[1..]).output()?;
        let plain = Left {
            code: output.status.code(),
            stdout: output.stdout,
            stderr: output.stderr,
            made: made(repository, &inputs)?,
        };
        if begun.elapsed().as_millis() < 30 {
            settle();
        }
        for expected in runs {
            let mut command = repository.command(REVIVER);
            command.args(["run", "--verbose", "--"]);
            let ran = Ran::of(&mut how.prepare(repository, command, &how.words))?;
            expected.of(&ran)?;
            let left = made(repository, &inputs)?;
            self.same(&plain, &ran, &left)?;
        }
        Ok(plain)
    }

    fn same(&self, plain: &Left, ran: &Ran, left: &Tree) -> Result<()> {
        let names =
            |tree: &Tree| tree.iter().map(|(name, (mode, _))| (name.clone(), *mode)).collect::<Vec<_>>();
        ensure!(
            names(&plain.made) == names(left),
            "{:?} were made, and not {:?}",
            names(left),
            names(&plain.made)
        );
        ensure!(plain.code == ran.code, "{:?} was expected of {ran:?}", plain.code);
        if self.line.varies {
            return Ok(());
        }
        for (name, content) in &plain.made {
            ensure!(left[name] == *content, "{} differs", name.display());
        }
        ensure!(
            plain.stdout == ran.stdout,
            "{:?} was expected of {ran:?}",
            String::from_utf8_lossy(&plain.stdout)
        );
        ensure!(
            plain.stderr == ran.stderr,
            "{:?} was expected of {ran:?}",
            String::from_utf8_lossy(&plain.stderr)
        );
        Ok(())
    }
}

impl Expected {
    fn of(self, ran: &Ran) -> Result<()> {
        let met = match (self, &ran.verdict) {
            (Self::Miss, Verdict::Miss) | (Self::Hit, Verdict::Hit) => true,
            (Self::Refused(word), Verdict::Uncached(why) | Verdict::Unrecorded(why)) => why.contains(word),
            _ => false,
        };
        ensure!(met, "{self:?} was expected of {ran:?}");
        Ok(())
    }
}

impl How {
    fn prepare(&self, repository: &Repository, mut command: Command, arguments: &[String]) -> Command {
        command.args(arguments).current_dir(repository.root.join(self.directory)).envs(self.variable);
        command
    }
}

fn shell(repository: &Repository, text: &str) -> Result<()> {
    let mut shell = repository.command("sh");
    let output = shell.args(["-c", text]).output()?;
    // A profiled program exits with something else than 0.
    ensure!(output.status.code().is_some_and(|code| code < 126), "{text}: {output:?}");
    Ok(())
}

/// All files of the repository.
fn tree(repository: &Repository) -> Result<Tree> {
    let of = |path: PathBuf| {
        let mode = fs::metadata(&path)?.permissions().mode();
        let content = fs::read(&path)?;
        Ok((path.strip_prefix(&repository.root)?.to_owned(), (mode, content)))
    };
    files(&repository.root).into_iter().map(of).collect()
}

/// The files that are not among the inputs, which are removed.
fn made(repository: &Repository, inputs: &Tree) -> Result<Tree> {
    let mut made = tree(repository)?;
    for (name, content) in inputs {
        let now = made.remove(name);
        ensure!(now.as_ref() == Some(content), "{} was changed", name.display());
    }
    made.keys().try_for_each(|name| fs::remove_file(repository.path(name)))?;
    Ok(made)
}
