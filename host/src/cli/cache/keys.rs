//! `reviver cache keys`.

use super::age::Age;
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::cli::what::What;
use crate::repository::size::ByteSize;
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `cache keys` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct KeysArgs {
    #[command(flatten)]
    age: Age,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Lists the keys of the repository, the latest last.
pub(super) fn keys(context: &Context, args: &KeysArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if !context.is_there() {
        return Ok(Exit::Absent);
    }
    let mut keys = context.partition.keys()?;
    keys.retain(|info| args.age.holds(info.last_use));
    keys.sort_by_key(|info| (info.created, info.key));
    // What an entry is of, as far as the journal reaches back.
    let what = What::told(context);
    if args.json {
        let list = keys.iter().map(|info| {
            let (key, name) = (info.key.to_string(), info.name.as_ref().map(crate::key::Name::as_str));
            json!({
                "key": key, "name": name, "label": what.is(info.key), "created": info.created.0,
                "last_use": info.last_use.0, "uses": info.uses, "files": info.files, "bytes": info.bytes,
            })
        });
        writeln!(out, "{}", list.collect::<Json>())?;
        return Ok(Exit::Done);
    }
    for info in keys {
        let what = info.name.map_or_else(|| what.is(info.key).to_owned(), |name| name.to_string());
        let files = show::number(info.files as usize, "file", "files");
        let (bytes, used) = (ByteSize(info.bytes).to_string(), show::ago(info.last_use, now()));
        writeln!(out, "{}  {files:>9}  {bytes:>9}  {used:>11}  {what}", info.key)?;
    }
    Ok(Exit::Done)
}
