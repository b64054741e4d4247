//! `reviver dune verify`.

use super::{Which, store, tell_troubles};
use crate::cli::context::Place;
use crate::cli::exit::Exit;
use crate::cli::progress::Progress;
use crate::cli::show;
use crate::dune::Verified;
use crate::repository::size::ByteSize;
use crate::store::Remedy;
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `dune verify` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct VerifyArgs {
    #[command(flatten)]
    which: Which,
    /// Put right what can be: permissions, rules whose files are gone, and what is none of Dune's
    #[arg(long, conflicts_with = "dry_run")]
    repair: bool,
    /// Only say what is wrong; damaged files stay where they are
    #[arg(long)]
    dry_run: bool,
}

/// Reads the whole cache. Damage goes into quarantine and makes the exit status 4.
pub(super) fn verify(args: &VerifyArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let Some(store) = store(&args.which, &Place::here()?)? else { return Ok(Exit::Absent) };
    let remedy = match (args.dry_run, args.repair) {
        (true, _) => Remedy::Tell,
        (false, false) => Remedy::SetAside,
        (false, true) => Remedy::Repair,
    };
    let (mut progress, mut read) = (Progress::new("read"), 0);
    let verified = store.verify(remedy, &mut |bytes| {
        read += bytes;
        progress.show(read);
    })?;
    drop(progress);
    tell(args, &verified, out)?;
    let damaged = verified.findings.iter().any(|finding| finding.kind.is_damage());
    Ok(tell_troubles(&verified.troubles, if damaged { Exit::Store } else { Exit::Done }))
}

fn tell(args: &VerifyArgs, verified: &Verified, out: &mut impl Write) -> anyhow::Result<()> {
    let Verified { files, bytes, metas, findings, troubles } = verified;
    if args.which.json {
        let list = findings.iter().map(|finding| {
            json!({
                "path": finding.path.to_string_lossy(), "what": finding.kind.to_string(),
                "damage": finding.kind.is_damage(), "remedied": finding.remedied,
            })
        });
        let (list, troubles) = (list.collect::<Json>(), troubles.iter().map(ToString::to_string));
        let troubles: Json = troubles.map(Json::from).collect();
        let line = json!({"files": files, "bytes": bytes, "metas": metas, "findings": list, "dry_run": args.dry_run, "troubles": troubles});
        writeln!(out, "{line}")?;
        return Ok(());
    }
    for finding in findings {
        let (kind, remedied) = (&finding.kind, finding.remedied);
        writeln!(out, "{}", show::finding(&finding.path, kind, remedied, kind.is_damage()))?;
    }
    let files = show::number(*files as usize, "file", "files");
    let rules = show::number(*metas as usize, "rule", "rules");
    let sum = format!("{files} and {rules}, {}", ByteSize(*bytes));
    match findings.len() {
        0 if verified.files == 0 && verified.metas == 0 => writeln!(out, "nothing is there yet")?,
        0 => writeln!(out, "{sum}: all is as it was promoted")?,
        found => writeln!(out, "{sum}: {}", show::number(found, "finding", "findings"))?,
    }
    if !args.repair && findings.iter().any(|finding| !finding.remedied && !finding.kind.is_damage()) {
        writeln!(out, "`reviver dune verify --repair` puts the rest right")?;
    }
    if findings.iter().any(|finding| finding.remedied && finding.kind.is_damage()) {
        // Dune takes what it has linked for what its rule made.
        writeln!(
            out,
            "build trees that took it from the cache have it still: remove their `_build` and build again"
        )?;
    }
    Ok(())
}
