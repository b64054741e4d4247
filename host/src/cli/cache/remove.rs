//! `reviver cache rm`.

use super::meant;
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use clap::Args;
use std::io::Write;

/// What `cache rm` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct RemoveArgs {
    /// Keys, the fronts of keys, or names
    #[arg(required_unless_present = "all")]
    keys: Vec<String>,
    /// All entries of this repository
    #[arg(long, conflicts_with = "keys")]
    all: bool,
}

/// Removes entries. Those that are not there are named, and make the exit status 1.
pub(super) fn remove(context: &Context, args: &RemoveArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if args.all {
        let mut removed = 0_u64;
        for info in context.partition.keys()? {
            removed += u64::from(context.partition.remove(info.key, now())?);
        }
        writeln!(out, "{removed} entries removed")?;
        return Ok(Exit::Done);
    }
    let mut exit = Exit::Done;
    for text in &args.keys {
        let removed = match meant(context, text)? {
            Some(key) => context.partition.remove(key, now())?,
            None => false,
        };
        if !removed {
            eprintln!("reviver: there is no entry `{text}` in this repository");
            exit = Exit::Absent;
        }
    }
    Ok(exit)
}
