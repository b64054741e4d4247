//! `reviver plugin list`.

use crate::cli::context::Context;
use crate::cli::exit::Exit;
use crate::policy::Role;
use crate::repository::choose::{ChooseError, agrees};
use crate::repository::pin::uses;
use crate::repository::size::ByteSize;
use crate::runtime::{Bytes, Capabilities, Capability, PluginSource, inspect};
use crate::shipped;
use clap::Args;
use serde_json::{Value as Json, json};
use std::collections::BTreeSet;
use std::fs;
use std::io::Write;

/// What `plugin list` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct ListArgs {
    /// As JSON
    #[arg(long)]
    json: bool,
}

struct Row {
    name: String,
    role: String,
    from: String,
    digest: String,
    size: u64,
    capabilities: Vec<&'static str>,
    used_for: Vec<String>,
    /// Whether builds may use it; `None` for what is in the host and needs no pin.
    pinned: Option<Pinned>,
    problem: Option<String>,
}

/// How a plugin file stands to the lock file.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pinned {
    AsItIs,
    Not,
    Differs,
}

impl Pinned {
    const fn word(self) -> &'static str {
        match self {
            Self::AsItIs => "pinned",
            Self::Not => "NOT PINNED",
            Self::Differs => "DIFFERS",
        }
    }
}

/// Lists the plugins that the repository can use, and what it uses them for.
pub(super) fn list(context: &Context, args: &ListArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let own = context.place.settings.plugins.keys().cloned();
    let names: BTreeSet<String> =
        own.chain(shipped::all().iter().map(|shipped| shipped.name.to_owned())).collect();
    let rows: Vec<_> = names.iter().map(|name| row(context, name)).collect();
    let exit = if rows.iter().any(|row| row.problem.is_some()) { Exit::Plugin } else { Exit::Done };
    if args.json {
        let list = rows.iter().map(|row| {
            json!({
                "name": row.name, "role": row.role, "from": row.from, "digest": row.digest, "size": row.size,
                "capabilities": row.capabilities, "used_for": row.used_for,
                "pinned": row.pinned.map(Pinned::word), "problem": row.problem,
            })
        });
        writeln!(out, "{}", list.collect::<Json>())?;
        return Ok(exit);
    }
    for row in &rows {
        let digest = row.digest.get(..12).unwrap_or("-");
        let size = ByteSize(row.size).to_string();
        let pinned = row.pinned.map_or_else(String::new, |pinned| format!("   {}", pinned.word()));
        writeln!(out, "{:<18}{:<10}{digest:<14}{size:<10}{}{pinned}", row.name, row.role, row.from)?;
        if !row.capabilities.is_empty() {
            writeln!(out, "    may      {}", row.capabilities.join(", "))?;
        }
        for what in &row.used_for {
            writeln!(out, "    used for {what}")?;
        }
        if let Some(problem) = &row.problem {
            writeln!(out, "    PROBLEM  {problem}")?;
        }
    }
    Ok(exit)
}

fn row(context: &Context, name: &str) -> Row {
    let mut row = Row {
        name: name.to_owned(),
        role: "-".to_owned(),
        from: "-".to_owned(),
        digest: String::new(),
        size: 0,
        capabilities: Vec::new(),
        used_for: used_for(context, name),
        pinned: None,
        problem: None,
    };
    if let Err(problem) = fill(context, name, &mut row) {
        row.problem = Some(problem);
    }
    row
}

fn fill(context: &Context, name: &str, row: &mut Row) -> Result<(), String> {
    let source: PluginSource = context.plugin(name).map_err(|error: ChooseError| error.to_string())?;
    let bytes = match &source.bytes {
        Bytes::Embedded(bytes) => {
            "shipped".clone_into(&mut row.from);
            bytes.to_vec()
        }
        Bytes::File(path) => {
            row.from = path.display().to_string();
            fs::read(path).map_err(|error| error.to_string())?
        }
    };
    let inspection = inspect(&bytes).map_err(|kind| kind.to_string())?;
    inspection.role.name().clone_into(&mut row.role);
    (row.digest, row.size) = (inspection.digest.to_hex(), inspection.size);
    let (pinned, problem) = pinned(context, name, &source, inspection.role);
    row.pinned = pinned;
    // Of no other role is anything asked that could be granted.
    if inspection.role == Role::Key {
        let may = |chosen: crate::repository::choose::Trusted| chosen.source.capabilities;
        let capabilities = context.trusted(name, Role::Key).map_or(Capabilities::NONE, may);
        row.capabilities = capabilities.iter().map(Capability::name).collect();
    }
    problem.map_or(Ok(()), Err)
}

/// How a plugin file stands to the lock file, and why builds do not use it.
fn pinned(
    context: &Context,
    name: &str,
    source: &PluginSource,
    is: Role,
) -> (Option<Pinned>, Option<String>) {
    let settings = &context.place.settings;
    let Some(asked) = settings.plugins.get(name).filter(|plugin| plugin.path.is_some()) else {
        return (None, None);
    };
    let role = uses(settings, name).first().copied().unwrap_or(is);
    let error = match context.trust.lock() {
        Err(source) => ChooseError::Lock { plugin: name.to_owned(), source },
        Ok(lock) => match lock.pins.get(name) {
            None => ChooseError::Unpinned(name.to_owned()),
            Some(pin) => match agrees(name, source, role, asked.capabilities, pin) {
                Ok(()) => return (Some(Pinned::AsItIs), None),
                Err(error) => return (Some(Pinned::Differs), Some(error.to_string())),
            },
        },
    };
    (Some(Pinned::Not), Some(error.to_string()))
}

fn used_for(context: &Context, name: &str) -> Vec<String> {
    let settings = &context.place.settings;
    let mut uses: Vec<String> = settings
        .rules
        .iter()
        .filter(|rule| rule.plugin == name)
        .map(|rule| format!("`{}`", rule.command))
        .collect();
    if settings.metadata == name {
        uses.push("metadata".to_owned());
    }
    if settings.eviction == name {
        uses.push("eviction".to_owned());
    }
    match name {
        "key-cc" => uses.push("gcc, cc, clang, g++, c++, clang++".to_owned()),
        "key-rustc" => uses.push("rustc".to_owned()),
        "key-command" => uses.push("all other commands".to_owned()),
        _ => {}
    }
    uses
}
