//! `reviver stats` and `reviver cache stats`: how often what happened, on one screen.
//!
//! Reasons that are the same but for the names of files in them are told together, and the rarest only by their number, so that
//! the end of a build stays readable. `--json` has all of them as they are.

use super::Global;
use super::context::{Context, now};
use super::exit::Exit;
use super::show;
use crate::repository::size::ByteSize;
use crate::reviver::counters::{Counters, folded};
use crate::reviver::journal;
use crate::store::PartitionId;
use clap::Args;
use serde_json::json;
use std::collections::BTreeMap;
use std::io::Write;
use std::time::Duration;

/// So many lines are told of each kind: all of it fits on a screen of 24.
const MOST: [(&str, usize); 3] = [("not recorded", 3), ("because", 5), ("code", 2)];
const MOST_PLUGINS: usize = 3;
/// Reasons are cut at so many characters.
const WIDTH: usize = 96;

/// What `stats` takes.
#[derive(Args, Debug)]
#[expect(clippy::struct_excessive_bools, reason = "each is an option of its own")]
pub(super) struct StatsArgs {
    /// Of all repositories together, not of this one
    #[arg(long)]
    all: bool,
    /// Of the runs in the last AGE, such as `10min`, as far as they are known singly
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration, conflicts_with_all = ["zero", "total"])]
    since: Option<Duration>,
    /// Begin to count anew, before a build that is to be seen alone
    #[arg(long, conflicts_with = "json")]
    zero: bool,
    /// Of all runs ever, whatever --zero said
    #[arg(long, conflicts_with = "zero")]
    total: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Tells how often what happened. Where there is no cache yet nothing has happened, which is an answer too.
pub(super) fn stats(global: &Global, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    if context.is_there() && args.zero {
        for id in partitions(&context, args)? {
            journal::zero(&context.store, &context.store.partition(id))?;
        }
    }
    if args.zero {
        writeln!(out, "What happens from now on is counted; `reviver stats --total` tells of before too.")?;
        return Ok(Exit::Done);
    }
    tell(&context, args, out)
}

/// The same for `cache stats`: a cache that is asked about has to be there.
pub(super) fn cache_stats(global: &Global, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    stats(global, args, out)
}

fn partitions(context: &Context, args: &StatsArgs) -> anyhow::Result<Vec<PartitionId>> {
    Ok(if args.all { context.store.partitions()? } else { vec![context.partition.id()] })
}

fn tell(context: &Context, args: &StatsArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let (mut counters, mut entries, mut bytes) = (Counters::default(), 0, 0);
    let since = args.since.map(|age| now().before(age));
    for id in partitions(context, args)? {
        let (store, partition) = (&context.store, context.store.partition(id));
        counters.join(&match since {
            Some(since) => {
                let (counters, oldest) = journal::counters_since(store, &partition, since);
                let is_cut = store.layout().counters(id).exists();
                if let Some(oldest) = oldest.filter(|oldest| is_cut && *oldest > since) {
                    eprintln!("reviver: runs are known singly since {} only", show::ago(oldest, now()));
                }
                counters
            }
            None if args.total => journal::counters(store, &partition),
            None => journal::counters_since_zero(store, &partition),
        });
        let stats = partition.stats()?;
        entries += stats.entries;
        bytes += stats.bytes;
    }
    let whole = context.store.usage()?.bytes;
    if args.json {
        let plugins = counters.plugins.iter().map(|(name, share)| {
            let share = json!({"hits": share.hits, "misses": share.misses, "uncached": share.uncached});
            (name.clone(), share)
        });
        let line = json!({
            "hits": counters.hits, "misses": counters.misses, "uncached": counters.uncached,
            "faults": counters.faults, "faults_by_code": counters.faults_by_code, "unrecorded": counters.unrecorded, "saved_ns": counters.saved,
            "rechecked": counters.rechecked, "differing": counters.differing,
            "plugins": plugins.collect::<serde_json::Map<_, _>>(),
            "entries": entries, "bytes": bytes, "cache_bytes": whole, "limit_bytes": context.place.user.size.0,
        });
        writeln!(out, "{line}")?;
        return Ok(Exit::Done);
    }
    counted(&counters, out)?;
    writeln!(out, "entries   {entries:>8}   {}", ByteSize(bytes))?;
    writeln!(out, "cache     {:>8}   of {}", ByteSize(whole).to_string(), context.place.user.size)?;
    Ok(Exit::Done)
}

fn counted(counters: &Counters, out: &mut impl Write) -> anyhow::Result<()> {
    let share = |hits: u64, asked: u64| if asked == 0 { 0.0 } else { 100.0 * hits as f64 / asked as f64 };
    let percent = share(counters.hits, counters.hits + counters.misses);
    let uncached: u64 = counters.uncached.values().sum();
    writeln!(
        out,
        "hits      {:>8}   {percent:.1} %, {} of commands that did not run",
        counters.hits,
        show::duration(counters.saved)
    )?;
    writeln!(out, "misses    {:>8}", counters.misses)?;
    reasons(out, "not recorded", &counters.unrecorded)?;
    writeln!(out, "uncached  {uncached:>8}")?;
    reasons(out, "because", &counters.uncached)?;
    writeln!(out, "faults    {:>8}", counters.faults)?;
    reasons(out, "code", &counters.faults_by_code)?;
    let rechecked = counters.rechecked + counters.differing;
    if rechecked > 0 {
        let differing = match counters.differing {
            0 => "all did the same again".to_owned(),
            differing => format!(
                "{differing} did something else, and the entry was set aside: `reviver explain differs`"
            ),
        };
        writeln!(out, "rechecked {rechecked:>8}   {differing}")?;
    }
    if counters.plugins.len() > 1 {
        let mut plugins: Vec<_> = counters.plugins.iter().collect();
        plugins.sort_by_key(|(_, one)| std::cmp::Reverse(one.hits + one.misses + one.uncached));
        for (name, one) in plugins.iter().take(MOST_PLUGINS) {
            let percent = share(one.hits, one.hits + one.misses);
            let (hits, misses, uncached) = (one.hits, one.misses, one.uncached);
            writeln!(out, "by {name}: {hits} hits ({percent:.1} %), {misses} misses, {uncached} uncached")?;
        }
        more(out, plugins.len(), MOST_PLUGINS, ["plugin", "plugins"])?;
    }
    Ok(())
}

/// The reasons, most frequent first.
fn reasons(out: &mut impl Write, word: &str, reasons: &BTreeMap<String, u64>) -> anyhow::Result<()> {
    let mut together: BTreeMap<String, u64> = BTreeMap::new();
    for (reason, number) in reasons {
        *together.entry(folded(reason)).or_default() += number;
    }
    let mut sorted: Vec<_> = together.iter().collect();
    sorted.sort_by_key(|(reason, number)| (std::cmp::Reverse(**number), reason.as_str()));
    let most = MOST.iter().find(|(name, _)| *name == word).map_or(1, |(_, most)| *most);
    for (reason, number) in sorted.iter().take(most) {
        let cut: String = show::path(reason.as_bytes()).chars().take(WIDTH).collect();
        let dots = if cut.chars().count() == WIDTH { "…" } else { "" };
        writeln!(out, "          {number:>8}   {word}: {cut}{dots}")?;
    }
    more(out, sorted.len(), most, ["reason", "reasons"])
}

fn more(out: &mut impl Write, number: usize, most: usize, [one, many]: [&str; 2]) -> anyhow::Result<()> {
    if number > most {
        writeln!(
            out,
            "                     and {}",
            show::number(number - most, &format!("more {one}"), &format!("more {many}"))
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::reviver::counters::Share;

    #[test]
    fn whatever_happened_it_fits_on_a_screen() {
        let many = |what: &str| -> BTreeMap<String, u64> {
            (1..300)
                .map(|number| {
                    (format!("{what} {number} is a reason of its own {}", "long ".repeat(50)), number)
                })
                .collect()
        };
        let share = Share { hits: 1, misses: 2, uncached: 3 };
        let counters = Counters {
            uncached: many("uncached"),
            unrecorded: many("unrecorded"),
            faults_by_code: many("code"),
            rechecked: 5,
            differing: 1,
            plugins: (0..10).map(|number| (format!("plugin-{number}"), share)).collect(),
            ..Counters::default()
        };
        let mut told = Vec::new();
        counted(&counters, &mut told).unwrap();
        let told = String::from_utf8(told).unwrap();
        assert!(told.lines().count() <= 22 && told.lines().all(|line| line.chars().count() < 140), "{told}");
        assert!(told.contains("and 294 more reasons") && told.contains("and 7 more plugins"), "{told}");
    }

    #[test]
    fn reasons_that_differ_by_a_file_are_one_line() {
        let reasons_of: BTreeMap<String, u64> =
            (0..100).map(|number| (format!("`{number}.c` uses `-save-temps`"), 1)).collect();
        let mut told = Vec::new();
        reasons(&mut told, "because", &reasons_of).unwrap();
        assert_eq!(
            String::from_utf8(told).unwrap(),
            "               100   because: `…` uses `-save-temps`\n"
        );
    }
}
