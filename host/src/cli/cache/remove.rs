//! `reviver cache rm`.

use super::age::Age;
use super::meant;
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::cli::what::What;
use crate::key::Key;
use clap::Args;
use serde_json::json;
use std::io::Write;

/// What `cache rm` takes.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of the command line")]
pub(in crate::cli) struct RemoveArgs {
    /// Keys, the fronts of keys, or names
    #[arg(required_unless_present_any = ["all", "used", "unused", "whole_cache"])]
    #[arg(conflicts_with_all = ["all", "used", "unused", "whole_cache"])]
    keys: Vec<String>,
    /// All entries of this repository
    #[arg(long, conflicts_with_all = ["used", "unused", "whole_cache"])]
    all: bool,
    #[command(flatten)]
    age: Age,
    /// Everything of all repositories, and all that is remembered
    #[arg(long, conflicts_with_all = ["used", "unused"])]
    whole_cache: bool,
    /// Only say what would go
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Removes entries. Those that are not there are named, and make the exit status 1.
pub(super) fn remove(context: &Context, args: &RemoveArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    if args.whole_cache && !args.dry_run {
        let removed = context.store.clear(now())?;
        if args.json {
            writeln!(out, "{}", json!({"removed": removed}))?;
        } else {
            let removed = show::number(removed as usize, "entry", "entries");
            writeln!(out, "{removed} removed; the cache is empty")?;
        }
        return Ok(Exit::Done);
    }
    let (keys, exit) = named(context, args)?;
    // Before they are gone.
    let what = What::of(context)?;
    let keys = if args.dry_run { keys } else { context.partition.remove_all(&keys, now())? };
    let would = if args.dry_run { "would be removed" } else { "removed" };
    if args.json {
        let keys: Vec<_> = keys.iter().map(Key::to_string).collect();
        writeln!(out, "{}", json!({"removed": keys, "dry_run": args.dry_run}))?;
        return Ok(exit);
    }
    for key in keys.iter().filter(|_| args.dry_run) {
        writeln!(out, "{key}  {}", what.is(*key))?;
    }
    writeln!(out, "{} {would}", show::number(keys.len(), "entry", "entries"))?;
    Ok(exit)
}

/// The keys that are meant, and whether all of them are there.
fn named(context: &Context, args: &RemoveArgs) -> anyhow::Result<(Vec<Key>, Exit)> {
    if args.whole_cache {
        let each = context.store.partitions()?.into_iter().map(|id| context.store.partition(id).candidates());
        let candidates = each.collect::<Result<Vec<_>, _>>()?;
        return Ok((candidates.into_iter().flatten().map(|(key, _)| key).collect(), Exit::Done));
    }
    if args.all || args.age.is_given() {
        let candidates = context.partition.candidates()?.into_iter();
        let meant = candidates.filter(|(_, candidate)| args.age.holds(candidate.last_use));
        return Ok((meant.map(|(key, _)| key).collect(), Exit::Done));
    }
    let (mut keys, mut exit) = (Vec::new(), Exit::Done);
    for text in &args.keys {
        if let Some(key) = meant(context, text)?.filter(|&key| context.partition.contains(key)) {
            keys.push(key);
        } else {
            let root = context.place.root.path.display();
            eprintln!("reviver: there is no entry `{text}` of the repository `{root}`");
            exit = Exit::Absent;
        }
    }
    Ok((keys, exit))
}
