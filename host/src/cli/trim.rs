//! Bringing the cache under its limit: on request, and by the run that finds it too large.

use super::Global;
use super::context::{Context, now};
use super::exit::Exit;
use crate::policy::Eviction;
use crate::repository::size::ByteSize;
use crate::runtime::WasmEviction;
use crate::store::{PartitionId, Plan, StoreError, TrimRequest, Trimmed};
use clap::Args;
use serde_json::json;
use std::io::Write;
use std::sync::Arc;

/// What `cache trim` takes.
#[derive(Args, Debug)]
pub(super) struct TrimArgs {
    /// To this size [default: the one that config.toml says]
    #[arg(long, value_parser = parse_size, value_name = "SIZE")]
    size: Option<ByteSize>,
    /// To this share of what is there, in percent; with --size, to the smaller of the two
    #[arg(long, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    percent: Option<u8>,
    /// Only say what would go, in order
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

fn parse_size(text: &str) -> Result<ByteSize, String> {
    ByteSize::parse(text).ok_or_else(|| "write it as `500 MB` or `2 GiB`".to_owned())
}

/// Trims on request.
pub(super) fn trim(global: &Global, args: &TrimArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    let mut limit = args.size.or_else(|| args.percent.is_none().then_some(context.place.user.size));
    if let Some(percent) = args.percent {
        let share = context.store.usage()?.bytes / 100 * u64::from(percent.min(100));
        limit = Some(limit.map_or(ByteSize(share), |limit| limit.min(ByteSize(share))));
    }
    let limit = limit.unwrap_or(context.place.user.size).0;
    let plan = if args.dry_run {
        with_request(&context, limit, |request| context.store.plan(request))?
    } else {
        match with_request(&context, limit, |request| context.store.trim(request))? {
            Trimmed::Done(report) => report.plan,
            Trimmed::Busy => {
                writeln!(out, "Another process is trimming this cache.")?;
                return Ok(Exit::Done);
            }
        }
    };
    tell(args, &plan, out)?;
    Ok(Exit::Done)
}

fn tell(args: &TrimArgs, plan: &Plan, out: &mut impl Write) -> anyhow::Result<()> {
    if args.json {
        let victims: Vec<_> = plan.victims.iter().map(|victim| {
            json!({"partition": victim.partition.to_string(), "key": victim.key.to_string(), "bytes": victim.bytes})
        }).collect();
        let line = json!({"used": plan.used, "left": plan.left, "dry_run": args.dry_run, "victims": victims});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    for fault in &plan.faults {
        writeln!(out, "The policy `{}` is at fault; the host's own order was used.", fault.policy)?;
    }
    for victim in plan.victims.iter().filter(|_| args.dry_run) {
        writeln!(out, "{}  {}", victim.key, ByteSize(victim.bytes))?;
    }
    let would = if args.dry_run { "would go" } else { "gone" };
    let (number, used, left) = (plan.victims.len(), ByteSize(plan.used), ByteSize(plan.left));
    writeln!(out, "{number} entries {would}: {used} -> {left}")?;
    Ok(())
}

/// Trims where the cache outgrew its limit: to nine tenths, so that the next runs need not. A failure here costs space.
pub(super) fn when_due(context: &Context, size: u64) {
    let limit = context.place.user.size.0;
    let share = context.place.settings.size.map_or(u64::MAX, |share| share.0);
    let over_share = || context.partition.stats().is_ok_and(|stats| stats.bytes > share);
    if size <= limit && (share == u64::MAX || !over_share()) {
        return;
    }
    let target = if size > limit { limit / 10 * 9 } else { limit };
    if let Err(error) = with_request(context, target, |request| context.store.trim(request)) {
        eprintln!("reviver: warning: cannot trim the cache: {error}");
    }
}

/// The request with this repository's own policy for its own partition, and the host's order for all others.
fn with_request<T>(
    context: &Context,
    limit: u64,
    act: impl FnOnce(&TrimRequest<'_>) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let source = context.plugin(&context.place.settings.eviction).ok();
    let policy = source.map(|source| WasmEviction::new(Arc::clone(&context.runtime), source));
    let own = context.partition.id();
    let policies =
        |id: PartitionId| policy.as_ref().filter(|_| id == own).map(|policy| -> &dyn Eviction { policy });
    let shares = |id: PartitionId| context.place.settings.size.filter(|_| id == own).map(|share| share.0);
    act(&TrimRequest { policies: &policies, shares: &shares, ..TrimRequest::new(limit, now()) })
}
