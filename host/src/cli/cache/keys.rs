//! `reviver cache keys`.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::repository::size::ByteSize;
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `cache keys` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct KeysArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Lists the keys of the repository, the latest last.
pub(super) fn keys(context: &Context, args: &KeysArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let mut keys = context.partition.keys()?;
    keys.sort_by_key(|info| (info.created, info.key));
    if args.json {
        let list = keys.iter().map(|info| {
            let name = info.name.as_ref().map(crate::key::Name::as_str);
            let (created, files, bytes) = (info.created.0, info.files, info.bytes);
            json!({"key": info.key.to_string(), "name": name, "created": created, "files": files, "bytes": bytes})
        });
        writeln!(out, "{}", list.collect::<Json>())?;
        return Ok(Exit::Done);
    }
    for info in keys {
        let name = info.name.map(|name| format!("  {name}")).unwrap_or_default();
        writeln!(out, "{}  {} files  {}{name}", info.key, info.files, ByteSize(info.bytes))?;
    }
    Ok(Exit::Done)
}
