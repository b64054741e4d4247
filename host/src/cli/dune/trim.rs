//! `reviver dune trim`.

use super::{Which, store, tell_troubles};
use crate::cli::Global;
use crate::cli::context::{Context, Place, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::cli::trim::parse_size;
use crate::dune::layout::FileId;
use crate::dune::{Bound, TrimRequest, Trimmed};
use crate::policy::Eviction;
use crate::repository::size::ByteSize;
use crate::runtime::{PluginSource, WasmEviction};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// What `dune trim` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct TrimArgs {
    #[command(flatten)]
    which: Which,
    /// So that what no build tree links to has at most this size, such as `5 GB` [default: what config.toml says, or 10 GB]
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    size: Option<ByteSize>,
    /// So that at least this size goes
    #[arg(long, value_parser = parse_size, value_name = "SIZE", conflicts_with = "size")]
    trimmed_size: Option<ByteSize>,
    /// Count what build trees link to as well, and let it go after the rest; the build trees keep it
    #[arg(long)]
    all: bool,
    /// Only say what would go, in order
    #[arg(long)]
    dry_run: bool,
}

/// Trims on request.
pub(super) fn trim(global: &Global, args: &TrimArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let place = Place::here()?;
    let Some(store) = store(&args.which, &place)? else { return Ok(Exit::Absent) };
    let size = args.size.unwrap_or(place.user.dune.size);
    let bound = args.trimmed_size.map_or(Bound::Size(size.0), |goal| Bound::Goal(goal.0));
    let policy = policy(global, place)?;
    let policy = policy.as_ref().map(|policy| -> &dyn Eviction { policy });
    let request =
        TrimRequest { bound, now: now(), policy, all: args.all, dry_run: args.dry_run, sweep: true };
    let trimmed = store.trim(&request)?;
    tell(args, &trimmed, store.root(), out)?;
    Ok(tell_troubles(&trimmed.troubles, Exit::Done))
}

/// The plugin that the user's settings name.
fn policy(global: &Global, place: Place) -> anyhow::Result<Option<WasmEviction>> {
    if place.user.dune.eviction.is_none() {
        return Ok(None);
    }
    let context = Context::at(global, place)?;
    let user = &context.place.user;
    let source: Option<PluginSource> = user.dune.eviction_plugin(user, &|path| context.digest(path))?;
    Ok(source.map(|source| WasmEviction::new(Arc::clone(&context.runtime), source)))
}

fn tell(args: &TrimArgs, trimmed: &Trimmed, root: &Path, out: &mut impl Write) -> anyhow::Result<()> {
    let Trimmed { overhead, files, metas, freed, .. } = trimmed;
    if args.which.json {
        let victims: Vec<_> = trimmed.victims.iter().map(FileId::place).collect();
        let line = json!({
            "root": root.to_string_lossy(), "overhead": overhead, "files": files, "metas": metas, "freed": freed,
            "stale": trimmed.stale, "quarantined": trimmed.quarantined, "dry_run": args.dry_run, "victims": victims,
            "fault": trimmed.fault.as_ref().map(ToString::to_string),
            "troubles": trimmed.troubles.iter().map(ToString::to_string).collect::<Vec<_>>(),
        });
        writeln!(out, "{line}")?;
        return Ok(());
    }
    if let Some(fault) = &trimmed.fault {
        writeln!(out, "{fault}; Dune's own order was used.")?;
    }
    for victim in trimmed.victims.iter().filter(|_| args.dry_run) {
        writeln!(out, "{}", victim.place())?;
    }
    let would = if args.dry_run { "would go" } else { "gone" };
    let number = |number: u64, one: &str, many: &str| show::number(number as usize, one, many);
    let (files, rules) = (number(*files, "file", "files"), number(*metas, "rule", "rules"));
    let (freed, before) = (ByteSize(*freed), ByteSize(*overhead));
    let what = if args.all { "all files" } else { "files that no build tree links to" };
    writeln!(out, "{files} and {rules} {would}, {freed} in all; {what} had {before}")?;
    if trimmed.stale > 0 {
        let stale = number(trimmed.stale, "directory", "directories");
        writeln!(out, "{stale} that processes left on their way {would}")?;
    }
    if trimmed.quarantined > 0 {
        let damaged = number(trimmed.quarantined, "damaged file", "damaged files");
        writeln!(out, "{damaged} that were in quarantine for a week {would}")?;
    }
    Ok(())
}
