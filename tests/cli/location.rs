//! Compilations in trees at other places: shared where no path of the tree is in the object, and right everywhere.
//!
//! Whatever is revived is compared with what the compiler makes by itself in that very tree.

use crate::support::{Ran, Repository, Verdict, installed, settle};
use crate::worktrees::git;
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

const COMPILERS: [&str; 4] = ["gcc", "clang", "g++", "clang++"];

const RELOCATABLE: &str = "[plugin.key-cc]\nconfig = { relocatable = true }\n";

/// Two worktrees of one git repository.
struct Trees {
    repository: Repository,
    both: [PathBuf; 2],
}

impl Trees {
    /// Worktrees with these files, and with two sources that a header has a path of its own in.
    fn new(files: &[(&str, &str)]) -> Result<Option<Self>> {
        if !installed("git") {
            return Ok(None);
        }
        let repository = Repository::new()?;
        let assert =
            "#pragma once\n#include <assert.h>\nstatic inline int h(int x) { assert(x); return x; }\n";
        repository.write("one/inc/h.h", assert)?;
        let source = "#include \"h.h\"\nint f(int x) { int unused; return h(x); }\n";
        repository.write("one/src/a.c", source)?;
        repository.write("one/src/a.cc", source)?;
        repository.write("one/build/.gitignore", "*\n!.gitignore\n")?;
        for (path, content) in files {
            repository.write(&format!("one/{path}"), content)?;
        }
        let both = [repository.path("one"), repository.path("two")];
        git(&repository, &both[0], &["init", "-q"])?;
        git(&repository, &both[0], &["add", "."])?;
        git(&repository, &both[0], &["commit", "-qm", "x"])?;
        git(&repository, &both[0], &["worktree", "add", "-q", "../two"])?;
        settle();
        Ok(Some(Self { repository, both }))
    }

    /// The command of words in which `{root}` is the tree, in its build directory, which `PWD` calls `directory`.
    fn command(&self, program: &[&str], words: &str, tree: usize, directory: Option<&Path>) -> Command {
        let root = self.both[tree].to_str().expect("a UTF-8 path");
        let mut command = self.repository.command(program[0]);
        command
            .args(&program[1..])
            .args(words.split_ascii_whitespace().map(|word| word.replace("{root}", root)));
        let build = self.both[tree].join("build");
        let directory = directory.unwrap_or(&build);
        command.current_dir(directory).env("PWD", directory);
        command
    }

    fn made(&self, tree: usize) -> Result<Vec<Option<Vec<u8>>>> {
        let build = self.both[tree].join("build");
        let taken = |name: &str| {
            let bytes = fs::read(build.join(name)).ok();
            fs::remove_file(build.join(name)).ok();
            bytes
        };
        let made: Vec<_> = ["o.o", "o.d"].map(taken).into();
        ensure!(made[0].is_some(), "there is no object");
        Ok(made)
    }

    /// Runs a command under `run`, and holds it to what another one makes and says by itself.
    #[track_caller]
    fn like(
        &self,
        words: &str,
        plain: &str,
        tree: usize,
        directory: Option<&Path>,
        expected: &Verdict,
    ) -> Result<Vec<u8>> {
        let at = std::panic::Location::caller();
        let output = Ran::of(&mut self.command(&["env"], plain, tree, directory))?;
        ensure!(output.code == Some(0), "{plain}: {output:?}");
        let made = self.made(tree)?;
        let ran = Ran::of(&mut self.command(
            &[crate::support::REVIVER, "run", "-v", "--"],
            words,
            tree,
            directory,
        ))?;
        ensure!(ran.verdict == *expected, "at {at}: {words} in tree {tree}: {ran:?}");
        ensure!(
            (ran.code, ran.err()) == (output.code, output.err()),
            "at {at}: {words}: {ran:?}, {output:?}"
        );
        ensure!(self.made(tree)? == made, "at {at}: {words} in tree {tree} makes something else");
        made.into_iter().next().flatten().context("an object")
    }

    /// Runs a command under `run`, and holds it to what it makes and says by itself.
    #[track_caller]
    fn same(&self, words: &str, tree: usize, expected: &Verdict) -> Result<Vec<u8>> {
        self.like(words, words, tree, None, expected)
    }
}

fn compilers() -> impl Iterator<Item = (&'static str, &'static str)> {
    let there = COMPILERS.into_iter().filter(|compiler| installed(compiler));
    there.map(|compiler| (compiler, if compiler.ends_with("++") { "a.cc" } else { "a.c" }))
}

use Verdict::{Hit, Miss};

#[test]
fn what_embeds_no_place_is_shared() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    for (compiler, source) in compilers() {
        for options in ["-O1 -Wall", "-MMD -MF o.d -MP", "-g0 -g -g0"] {
            let words = format!("{compiler} {options} -I../inc -c ../src/{source} -o o.o");
            trees.same(&words, 0, &Miss)?;
            trees.same(&words, 1, &Hit)?;
        }
    }
    Ok(())
}

#[test]
fn debugging_information_of_a_place_is_not_shared_and_is_once_maps_take_the_place_out() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    for (compiler, source) in compilers() {
        let words = format!("{compiler} -g -I../inc -c ../src/{source} -o o.o");
        for expected in [Miss, Hit] {
            let objects = [trees.same(&words, 0, &expected)?, trees.same(&words, 1, &expected)?];
            ensure!(objects[0] != objects[1], "{words}: the place is in the object");
        }
        for map in
            ["-ffile-prefix-map={root}=x", "-fdebug-prefix-map={root}=", "-fdebug-prefix-map={root}/build=."]
        {
            // A map of something else does no harm, whichever the compiler tries first.
            for other in ["", "-fdebug-prefix-map=/elsewhere=y"] {
                let words =
                    format!("{compiler} -g {map} {other} -MD -MF o.d -I../inc -c ../src/{source} -o o.o");
                let first = trees.same(&words, 0, &Miss)?;
                ensure!(trees.same(&words, 1, &Hit)? == first, "{words}: one object");
            }
        }
        // A map that leaves a part of the place, before and behind one that takes all of it out.
        let top = trees.repository.root.display();
        for maps in [
            format!("-fdebug-prefix-map={top}=y"),
            format!("-fdebug-prefix-map={top}=y -fdebug-prefix-map={{root}}=x"),
            format!("-fdebug-prefix-map={{root}}=x -fdebug-prefix-map={top}=y"),
        ] {
            let words = format!("{compiler} -g {maps} -I../inc -c ../src/{source} -o o.o");
            trees.same(&words, 0, &Miss)?;
            // Shared or not, as long as it is right.
            let shared = trees.same(&words, 1, &Hit).is_ok();
            trees.same(&words, 1, &Hit).with_context(|| format!("{words} (shared: {shared})"))?;
        }
    }
    Ok(())
}

#[test]
fn absolute_paths_in_arguments_are_not_shared() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    for (compiler, source) in compilers() {
        for words in [
            "-I{root}/inc -c ../src/",
            "-ffile-prefix-map={root}=x -g -I{root}/inc -c ../src/",
            "-I../inc -c {root}/src/",
            "-I../inc -MD -MF o.d -MT {root}/o.o -c ../src/",
        ] {
            let words = format!("{compiler} {words}{source} -o o.o");
            for expected in [Miss, Hit] {
                trees.same(&words, 0, &expected)?;
                trees.same(&words, 1, &expected)?;
            }
        }
    }
    Ok(())
}

/// The list that the one tree recorded was looked for in the other one, although both were told to look into the first: its
/// header could change, and the other tree went on with what it was.
#[test]
fn a_tree_that_is_told_to_look_into_another_one_does() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    let header = trees.both[0].join("inc/h.h");
    let content = fs::read_to_string(&header)?;
    for tree in &trees.both {
        for source in ["src/into.c", "src/into.cc"] {
            fs::write(tree.join(source), format!("#include {header:?}\nint f(int x) {{ return h(x); }}\n"))?;
        }
    }
    settle();
    for (compiler, source) in compilers() {
        let source = source.replace('a', "into");
        let words = format!("{compiler} -c ../src/{source} -o o.o");
        trees.same(&words, 0, &Miss)?;
        trees.same(&words, 1, &Hit)?;
        fs::write(&header, format!("\n\n{content}"))?;
        settle();
        trees.same(&words, 1, &Miss)?;
        trees.same(&words, 0, &Hit)?;
        fs::write(&header, &content)?;
        settle();
        // In the first tree alone the map is for that directory.
        let words = format!("{compiler} -g -ffile-prefix-map={{root}}=x -c ../src/{source} -o o.o");
        trees.same(&words, 0, &Miss)?;
        trees.same(&words, 1, &Miss)?;
    }
    Ok(())
}

#[test]
fn a_place_in_a_file_that_a_map_takes_out_is_not_shared() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    let one = trees.both[0].display().to_string();
    let line = format!("#line 7 \"{one}/src/a.y\"\nint g(void) {{ return 1; }}\n");
    for tree in &trees.both {
        fs::write(tree.join("src/generated.c"), &line)?;
        fs::write(tree.join("inc/generated.h"), &line)?;
        fs::write(tree.join("src/includes.c"), "#include \"generated.h\"\n")?;
    }
    settle();
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let words = |source: &str| {
            format!("{compiler} -g -fdebug-prefix-map={{root}}=x -I../inc -c ../src/{source}.c -o o.o")
        };
        let objects =
            [trees.same(&words("generated"), 0, &Miss)?, trees.same(&words("generated"), 1, &Miss)?];
        ensure!(objects[0] != objects[1], "{compiler}: the place is in the one object");
        let header = "a prefix map takes the root out of `../inc/generated.h`";
        trees.same(&words("includes"), 0, &Verdict::Unrecorded(header.to_owned()))?;
        trees.same(&words("includes"), 1, &Miss)?;
    }
    Ok(())
}

#[test]
fn a_directory_that_a_link_leads_to_counts_where_it_is_embedded() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    let link = trees.repository.path("link");
    std::os::unix::fs::symlink(trees.both[1].join("build"), &link)?;
    for (compiler, source) in compilers() {
        let words = |options: &str| format!("{compiler} {options} -I../inc -c ../src/{source} -o o.o");
        let plain = words("-O1");
        trees.same(&plain, 0, &Miss)?;
        trees.like(&plain, &plain, 1, Some(&link), &Hit)?;
        for options in ["-g", "-g -fdebug-prefix-map={root}=x"] {
            let words = words(options);
            let direct = trees.same(&words, 1, &Miss)?;
            let linked = trees.like(&words, &words, 1, Some(&link), &Miss)?;
            ensure!(direct != linked, "{words}: the link is in the object");
        }
    }
    Ok(())
}

#[test]
fn a_repository_that_wants_so_shares_all_of_its_compilations() -> Result<()> {
    let Some(trees) = Trees::new(&[("reviver.toml", RELOCATABLE)])? else { return Ok(()) };
    let link = trees.repository.path("link");
    std::os::unix::fs::symlink(trees.both[1].join("build"), &link)?;
    for (compiler, source) in compilers() {
        for options in ["-O1 -Wall", "-g -Wall", "-g -ffile-prefix-map={root}=x"] {
            let map = match options {
                "-g -Wall" => "-fdebug-prefix-map={root}=.",
                _ => "",
            };
            let tail = "-MD -MT o.o -MF o.d -o o.o";
            let words = format!(
                "{compiler} {options} -I{{root}}/inc -isystem {{root}}/src -include {{root}}/inc/h.h -c {{root}}/src/{source} {tail}"
            );
            let rewritten = format!(
                "{compiler} {map} {options} -I../inc -isystem ../src -include ../inc/h.h -c ../src/{source} {tail}"
            );
            let first = trees.like(&words, &rewritten, 0, None, &Miss)?;
            let second = trees.like(&words, &rewritten, 1, None, &Hit)?;
            ensure!(first == second, "{words}: one object");
            let holds = |text: &str| first.windows(text.len()).any(|window| window == text.as_bytes());
            ensure!(
                !holds(trees.repository.root.to_str().context("UTF-8")?),
                "{words}: a place is in the object"
            );
            if map.is_empty() {
                continue;
            }
            // By whatever name the directory is entered.
            let ran = Ran::of(&mut trees.command(
                &[crate::support::REVIVER, "run", "-v", "--"],
                &words,
                1,
                Some(&link),
            ))?;
            ensure!(ran.code == Some(0), "{ran:?}");
            ensure!(trees.made(1)?[0].as_ref() == Some(&first), "{words}: one object through a link");
        }
    }
    Ok(())
}

/// A user of somebody else's repository has no settings of his own in it.
#[test]
fn a_user_may_want_it_for_all_repositories_that_say_nothing() -> Result<()> {
    let Some(trees) = Trees::new(&[])? else { return Ok(()) };
    fs::write(trees.repository.home.join("config/reviver/config.toml"), RELOCATABLE)?;
    let words = "gcc -I{root}/inc -c {root}/src/a.c -o o.o";
    let rewritten = "gcc -I../inc -c ../src/a.c -o o.o";
    if installed("gcc") {
        trees.like(words, rewritten, 0, None, &Miss)?;
        trees.like(words, rewritten, 1, None, &Hit)?;
        // Who says something in his repository is not overruled.
        fs::write(trees.both[1].join("reviver.toml"), "[plugin.key-cc]\n")?;
        trees.same(words, 1, &Miss)?;
    }
    Ok(())
}

#[test]
fn roots_that_their_user_joined_share_too() -> Result<()> {
    let repository = Repository::new()?;
    let both = [repository.path("one"), repository.path("other/two")];
    let roots = both.each_ref().map(|root| format!("{root:?}")).join(", ");
    fs::write(repository.home.join("config/reviver/config.toml"), format!("[[join]]\nroots = [{roots}]\n"))?;
    for tree in ["one", "other/two"] {
        repository.write(&format!("{tree}/reviver.toml"), RELOCATABLE)?;
        repository.write(&format!("{tree}/src/a.c"), "#include <h.h>\nint f(void) { return H; }\n")?;
        repository.write(&format!("{tree}/inc/h.h"), "#define H 1\n")?;
        fs::create_dir_all(repository.path(tree).join("build"))?;
    }
    settle();
    let trees = Trees { repository, both };
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let words = format!("{compiler} -g -I{{root}}/inc -c {{root}}/src/a.c -o o.o");
        let rewritten = format!("{compiler} -fdebug-prefix-map={{root}}=. -g -I../inc -c ../src/a.c -o o.o");
        let first = trees.like(&words, &rewritten, 0, None, &Miss)?;
        ensure!(trees.like(&words, &rewritten, 1, None, &Hit)? == first, "{words}");
    }
    Ok(())
}

/// All paths are said in full there. What the compiler then reports are relative ones, which make and ninja have to understand.
#[test]
fn cmake_in_two_worktrees_compiles_once() -> Result<()> {
    let lists = "cmake_minimum_required(VERSION 3.16)\nproject(p C CXX)\nadd_subdirectory(src)\n";
    let targets = "include_directories(${PROJECT_SOURCE_DIR}/inc)\nadd_library(l STATIC a.c)\nadd_executable(m main.cc)\n\
        target_link_libraries(m l)\n";
    let main = "extern \"C\" int f(int);\n#include \"h.h\"\nint main() { return f(1) - h(1); }\n";
    let files = [
        ("CMakeLists.txt", lists),
        ("src/CMakeLists.txt", targets),
        ("src/main.cc", main),
        ("reviver.toml", RELOCATABLE),
    ];
    for (generator, tool) in [("Ninja", "ninja"), ("Unix Makefiles", "make")] {
        if !installed("cmake") || !installed(tool) || !installed("g++") {
            continue;
        }
        let Some(trees) = Trees::new(&files)? else { return Ok(()) };
        let repository = &trees.repository;
        let counts = |tree: &Path| -> Result<[u64; 2]> {
            let stats = repository.reviver(&["stats", "--json"]).current_dir(tree).output()?;
            let stats: serde_json::Value = serde_json::from_slice(&stats.stdout)?;
            let count = |name: &str| stats[name].as_u64().with_context(|| format!("{name} in {stats}"));
            Ok([count("hits")?, count("misses")?])
        };
        let build = |tree: &Path| -> Result<[u64; 2]> {
            let before = counts(tree)?;
            let built = Ran::of(repository.command("cmake").arg("--build").arg("build").current_dir(tree))?;
            ensure!(built.code == Some(0), "{built:?}");
            let after = counts(tree)?;
            Ok([after[0] - before[0], after[1] - before[1]])
        };
        for tree in &trees.both {
            let launcher = |language: &str| {
                format!("-DCMAKE_{language}_COMPILER_LAUNCHER={};run;--", crate::support::REVIVER)
            };
            let mut configure = repository.command("cmake");
            configure.args(["-G", generator, "-DCMAKE_BUILD_TYPE=Debug", "-B", "build"]);
            configure.args([launcher("C"), launcher("CXX")]).current_dir(tree);
            let configured = Ran::of(&mut configure)?;
            ensure!(configured.code == Some(0), "{configured:?}");
        }
        let [one, two] = &trees.both;
        settle();
        assert_eq!(build(one)?, [0, 2], "{generator}: each source is compiled");
        assert_eq!(build(two)?, [2, 0], "{generator}: nothing is compiled again");
        for object in ["src/CMakeFiles/l.dir/a.c.o", "src/CMakeFiles/m.dir/main.cc.o"] {
            let [one, two] = [one, two].map(|tree| fs::read(tree.join("build").join(object)));
            ensure!(one? == two?, "{generator}: {object}");
        }
        // The build tools know what was read.
        assert_eq!(build(two)?, [0, 0], "{generator}: nothing is to be done");
        let header = two.join("inc/h.h");
        let content = fs::read_to_string(&header)?;
        fs::write(&header, content.replace("return x;", "return x + 0;"))?;
        settle();
        assert_eq!(build(two)?, [0, 2], "{generator}: both sources include what changed");
        ensure!(Ran::of(&mut repository.command(two.join("build/src/m")))?.code == Some(0));
    }
    Ok(())
}
