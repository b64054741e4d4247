//! `reviver cache revive`.

use super::{Meant, damaged, entry};
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::run::umask;
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
    let entry = match entry(context, &args.key)? {
        Meant::Entry(entry) => entry,
        Meant::Not(exit) => return Ok(exit),
    };
    let revived = if let Some(root) = &args.root {
        if !entry.is_manifest() {
            return absent(&format!(
                "`{}` has no places below a root: only what is added with --root has",
                args.key
            ));
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
        // The files of a run are what the umask leaves of what was recorded, as they are where a run is a hit.
        let umask = if entry.name().is_some() { 0 } else { umask() };
        context.partition.revive_entry(&entry, &destinations, umask, now())?
    };
    let Some(Revived { paths, .. }) = revived else { return Ok(damaged(&args.key)) };
    let lines = paths.iter().zip(entry.items());
    if args.json {
        let list = lines.map(|(path, item)| {
            json!({"path": path.to_string_lossy(), "kind": item.kind.word(), "size": item.size})
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
