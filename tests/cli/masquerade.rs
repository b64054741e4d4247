//! A link that has a compiler's name stands in for the next program of that name in `PATH`.

use crate::support::{REVIVER, Ran, Repository, Verdict, installed, settle};
use anyhow::{Context as _, Result, ensure};
use std::ffi::OsString;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The directories of `PATH`, these in front.
pub(crate) fn in_front(directories: &[&Path]) -> Result<OsString> {
    let usual = std::env::var_os("PATH").context("PATH is set")?;
    let all = directories.iter().map(PathBuf::from).chain(std::env::split_paths(&usual));
    Ok(std::env::join_paths(all)?)
}

/// A directory of links to the command under these names.
pub(crate) fn links(repository: &Repository, names: &[&str]) -> Result<PathBuf> {
    let directory = repository.home.join("masquerade");
    fs::create_dir_all(&directory)?;
    names.iter().try_for_each(|name| symlink(REVIVER, directory.join(name)))?;
    Ok(directory)
}

/// Where `PATH` finds a program.
fn program(name: &str) -> Result<PathBuf> {
    let path = std::env::var_os("PATH").context("PATH is set")?;
    let found =
        std::env::split_paths(&path).map(|directory| directory.join(name)).find(|path| path.is_file());
    found.context("it is installed")
}

/// A command with this `PATH` that tells what became of it.
fn told(repository: &Repository, path: &OsString, words: &[&str]) -> Command {
    // By the shell: this process would look for it in its own `PATH`.
    let mut command = repository.command("/bin/sh");
    command.args(["-c", "exec \"$0\" \"$@\""]).args(words).env("PATH", path).env("REVIVER_VERBOSE", "1");
    command
}

#[test]
fn a_compiler_under_its_own_name_is_cached_and_nothing_else_is_different() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let path = in_front(&[&links(&repository, &["gcc"])?])?;
    repository.write("a.c", "int a(void) { int unused; return 1; }\n")?;
    settle();
    let compile = ["gcc", "-Wall", "-O2", "-c", "a.c"];
    let plain = Ran::of(repository.command("gcc").args(&compile[1..]))?;
    let object = repository.read("a.o")?;
    for verdict in [Verdict::Miss, Verdict::Hit] {
        repository.remove(&["a.o"])?;
        let ran = Ran::of(&mut told(&repository, &path, &compile))?;
        assert_eq!((ran.code, ran.err(), &ran.verdict), (Some(0), plain.err(), &verdict));
        ensure!(repository.read("a.o")? == object && plain.err().contains("unused"), "{ran:?}");
    }
    // The same keys as those of the program by its path, which is how CMake names compilers.
    let gcc = program("gcc")?;
    let named = gcc.to_str().context("it is text")?;
    repository.run(&["--", named, "-Wall", "-O2", "-c", "a.c"])?.hit()?;
    // What the compiler says of itself, and how it fails.
    for words in [&["--version"][..], &["run"], &["-c", "absent.c"], &["-c", "a.c", "--no-such-option"], &[]]
    {
        let plain = Ran::of(repository.command("gcc").args(words))?;
        let ran = Ran::of(&mut told(&repository, &path, &[&["gcc"], words].concat()))?;
        assert_eq!((ran.code, ran.out(), ran.err()), (plain.code, plain.out(), plain.err()), "{words:?}");
    }
    // Without the variable nothing of ours is said.
    let ran = Ran::of(told(&repository, &path, &compile).env_remove("REVIVER_VERBOSE"))?;
    ensure!(ran.verdict == Verdict::Silent && ran.said.is_empty(), "{ran:?}");
    Ok(())
}

#[test]
fn our_own_directory_may_be_in_path_in_every_way() -> Result<()> {
    let repository = Repository::new()?;
    let directory = links(&repository, &["tool"])?;
    symlink(&directory, repository.home.join("again"))?;
    symlink(&directory, repository.path("relative"))?;
    symlink(REVIVER, repository.path("tool"))?;
    repository.script("real/tool", "echo real \"$@\"\n")?;
    for path in [
        "MASQUERADE:MASQUERADE/:HOME/again:REAL",
        "relative:MASQUERADE:REAL",
        "MASQUERADE:relative::.:./relative:REAL",
        "MASQUERADE::real",
        "MASQUERADE:/no/such/directory:/etc/passwd:real",
    ] {
        let path = path.replace("MASQUERADE", directory.to_str().context("it is text")?);
        let path = path.replace("HOME", repository.home.to_str().context("it is text")?);
        let path = path.replace("REAL", repository.path("real").to_str().context("it is text")?);
        let path = OsString::from(format!("{path}:/usr/bin:/bin"));
        let ran = Ran::of(&mut told(&repository, &path, &["tool", "a b", "--version"]))?;
        assert_eq!((ran.code, ran.out().as_str()), (Some(0), "real a b --version\n"), "{path:?}: {ran:?}");
        // By its path it stands in for the first of that name all the same.
        let link = directory.join("tool");
        let ran = Ran::of(repository.command(link).arg("x").env("PATH", &path))?;
        assert_eq!((ran.code, ran.out().as_str()), (Some(0), "real x\n"), "{path:?}");
    }
    Ok(())
}

#[test]
fn without_another_program_of_that_name_there_is_none() -> Result<()> {
    let repository = Repository::new()?;
    let directory = links(&repository, &["no-such-compiler-gcc"])?;
    for path in [in_front(&[&directory, &directory])?, in_front(&[])?, OsString::new()] {
        let ran = Ran::of(repository.command(directory.join("no-such-compiler-gcc")).env("PATH", path))?;
        let [said] = &ran.said[..] else { panic!("one line was expected: {ran:?}") };
        ensure!(ran.code == Some(127) && said.contains("no-such-compiler-gcc: there is no other"), "{ran:?}");
    }
    Ok(())
}

/// A wrapper that calls the compiler by the name that it has itself came back to us, we found the wrapper, and so on.
#[test]
fn a_wrapper_that_calls_us_again_gets_the_compiler_behind_it() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let directory = links(&repository, &["gcc"])?;
    repository.write("a.c", "int a = WRAPPED;\n")?;
    let by_path = format!("exec {}/gcc -DWRAPPED=1 \"$@\"\n", directory.display());
    for (number, body) in ["exec gcc -DWRAPPED=1 \"$@\"\n", &by_path].into_iter().enumerate() {
        repository.script("wrapper/gcc", body)?;
        settle();
        let path = in_front(&[&directory, &repository.path("wrapper")])?;
        let object = format!("{number}.o");
        let compile = ["gcc", "-c", "a.c", "-o", &object];
        Ran::of(&mut told(&repository, &path, &compile))?.miss()?;
        let first = repository.read(&object)?;
        repository.remove(&[&object])?;
        Ran::of(&mut told(&repository, &path, &compile))?.hit()?;
        assert_eq!(repository.read(&object)?, first);
        // It is the wrapper that counts, and what it runs.
        let other = body.replace("=1", "=2");
        repository.script("wrapper/gcc", &other)?;
        settle();
        Ran::of(&mut told(&repository, &path, &compile))?.miss()?;
        ensure!(repository.read(&object)? != first);
    }
    Ok(())
}

/// ccache passes over itself alone, as we do: it took us for the compiler, we took it for one, and asked it in turn.
#[test]
fn another_cache_behind_us_is_run_and_comes_to_an_end() -> Result<()> {
    let others = Path::new("/usr/lib/ccache");
    if !installed("gcc") || !installed("ccache") || !others.join("gcc").exists() {
        crate::support::skipped("there are no links to ccache in /usr/lib/ccache");
        return Ok(());
    }
    let repository = Repository::new()?;
    let path = in_front(&[&links(&repository, &["gcc"])?, others])?;
    repository.write("a.c", "int a;\n")?;
    settle();
    ensure!(repository.command("gcc").args(["-O1", "-c", "a.c"]).status()?.success());
    let plain = repository.read("a.o")?;
    for verdict in [Verdict::Miss, Verdict::Hit] {
        repository.remove(&["a.o"])?;
        let mut command = told(&repository, &path, &["gcc", "-O1", "-c", "a.c"]);
        let ran = Ran::of(command.env("CCACHE_DIR", repository.home.join("ccache")))?;
        ensure!(ran.code == Some(0) && ran.verdict == verdict && repository.read("a.o")? == plain, "{ran:?}");
    }
    Ok(())
}

#[test]
fn no_program_starts_itself_for_ever() -> Result<()> {
    let repository = Repository::new()?;
    let directory = links(&repository, &["gcc", "tool"])?;
    repository.write("count", "")?;
    for name in ["gcc", "tool"] {
        repository.script(&format!("loop/{name}"), &format!("echo x >>count\nexec {name} \"$@\"\n"))?;
        let path = in_front(&[&directory, &repository.path("loop")])?;
        // No compiler behind it.
        let path = if name == "gcc" {
            std::env::join_paths([directory.clone(), repository.path("loop")])?
        } else {
            path
        };
        let ran = Ran::of(&mut told(&repository, &path, &[name, "-c", "a.c"]))?;
        let last = ran.said.last().context("something is said")?;
        ensure!(ran.code == Some(127) && last.contains("without an end"), "{ran:?}");
    }
    ensure!(repository.text("count")?.lines().count() < 100);
    // A script that puts us before its own name.
    for run in ["", "run --"] {
        repository.write("count", "")?;
        repository.script("script/gcc", &format!("echo x >>count\nexec {REVIVER} {run} gcc \"$@\"\n"))?;
        let path = in_front(&[&repository.path("script")])?;
        let ran = Ran::of(&mut told(&repository, &path, &["gcc", "-c", "a.c"]))?;
        ensure!(
            ran.code == Some(127) && ran.said.iter().any(|said| said.contains("without an end")),
            "{ran:?}"
        );
        assert_eq!(repository.text("count")?.lines().count(), 33);
    }
    // A program that calls its own name for a reason is not kept from it.
    repository.script("good/tool", "[ $1 = 0 ] || exec tool $(($1 - 1)); echo done\n")?;
    let path = in_front(&[&directory, &repository.path("good")])?;
    let ran = Ran::of(&mut told(&repository, &path, &["tool", "20"]))?;
    assert_eq!((ran.code, ran.out().as_str()), (Some(0), "done\n"), "{ran:?}");
    Ok(())
}

/// `reviver run -- gcc` found our own link, and its key had reviver in it and no compiler.
#[test]
fn run_does_not_take_us_for_the_compiler() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let directory = links(&repository, &["gcc"])?;
    let copies = repository.home.join("copies");
    fs::create_dir(&copies)?;
    ensure!(Command::new("cp").arg(REVIVER).arg(copies.join("gcc")).status()?.success());
    repository.write("a.c", "int a;\n")?;
    settle();
    for (directory, verdict) in [(&directory, Verdict::Miss), (&copies, Verdict::Hit)] {
        let path = in_front(&[directory])?;
        let ran = Ran::of(repository.runs(&["--", "gcc", "-c", "a.c"]).env("PATH", &path))?;
        // The outer one is uncached, and says so; what takes over is silent.
        ensure!(
            ran.code == Some(0)
                && matches!(&ran.verdict, Verdict::Uncached(why) if why.contains("takes over")),
            "{ran:?}"
        );
        let inner = Ran::of(&mut told(&repository, &path, &["gcc", "-c", "a.c"]))?.hit()?;
        ensure!(inner.said.is_empty(), "{verdict:?}");
    }
    let [hits, misses, entries] = repository.counts()?;
    assert_eq!((hits, misses, entries), (3, 1, 1));
    Ok(())
}

#[test]
fn the_environment_says_what_options_would() -> Result<()> {
    let repository = Repository::new()?;
    repository.write(
        "reviver.toml",
        "[[rule]]\ncommand = \"tool\"\nplugin = \"key-command\"\nwrites = [\"out\"]\n",
    )?;
    repository.script("real/tool", "echo made >out\n")?;
    let path = in_front(&[&links(&repository, &["tool"])?, &repository.path("real")])?;
    Ran::of(&mut told(&repository, &path, &["tool"]))?.miss()?;
    Ran::of(&mut told(&repository, &path, &["tool"]))?.hit()?;
    let plain = Ran::of(told(&repository, &path, &["tool"]).env("REVIVER_DISABLE", "1"))?;
    ensure!(plain.verdict == Verdict::Silent && plain.code == Some(0), "{plain:?}");
    let elsewhere = repository.home.join("elsewhere");
    Ran::of(told(&repository, &path, &["tool"]).env("REVIVER_CACHE_DIR", &elsewhere))?.miss()?;
    ensure!(elsewhere.is_dir());
    // A cache that cannot be used is a failure for the strict alone.
    fs::write(repository.home.join("file"), "")?;
    for (strict, code) in [("0", 0), ("", 0), ("1", 125)] {
        let mut command = told(&repository, &path, &["tool"]);
        command.env("REVIVER_CACHE_DIR", repository.home.join("file")).env("REVIVER_STRICT", strict);
        assert_eq!(Ran::of(&mut command)?.code, Some(code), "{strict:?}");
    }
    Ok(())
}
