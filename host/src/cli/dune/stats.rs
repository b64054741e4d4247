//! `reviver dune stats`.

use super::{Which, store, tell_troubles};
use crate::cli::context::{Place, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::dune::Stats;
use crate::repository::size::ByteSize;
use clap::Args;
use serde_json::{Map, json};
use std::io::Write;

/// What `dune stats` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct StatsArgs {
    #[command(flatten)]
    which: Which,
}

/// Tells what is there.
pub(super) fn stats(args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let Some(store) = store(&args.which, &Place::here()?)? else { return Ok(Exit::Absent) };
    let stats = store.stats(now())?;
    if args.which.json {
        let root = store.root().to_string_lossy().into_owned();
        writeln!(out, "{}", as_json(&root, &stats))?;
    } else {
        writeln!(out, "{}", store.root().display())?;
        tell(&stats, out)?;
    }
    Ok(tell_troubles(&stats.troubles, Exit::Done))
}

fn as_json(root: &str, stats: &Stats) -> serde_json::Value {
    let files = stats.files.iter().map(|(layout, files)| {
        let said = json!({
            "files": files.files, "bytes": files.bytes, "unused": files.unused, "unused_bytes": files.unused_bytes,
        });
        (layout.to_string(), said)
    });
    let metas = stats.metas.iter().map(|(layout, metas)| {
        let said = json!({
            "metas": metas.metas, "bytes": metas.bytes, "unparsable": metas.unparsable, "broken": metas.broken,
        });
        (layout.to_string(), said)
    });
    let pair = |(number, bytes): (u64, u64)| json!({"files": number, "bytes": bytes});
    json!({
        "root": root, "files": files.collect::<Map<_, _>>(), "metas": metas.collect::<Map<_, _>>(),
        "values": pair(stats.values), "quarantine": pair(stats.quarantine),
        "promoting": stats.promoting, "stale": stats.stale,
        "troubles": stats.troubles.iter().map(ToString::to_string).collect::<Vec<_>>(),
    })
}

fn tell(stats: &Stats, out: &mut impl Write) -> anyhow::Result<()> {
    let many = |number: u64, one: &str, many: &str| show::number(number as usize, one, many);
    for (layout, files) in stats.files.iter().filter(|(_, files)| files.files > 0) {
        let (all, unused) = (ByteSize(files.bytes), ByteSize(files.unused_bytes));
        let number = many(files.files, "file", "files");
        writeln!(
            out,
            "{:<9} {number}, {all}; no build tree links to {} of them, {unused}",
            layout.to_string(),
            files.unused
        )?;
    }
    for (layout, metas) in stats.metas.iter().filter(|(_, metas)| metas.metas > 0) {
        let number = many(metas.metas, "rule", "rules");
        write!(out, "{:<9} {number}, {}", layout.to_string(), ByteSize(metas.bytes))?;
        if metas.broken > 0 {
            write!(out, "; {} of them name a file that is not there", metas.broken)?;
        }
        if metas.unparsable > 0 {
            write!(out, "; {} of them cannot be read", metas.unparsable)?;
        }
        writeln!(out)?;
    }
    let (values, bytes) = stats.values;
    if values > 0 {
        writeln!(out, "values/v3 {}, {}", many(values, "value", "values"), ByteSize(bytes))?;
    }
    let (damaged, bytes) = stats.quarantine;
    if damaged > 0 {
        let damaged = many(damaged, "damaged file is", "damaged files are");
        writeln!(out, "{damaged} in quarantine, {}", ByteSize(bytes))?;
    }
    if stats.promoting > 0 {
        let number = many(stats.promoting, "directory", "directories");
        writeln!(
            out,
            "{number} with files on their way, {} of them left by processes that are gone",
            stats.stale
        )?;
    }
    let empty = stats.files.iter().all(|(_, files)| files.files == 0)
        && stats.metas.iter().all(|(_, metas)| metas.metas == 0);
    if empty {
        writeln!(out, "nothing is there yet")?;
    }
    Ok(())
}
