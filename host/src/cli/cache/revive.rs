//! `reviver cache revive`.

use super::meant;
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::store::{ItemKind, Revived};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `cache revive` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct ReviveArgs {
    /// A key, the front of one, or a name
    key: String,
    /// Where each file goes, in the order in which they were added
    #[arg(conflicts_with = "root")]
    destinations: Vec<PathBuf>,
    /// Put everything where it was below its root, below DIR
    #[arg(long, value_name = "DIR")]
    root: Option<PathBuf>,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Makes an entry's files again, all or none.
pub(super) fn revive(context: &Context, args: &ReviveArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let absent = |why: &str| {
        eprintln!("reviver: {why}; nothing was written");
        Ok(Exit::Absent)
    };
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    let entry = match meant(context, &args.key)? {
        Some(key) => context.partition.find(key)?,
        None => None,
    };
    let Some(entry) = entry else {
        return absent(&format!("there is no entry `{}` in this repository", args.key));
    };
    let revived = if let Some(root) = &args.root {
        if !entry.is_manifest() {
            return absent(&format!("`{}` was added without --root, so its files have no places", args.key));
        }
        context.partition.manifest_revive(entry.key(), root, now())?
    } else {
        let (has, given) = (entry.items().len(), args.destinations.len());
        if has != given {
            let (has, given) =
                (show::number(has, "file", "files"), show::number(given, "destination", "destinations"));
            return absent(&format!("`{}` has {has}, but you name {given}", args.key));
        }
        let destinations: Vec<&Path> = args.destinations.iter().map(PathBuf::as_path).collect();
        context.partition.revive(entry.key(), &destinations, now())?
    };
    let Some(Revived { paths, .. }) = revived else {
        return absent(&format!("`{}` was damaged, and is in quarantine now", args.key));
    };
    let lines = paths.iter().zip(entry.items());
    if args.json {
        let list = lines.map(|(path, item)| {
            json!({"path": path.to_string_lossy(), "kind": super::find::kind(item.kind), "size": item.size})
        });
        let name = entry.name().map(crate::key::Name::as_str);
        writeln!(
            out,
            "{}",
            json!({"key": entry.key().to_string(), "name": name, "files": list.collect::<Json>()})
        )?;
        return Ok(Exit::Done);
    }
    for (path, _) in lines.filter(|(_, item)| item.kind != ItemKind::Directory) {
        writeln!(out, "{}", path.display())?;
    }
    Ok(Exit::Done)
}
