//! `reviver stats` and `reviver cache stats`: how often what happened.

use super::Global;
use super::context::Context;
use super::exit::Exit;
use super::show;
use crate::repository::size::ByteSize;
use crate::reviver::journal::{self, Counters};
use crate::store::PartitionId;
use clap::Args;
use serde_json::json;
use std::io::Write;

/// What `stats` takes.
#[derive(Args, Debug)]
pub(super) struct StatsArgs {
    /// Of all repositories together, not of this one
    #[arg(long)]
    all: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Tells how often what happened. Where there is no cache yet nothing has happened, which is an answer too.
pub(super) fn stats(global: &Global, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    context.is_there();
    tell(&context, args, out)
}

/// The same for `cache stats`: a cache that is asked about has to be there.
pub(super) fn cache_stats(global: &Global, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    if context.is_there() { tell(&context, args, out) } else { Ok(Exit::Absent) }
}

fn tell(context: &Context, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let own = vec![context.partition.id()];
    let partitions: Vec<PartitionId> = if args.all { context.store.partitions()? } else { own };
    let (mut counters, mut entries, mut bytes) = (Counters::default(), 0, 0);
    for id in partitions {
        let partition = context.store.partition(id);
        counters.join(&journal::counters(&context.store, &partition));
        let stats = partition.stats()?;
        entries += stats.entries;
        bytes += stats.bytes;
    }
    let whole = context.store.usage()?.bytes;
    if args.json {
        let line = json!({
            "hits": counters.hits, "misses": counters.misses, "uncached": counters.uncached,
            "faults": counters.faults, "faults_by_code": counters.faults_by_code, "unrecorded": counters.unrecorded, "saved_ns": counters.saved,
            "entries": entries, "bytes": bytes, "cache_bytes": whole, "limit_bytes": context.place.user.size.0,
        });
        writeln!(out, "{line}")?;
        return Ok(Exit::Done);
    }
    let asked = counters.hits + counters.misses;
    let share = if asked == 0 { 0.0 } else { 100.0 * counters.hits as f64 / asked as f64 };
    let uncached: u64 = counters.uncached.values().sum();
    writeln!(out, "hits      {:>8}   {share:.1} %, {} saved", counters.hits, show::duration(counters.saved))?;
    writeln!(out, "misses    {:>8}", counters.misses)?;
    reasons(out, "not recorded", &counters.unrecorded)?;
    writeln!(out, "uncached  {uncached:>8}")?;
    reasons(out, "because", &counters.uncached)?;
    writeln!(out, "faults    {:>8}", counters.faults)?;
    reasons(out, "code", &counters.faults_by_code)?;
    writeln!(out, "entries   {entries:>8}   {}", ByteSize(bytes))?;
    writeln!(out, "cache     {:>8}   of {}", ByteSize(whole).to_string(), context.place.user.size)?;
    Ok(Exit::Done)
}

/// The reasons, most frequent first.
fn reasons(
    out: &mut impl Write,
    word: &str,
    reasons: &std::collections::BTreeMap<String, u64>,
) -> anyhow::Result<()> {
    let mut sorted: Vec<_> = reasons.iter().collect();
    sorted.sort_by_key(|(reason, number)| (std::cmp::Reverse(**number), reason.as_str()));
    for (reason, number) in sorted {
        writeln!(out, "          {number:>8}   {word}: {reason}")?;
    }
    Ok(())
}
