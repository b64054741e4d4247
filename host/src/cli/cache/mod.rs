//! `reviver cache`: looking into the cache, and taking things out of it.

mod add;
mod age;
mod find;
mod keys;
mod remove;
mod revive;
mod verify;

use super::exit::Exit;
use super::{Global, context::Context, stats, trim};
use crate::digest::Digest;
use crate::key::{Key, Name};
use crate::store::Entry;
use anyhow::anyhow;
use clap::Subcommand;
use std::io::Write;
use std::os::unix::ffi::OsStrExt as _;

/// The commands below `cache`.
#[derive(Subcommand, Debug)]
pub(super) enum CacheCommand {
    /// Print the cache directory
    Path,
    /// Bind a name to files
    Add(add::AddArgs),
    /// List the keys of this repository
    Keys(keys::KeysArgs),
    /// Show an entry, or write out all of it
    Find(find::FindArgs),
    /// Make the files of an entry again
    Revive(revive::ReviveArgs),
    /// Tell how often what happened
    Stats(stats::StatsArgs),
    /// Bring the cache under its limit
    Trim(trim::TrimArgs),
    /// Read all of the cache, and set aside what is damaged
    Verify(verify::VerifyArgs),
    /// Remove entries
    Rm(remove::RemoveArgs),
}

/// Does what is below `cache`.
pub(super) fn cache(global: &Global, command: &CacheCommand, out: &mut impl Write) -> anyhow::Result<Exit> {
    match command {
        CacheCommand::Path => {
            let context = Context::here(global)?;
            // The layout's root is the format's own directory below the one that the user names.
            let root = context.store.layout().root();
            out.write_all(root.parent().unwrap_or(root).as_os_str().as_bytes())?;
            writeln!(out)?;
            Ok(Exit::Done)
        }
        CacheCommand::Add(args) => add::add(&Context::here(global)?, args, out),
        CacheCommand::Keys(args) => keys::keys(&Context::here(global)?, args, out),
        CacheCommand::Find(args) => find::find(&Context::here(global)?, args, out),
        CacheCommand::Revive(args) => revive::revive(&Context::here(global)?, args, out),
        CacheCommand::Verify(args) => verify::verify(&Context::here(global)?, args, out),
        CacheCommand::Stats(args) => stats::cache_stats(global, args, out),
        CacheCommand::Trim(args) => trim::trim(global, args, out),
        CacheCommand::Rm(args) => remove::remove(&Context::here(global)?, args, out),
    }
}

/// What a person means by a key.
enum Meant {
    Entry(Box<Entry>),
    /// That was said; the command ends so.
    Not(Exit),
}

/// The entry that a person means. That it is absent, or was damaged, is said here.
fn entry(context: &Context, text: &str) -> anyhow::Result<Meant> {
    let root = context.place.root.path.display();
    if !context.is_there() {
        return Ok(Meant::Not(Exit::Absent));
    }
    let key = meant(context, text)?.filter(|&key| context.partition.contains(key));
    let Some(key) = key else {
        eprintln!("reviver: there is no entry `{text}` of the repository `{root}`");
        return Ok(Meant::Not(Exit::Absent));
    };
    match context.partition.find(key)? {
        Some(entry) => Ok(Meant::Entry(Box::new(entry))),
        None => Ok(Meant::Not(damaged(text))),
    }
}

/// Says that an entry proved damaged.
fn damaged(text: &str) -> Exit {
    eprintln!("reviver: `{text}` was damaged, and is in quarantine now; nothing was written");
    Exit::Store
}

/// The key that a person means: 64 hexadecimal digits, the front of the only key that begins so, or a name.
fn meant(context: &Context, text: &str) -> anyhow::Result<Option<Key>> {
    if let Some(digest) = Digest::from_hex(text) {
        return Ok(Some(Key::new(digest)));
    }
    let name = Name::new(text)?;
    if context.partition.contains(Key::named(&name)) {
        return Ok(Some(Key::named(&name)));
    }
    let front = |key: &Key| key.to_string().starts_with(text);
    let mut alike = context.partition.keys()?.into_iter().map(|info| info.key).filter(front);
    match (alike.next(), alike.next()) {
        (Some(_), Some(_)) => Err(anyhow!("several keys begin with `{text}`; write more of it")),
        (only, _) => Ok(only),
    }
}
