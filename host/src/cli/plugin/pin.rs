//! `reviver plugin pin`: what the lock file says of the plugin files, shown before it is believed.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::repository::choose::word;
use crate::repository::grants::{Grant, Grants};
use crate::repository::lock::{Lock, Pin};
use crate::repository::pin::{pin as pin_of, uses};
use crate::repository::size::ByteSize;
use crate::reviver::breaker;
use crate::runtime::{Capabilities, Capability};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::Write;

/// What `plugin pin` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct PinArgs {
    /// The plugins to pin; without any all plugin files of reviver.toml, and pins of others go
    names: Vec<String>,
    /// Grant these plugins, on this machine, all that they ask for
    #[arg(long, conflicts_with = "check", requires = "names")]
    grant: bool,
    /// Write nothing; exit with 1 where the lock file is not up to date
    #[arg(long)]
    check: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// What pinning does to one plugin.
struct Row {
    name: String,
    was: Option<Pin>,
    /// `None` where there is no such plugin file any more.
    is: Option<Pin>,
    /// What it asks for and does not get on this machine.
    withheld: Capabilities,
}

impl Row {
    fn change(&self) -> &'static str {
        match (&self.was, &self.is) {
            (None, _) => "new",
            (Some(_), None) => "gone",
            (Some(was), Some(is)) if was == is => "same",
            _ => "changed",
        }
    }
}

/// Pins plugin files. Where one cannot be pinned, the lock file stays as it was.
pub(super) fn pin(context: &Context, args: &PinArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let (old, new) = locks(context, args)?;
    let names = new.pins.keys().chain(old.pins.keys().filter(|name| !new.pins.contains_key(*name)));
    let names = names.filter(|name| args.names.is_empty() || args.names.contains(name));
    // All of them before any is looked up: the grants are read once.
    for name in args.names.iter().filter(|_| args.grant) {
        new.pins.get(name).map_or(Ok(()), |pin| grant(context, name, pin))?;
    }
    let mut rows = Vec::new();
    for name in names {
        let (was, is) = (old.pins.get(name).cloned(), new.pins.get(name).cloned());
        let withheld = is.as_ref().map_or(Ok(Capabilities::NONE), |pin| withheld(context, pin))?;
        rows.push(Row { name: name.clone(), was, is, withheld });
    }
    let path = context.trust.lock_path();
    let changed = context.trust.lock().is_err() || old != new;
    if changed && !args.check {
        new.save(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    for pin in rows.iter().filter_map(|row| row.is.as_ref()).filter(|_| !args.check) {
        // Where this fails the plugin is tried again later.
        breaker::forget(&context.store, &context.partition, pin.digest).ok();
    }
    if args.json {
        writeln!(out, "{}", rows.iter().map(as_json).collect::<Json>())?;
    } else {
        rows.iter().try_for_each(|row| tell(row, out))?;
        let path = path.display();
        match (changed, args.check) {
            (true, true) => {
                writeln!(out, "{path} is not up to date: look at this, then run `reviver plugin pin`.")?;
            }
            (true, false) => writeln!(out, "Wrote {path}.")?,
            (false, _) if rows.is_empty() => writeln!(out, "This repository uses no plugin files.")?,
            (false, _) => writeln!(out, "{path} is up to date.")?,
        }
    }
    for row in rows.iter().filter(|row| !row.withheld.is_empty()) {
        let (name, withheld) = (&row.name, row.withheld);
        eprintln!(
            "reviver: note: `{name}` runs without {withheld} on this machine; `reviver plugin pin {} --grant` grants it",
            word(name)
        );
    }
    Ok(if changed && args.check { Exit::Absent } else { Exit::Done })
}

/// The pins that there are, and those that are to be.
fn locks(context: &Context, args: &PinArgs) -> anyhow::Result<(Lock, Lock)> {
    let settings = &context.place.settings;
    if let Some(foreign) = &context.place.root.foreign {
        eprintln!("reviver: warning: {} belongs to another user and is passed over", foreign.display());
    }
    for name in &args.names {
        if settings.plugins.get(name).is_none_or(|plugin| plugin.path.is_none()) {
            bail!("reviver.toml has no plugin `{name}` with a `path`; only plugin files are pinned");
        }
    }
    let old = match context.trust.lock() {
        Ok(lock) => lock.clone(),
        // All pins are made anew; what was wrong with them goes with them.
        Err(_) if args.names.is_empty() => Lock::default(),
        Err(error) => bail!("{error}; `reviver plugin pin` without names writes the lock file anew"),
    };
    let mut new = if args.names.is_empty() { Lock::default() } else { old.clone() };
    let chosen = |name: &str| args.names.is_empty() || args.names.iter().any(|one| one == name);
    for (name, plugin) in settings.plugins.iter().filter(|(name, _)| chosen(name)) {
        let source = context.plugin(name)?;
        if let Some(pin) = pin_of(&source, plugin.capabilities, &uses(settings, name), &context.runtime)? {
            new.pins.insert(name.clone(), pin);
        }
    }
    Ok((old, new))
}

/// Notes that the user lets this plugin do all that it asks for.
fn grant(context: &Context, name: &str, pin: &Pin) -> anyhow::Result<()> {
    let beyond = pin.capabilities.without(context.place.user.capabilities);
    if beyond.is_empty() {
        return Ok(());
    }
    let path =
        context.trust.grants_path().context("there is no home to keep grants in; set XDG_STATE_HOME")?;
    let root = context.place.root.path.to_string_lossy().into_owned();
    let grant = Grant { plugin: name.to_owned(), root, capabilities: beyond };
    Grants::add(path, context.trust.user(), (context.partition.id(), pin.digest), grant)
        .with_context(|| format!("cannot grant `{name}` anything"))
}

/// What a plugin asks for and does not get on this machine.
fn withheld(context: &Context, pin: &Pin) -> anyhow::Result<Capabilities> {
    let beyond = pin.capabilities.without(context.place.user.capabilities);
    if beyond.is_empty() {
        return Ok(beyond);
    }
    Ok(beyond.without(context.trust.granted(pin.digest)?))
}

fn tell(row: &Row, out: &mut impl Write) -> anyhow::Result<()> {
    let change = row.change();
    let Some(pin) = row.is.as_ref().or(row.was.as_ref()) else { return Ok(()) };
    let digest = match &row.was {
        Some(was) if was.digest != pin.digest => format!("{} -> {}", was.digest.short(), pin.digest.short()),
        _ => pin.digest.short(),
    };
    let (role, size) = (pin.role, ByteSize(pin.size));
    writeln!(out, "{:<18}{change:<9}{:<10}{digest}  {size}, contract {}", row.name, role.name(), pin.abi)?;
    if row.is.is_none() {
        return Ok(());
    }
    for import in &pin.imports {
        writeln!(out, "    imports  {import}")?;
    }
    let before = row.was.as_ref().map_or(pin.capabilities, |was| was.capabilities);
    for capability in pin.capabilities.or(before).iter() {
        let asks = match (before.has(capability), pin.capabilities.has(capability)) {
            (_, false) => "asks no more for",
            (false, true) => "asks newly for",
            (true, true) => "asks for",
        };
        let granted = match (pin.capabilities.has(capability), row.withheld.has(capability)) {
            (false, _) => "",
            (true, true) => ", NOT GRANTED on this machine",
            (true, false) => ", granted",
        };
        writeln!(out, "    {asks} {}{granted}", explained(capability))?;
    }
    Ok(())
}

/// What a capability means to who grants it.
const fn explained(capability: Capability) -> &'static str {
    match capability {
        Capability::Arguments => "arguments (to replace the arguments that commands run with)",
        Capability::Query => "query (to run the programs of operations with arguments of its choice)",
        Capability::Read => "read (to read files of the repository)",
    }
}

fn as_json(row: &Row) -> Json {
    let names = |all: Capabilities| all.iter().map(Capability::name).collect::<Vec<_>>();
    let digest = |pin: &Pin| pin.digest.to_hex();
    let pin = row.is.as_ref();
    json!({
        "name": row.name, "change": row.change(), "role": pin.or(row.was.as_ref()).map(|pin| pin.role.name()),
        "digest": pin.map(digest), "was": row.was.as_ref().map(digest), "size": pin.map(|pin| pin.size),
        "abi": pin.map(|pin| pin.abi.as_str()), "imports": pin.map(|pin| &pin.imports),
        "capabilities": pin.map(|pin| names(pin.capabilities)), "not_granted": names(row.withheld),
    })
}
