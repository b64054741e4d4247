//! An edit storm: whatever happens to a tree between two compilations, a compilation through the cache is the compiler's
//! own, in its object, its depfile, its messages, its exit status and the permissions of what it makes.
//!
//! Each step changes something at random – headers that come, go, move along the search path or turn into links and
//! directories, white space, options, variables, the compiler itself – or goes back to a state from before, and compiles
//! from the same state by the compiler alone, through the cache, and through ccache. What is changed is drawn from few
//! alternatives, so that states come again and are revived; a storm in which little is revived proves nothing, and fails.
//!
//! What ccache does is told beside it and never judged: without it its share is skipped, visibly.
//!
//! | module | holds |
//! |---|---|
//! | `asked` | how a compilation is asked for, and what there is to draw from |
//! | `text` | what sources and headers say |
//! | `change` | what happens between two compilations |
//! | `snapshot` | the tree at an earlier time, to go back to |
//! | `compile` | a compilation, and what it left behind |
//! | `ccache` | the peer |
//!
//! `REVIVER_STORM_STEPS` (for each compiler) and `REVIVER_STORM_SEED` make more of it.
#![allow(clippy::unwrap_used, clippy::print_stderr, missing_docs, reason = "in a test it is the assertion")]

mod asked;
mod ccache;
mod change;
mod compile;
#[path = "../src/dice.rs"]
#[allow(unreachable_pub, reason = "it is public in the package of tests")]
mod dice;
mod snapshot;
mod text;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use asked::Asked;
use ccache::Ccache;
use compile::{By, Left};
use dice::Dice;
use snapshot::Snapshot;

/// The seed of the steps that are taken by default.
const SEED: u64 = 1;

/// A tree that is changed and compiled in, and what was found out about it.
struct Storm {
    directory: tempfile::TempDir,
    dice: Dice,
    asked: Asked,
    log: Vec<String>,
    earlier: Vec<Snapshot>,
    hits: usize,
    /// How many depfiles of runs that were not recorded named more than the compiler's.
    unsure: usize,
    ccache: Option<Ccache>,
}

impl Storm {
    fn new(compiler: &'static str, seed: u64) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let ccache = Ccache::find(directory.path());
        let mut storm = Self {
            directory,
            dice: Dice::new(seed),
            asked: Asked::first(compiler),
            log: Vec::new(),
            earlier: Vec::new(),
            hits: 0,
            unsure: 0,
            ccache,
        };
        storm.plant();
        storm
    }

    fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        self.directory.path().join("tree").join(path)
    }

    fn note(&mut self, what: String) {
        self.log.push(what);
    }

    /// One step: a change, and a compilation by each from the same state, in any order.
    fn step(&mut self, number: usize) {
        if !self.earlier.is_empty() && self.dice.once_in(4) {
            let which = self.dice.below(self.earlier.len());
            self.go_back(which);
        } else {
            for _ in 0..=self.dice.below(2) {
                self.change();
            }
        }
        if self.dice.once_in(4) {
            self.remember();
        }
        let before = self.dice.below(3);
        let mut order = [By::Itself, By::Reviver, By::Ccache];
        order.rotate_left(self.dice.below(3));
        if self.dice.once_in(2) {
            order.swap(0, 1);
        }
        let mut left = [None, None, None];
        for by in order {
            if by == By::Ccache && self.ccache.is_none() {
                continue;
            }
            self.prepare(before);
            left[by as usize] = Some(self.compile(by));
        }
        let [Some(plain), Some(ours), peer] = left else { unreachable!("both have compiled") };
        self.judge(number, &plain, &ours);
        if let (Some(ccache), Some(peer)) = (&mut self.ccache, peer) {
            let story = || {
                let tail = &self.log[self.log.len().saturating_sub(3)..];
                let (options, form) = (&self.asked.options, self.asked.form.options);
                format!(
                    "at step {number}: {} {form:?} {options:?} after {}",
                    self.asked.source,
                    tail.join("; ")
                )
            };
            ccache.compare(&plain, &peer, story);
        }
    }

    fn judge(&mut self, number: usize, plain: &Left, ours: &Left) {
        let tail = &self.log[self.log.len().saturating_sub(12)..];
        assert!(
            plain.is_done_by(ours),
            "step {number}:\n{:#?}\n{}\nplain {plain:#?}\ncached {ours:#?}",
            self.asked,
            tail.join("\n")
        );
        self.hits += usize::from(ours.told.contains("reviver: hit"));
        self.unsure += usize::from(plain.files != ours.files);
    }
}

/// Says something past the test runner, which shows nothing of a test that passes.
fn tell(text: &str) {
    io::stderr().write_all(format!("{text}\n").as_bytes()).ok();
}

fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).ok().and_then(|text| text.parse().ok()).unwrap_or(usual)
}

fn storm(compiler: &'static str, steps: u64) {
    if !Path::new("/usr/bin").join(compiler).exists() {
        tell(&format!("SKIPPED: there is no {compiler} here"));
        return;
    }
    let (steps, seed) = (number("REVIVER_STORM_STEPS", steps) as usize, number("REVIVER_STORM_SEED", SEED));
    let mut storm = Storm::new(compiler, seed);
    fs::create_dir(storm.at(".git")).unwrap();
    for step in 0..steps {
        storm.step(step);
    }
    let Storm { hits, unsure, .. } = storm;
    tell(&format!(
        "storm of {steps} with {compiler}: reviver 0 wrong, {hits} revived, {unsure} unrecorded with a longer depfile; {}",
        storm.ccache.map_or("ccache SKIPPED: it is not installed".to_owned(), |ccache| ccache.to_string())
    ));
    assert!(hits * 5 > steps, "only {hits} of {steps} were revived");
}

// Together a thousand steps and more.

#[test]
fn gcc_through_the_cache_is_gcc() {
    storm("gcc", 400);
}

#[test]
fn gxx_through_the_cache_is_gxx() {
    storm("g++", 250);
}

#[test]
fn clang_through_the_cache_is_clang() {
    storm("clang", 250);
}

#[test]
fn clangxx_through_the_cache_is_clangxx() {
    storm("clang++", 150);
}
