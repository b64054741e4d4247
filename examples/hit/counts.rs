//! What a hit does, whatever else the machine does: instructions in user space, and system calls.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, ensure};

use crate::{Bench, REVIVING, SOURCE, version};

/// A hit behind these words, which are those of what watches it.
type Watched<'a> = &'a dyn Fn(&[&str]) -> Result<Command>;

impl Bench {
    /// The numbers for a hit, and for a process that does nothing.
    pub(crate) fn counts(&self) -> Result<()> {
        println!("\ncounts of a hit");
        let mut contenders: Vec<(&str, &[&str])> = vec![("true", &["true"])];
        if self.ccache {
            contenders.push(("ccache gcc -c", &["ccache", "gcc"]));
        }
        contenders.push(("reviver run -- gcc -c", REVIVING));
        let report = self.workshop.path("report");
        for (what, count) in [
            ("instructions", instructions as fn(Watched<'_>, &Path) -> Result<Option<u64>>),
            ("system calls", system_calls),
        ] {
            let mut peer = None;
            for (name, front) in &contenders {
                let watched = |watcher: &[&str]| self.watched(watcher, front);
                // What watches sets variables of its own, which make another key of the compilation: a miss, then a hit that
                // keeps what it saw.
                count(&watched, &report)?;
                count(&watched, &report)?;
                let hits = self.revived()?;
                let Some(number) = count(&watched, &report)? else {
                    println!("{what} SKIPPED: nothing here can count them");
                    break;
                };
                ensure!(front[0] != "reviver" || self.revived()? > hits, "the hit that was counted was none");
                let ratio = peer.map(|peer| format!("{:>8.2} × ccache", number as f64 / peer as f64));
                println!("{:<44}{number:>9} {what}{}", *name, ratio.unwrap_or_default());
                if front[0] == "ccache" {
                    peer = Some(number);
                }
            }
        }
        Ok(())
    }

    /// The command behind a watcher, from a state in which it has something to do.
    fn watched(&self, watcher: &[&str], front: &[&str]) -> Result<Command> {
        self.delete("lua/lapi.o")?;
        let inner = if front == ["true"] {
            self.workshop.command("true", "lua")
        } else {
            self.compile(front, SOURCE)
        };
        let mut command = self.workshop.command(watcher[0], "lua");
        command.args(&watcher[1..]).arg(inner.get_program()).args(inner.get_args());
        Ok(command)
    }
}

/// By the processor's own counter where there is one, else by valgrind.
fn instructions(watched: Watched<'_>, report: &Path) -> Result<Option<u64>> {
    let place = report.to_str().context("a path in UTF-8")?;
    let counter = ["perf", "stat", "-x,", "-e", "instructions:u", "-o", place, "--"];
    let counted = |report: &Path| -> Option<u64> {
        let text = fs::read_to_string(report).ok()?;
        text.lines().find(|line| line.contains("instructions"))?.split(',').next()?.parse().ok()
    };
    // Tried on something else: what runs without valgrind in between has another key than what runs under it, and another
    // answer of the plugin to remember.
    if version("perf").is_some() {
        quiet(Command::new(counter[0]).args(&counter[1..]).arg("true"))?;
        if counted(report).is_some() {
            quiet(&mut watched(&counter)?)?;
            return Ok(counted(report));
        }
    }
    if version("valgrind").is_none() {
        return Ok(None);
    }
    let log = format!("--log-file={place}");
    quiet(&mut watched(&["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", &log])?)?;
    let text = fs::read_to_string(report)?;
    let counted = text.lines().find_map(|line| line.split_once("Collected : "));
    Ok(counted.and_then(|(_, number)| number.trim().parse().ok()))
}

/// As strace sees them, those of all threads and children together.
fn system_calls(watched: Watched<'_>, report: &Path) -> Result<Option<u64>> {
    let place = report.to_str().context("a path in UTF-8")?;
    if version("strace").is_none() {
        return Ok(None);
    }
    if !quiet(&mut watched(&["strace", "-f", "-o", place])?)? {
        return Ok(None);
    }
    let text = fs::read_to_string(report)?;
    // Each line begins with a process; the second half of a call that was interrupted is none of its own.
    let called = |line: &&str| {
        let what = line.trim_start_matches(|c: char| c.is_ascii_digit()).trim_start();
        what.starts_with(|c: char| c.is_ascii_lowercase() || c == '_') && what.contains('(')
    };
    Ok(Some(text.lines().filter(called).count() as u64))
}

/// Runs it without a word; whether it succeeded.
fn quiet(command: &mut Command) -> Result<bool> {
    Ok(command.stdout(Stdio::null()).stderr(Stdio::null()).status()?.success())
}
