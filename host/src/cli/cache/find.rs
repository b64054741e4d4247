//! `reviver cache find`.

use super::{Meant, damaged, entry};
use crate::bytes::from_bytes;
use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::outcome::{Exit as Ended, Outcome};
use crate::repository::size::ByteSize;
use crate::store::{Entry, ItemKind, StageError, Staging};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `cache find` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct FindArgs {
    /// A key, the front of one, or a name
    key: String,
    /// Write all of it into DIR: `metadata`, `manifest`, and `contents/` with the contents by their numbers
    #[arg(long, value_name = "DIR")]
    extract: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Shows an entry.
pub(super) fn find(context: &Context, args: &FindArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let entry = match entry(context, &args.key)? {
        Meant::Entry(entry) => entry,
        Meant::Not(exit) => return Ok(exit),
    };
    if let Some(directory) = &args.extract {
        match extract(context, &entry, directory) {
            Err(error) if error.is_damage() => return Ok(damaged(&args.key)),
            extracted => extracted?,
        }
    }
    let outcome: Option<Outcome> = from_bytes(entry.remembered()).ok();
    if args.json {
        writeln!(out, "{}", as_json(&entry, outcome.as_ref()))?;
        return Ok(Exit::Done);
    }
    writeln!(out, "key       {}", entry.key())?;
    writeln!(out, "created   {}", show::ago(entry.created(), crate::cli::context::now()))?;
    writeln!(out, "metadata  {}", ByteSize(entry.metadata().len() as u64))?;
    if let Some(outcome) = &outcome {
        let output: usize = outcome.output.iter().map(|chunk| chunk.bytes.len()).sum();
        let (ended, took) = (ended(outcome.exit), show::duration(outcome.duration));
        writeln!(out, "outcome   {ended} after {took}, {output} bytes of output")?;
    }
    for item in entry.items() {
        let path = show::path(&item.path);
        let (kind, size) = (item.kind.word(), ByteSize(item.size));
        writeln!(out, "{kind:<10}{path}  {:o}  {size}  {}", item.mode, item.digest.short())?;
    }
    Ok(Exit::Done)
}

/// Writes an entry out, all or nothing: its metadata hunk, its manifest (for each content its number, kind, mode, size, digest
/// and path), and its contents.
fn extract(context: &Context, entry: &Entry, directory: &Path) -> Result<(), StageError> {
    let mut staging = Staging::new(&context.store);
    let mut manifest = Vec::new();
    let width = entry.items().len().saturating_sub(1).to_string().len();
    for (index, item) in entry.items().iter().enumerate() {
        let (kind, mode, size, digest) = (item.kind.word(), item.mode, item.size, item.digest);
        // Escaped as in a byte string of Rust, so that a line is a line whatever the path holds.
        let path = item.path.escape_ascii();
        manifest.extend(format!("{index:0width$} {kind} {mode:o} {size} {digest} \"{path}\"\n").into_bytes());
        let to = directory.join("contents").join(format!("{index:0width$}"));
        match item.kind {
            ItemKind::File => staging.file(entry, index, &to, item.mode)?,
            ItemKind::Link => staging.link(&to, &entry.bytes(index)?)?,
            ItemKind::Directory => staging.directory(&to)?,
        }
    }
    staging.bytes(&directory.join("metadata"), entry.metadata(), 0o644)?;
    staging.bytes(&directory.join("manifest"), &manifest, 0o644)?;
    staging.commit()?;
    Ok(())
}

fn ended(exit: Ended) -> String {
    match exit {
        Ended::Code(code) => format!("exit status {code}"),
        Ended::Signal(signal) => format!("signal {signal}"),
    }
}

fn as_json(entry: &Entry, outcome: Option<&Outcome>) -> Json {
    let items = entry.items().iter().map(|item| {
        let path = String::from_utf8_lossy(&item.path);
        let (kind, digest) = (item.kind.word(), item.digest.to_hex());
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
