//! Bringing the cache under its limit: on request, and by the run that finds it too large.

use super::Global;
use super::context::{Context, now};
use super::exit::Exit;
use super::show;
use super::what::What;
use crate::key::Key;
use crate::policy::Role;
use crate::repository::size::ByteSize;
use crate::repository::trimming::{self, Asked, with_request};
use crate::runtime::WasmEviction;
use crate::store::{self, Plan, Trimmed};
use clap::Args;
use serde_json::json;
use std::collections::HashSet;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;

/// What `cache trim` takes.
#[derive(Args, Debug)]
pub(super) struct TrimArgs {
    /// To this size, such as `500 MB`; without any bound to the one that config.toml says, or to half of what is there where
    /// that is less
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    size: Option<ByteSize>,
    /// To this share of what is there, in percent; with --size, to the smaller of the two
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    percent: Option<u8>,
    /// Let those go first that were not used in the last AGE, such as `7d`
    #[arg(long, value_name = "AGE", value_parser = humantime::parse_duration)]
    unused_first: Option<Duration>,
    /// Only say what would go, in order
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

pub(super) fn parse_size(text: &str) -> Result<ByteSize, String> {
    ByteSize::parse(text).ok_or_else(|| "write it as `500 MB` or `2 GiB`".to_owned())
}

/// Trims on request.
pub(super) fn trim(global: &Global, args: &TrimArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    // Who asks for a trim wants room, also where the cache has not reached its limit yet.
    let usual = args.size.is_none() && args.percent.is_none();
    let percent = args.percent.or(usual.then_some(50));
    let size = args.size.or(usual.then_some(context.place.user.size)).map(|size| size.0);
    let first = first(&context, args.unused_first)?;
    warm_up(&context);
    let limit = store::budget(context.store.usage()?.bytes, size, percent);
    let what = What::of(&context)?;
    let unused = |key: &Key| first.contains(key);
    let plan = if args.dry_run {
        told(with_request(&context, limit, &unused, |request| context.store.plan(request))?)
    } else {
        match told(trimming::trim(&context, limit, &unused)?) {
            Trimmed::Done(report) => report.plan,
            Trimmed::Busy => {
                writeln!(out, "Another process is trimming this cache.")?;
                return Ok(Exit::Done);
            }
        }
    };
    tell(args, &plan, &what, out)?;
    Ok(Exit::Done)
}

/// Loads the policy's plugin, so that what its plugin is compiled to is there before anything is measured: else a trim
/// would let more go than the dry run before it said.
fn warm_up(context: &Context) {
    // One that may not be used is told of where it would be.
    if let Ok(chosen) = context.trusted(&context.place.settings.eviction, Role::Eviction) {
        let policy = WasmEviction::new(Arc::clone(&context.runtime), chosen.source);
        // Its faults are told by the plan.
        policy.load().ok();
    }
}

/// The entries that go first, in all partitions.
fn first(context: &Context, unused: Option<Duration>) -> anyhow::Result<HashSet<Key>> {
    let mut keys = HashSet::new();
    if let Some(age) = unused {
        let since = now().before(age);
        for id in context.store.partitions()? {
            let candidates = context.store.partition(id).candidates()?.into_iter();
            keys.extend(candidates.filter(|(_, seen)| seen.last_use < since).map(|(key, _)| key));
        }
    }
    Ok(keys)
}

fn tell(args: &TrimArgs, plan: &Plan, what: &What, out: &mut impl Write) -> anyhow::Result<()> {
    if args.json {
        let victims: Vec<_> = plan.victims.iter().map(|victim| {
            json!({"partition": victim.partition.to_string(), "key": victim.key.to_string(), "bytes": victim.bytes})
        }).collect();
        let line = json!({"used": plan.used, "left": plan.left, "dry_run": args.dry_run, "victims": victims});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    for fault in &plan.faults {
        let what = if fault.is_off() { "is switched off" } else { "is at fault" };
        writeln!(out, "The policy `{}` {what}; the host's own order was used.", fault.policy)?;
    }
    for victim in plan.victims.iter().filter(|_| args.dry_run) {
        let bytes = ByteSize(victim.bytes).to_string();
        writeln!(out, "{}  {bytes:>9}  {}", victim.key, what.is(victim.key))?;
    }
    let would = if args.dry_run { "would go" } else { "gone" };
    let number = show::number(plan.victims.len(), "entry", "entries");
    let (used, left) = (ByteSize(plan.used), ByteSize(plan.left));
    writeln!(out, "{number} {would}: {used} -> {left}")?;
    Ok(())
}

/// Trims where the cache outgrew its limit. A failure here costs space.
pub(super) fn when_due(context: &Context, size: u64) {
    let Some(target) = trimming::due(context, size) else { return };
    match trimming::trim(context, target, &|_| false).map(told) {
        Ok(Trimmed::Done(report)) => {
            for fault in report.plan.faults.iter().filter(|fault| !fault.is_off()) {
                eprintln!("reviver: warning: {fault}; the cache is trimmed in the host's own order");
            }
        }
        Ok(Trimmed::Busy) => {}
        Err(error) => eprintln!("reviver: warning: cannot trim the cache: {error}"),
    }
}

/// What came of it; a policy that may not be used is warned of.
fn told<T>(asked: Asked<T>) -> T {
    if let Some(error) = asked.unusable {
        eprintln!("reviver: warning: {error}; the cache is trimmed in the host's own order");
    }
    asked.done
}
