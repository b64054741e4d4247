//! `reviver plugin pin`: says which plugin files this repository means, and what they may do on this machine.
//!
//! | | `reviver.lock` | exit code |
//! |---|---|---|
//! | all plugins can be loaded for what they are used for | says what they are now | 0 |
//! | one cannot | is left as it was | 3 |
//! | `--check`, and it says what the plugins are | is left as it is | 0 |
//! | `--check`, and it says something else | is left as it is | 1 |
//!
//! Without names all plugin files of `reviver.toml` are pinned, and pins of those that are no longer in it go.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::repository::choose::word;
use crate::repository::grants::{Grant, Grants};
use crate::repository::lock::{Lock, Pin};
use crate::repository::pin::{pin as pin_file, uses};
use crate::runtime::{Capabilities, Capability};
use anyhow::{Context as _, bail};
use clap::Args;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::Write;

/// What `plugin pin` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct PinArgs {
    /// The names of plugins in reviver.toml [default: all that are files]
    names: Vec<String>,
    /// Let them do on this machine all that they ask for
    #[arg(long, requires = "names", conflicts_with = "check")]
    grant: bool,
    /// Write nothing; the exit code is 1 where the lock file is not up to date
    #[arg(long)]
    check: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// A plugin file, and what was and is pinned of it.
struct Row {
    name: String,
    before: Option<Pin>,
    pin: Pin,
    /// What it asks for and does not get on this machine.
    withheld: Capabilities,
}

impl Row {
    fn state(&self) -> &'static str {
        match &self.before {
            None => "new",
            Some(before) if *before == self.pin => "same",
            Some(_) => "changed",
        }
    }
}

/// Pins plugins.
pub(super) fn pin(context: &Context, args: &PinArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if context.place.root.settings.is_none() {
        bail!("there is no reviver.toml here that names plugins; `reviver init` writes one");
    }
    let before = match context.trust.lock() {
        Ok(lock) => lock.clone(),
        // What cannot be relied on is written anew when all of it is.
        Err(_) if args.names.is_empty() => Lock::default(),
        Err(error) => bail!("{error}; `reviver plugin pin` without a name writes the lock file anew"),
    };
    let pins = pins(context, &args.names)?;
    if args.grant {
        grant(context, &pins)?;
    }
    let mut rows = Vec::new();
    for (name, pin) in &pins {
        let allowed = context.place.user.capabilities.or(granted(context, args.grant, pin)?);
        let withheld = pin.capabilities.without(allowed);
        rows.push(Row { name: name.clone(), before: before.pins.get(name).cloned(), pin: pin.clone(), withheld });
    }
    let after = if args.names.is_empty() {
        Lock { pins }
    } else {
        Lock { pins: before.pins.clone().into_iter().chain(pins).collect() }
    };
    let gone: Vec<_> = before.pins.keys().filter(|name| !after.pins.contains_key(*name)).cloned().collect();
    let path = context.trust.lock_path();
    let current = context.trust.lock().is_ok_and(|lock| *lock == after) && path.exists() || after.pins.is_empty() && !path.exists();
    if !args.check && !current {
        after.save(path).with_context(|| format!("cannot write {}", path.display()))?;
    }
    tell(args, &rows, &gone, out)?;
    if args.check && !current {
        eprintln!("reviver: {} is not up to date; run `reviver plugin pin`", path.display());
        return Ok(Exit::Absent);
    }
    Ok(Exit::Done)
}

/// The pins of plugin files with these names, or of all.
fn pins(context: &Context, names: &[String]) -> anyhow::Result<BTreeMap<String, Pin>> {
    let settings = &context.place.settings;
    let files = || settings.plugins.iter().filter(|(_, plugin)| plugin.path.is_some()).map(|(name, _)| name.clone());
    let wanted: Vec<String> = if names.is_empty() { files().collect() } else { names.to_vec() };
    let mut pins = BTreeMap::new();
    for name in wanted {
        let source = context.plugin(&name)?;
        let asked = settings.plugins.get(&name).map_or(Capabilities::NONE, |plugin| plugin.capabilities);
        match pin_file(&source, asked, &uses(settings, &name), &context.runtime)? {
            Some(pin) => drop(pins.insert(name, pin)),
            None => bail!("plugin `{name}` comes with reviver; only plugin files are pinned"),
        }
    }
    Ok(pins)
}

/// Notes that plugins may do on this machine what they ask for.
fn grant(context: &Context, pins: &BTreeMap<String, Pin>) -> anyhow::Result<()> {
    let path = context.trust.grants_path().context("without HOME or XDG_STATE_HOME there is no place for grants")?;
    for (name, pin) in pins {
        let grant = Grant {
            plugin: name.clone(),
            root: context.place.root.path.display().to_string(),
            capabilities: pin.capabilities,
        };
        Grants::add(path, context.trust.user(), (context.partition.id(), pin.digest), grant)?;
    }
    Ok(())
}

fn granted(context: &Context, just_now: bool, pin: &Pin) -> anyhow::Result<Capabilities> {
    if just_now {
        return Ok(pin.capabilities);
    }
    Ok(context.trust.granted(pin.digest).map_err(|error| anyhow::anyhow!("{error}"))?)
}

fn tell(args: &PinArgs, rows: &[Row], gone: &[String], out: &mut impl Write) -> anyhow::Result<()> {
    if args.json {
        let list = rows.iter().map(|row| {
            let names = |set: Capabilities| set.iter().map(Capability::name).collect::<Vec<_>>();
            json!({
                "name": row.name, "state": row.state(), "role": row.pin.role.name(),
                "digest": row.pin.digest.to_hex(),
                "was": row.before.as_ref().map(|before| before.digest.to_hex()),
                "size": row.pin.size, "abi": row.pin.abi, "imports": row.pin.imports,
                "capabilities": names(row.pin.capabilities), "withheld": names(row.withheld),
            })
        });
        let gone = gone.iter().map(|name| json!({ "name": name, "state": "gone" }));
        writeln!(out, "{}", list.chain(gone).collect::<Json>())?;
        return Ok(());
    }
    if rows.is_empty() && gone.is_empty() {
        writeln!(out, "There are no plugin files in reviver.toml.")?;
    }
    for row in rows {
        let Pin { role, digest, size, abi, imports, capabilities } = &row.pin;
        let was = match &row.before {
            Some(before) if before.digest != *digest => format!("{} -> ", before.digest.short()),
            _ => String::new(),
        };
        writeln!(out, "{:<8} {}: {role} plugin, {was}{}", row.state(), row.name, digest.short())?;
        writeln!(out, "         {size} bytes, contract {abi}, imports {}", imports.join(", "))?;
        if !capabilities.is_empty() {
            writeln!(out, "         asks for {capabilities}")?;
        }
        if !row.withheld.is_empty() {
            writeln!(
                out,
                "         not granted on this machine: {}; `reviver plugin pin {} --grant` does",
                row.withheld,
                word(&row.name)
            )?;
        }
    }
    for name in gone {
        writeln!(out, "{:<8} {name}", "gone")?;
    }
    Ok(())
}
