//! `reviver dune`: looking after Dune's own caches, of its versions 2.0 to 3.x.

mod stats;
mod trim;
mod verify;

use super::Global;
use super::context::Place;
use super::daemon::below_home;
use super::exit::Exit;
use crate::dune::{DuneStore, Options, Trouble};
use anyhow::Context as _;
use clap::{Args, Subcommand};
use std::io::Write;
use std::path::{Path, PathBuf};

/// The commands below `dune`.
#[derive(Subcommand, Debug)]
pub(super) enum DuneCommand {
    /// Tell what is in Dune's cache
    Stats(stats::StatsArgs),
    /// Let go what no build tree links to, until the rest is small enough
    Trim(trim::TrimArgs),
    /// Read all of Dune's cache, and set aside what is damaged: Dune itself never looks
    Verify(verify::VerifyArgs),
}

/// Which cache is meant.
#[derive(Args, Debug)]
struct Which {
    #[arg(
        help = "The cache's root [default: where Dune has it: $DUNE_CACHE_ROOT, $XDG_CACHE_HOME/dune/db or ~/.cache/dune/db]"
    )]
    #[arg(long, value_name = "DIR")]
    dir: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Does what is below `dune`.
pub(super) fn dune(global: &Global, command: &DuneCommand, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        DuneCommand::Stats(args) => stats::stats(args, out),
        DuneCommand::Trim(args) => trim::trim(global, args, out),
        DuneCommand::Verify(args) => verify::verify(args, out),
    }
}

/// The cache that is meant, with what its user says of such. `None`: there is none, which is said.
fn store(which: &Which, place: &Place) -> anyhow::Result<Option<DuneStore>> {
    let settings = &place.user.dune;
    let options = Options { verify: settings.verify, collision: settings.collision };
    let named = || "there is no home directory to find Dune's cache in; name it with --dir";
    let root = which.dir.clone().or_else(usual).with_context(named)?;
    let root = place.directory.join(root);
    if !root.is_dir() {
        eprintln!("reviver: there is no cache of Dune's in `{}`", root.display());
        return Ok(None);
    }
    Ok(Some(DuneStore::open(root, options)?))
}

/// Where Dune has its cache. What `DUNE_CACHE_ROOT` says is the root itself for Dune up to 3.21, and above it since.
fn usual() -> Option<PathBuf> {
    let root = std::env::var_os("DUNE_CACHE_ROOT").map(PathBuf::from).filter(|root| root.is_absolute());
    if let Some(root) = root {
        let newer = root.join("db");
        let is_there = |root: &Path| ["files", "meta", "v2"].iter().any(|name| root.join(name).is_dir());
        let newer_counts = is_there(&newer) || !is_there(&root) && newer.is_dir();
        return Some(if newer_counts { newer } else { root });
    }
    Some(below_home("XDG_CACHE_HOME", ".cache")?.join("dune/db"))
}

/// Tells what could not be done, which makes the exit status 4.
fn tell_troubles(troubles: &[Trouble], exit: Exit) -> Exit {
    for trouble in troubles {
        eprintln!("reviver: {trouble}");
    }
    if troubles.is_empty() { exit } else { Exit::Store }
}
