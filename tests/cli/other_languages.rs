//! Plugins that are not written in Rust: core modules of any compiler, and the example in C.

use crate::support::{Ran, Repository, installed, settle, skipped};
use anyhow::{Context as _, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The tools that the committed component was made with. Others make other bytes, which answer the same.
const MADE_WITH: [(&str, &str); 2] =
    [("clang", "Debian clang version 14.0.6"), ("wasm-ld", "Debian LLD 14.0.6")];

fn example() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/c-plugin")
}

/// The example repository with this component, and two files to sort.
fn repository(component: &[u8]) -> Result<Repository> {
    let repository = Repository::new()?;
    fs::copy(example().join("reviver.toml"), repository.path("reviver.toml"))?;
    repository.write("sort.wasm", component)?;
    if *component == committed()? {
        fs::copy(example().join("reviver.lock"), repository.path("reviver.lock"))?;
    } else {
        repository.pin()?;
    }
    repository.write("one.txt", "b 2\na 10\n")?;
    repository.write("two.txt", "c 1\nB 3\n")?;
    settle();
    Ok(repository)
}

fn committed() -> Result<Vec<u8>> {
    Ok(fs::read(example().join("sort.wasm"))?)
}

/// Whether clang can make WebAssembly here; says so where it cannot.
fn compiles() -> Result<bool> {
    if !installed("clang") || !installed("wasm-ld") {
        return Ok(false);
    }
    let targets = Command::new("clang").arg("--print-targets").output()?;
    let there = String::from_utf8_lossy(&targets.stdout).contains("wasm32");
    if !there {
        skipped("clang has no target wasm32 on this machine");
    }
    Ok(there)
}

/// The component that the sources in a directory make.
fn built(sources: &Path, repository: &Repository) -> Result<Vec<u8>> {
    let component = repository.home.join("built.wasm");
    let mut build = repository.command(sources.join("build.sh"));
    let ran = Ran::of(build.arg(&component).env("REVIVER", crate::support::REVIVER))?;
    ensure!(ran.code == Some(0) && ran.out().contains("key plugin"), "{ran:?}");
    Ok(fs::read(component)?)
}

/// What a component of the example answers.
fn answers(component: &[u8]) -> Result<()> {
    let repository = repository(component)?;
    let run = |arguments: &[&str]| Ran::of(repository.runs(arguments).env("LC_ALL", "C"));
    let numeric = ["--", "sort", "-nk2", "-o", "sorted.txt", "one.txt", "two.txt"];
    run(&numeric)?.miss()?;
    let sorted = repository.text("sorted.txt")?;
    assert_eq!(sorted, "c 1\nb 2\nB 3\na 10\n");
    repository.remove(&["sorted.txt"])?;
    run(&numeric)?.hit()?;
    assert_eq!(repository.text("sorted.txt")?, sorted);
    // How it is done does not matter, nor where the output goes; which files and which order do.
    run(&["--", "sort", "-S1M", "-T", "/", "-n", "-k", "2", "-oelsewhere", "--", "one.txt", "two.txt"])?
        .hit()?;
    assert_eq!(repository.text("elsewhere")?, sorted);
    run(&["--", "sort", "-k2", "-o", "sorted.txt", "one.txt", "two.txt"])?.miss()?;
    run(&["--", "sort", "-nk2", "-o", "sorted.txt", "two.txt", "one.txt"])?.miss()?;
    // What goes to standard output is revived as well.
    ensure!(run(&["--", "sort", "one.txt"])?.miss()?.out() == "a 10\nb 2\n");
    ensure!(run(&["--", "sort", "one.txt"])?.hit()?.out() == "a 10\nb 2\n");
    repository.write("one.txt", "b 2\na 11\n")?;
    settle();
    run(&numeric)?.miss()?;
    assert_eq!(repository.text("sorted.txt")?, "c 1\nb 2\nB 3\na 11\n");

    for (arguments, reason) in [
        (&["one.txt", "--parallel=1"][..], "a long option is not known: --parallel=1"),
        (&["-R", "one.txt"], "an option that is not known: -R"),
        (&["-k1R", "one.txt"], "a random order: -k 1R"),
        (&["-o", "one.txt", "one.txt"], "a file is sorted in place: one.txt"),
        (&["-"], "standard input is not followed: -"),
        (&[], "standard input is not followed: no file is named"),
    ] {
        run(&[&["--", "sort"], arguments].concat())?.without(0, reason)?;
    }
    let german = Ran::of(repository.runs(&["--", "sort", "one.txt"]).env("LC_ALL", "de_DE.UTF-8"))?;
    german.without(0, "the order is that of a locale")?;
    let posix = Ran::of(repository.runs(&["--", "sort", "one.txt"]).env("POSIXLY_CORRECT", ""))?;
    posix.without(0, "POSIXLY_CORRECT")?;
    Ok(())
}

#[test]
fn a_plugin_in_c_names_what_decides_the_order() -> Result<()> {
    answers(&committed()?)
}

#[test]
fn the_committed_component_is_what_its_source_in_c_makes() -> Result<()> {
    if !compiles()? {
        return Ok(());
    }
    let repository = Repository::new()?;
    let component = built(&example().join("plugin"), &repository)?;
    // Wherever the sources lie.
    let elsewhere = repository.home.join("elsewhere");
    copy_sources(&elsewhere, |source| source)?;
    ensure!(built(&elsewhere, &repository)? == component, "the bytes depend on the place of the sources");
    for (tool, version) in MADE_WITH {
        let said = Command::new(tool).arg("--version").output()?;
        let said = String::from_utf8(said.stdout)?;
        if !said.lines().any(|line| line.trim_end() == version) {
            let first = said.lines().next().unwrap_or_default();
            skipped(&format!("comparing bytes: they were made with {version}, and here is {first}"));
            return answers(&component);
        }
    }
    if std::env::var_os("REVIVER_RENEW").is_some_and(|renew| renew == "1") {
        fs::write(example().join("sort.wasm"), &component)?;
    }
    ensure!(
        component == committed()?,
        "examples/c-plugin/sort.wasm differs from what its source makes: run \
         `REVIVER_RENEW=1 cargo test -p reviver --test cli other_languages`"
    );
    Ok(())
}

/// Copies the example's sources, and changes `sort.c` meanwhile.
fn copy_sources(to: &Path, change: impl Fn(String) -> String) -> Result<()> {
    // By another process: a script that this one has open for writing cannot be run.
    ensure!(Command::new("cp").arg("-r").arg(example().join("plugin")).arg(to).status()?.success());
    let source = fs::read_to_string(to.join("sort.c"))?;
    Ok(fs::write(to.join("sort.c"), change(source))?)
}

#[test]
fn a_fault_of_a_plugin_in_c_is_a_fault_like_any_other() -> Result<()> {
    if !compiles()? {
        return Ok(());
    }
    let faults = [
        // Far out of its memory, which ends the instance.
        ("argv[0]);", "argv[0x10000000]);", "trapped"),
        // Deeper than its stack, which lies below all data.
        (
            "    if (asked->argv.length == 0)",
            "    volatile char deep[1 << 20];\n    for (int i = 0; i < 1 << 20; i++) deep[i] = 1;\n    if (asked->argv.length == 0)",
            "trapped",
        ),
        // A label that begins within its memory and ends without: the host does not read it.
        (
            "TEXT(\"sort\"), SOURCE_PROGRAM",
            "((string){\"sort\", 0x7fffffff}), SOURCE_PROGRAM",
            "broke the contract",
        ),
    ];
    for (right, wrong, fault) in faults {
        let tools = Repository::new()?;
        let sources = tools.home.join("sources");
        copy_sources(&sources, |source| source.replacen(right, wrong, 1))?;
        let repository = repository(&built(&sources, &tools)?)?;
        for _ in 0..2 {
            let ran = repository.run(&["--", "sort", "-o", "sorted.txt", "one.txt"])?;
            ensure!(ran.code == Some(0) && repository.text("sorted.txt")? == "a 10\nb 2\n", "{ran:?}");
            let [warning] = ran.warnings()[..] else { anyhow::bail!("one warning: {ran:?}") };
            ensure!(warning.contains("`sort`") && warning.contains(fault), "{warning}");
            repository.remove(&["sorted.txt"])?;
        }
        let strict = repository.run(&["--strict", "--", "sort", "-o", "sorted.txt", "one.txt"])?;
        ensure!(strict.code == Some(125) && !repository.exists("sorted.txt"), "{strict:?}");
        // The rest of the repository goes on.
        repository.run(&["--out", "out", "--", "sh", "-c", ": >out"])?.miss()?;
    }
    Ok(())
}

const MODULE: &str = r#"(module (memory (export "memory") 1)
    (func (export "cabi_realloc") (param i32 i32 i32 i32) (result i32) i32.const 1024)
    (func (export "reviver:plugin/eviction-role@0.1.0#score")
        (param i64 i64 i64 i64 i32 i32) (result i32) i32.const 0))"#;

#[test]
fn a_core_module_becomes_a_component_beside_it() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("m.wasm", wat::parse_str(MODULE)?)?;
    let made = repository.ask(&["plugin", "build", "m.wasm", "--role", "eviction"])?;
    ensure!(
        made.code == Some(0) && made.out().starts_with("m.component.wasm: eviction plugin, "),
        "{made:?}"
    );
    let inspected = repository.ask(&["plugin", "inspect", "m.component.wasm"])?;
    ensure!(inspected.out().contains("reviver:plugin/eviction-role@0.1.0"), "{inspected:?}");
    repository.ask(&["plugin", "build", "m.wasm", "--role", "eviction", "-o", "named.wasm"])?;
    assert_eq!(repository.read("named.wasm")?, repository.read("m.component.wasm")?);
    Ok(())
}

#[test]
fn what_cannot_become_a_component_is_told_and_nothing_is_written() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("m.wasm", wat::parse_str(MODULE)?)?;
    ensure!(
        repository.ask(&["plugin", "build", "m.wasm", "--role=eviction", "-o", "c.wasm"])?.code == Some(0)
    );
    let import = "(module (import \"env\" \"printf\" (func (param i32 i32) (result i32)))";
    repository.write("foreign.wasm", wat::parse_str(MODULE.replacen("(module", import, 1))?)?;
    repository.write("text.wasm", "text")?;
    for (arguments, told) in [
        (&["m.wasm"][..], "--role key"),
        (&["m.wasm", "--role", "key"], "lacks the export `reviver:plugin/key-role@0.1.0#derive`: (i32, "),
        (&["foreign.wasm", "--role", "eviction"], "imports `env` `printf`, which is not the contract's"),
        (&["c.wasm", "--role", "eviction"], "it is a component already"),
        (&["text.wasm", "--role", "eviction"], "no WebAssembly"),
        (&["m.wasm", "--role", "eviction", "--locked"], "for crates"),
        (&[".", "--role", "eviction"], "--role is for core modules"),
        (&["absent.wasm", "--role", "eviction"], "cannot read absent.wasm"),
    ] {
        let output = [&["plugin", "build"], arguments, &["-o", "output.wasm"]].concat();
        let ran = repository.ask(&output)?;
        let whole = [ran.said.join("\n"), ran.err()].concat();
        ensure!(ran.code == Some(2) && whole.contains(told), "{arguments:?}: {whole}");
        ensure!(!repository.exists("output.wasm"), "{arguments:?}");
    }
    repository.remove(&["m.wasm"]).context("it is as it was")
}
