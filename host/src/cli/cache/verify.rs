//! `reviver cache verify`.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::show;
use crate::cli::what::What;
use crate::repository::size::ByteSize;
use crate::store::{Remedy, Verified};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `cache verify` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct VerifyArgs {
    /// Put right what can be: indexes, permissions, files that are none of the cache's, objects that nobody needs
    #[arg(long, conflicts_with = "dry_run")]
    repair: bool,
    /// Only say what is wrong; damaged entries stay where they are
    #[arg(long)]
    dry_run: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Reads the whole cache. Damage goes into quarantine and makes the exit status 4.
pub(super) fn verify(context: &Context, args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    let remedy = match (args.dry_run, args.repair) {
        (true, _) => Remedy::Tell,
        (false, false) => Remedy::SetAside,
        (false, true) => Remedy::Repair,
    };
    // Before it is in quarantine.
    // Names that cannot be read are no reason not to look further.
    let what = What::of(context).unwrap_or_else(|_| What::told(context));
    let mut progress = Progress::new("read");
    let verified = context.store.verify(remedy, &mut |bytes| progress.show(bytes))?;
    drop(progress);
    tell(args, &verified, &what, out)?;
    let damaged = verified.findings.iter().any(|finding| finding.kind.is_damage());
    Ok(if damaged { Exit::Store } else { Exit::Done })
}

fn tell(args: &VerifyArgs, verified: &Verified, what: &What, out: &mut impl Write) -> anyhow::Result<()> {
    let Verified { entries, objects, bytes, findings, freed, quarantined } = verified;
    if args.json {
        let list = findings.iter().map(|finding| {
            json!({
                "path": finding.path.to_string_lossy(), "key": finding.key.map(|key| key.to_string()),
                "what": finding.kind.to_string(), "damage": finding.kind.is_damage(), "remedied": finding.remedied,
            })
        });
        let list = list.collect::<Json>();
        let line = json!({"entries": entries, "objects": objects, "bytes": bytes, "findings": list, "freed": freed, "quarantined": quarantined, "dry_run": args.dry_run});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    for finding in findings {
        let what = finding.key.map(|key| what.is(key)).filter(|what| !what.is_empty());
        let what = what.map(|what| format!(" (`{what}`)")).unwrap_or_default();
        let what = format_args!("{}{what}", finding.kind);
        writeln!(out, "{}", show::finding(&finding.path, what, finding.remedied, finding.kind.is_damage()))?;
    }
    if *freed > 0 {
        writeln!(out, "{} of objects that no entry needed are gone", ByteSize(*freed))?;
    }
    let entries = show::number(*entries as usize, "entry", "entries");
    let objects = show::number(*objects as usize, "object", "objects");
    let sum = format!("{entries} and {objects}, {}", ByteSize(*bytes));
    match findings.len() {
        0 => writeln!(out, "{sum}: all is as it was added")?,
        found => writeln!(out, "{sum}: {}", show::number(found, "finding", "findings"))?,
    }
    if *quarantined > 0 {
        let files = show::number(*quarantined as usize, "damaged file is", "damaged files are");
        writeln!(out, "{files} in quarantine, for a week or until room is needed")?;
    }
    if !args.repair && findings.iter().any(|finding| !finding.remedied && !finding.kind.is_damage()) {
        writeln!(out, "`reviver cache verify --repair` puts the rest right")?;
    }
    Ok(())
}
