//! `reviver cache find`.

use super::meant;
use crate::bytes::from_bytes;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::outcome::{Exit as Ended, Outcome};
use crate::repository::size::ByteSize;
use crate::store::{Entry, ItemKind};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `cache find` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct FindArgs {
    /// A key, the front of one, or a name
    key: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Shows an entry.
pub(super) fn find(context: &Context, args: &FindArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let entry = match meant(context, &args.key)? {
        Some(key) => context.partition.find(key)?,
        None => None,
    };
    let Some(entry) = entry else {
        eprintln!("reviver: there is no entry `{}` in this repository", args.key);
        return Ok(Exit::Absent);
    };
    let outcome: Option<Outcome> = from_bytes(entry.remembered()).ok();
    if args.json {
        writeln!(out, "{}", as_json(&entry, outcome.as_ref()))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "key      {}", entry.key())?;
    writeln!(out, "created  {}", show::ago(entry.created(), crate::cli::context::now()))?;
    writeln!(out, "metadata {}", ByteSize(entry.metadata().len() as u64))?;
    if let Some(outcome) = &outcome {
        let output: usize = outcome.output.iter().map(|chunk| chunk.bytes.len()).sum();
        let (ended, took) = (ended(outcome.exit), show::duration(outcome.duration));
        writeln!(out, "outcome  {ended} after {took}, {output} bytes of output")?;
    }
    for item in entry.items() {
        let path = String::from_utf8_lossy(&item.path);
        let (kind, size) = (kind(item.kind), ByteSize(item.size));
        writeln!(out, "{kind:<9}{path}  {:o}  {size}  {}", item.mode, item.digest.short())?;
    }
    Ok(Exit::Done)
}

fn ended(exit: Ended) -> String {
    match exit {
        Ended::Code(code) => format!("exit status {code}"),
        Ended::Signal(signal) => format!("signal {signal}"),
    }
}

const fn kind(kind: ItemKind) -> &'static str {
    match kind {
        ItemKind::File => "file",
        ItemKind::Directory => "directory",
        ItemKind::Link => "link",
    }
}

fn as_json(entry: &Entry, outcome: Option<&Outcome>) -> Json {
    let items = entry.items().iter().map(|item| {
        let path = String::from_utf8_lossy(&item.path);
        let (kind, digest) = (kind(item.kind), item.digest.to_hex());
        json!({"path": path, "kind": kind, "mode": item.mode, "size": item.size, "digest": digest})
    });
    let outcome = outcome.map(|outcome| {
        let output = outcome.output.iter().map(|chunk| chunk.bytes.len()).sum::<usize>();
        let (exit, duration) = (outcome.exit.status(), outcome.duration);
        json!({"exit": exit, "duration": duration, "started": outcome.started, "output_bytes": output})
    });
    json!({
        "key": entry.key().to_string(), "name": entry.name().map(crate::key::Name::as_str),
        "created": entry.created().0, "cost": entry.cost(), "metadata_bytes": entry.metadata().len(),
        "outcome": outcome, "items": items.collect::<Json>(),
    })
}
