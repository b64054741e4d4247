//! A real program: the 32 modules of Lua, compiled, compiled again, and with one header changed.

use crate::support::{Ran, Repository, Verdict, installed, lua, settle};
use anyhow::{Context as _, Result, ensure};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

const OPTIONS: [&str; 7] =
    ["-std=gnu99", "-O0", "-Wall", "-Wextra", "-DLUA_COMPAT_5_3", "-DLUA_USE_LINUX", "-c"];

/// Runs `work` for each module, on two threads.
fn each<T: Send>(modules: &[String], work: impl Fn(&str) -> Result<T> + Sync) -> Result<BTreeMap<String, T>> {
    std::thread::scope(|scope| {
        let half = |part| {
            let (work, mine) = (&work, modules.iter().skip(part).step_by(2));
            scope.spawn(move || {
                mine.map(|module| Ok((module.clone(), work(module)?))).collect::<Result<Vec<_>>>()
            })
        };
        let halves = [half(0), half(1)];
        let mut all = BTreeMap::new();
        for half in halves {
            all.extend(half.join().expect("no half panics")?);
        }
        Ok(all)
    })
}

struct Build {
    repository: Repository,
    modules: Vec<String>,
    path: std::ffi::OsString,
}

impl Build {
    /// A copy of the sources, and a compiler of ours in front of `PATH` which counts how often it is started.
    fn new() -> Result<Self> {
        let repository = Repository::new()?;
        let modules = lua::copy(&repository.root)?;
        let tools = repository.home.join("tools");
        fs::create_dir(&tools)?;
        let usual = std::env::var_os("PATH").context("PATH is set")?;
        let gcc = std::env::split_paths(&usual).map(|path| path.join("gcc")).find(|path| path.is_file());
        let (log, gcc) = (repository.home.join("started"), gcc.context("gcc is there")?);
        let body = format!("echo \"$*\" >>{}\nexec {} \"$@\"\n", log.display(), gcc.display());
        let wrapper = tools.join("gcc");
        repository.script(wrapper.to_str().context("it is text")?, &body)?;
        let path = std::env::join_paths(std::iter::once(tools).chain(std::env::split_paths(&usual)))?;
        settle();
        Ok(Self { repository, modules, path })
    }

    /// Compiles everything, and tells what became of each module and how often the compiler was started.
    fn build(&self) -> Result<(BTreeMap<String, Verdict>, usize)> {
        let log = self.repository.home.join("started");
        fs::write(&log, "")?;
        let built = each(&self.modules, |module| {
            let (source, object) = (format!("{module}.c"), format!("{module}.o"));
            let arguments = [&["--", "gcc"], &OPTIONS[..], &["-o", &object, &source]].concat();
            let ran = Ran::of(self.repository.runs(&arguments).env("PATH", &self.path))?;
            ensure!(ran.code == Some(0), "{module}: {ran:?}");
            Ok(ran.verdict)
        })?;
        Ok((built, fs::read_to_string(log)?.lines().count()))
    }

    fn objects(&self) -> Result<BTreeMap<String, Vec<u8>>> {
        each(&self.modules, |module| self.repository.read(&format!("{module}.o")))
    }

    fn clean(&self) -> Result<()> {
        each(&self.modules, |module| self.repository.remove(&[&format!("{module}.o")])).map(drop)
    }
}

/// The modules that became this.
fn those(built: &BTreeMap<String, Verdict>, verdict: &Verdict) -> BTreeSet<String> {
    built.iter().filter(|(_, became)| *became == verdict).map(|(module, _)| module.clone()).collect()
}

#[test]
fn lua_is_compiled_once_and_then_only_what_a_change_concerns() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let build = Build::new()?;
    let (repository, all) = (&build.repository, build.modules.iter().cloned().collect::<BTreeSet<_>>());
    let (first, _) = build.build()?;
    assert_eq!(those(&first, &Verdict::Miss), all, "{first:?}");
    let objects = build.objects()?;
    build.clean()?;
    let plain = each(&build.modules, |module| {
        let (source, object) = (format!("{module}.c"), format!("{module}.o"));
        let built = repository.command("gcc").args(OPTIONS).args(["-o", &object, &source]).status()?;
        ensure!(built.success());
        repository.read(&object)
    })?;
    ensure!(objects == plain, "an object differs from the compiler's own");
    build.clean()?;

    let (second, started) = build.build()?;
    assert_eq!((those(&second, &Verdict::Hit), started), (all.clone(), 0));
    ensure!(build.objects()? == plain, "a revived object differs");

    let header = "lzio.h";
    let concerned = each(&build.modules, |module| {
        let ran = Ran::of(repository.command("gcc").args(OPTIONS).args(["-MM", &format!("{module}.c")]))?;
        Ok(ran.out().split_whitespace().any(|word| word == header))
    })?;
    let concerned: BTreeSet<_> =
        concerned.into_iter().filter(|(_, is)| *is).map(|(module, _)| module).collect();
    ensure!(!concerned.is_empty() && concerned.len() < all.len());
    let text = repository.text(header)?;
    repository.write(header, format!("{text}/* a remark */\n"))?;
    settle();
    let (third, _) = build.build()?;
    assert_eq!(those(&third, &Verdict::Miss), concerned);
    assert_eq!(those(&third, &Verdict::Hit), all.difference(&concerned).cloned().collect());

    repository.write(header, text)?;
    settle();
    let (fourth, started) = build.build()?;
    assert_eq!((those(&fourth, &Verdict::Hit), started), (all.clone(), 0));
    ensure!(build.objects()? == plain, "an object of the former bytes differs");
    let (all, concerned) = (all.len() as u64, concerned.len() as u64);
    assert_eq!(repository.counts()?, [3 * all - concerned, all + concerned, all + concerned]);
    Ok(())
}

/// Whether any process below a run is a compiler, as the system sees it.
#[test]
fn a_hit_starts_no_process_at_all() -> Result<()> {
    if !installed("gcc") || !installed("strace") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "#include <stdio.h>\nint a;\n")?;
    settle();
    repository.run(&["--", "gcc", "-c", "a.c"])?.miss()?;
    let mut traced = repository.command("strace");
    traced.args(["-f", "-o", "trace", "-e", "trace=execve", crate::support::REVIVER, "run", "-v"]);
    let ran = Ran::of(traced.args(["--", "gcc", "-c", "a.c"]))?;
    if ran.err().contains("ptrace") {
        crate::support::skipped("processes may not be traced here");
        return Ok(());
    }
    ran.hit()?;
    assert_eq!(repository.text("trace")?.matches("execve(").count(), 1);
    Ok(())
}

const MAKEFILE: &str = "\
CC = $(REVIVER) run -- gcc
OBJECTS = a.o b.o
all: $(OBJECTS)
%.o: %.c
\t$(CC) -MMD -c -o $@ $<
-include $(OBJECTS:.o=.d)
";

#[test]
fn make_finds_what_was_revived_newer_than_its_sources() -> Result<()> {
    if !installed("gcc") || !installed("make") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("Makefile", MAKEFILE)?;
    repository.write("a.c", "#include \"both.h\"\nint a = BOTH;\n")?;
    repository.write("b.c", "#include \"both.h\"\nint b = BOTH;\n")?;
    repository.write("both.h", "#define BOTH 1\n")?;
    settle();
    let make = |goal: &[&str]| {
        let ran = Ran::of(repository.command("make").args(goal).env("REVIVER", crate::support::REVIVER))?;
        ensure!(ran.code == Some(0), "{ran:?}");
        Ok(ran)
    };
    make(&[])?;
    assert_eq!(repository.counts()?, [0, 2, 2]);
    repository.remove(&["a.o", "a.d"])?;
    make(&[])?;
    assert_eq!(repository.counts()?, [1, 2, 2]);
    ensure!(make(&[])?.out().contains("Nothing to be done"));
    // As after a checkout of the same bytes: the sources are newer, the objects right but older.
    for name in ["a.c", "b.c", "both.h"] {
        repository.write(name, repository.text(name)?)?;
    }
    settle();
    make(&[])?;
    assert_eq!(repository.counts()?, [3, 2, 2]);
    ensure!(make(&[])?.out().contains("Nothing to be done"));
    let newer = |one: &Path, other: &Path| {
        Ok::<_, anyhow::Error>(one.metadata()?.modified()? > other.metadata()?.modified()?)
    };
    ensure!(newer(&repository.path("a.o"), &repository.path("both.h"))?);
    repository.write("both.h", "#define BOTH 2\n")?;
    settle();
    make(&["-j2"])?;
    assert_eq!(repository.counts()?, [3, 4, 4]);
    Ok(())
}
