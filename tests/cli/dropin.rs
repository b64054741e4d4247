//! Build systems use the command in place of their compilers: make, cmake with ninja, configure scripts.

use super::masquerade::{in_front, links};
use crate::support::{REVIVER, Ran, Repository, Verdict, installed, settle};
use anyhow::{Context as _, Result, ensure};
use serde_json::Value as Json;
use std::fs;
use std::process::Command;

/// Runs to a good end, and tells what was said.
#[track_caller]
fn done(command: &mut Command) -> Result<String> {
    let at = std::panic::Location::caller();
    let output = command.output()?;
    let said =
        String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "at {at}: {command:?}: {said}");
    Ok(said)
}

/// Hits, misses, and runs that were not recorded or not cached, since the last call.
fn since(repository: &Repository) -> Result<[u64; 3]> {
    let stats: Json = serde_json::from_slice(&repository.ask(&["stats", "--json"])?.stdout)?;
    ensure!(repository.ask(&["stats", "--zero"])?.code == Some(0));
    let sum = |name: &str| {
        stats[name].as_object().into_iter().flatten().filter_map(|(_, number)| number.as_u64()).sum::<u64>()
    };
    let count = |name: &str| stats[name].as_u64().unwrap_or_default();
    Ok([count("hits"), count("misses"), sum("uncached") + sum("unrecorded")])
}

#[test]
fn a_compiler_needs_no_run_before_it_and_a_slip_is_still_one() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "int a;\n")?;
    repository.script("tools/any", "echo any \"$@\"\n")?;
    settle();
    let launched = |words: &[&str]| Ran::of(repository.reviver(words).env("REVIVER_VERBOSE", "1"));
    launched(&["gcc", "-c", "a.c"])?.miss()?;
    launched(&["gcc", "-c", "a.c"])?.hit()?;
    repository.run(&["--", "gcc", "-c", "a.c"])?.hit()?;
    let ran = launched(&["./tools/any", "--version", "-h", "--"])?.without(0, "")?;
    assert_eq!(ran.out(), "any --version -h --\n");
    assert_eq!(launched(&["no-such-target-gcc-99", "-c", "a.c"])?.code, Some(127));
    assert_eq!(launched(&["./no/such/tool"])?.code, Some(127));
    for slip in ["stast", "gccc", "any", "runn"] {
        let ran = launched(&[slip])?;
        ensure!(ran.code == Some(2) && ran.err().contains("unrecognized subcommand"), "{ran:?}");
    }
    ensure!(launched(&["stast"])?.err().contains("'stats'"));
    // What may be left out is told.
    let help = repository.ask(&["--help"])?.out();
    for word in ["CMAKE_C_COMPILER_LAUNCHER", "REVIVER_READ_ONLY", "REVIVER_RECHECK", "PATH", "Exit codes"] {
        ensure!(help.contains(word), "{help}");
    }
    ensure!(repository.ask(&["run", "--help"])?.out().contains("REVIVER_VERBOSE"));
    Ok(())
}

const MAKEFILE: &str = "objects := $(patsubst %.c,%.o,$(wildcard *.c))\n\
    all: program\n\
    program: $(objects)\n\t$(CC) -o $@ $^\n\
    %.o: %.c\n\t$(CC) -O1 -MMD -c $< -o $@\n\
    clean:\n\trm -f *.o *.d program\n\
    -include *.d\n";

/// A program of 30 files, each ten of which are equal but for their names.
fn thirty(repository: &Repository) -> Result<()> {
    repository.write("Makefile", MAKEFILE)?;
    repository.write("all.h", "#define ALL 1\n")?;
    for number in 0..30 {
        let text = format!(
            "#include \"all.h\"\nstatic int f{}(void) {{ return ALL; }}\nint (*volatile p)(void);\n",
            number % 3
        );
        let main = if number == 0 { "int main(void) { return p != 0; }\n" } else { "" };
        let text = text
            .replace("int (*volatile p)(void);", if number == 0 { "int (*volatile p)(void);" } else { "" });
        repository.write(&format!("f{number}.c"), text + main)?;
    }
    settle();
    Ok(())
}

#[test]
fn make_in_parallel_revives_all_that_it_compiled() -> Result<()> {
    if !installed("gcc") || !installed("make") {
        return Ok(());
    }
    let repository = Repository::new()?;
    thirty(&repository)?;
    done(repository.command("make").args(["-j4", "CC=gcc"]))?;
    let built = |repository: &Repository| -> Result<Vec<Vec<u8>>> {
        let names = (0..30).flat_map(|number| [format!("f{number}.o"), format!("f{number}.d")]);
        names.map(|name| repository.read(&name)).chain([repository.read("program")]).collect()
    };
    let plain = built(&repository)?;
    let masquerade = in_front(&[&links(&repository, &["gcc", "cc", "g++"])?])?;
    let make = |words: &[&str]| {
        let mut command = repository.command("make");
        command.args(words);
        command
    };
    let launched = format!("CC={REVIVER} gcc");
    let ways: [(&[&str], _); 2] = [(&["-j8", &launched], None), (&["-j4", "CC=gcc"], Some(&masquerade))];
    for (words, path) in ways {
        for round in 0..2 {
            done(&mut make(&["clean"]))?;
            let mut command = make(words);
            if let Some(path) = path {
                command.env("PATH", path);
            }
            done(&mut command)?;
            ensure!(built(&repository)? == plain, "{words:?}");
            let [hits, misses, not_recorded] = since(&repository)?;
            // The link is not cached.
            assert_eq!(
                (hits, misses, not_recorded),
                if round == 0 { (0, 30, 1) } else { (30, 0, 1) },
                "{words:?}"
            );
            let idle = done(&mut make(&["CC=gcc"]))?;
            ensure!(idle.contains("Nothing to be done"), "{idle}");
        }
    }
    Ok(())
}

/// Ten sources, each compiled by equal commands in three directories at once.
#[test]
fn equal_compilations_at_once_are_all_right() -> Result<()> {
    if !installed("gcc") || !installed("make") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let objects = "objects := $(foreach n,0 1 2 3 4 5 6 7 8 9,$(foreach d,a b c,$d/f$n.o))\n";
    let rules = "all: $(objects)\ndefine rule\n$1/%.o: %.c\n\tcd $1 && $$(CC) -O1 -c ../$$< -o $$(@F)\nendef\n\
        $(foreach d,a b c,$(eval $(call rule,$d)))\nclean:\n\trm -f */*.o\n";
    repository.write("Makefile", format!("{objects}{rules}"))?;
    // The directories are of one repository.
    repository.write("reviver.toml", "")?;
    for directory in ["a", "b", "c"] {
        fs::create_dir(repository.path(directory))?;
    }
    for number in 0..10 {
        repository.write(&format!("f{number}.c"), format!("int f(void) {{ return {number}; }}\n"))?;
    }
    settle();
    let built = || -> Result<Vec<Vec<u8>>> {
        (0..30).map(|at| repository.read(&format!("{}/f{}.o", ["a", "b", "c"][at % 3], at / 3))).collect()
    };
    done(repository.command("make").args(["-j8", "CC=gcc"]))?;
    let plain = built()?;
    for round in 0..3 {
        done(repository.command("make").arg("clean"))?;
        done(repository.command("make").args(["-j8", &format!("CC={REVIVER} gcc")]))?;
        ensure!(built()? == plain, "round {round}");
        let [hits, misses, not_recorded] = since(&repository)?;
        assert_eq!((hits + misses, not_recorded), (30, 0), "round {round}");
        ensure!(if round == 0 { misses >= 10 } else { misses == 0 }, "round {round}: {misses} misses");
    }
    assert_eq!(repository.counts()?[2], 10, "one entry for each source");
    Ok(())
}

#[test]
fn a_build_that_fails_fails_as_it_would_without_us() -> Result<()> {
    if !installed("gcc") || !installed("make") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("Makefile", MAKEFILE)?;
    repository.write("a.c", "int a(void) { return b; }\n")?;
    settle();
    let plain = repository.command("make").arg("CC=gcc").output()?;
    for _ in 0..2 {
        let path = in_front(&[&links(&Repository::new()?, &["gcc"])?])?;
        let masked = repository.command("make").arg("CC=gcc").env("PATH", &path).output()?;
        assert_eq!((masked.status, &masked.stderr), (plain.status, &plain.stderr));
        let launched = repository.command("make").arg(format!("CC={REVIVER} gcc")).output()?;
        assert_eq!((launched.status, &launched.stderr), (plain.status, &plain.stderr));
    }
    ensure!(String::from_utf8_lossy(&plain.stderr).contains("a.c:1:"), "{plain:?}");
    Ok(())
}

/// A project in C and C++, with a header for each language.
fn project(repository: &Repository) -> Result<()> {
    repository.write(
        "CMakeLists.txt",
        "cmake_minimum_required(VERSION 3.16)\nproject(drop LANGUAGES C CXX)\n\
         add_executable(program main.c one.c two.cpp three.cpp)\ntarget_include_directories(program PRIVATE include)\n",
    )?;
    // The root, whose statistics are asked for: ninja works in a directory of its own.
    repository.write("reviver.toml", "")?;
    repository.write("include/one.h", "int one(void);\n")?;
    repository.write("include/two.hpp", "template <class T> T twice(T t) { return t + t; }\n")?;
    repository.write(
        "one.c",
        "#include \"one.h\"\n#include <string.h>\nint one(void) { return (int)strlen(\"1\"); }\n",
    )?;
    repository.write(
        "main.c",
        "#include \"one.h\"\nint two(void);\nint main(void) { return one() + two() - 3; }\n",
    )?;
    repository.write("two.cpp", "#include \"two.hpp\"\n#include <vector>\nextern \"C\" int two() { return std::vector<int>{twice(1)}[0]; }\n")?;
    repository.write("three.cpp", "#include <string>\nstd::string three() { return \"three\"; }\n")?;
    Ok(())
}

#[test]
fn cmake_and_ninja_build_with_us_and_keep_their_own_dependencies() -> Result<()> {
    if !["cmake", "ninja", "gcc", "g++"].into_iter().all(installed) {
        return Ok(());
    }
    let repository = Repository::new()?;
    project(&repository)?;
    let masquerade = in_front(&[&links(&repository, &["cc", "c++", "gcc", "g++"])?])?;
    let launchers = ["C", "CXX"].map(|language| format!("-DCMAKE_{language}_COMPILER_LAUNCHER={REVIVER}"));
    for (way, launchers, path) in
        [("launcher", &launchers[..], in_front(&[])?), ("masquerade", &[], masquerade)]
    {
        let configure = |directory: &str, launchers: &[String]| {
            let mut command = repository.command("cmake");
            command.args(["-G", "Ninja", "-S", ".", "-B", directory]).args(launchers).env("PATH", &path);
            done(&mut command)
        };
        let ninja = || done(repository.command("ninja").args(["-C", "build"]).env("PATH", &path));
        // Plainly, to compare with.
        done(repository.command("cmake").args(["-G", "Ninja", "-S", ".", "-B", "build"]))?;
        done(repository.command("ninja").args(["-C", "build"]))?;
        let objects = ["main.c", "one.c", "two.cpp", "three.cpp"];
        let objects = objects.map(|name| format!("build/CMakeFiles/program.dir/{name}.o"));
        let read = || objects.iter().map(|name| repository.read(name)).collect::<Result<Vec<_>>>();
        let plain = read()?;
        for round in 0..2 {
            repository.remove(&["build"])?;
            let said = configure("build", launchers)?;
            ensure!(!said.contains("broken") && !said.contains("reviver:"), "{way}: {said}");
            since(&repository)?;
            ninja()?;
            let built = since(&repository)?;
            // A launcher stands before compilations alone; linking is not cached.
            let links = u64::from(way == "masquerade");
            assert_eq!(built, if round == 0 { [0, 4, links] } else { [4, 0, links] }, "{way}: round {round}");
            assert_eq!(read()?, plain, "{way}: round {round}");
            done(&mut repository.command(repository.path("build/program")))?;
            ensure!(ninja()?.contains("no work to do"), "{way}");
        }
        // Ninja knows from our depfiles which objects a header is for.
        let was = repository.text("include/one.h")?;
        settle();
        repository.write("include/one.h", format!("{was}#define {way} 1\n"))?;
        settle();
        let said = ninja()?;
        ensure!(said.contains("[3/3]"), "{way}: two objects and the program: {said}");
        assert_eq!(since(&repository)?[..2], [0, 2], "{way}");
        repository.write("include/one.h", was)?;
        settle();
        ninja()?;
        assert_eq!(since(&repository)?[..2], [2, 0], "{way}");
        repository.remove(&["build"])?;
        fs::remove_dir_all(&repository.cache)?;
    }
    Ok(())
}

/// What the scripts of autoconf do to find out about a compiler.
const CONFIGURE: &str = include_str!("configure.sh");

#[test]
fn a_configure_script_finds_the_same_with_us() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.script("configure", CONFIGURE)?;
    let masquerade = in_front(&[&links(&repository, &["gcc"])?])?;
    let launched = format!("{REVIVER} gcc");
    let configure = |cc: &str, path: &std::ffi::OsStr| -> Result<(String, String)> {
        let mut command = repository.command("./configure");
        let said = done(command.env("CC", cc).env("CFLAGS", "-g -O2").env("PATH", path))?;
        ensure!(said.is_empty(), "{said}");
        // The processes that gcc starts have names of their own each time.
        let log = repository.text("config.log")?.replace(cc, "gcc");
        let log =
            log.lines().filter(|line| !line.contains("/tmp/")).map(|line| line.to_owned() + "\n").collect();
        Ok((repository.text("config.h")?, log))
    };
    let plain = configure("gcc", &in_front(&[])?)?;
    for name in ["HAVE_STDIO_H", "SIZEOF_LONG", "C_O", "GNU", "DEBUG", "HAVE_printf", "PIPE", "CPP_STDLIB_H"]
    {
        ensure!(plain.0.contains(name), "{}", plain.0);
    }
    ensure!(!plain.0.contains("NO_SUCH") && !plain.0.contains("no_such"), "{}", plain.0);
    for round in 0..2 {
        let ours = configure(&launched, &in_front(&[])?)?;
        assert_eq!(ours.0, plain.0);
        same_lines(&ours.1, &plain.1)?;
        let ours = configure("gcc", &masquerade)?;
        assert_eq!(ours.0, plain.0, "round {round}");
    }
    let [hits, misses, entries] = repository.counts()?;
    ensure!(hits > 0 && misses > 0 && entries > 0, "{hits} hits, {misses} misses");
    Ok(())
}

fn same_lines(ours: &str, plain: &str) -> Result<()> {
    let different = ours.lines().zip(plain.lines()).find(|(ours, plain)| ours != plain);
    ensure!(different.is_none() && ours.lines().count() == plain.lines().count(), "{different:?}");
    Ok(())
}

#[test]
fn what_cargo_asks_and_runs_goes_through_us() -> Result<()> {
    if !installed("rustc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    let rustc = done(Command::new("rustc").args(["--print", "sysroot"]))?;
    let rustc = format!("{}/bin/rustc", rustc.trim());
    // As RUSTC_WRAPPER is called.
    let asked = Ran::of(&mut repository.reviver(&[&rustc, "-vV"]))?;
    let plain = Ran::of(repository.command(&rustc).arg("-vV"))?;
    assert_eq!((asked.code, asked.out()), (plain.code, plain.out()));
    repository.write("lib.rs", "pub fn f() {}\n")?;
    settle();
    let compile = [
        &*rustc,
        "--crate-name",
        "lib",
        "--edition=2021",
        "lib.rs",
        "--crate-type",
        "lib",
        "--emit=dep-info,metadata,link",
        "--out-dir",
        ".",
    ];
    let launched = || Ran::of(repository.reviver(&compile).env("REVIVER_VERBOSE", "1"));
    let first = launched()?;
    ensure!(first.code == Some(0) && first.verdict != Verdict::Silent, "{first:?}");
    if first.verdict == Verdict::Miss {
        launched()?.hit()?;
    }
    fs::metadata(repository.path("liblib.rlib")).context("it was compiled")?;
    Ok(())
}
