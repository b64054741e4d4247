//! Builds Lua again and again through `reviver run`, and counts: `cargo run --release --example lua`.
//!
//! Nothing but the Rust toolchain and a C compiler is needed. Each build is compared byte for byte with what the compiler
//! makes without Reviver, and which compilations an edited header touches is asked of the compiler itself. The exit status
//! is 1 if anything is not as it should be.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows something to people")]

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use examples::{OPTIONS, Workshop, compilation, copy, files, lua, reviver};
use serde_json::Value as Json;

/// The header that is edited, and how. It is no comment: another object must come of it.
const HEADER: &str = "lualib.h";
const EDIT: (&str, &str) = ("LUA_MATHLIBNAME\t\"math\"", "LUA_MATHLIBNAME\t\"maths\"");

fn main() -> ExitCode {
    match demonstrate() {
        Ok(0) => {
            println!("\nEverything was as promised.");
            ExitCode::SUCCESS
        }
        Ok(broken) => {
            println!("\n{broken} promises were broken.");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("the demonstration failed: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn demonstrate() -> Result<usize> {
    println!("Building reviver ...");
    let workshop = Workshop::new(reviver()?)?;
    let broken = build_lua(&workshop)?;
    Ok(broken + generate_words(&workshop)?)
}

/// The builds of Lua; how many promises were broken.
fn build_lua(workshop: &Workshop) -> Result<usize> {
    copy(&lua()?, &workshop.path("lua"), false)?;
    for directory in ["plain", "objects"] {
        fs::create_dir(workshop.path("lua").join(directory))?;
    }
    let sources: Vec<OsString> = files(&workshop.path("lua"), "c")?
        .iter()
        .map(|path| path.file_name().unwrap_or_default().to_owned())
        .collect();
    let all = sources.len() as u64;
    let lua = Lua { workshop, sources };

    println!("\nLua 5.4.7: {all} compilations by `gcc {} -c`, one after the other\n", OPTIONS.join(" "));
    println!("{:<44}{:>10}{:>10}{:>10}   objects", "", "compilers", "revived", "seconds");
    let plain = lua.compile("plain", false)?;
    row("gcc alone", all, 0, plain, "");

    let mut broken = 0;
    let mut step = |title: &str, ran: u64| -> Result<()> { lua.step(title, ran, &mut broken) };
    step("reviver run -- gcc, nothing remembered", all)?;
    lua.delete_objects()?;
    step("the objects deleted", 0)?;
    step("nothing deleted", 0)?;
    touch(&workshop.path("lua").join(HEADER))?;
    step(&format!("{HEADER} touched"), 0)?;

    let touched = lua.sources_with(HEADER)?;
    let header = workshop.path("lua").join(HEADER);
    let text = fs::read_to_string(&header)?;
    let edited = text.replace(EDIT.0, EDIT.1);
    ensure!(edited != text, "{HEADER} is not as it is expected");
    let before = fs::read(lua.object("plain", "linit.o"))?;
    fs::write(&header, edited)?;
    // A header that is as young as the compilation itself is not trusted, and the compilation not recorded.
    sleep(Duration::from_millis(50));
    lua.compile("plain", false)?;
    ensure!(before != fs::read(lua.object("plain", "linit.o"))?, "the edit changes no object");
    step(&format!("{HEADER} edited, which {touched} of {all} include"), touched)?;
    step("nothing changed since", 0)?;
    fs::write(&header, text)?;
    lua.compile("plain", false)?;
    step("the edit undone", 0)?;

    println!("\n$ reviver explain --misses -n 1 linit.c");
    print!("{}", workshop.ask("lua", &["explain", "--misses", "-n", "1", "linit.c"])?);
    println!("\n$ reviver plugin inspect key-cc      (shipped inside reviver; its source is plugins/key-cc)");
    print!("{}", workshop.ask("lua", &["plugin", "inspect", "key-cc"])?);
    Ok(broken)
}

/// Lua's sources, and what to do with them.
struct Lua<'a> {
    workshop: &'a Workshop,
    sources: Vec<OsString>,
}

impl Lua<'_> {
    /// Builds through `reviver run` and says whether it went as it should: so many compilers ran, all else was revived,
    /// and the objects are those of the compiler alone.
    fn step(&self, title: &str, should_run: u64, broken: &mut usize) -> Result<()> {
        let before = counters(self.workshop, "lua")?;
        let took = self.compile("objects", true)?;
        let after = counters(self.workshop, "lua")?;
        let (ran, revived) = (after.0 - before.0, after.1 - before.1);
        let differing = self.differing()?;
        let objects = if differing == 0 { "the same".to_owned() } else { format!("{differing} DIFFER") };
        row(title, ran, revived, took, &objects);
        let all = self.sources.len() as u64;
        if ran != should_run || ran + revived != all || differing != 0 {
            println!("    NOT AS PROMISED: {should_run} compilers should have run");
            *broken += 1;
        }
        Ok(())
    }

    /// Compiles all sources; how long it took.
    fn compile(&self, directory: &str, revive: bool) -> Result<Duration> {
        let start = Instant::now();
        for source in &self.sources {
            let object = Path::new(directory).join(source).with_extension("o");
            let arguments = compilation(source, object.as_os_str());
            let mut command = if revive {
                let mut command = self.workshop.reviver("lua");
                command.args(["run", "--", "gcc"]);
                command
            } else {
                self.workshop.command("gcc", "lua")
            };
            finish(command.args(arguments))?;
        }
        Ok(start.elapsed())
    }

    fn object(&self, directory: &str, name: &str) -> PathBuf {
        self.workshop.path("lua").join(directory).join(name)
    }

    fn delete_objects(&self) -> Result<()> {
        files(&self.workshop.path("lua/objects"), "o")?.iter().try_for_each(|path| Ok(fs::remove_file(path)?))
    }

    /// How many objects are not those of the compiler alone.
    fn differing(&self) -> Result<usize> {
        let mut differing = 0;
        for plain in files(&self.workshop.path("lua/plain"), "o")? {
            let name = plain.file_name().and_then(|name| name.to_str()).context("a name")?;
            let ours = fs::read(self.object("objects", name)).ok();
            differing += usize::from(ours != Some(fs::read(&plain)?));
        }
        Ok(differing)
    }

    /// How many sources include a header, as the compiler says.
    fn sources_with(&self, header: &str) -> Result<u64> {
        let mut number = 0;
        for source in &self.sources {
            let mut command = self.workshop.command("gcc", "lua");
            let output = command.args(OPTIONS).arg("-MM").arg(source).output()?;
            let rule = String::from_utf8(output.stdout)?;
            number += u64::from(rule.split_whitespace().any(|word| word == header));
        }
        Ok(number)
    }
}

/// A repository that brings its own key plugin: comments in `words.txt` make no new key. How many promises were broken.
fn generate_words(workshop: &Workshop) -> Result<usize> {
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("custom-key"), &workshop.path("words"), true)?;
    println!(
        "\nexamples/custom-key: `reviver run -- ./generate.sh`, named by the repository's own plugin.wasm\n"
    );
    let mut broken = 0;
    let mut step = |title: &str, line: Option<&str>, should_run: u64| -> Result<()> {
        let words = workshop.path("words/words.txt");
        if let Some(line) = line {
            fs::write(&words, format!("{}{line}\n", fs::read_to_string(&words)?))?;
        }
        let (ran, revived) = counters(workshop, "words")?;
        finish(workshop.reviver("words").args(["run", "--", "./generate.sh"]))?;
        let now = counters(workshop, "words")?;
        let ((ran, revived), right) = ((now.0 - ran, now.1 - revived), now.0 - ran == should_run);
        let what = if (ran, revived) == (0, 1) { "revived" } else { "ran" };
        println!("{title:<44}{what:>10}{}", if right { "" } else { "   NOT AS PROMISED" });
        broken += usize::from(!right || ran + revived != 1);
        Ok(())
    };
    step("the first time", None, 1)?;
    step("again", None, 0)?;
    step("words.txt with another comment", Some("# a remark"), 0)?;
    step("words.txt with another word", Some("await"), 1)?;
    let header = fs::read_to_string(workshop.path("words/words.h"))?;
    ensure!(header.contains("WORD_AWAIT"), "words.h lacks the new word");
    Ok(broken)
}

/// How many operations ran, and how many were revived.
fn counters(workshop: &Workshop, directory: &str) -> Result<(u64, u64)> {
    let stats: Json = serde_json::from_str(&workshop.ask(directory, &["stats", "--json"])?)?;
    let number = |name: &str| stats[name].as_u64().with_context(|| format!("`stats` tells no {name}"));
    let uncached = stats["uncached"].as_object().into_iter().flatten();
    let uncached: u64 = uncached.filter_map(|(_, number)| number.as_u64()).sum();
    Ok((number("misses")? + uncached, number("hits")?))
}

fn row(title: &str, ran: u64, revived: u64, took: Duration, objects: &str) {
    println!("{title:<44}{ran:>10}{revived:>10}{:>10.2}   {objects}", took.as_secs_f64());
}

/// Gives a file the present time, and nothing else.
fn touch(path: &Path) -> Result<()> {
    Ok(fs::File::options().append(true).open(path)?.set_modified(std::time::SystemTime::now())?)
}

fn finish(command: &mut Command) -> Result<()> {
    let status = command.status().with_context(|| format!("{command:?}"))?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}
