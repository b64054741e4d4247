//! What a hit, a miss and a whole build cost, as whole processes, held against the bare commands and against ccache:
//! `cargo bench --bench hit`, or `cargo bench --bench hit -- --quick`.
//!
//! The contenders take turns, so that whatever else the machine does meets all of them. Times are medians, processor
//! time is the mean over all rounds, and ratios are what counts. Nothing here fails for being slow; it fails where a
//! hit was none. Without ccache its lines are skipped, visibly; so is what needs make, perf, valgrind or strace.
//!
//! | module | holds |
//! |---|---|
//! | `measure` | contenders, their turns, and what they took |
//! | `hits`, `misses` | one compilation |
//! | `builds` | all of Lua under make: with an empty cache, and with everything in it |
//! | `counts` | instructions and system calls of a hit |
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows something to people")]

mod builds;
mod counts;
mod hits;
mod measure;
mod misses;

use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Context as _, Result};
use examples::{Workshop, compilation, copy, lua, reviver};
use serde_json::Value as Json;

use measure::Contender;

/// The source that is compiled, one of middle size.
const SOURCE: &str = "lapi.c";

/// How a compilation goes through Reviver.
const REVIVING: &[&str] = &["reviver", "run", "--", "gcc"];

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let binary = reviver()?;
    let workshop = Workshop::new(binary.clone())?;
    copy(&lua()?, &workshop.path("lua"), false)?;
    std::env::set_current_dir(workshop.path("lua"))?;
    let ccache = version("ccache").is_some();
    let bench = Bench { ccache, static_true: static_true(&workshop)?, workshop, binary };
    println!("gcc      {}", version("gcc").context("there is no gcc")?);
    match version("ccache") {
        Some(version) => println!("ccache   {version}"),
        None => println!("ccache   SKIPPED: it is not installed"),
    }
    println!("reviver  {}", bench.workshop.ask("lua", &["--version"])?.trim());
    // ccache does not trust headers of the present second.
    sleep(Duration::from_millis(2100));
    bench.hits(if quick { 60 } else { 500 })?;
    bench.misses(if quick { 3 } else { 60 })?;
    bench.builds(if quick { (1, 2) } else { (5, 20) })?;
    // Last: what watches a process disturbs what comes after it.
    bench.counts()
}

struct Bench {
    workshop: Workshop,
    binary: std::path::PathBuf,
    ccache: bool,
    static_true: bool,
}

impl Bench {
    /// A compilation behind these words.
    fn compile(&self, front: &[&str], source: &str) -> Command {
        let mut command = match front {
            ["reviver", rest @ ..] => {
                let mut command = self.workshop.reviver("lua");
                command.args(rest);
                command
            }
            [program, rest @ ..] => {
                let mut command = self.workshop.command(program, "lua");
                command.args(rest);
                command
            }
            [] => unreachable!("invariant: there is a program"),
        };
        command.args(compilation(source.as_ref(), Path::new(source).with_extension("o").as_os_str()));
        command
    }

    fn contender<'a>(&'a self, name: &'static str, front: &'static [&'static str]) -> Contender<'a> {
        Contender {
            name,
            prepare: Box::new(|_| self.delete("lua/lapi.o")),
            command: Box::new(|| self.compile(front, SOURCE)),
        }
    }

    /// Deletes a file, if it is there.
    fn delete(&self, name: &str) -> Result<()> {
        match fs::remove_file(self.workshop.path(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }

    fn stats(&self) -> Result<Json> {
        Ok(serde_json::from_str(&self.workshop.ask("lua", &["stats", "--json"])?)?)
    }

    /// How often Reviver has revived something.
    fn revived(&self) -> Result<u64> {
        self.stats()?["hits"].as_u64().context("`stats` tells no hits")
    }

    /// How often ccache has, without the preprocessor.
    fn direct(&self) -> Result<u64> {
        if !self.ccache {
            return Ok(0);
        }
        let output = self.workshop.command("ccache", "lua").arg("--print-stats").output()?;
        let text = String::from_utf8(output.stdout)?;
        let line = text.lines().find_map(|line| line.strip_prefix("direct_cache_hit"));
        line.context("ccache tells no hits")?.trim().parse().context("a number")
    }
}

/// The first line of what a program says of itself.
fn version(program: &str) -> Option<String> {
    let output = Command::new(program).arg("--version").output().ok()?;
    String::from_utf8_lossy(&output.stdout).lines().next().map(str::to_owned)
}

/// A program that is started and ends, without a dynamic linker; what no process can go below.
fn static_true(workshop: &Workshop) -> Result<bool> {
    fs::write(workshop.path("true.c"), "int main(void) { return 0; }\n")?;
    let mut command = Command::new("gcc");
    command.args(["-O2", "-static", "-o"]).arg(workshop.path("static-true")).arg(workshop.path("true.c"));
    Ok(command.stderr(Stdio::null()).status()?.success())
}
