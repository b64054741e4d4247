//! What promotions cost, held against Dune's own daemon: `cargo bench --bench promotion -- [--quick]`.
//!
//! Both daemons serve the same clients, in turns, each with a store of its own on tmpfs where there is one. A client that sends
//! nothing but promotions measures the daemon alone; `dune build` with Dune 2.9 measures what its user waits for. Nothing here
//! fails for being slow; it fails where a daemon stores something else than the other. Without Dune there is nothing to compare
//! with, and that is said.
#![allow(clippy::print_stdout, reason = "it shows something to people")]

mod build;
mod client;
mod server;

use anyhow::{Result, ensure};
use examples::reviver;
use server::{Kind, Server};
use std::path::Path;
use std::time::Duration;

/// One kind of promotions: how many, of how many files each, of how many bytes.
const WORKLOADS: [(&str, usize, usize, usize); 3] = [
    ("1 file of 1 KiB", 2000, 1, 1 << 10),
    ("5 files of 4 KiB", 500, 5, 4 << 10),
    ("1 file of 1 MiB", 50, 1, 1 << 20),
];

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    let rounds = if quick { 3 } else { 9 };
    let scale = if quick { 4 } else { 1 };
    let Some(version) = server::dune() else {
        println!("SKIPPED: there is no dune 2.9, whose own daemon is what this compares with");
        return Ok(());
    };
    let reviver = reviver()?;
    let shared = Path::new("/dev/shm");
    let parent = if shared.is_dir() { shared.to_owned() } else { std::env::temp_dir() };
    let place = tempfile::Builder::new().prefix("reviver-").tempdir_in(&parent)?;
    println!("dune {version}; below {}; medians of {rounds} rounds", parent.display());
    println!("{:<44}{:>14}{:>14}{:>9}", "", "Dune's own", "Reviver", "ratio");

    for (what, count, files, size) in WORKLOADS {
        let count = (count / scale).max(20);
        let (mut new, mut known, mut idle) = (Pair::default(), Pair::default(), Pair::default());
        for round in 0..rounds {
            let mut stored = Vec::new();
            for kind in Kind::in_turn(round) {
                let server = Server::start(kind, &reviver, place.path())?;
                let load = client::Load { count, files, size };
                let first = load.promote(&server, "first")?;
                let again = load.promote(&server, "again")?;
                ensure!(first.dedups == 0 && again.dedups == count * files, "{kind:?}: {first:?}, {again:?}");
                new.of(kind).push(per_second(count, first.took));
                known.of(kind).push(per_second(count, again.took));
                idle.of(kind).push(client::leave(&server)?.as_secs_f64());
                stored.push(server.stored()?);
                server.stop()?;
            }
            ensure!(stored[0] == stored[1], "the daemons stored different things");
        }
        row(&format!("promotions per second, {what}"), &mut new, Better::More);
        row(&format!("the same, contents that are there, {what}"), &mut known, Better::More);
        row("a client that has nothing to do leaves (s)", &mut idle, Better::Less);
    }

    let (mut cold, mut warm) = (Pair::default(), Pair::default());
    for round in 0..rounds {
        for kind in Kind::in_turn(round) {
            let server = Server::start(kind, &reviver, place.path())?;
            let workspace = build::Workspace::new(place.path())?;
            cold.of(kind).push(workspace.build(&server)?.as_secs_f64());
            workspace.clean()?;
            warm.of(kind).push(workspace.build(&server)?.as_secs_f64());
            server.stop()?;
        }
    }
    row("`dune build` of a small workspace (s)", &mut cold, Better::Less);
    row("the same without `_build`, all from the store (s)", &mut warm, Better::Less);
    Ok(())
}

/// What both daemons took.
#[derive(Default)]
struct Pair {
    own: Vec<f64>,
    reviver: Vec<f64>,
}

impl Pair {
    fn of(&mut self, kind: Kind) -> &mut Vec<f64> {
        match kind {
            Kind::Dune => &mut self.own,
            Kind::Reviver => &mut self.reviver,
        }
    }
}

/// Which way a figure is better.
#[derive(Clone, Copy)]
enum Better {
    More,
    Less,
}

/// The ratio says how many times as good Reviver is: above 1 is better.
fn row(what: &str, pair: &mut Pair, better: Better) {
    let (own, ours) = (median(&mut pair.own), median(&mut pair.reviver));
    let ratio = match better {
        Better::More => ours / own,
        Better::Less => own / ours,
    };
    let digits = if own >= 100.0 { 0 } else { 4 };
    println!("{what:<52}{own:>12.digits$}{ours:>12.digits$}{ratio:>9.2}");
}

fn median(values: &mut [f64]) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn per_second(count: usize, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}
