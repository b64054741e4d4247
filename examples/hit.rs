//! What a hit and a miss cost, as whole processes, held against the bare commands and against ccache:
//! `cargo bench --bench hit`, or `cargo bench --bench hit -- --quick`.
//!
//! The contenders take turns, so that whatever else the machine does meets all of them. Times are medians, processor
//! time is the mean over all rounds, and ratios are what counts. Nothing here fails for being slow; it fails where a
//! hit was none. Without ccache its lines are skipped, visibly.
#![allow(clippy::print_stdout, clippy::print_stderr, reason = "it shows something to people")]

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use examples::{Workshop, compilation, copy, files, lua, reviver};
use serde_json::Value as Json;

/// The source that is compiled, one of middle size.
const SOURCE: &str = "lapi.c";

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let workshop = Workshop::new(reviver()?)?;
    copy(&lua()?, &workshop.path("lua"), false)?;
    std::env::set_current_dir(workshop.path("lua"))?;
    let bench = Bench { ccache: version("ccache").is_some(), static_true: static_true(&workshop)?, workshop };
    println!("gcc      {}", version("gcc").context("there is no gcc")?);
    match version("ccache") {
        Some(version) => println!("ccache   {version}"),
        None => println!("ccache   SKIPPED: it is not installed"),
    }
    println!("reviver  {}", bench.workshop.ask("lua", &["--version"])?.trim());
    // ccache does not trust headers of the present second.
    sleep(Duration::from_millis(2100));
    bench.hits(if quick { 60 } else { 500 })?;
    bench.misses(if quick { 3 } else { 20 })?;
    bench.lua(if quick { 2 } else { 10 })
}

struct Bench {
    workshop: Workshop,
    ccache: bool,
    static_true: bool,
}

/// Something that is measured.
struct Contender<'a> {
    name: &'static str,
    /// Goes before each run, and is not measured.
    prepare: Box<dyn Fn(usize) -> Result<()> + 'a>,
    commands: Box<dyn Fn() -> Vec<Command> + 'a>,
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
            commands: Box::new(|| vec![self.compile(front, SOURCE)]),
        }
    }

    fn hits(&self, rounds: usize) -> Result<()> {
        let bare = |program: OsString| -> Contender<'_> {
            let commands = Box::new(move || vec![self.workshop.command(&program, "lua")]);
            Contender { name: "", prepare: Box::new(|_| Ok(())), commands }
        };
        let copying = |front: &'static [&'static str]| -> Contender<'_> {
            let commands = Box::new(move || {
                let mut command = match front {
                    [] => self.workshop.command("cp", "lua"),
                    front => {
                        let mut command = self.workshop.reviver("lua");
                        command.args(front).arg("cp");
                        command
                    }
                };
                command.args(["lua.h", "copy.h"]);
                vec![command]
            });
            Contender { name: "", prepare: Box::new(|_| self.delete("lua/copy.h")), commands }
        };
        let reviving: &[&str] = &["reviver", "run", "--", "gcc"];
        let mut contenders = vec![Contender { name: "true", ..bare("true".into()) }];
        if self.static_true {
            let program = self.workshop.path("static-true").into();
            contenders.push(Contender { name: "a static program that does nothing", ..bare(program) });
        }
        if self.ccache {
            contenders.push(self.contender("ccache gcc -c, direct hit", &["ccache", "gcc"]));
        }
        contenders.push(self.contender("reviver run -- gcc -c, hit", reviving));
        contenders.push(Contender { name: "cp lua.h copy.h", ..copying(&[]) });
        let declared: &[&str] = &["run", "--in", "lua.h", "--out", "copy.h", "--"];
        contenders.push(Contender { name: "reviver run --in … --out … -- cp, hit", ..copying(declared) });

        measure("", 3, &contenders, false)?;
        let (hits, direct) = (self.revived()?, self.direct()?);
        measure("hits", rounds, &contenders, true)?;
        ensure!(self.revived()? - hits == 2 * rounds as u64, "some hits of reviver were none");
        ensure!(!self.ccache || self.direct()? - direct == rounds as u64, "some hits of ccache were none");

        let mut first = self.contender("its derivation forgotten: Wasm runs", reviving);
        first.prepare = Box::new(|_| {
            self.delete("lua/lapi.o")?;
            self.workshop.forget()
        });
        let bare = Contender { name: "true", ..bare("true".into()) };
        let contenders = [bare, self.contender("reviver run -- gcc -c, hit", reviving), first];
        measure("derivations", rounds / 2, &contenders, true)
    }

    fn misses(&self, rounds: usize) -> Result<()> {
        let path = self.workshop.path("lua").join(SOURCE);
        let text = fs::read_to_string(&path)?;
        let mut contenders = vec![self.contender("gcc -c", &["gcc"])];
        if self.ccache {
            contenders.push(self.contender("ccache gcc -c, miss", &["ccache", "gcc"]));
            let depend = &["env", "CCACHE_DEPEND=1", "CCACHE_NAMESPACE=depend", "ccache", "gcc", "-MD"];
            contenders.push(self.contender("the same in its depend mode", depend));
        }
        contenders.push(self.contender("reviver run -- gcc -c, miss", &["reviver", "run", "--", "gcc"]));
        for contender in &mut contenders {
            contender.prepare = Box::new(|round| {
                fs::write(&path, format!("{text}int round_{round};\n"))?;
                sleep(Duration::from_millis(30));
                self.delete("lua/lapi.o")
            });
        }
        let entries = self.stats()?["entries"].as_u64();
        measure("misses: the source was edited", rounds, &contenders, true)?;
        let recorded = self.stats()?["entries"].as_u64().zip(entries).map(|(now, then)| now - then);
        ensure!(recorded == Some(rounds as u64), "some misses of reviver were not recorded");
        fs::write(&path, &text)?;
        Ok(())
    }

    fn lua(&self, rounds: usize) -> Result<()> {
        let names: Vec<String> = files(&self.workshop.path("lua"), "c")?
            .iter()
            .filter_map(|path| Some(path.file_name()?.to_str()?.to_owned()))
            .collect();
        let whole = |name: &'static str, front: &'static [&'static str]| -> Contender<'_> {
            let names = &names;
            Contender {
                name,
                prepare: Box::new(|_| {
                    files(&self.workshop.path("lua"), "o")?
                        .iter()
                        .try_for_each(|path| Ok(fs::remove_file(path)?))
                }),
                commands: Box::new(move || names.iter().map(|source| self.compile(front, source)).collect()),
            }
        };
        let mut contenders = Vec::new();
        if self.ccache {
            contenders.push(whole("ccache gcc -c", &["ccache", "gcc"]));
        }
        contenders.push(whole("reviver run -- gcc -c", &["reviver", "run", "--", "gcc"]));
        sleep(Duration::from_millis(2100));
        measure("", 2, &contenders, false)?;
        measure("all 32 objects of Lua, revived", rounds, &contenders, true)
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

    fn revived(&self) -> Result<u64> {
        self.stats()?["hits"].as_u64().context("`stats` tells no hits")
    }

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

/// Lets the contenders take turns, and shows what they took.
fn measure(title: &str, rounds: usize, contenders: &[Contender<'_>], show: bool) -> Result<()> {
    let mut took: Vec<(Vec<Duration>, u64)> = vec![(Vec::new(), 0); contenders.len()];
    for round in 0..rounds {
        for (contender, (times, ticks)) in contenders.iter().zip(&mut took) {
            (contender.prepare)(round)?;
            let mut commands = (contender.commands)();
            let (before, start) = (children_ticks()?, Instant::now());
            for command in &mut commands {
                let status = command.stdout(Stdio::null()).status()?;
                ensure!(status.success(), "{command:?}: {status}");
            }
            times.push(start.elapsed());
            *ticks += children_ticks()? - before;
        }
    }
    if !show {
        return Ok(());
    }
    println!("\n{title}: {rounds} rounds\n{:<46}{:>9}{:>9}{:>9}{:>10}", "", "median", "best", "CPU", "ratio");
    let mut base: Option<Duration> = None;
    let peer = contenders.iter().position(|contender| contender.name.starts_with("ccache"));
    for (contender, (times, _)) in contenders.iter().zip(&mut took) {
        times.sort_unstable();
        base = base
            .or_else(|| (contender.name == "true" || contender.name == "gcc -c").then(|| times[rounds / 2]));
    }
    for (contender, (times, ticks)) in contenders.iter().zip(&took) {
        let median = times[rounds / 2];
        let against = |other: Duration| median.as_secs_f64() / other.as_secs_f64();
        let ratio = base.map(|base| format!("{:>8.2} ×", against(base))).unwrap_or_default();
        let peer = peer.map(|peer| format!("{:>8.2} × ccache", against(took[peer].0[rounds / 2])));
        let cpu = *ticks as f64 * 10.0 / rounds as f64;
        println!(
            "{:<46}{:>6.2} ms{:>6.2} ms{cpu:>6.1} ms{ratio:>10}{}",
            contender.name,
            milliseconds(median),
            milliseconds(times[0]),
            peer.unwrap_or_default()
        );
    }
    Ok(())
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// The processor time of all children so far, in ticks of 10 ms. The kernel rounds only what it shows.
fn children_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(") ").context("a name")?.1;
    let mut numbers = behind_name.split(' ').skip(13).map(str::parse::<u64>);
    Ok(numbers.next().context("user time")?? + numbers.next().context("system time")??)
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
