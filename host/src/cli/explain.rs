//! `reviver explain`: the last operations, what became of them, and why.

use super::Global;
use super::context::{Context, now};
use super::exit::Exit;
use super::show;
use crate::digest::Digest;
use crate::reviver::explain::Explained;
use crate::reviver::identify::full;
use crate::reviver::journal::{self, Record, Result as Became};
use crate::reviver::list::Lists;
use crate::reviver::remember::Resolved;
use crate::reviver::value::Value;
use clap::Args;
use serde_json::{Value as Json, json};
use std::fs;
use std::io::Write;

/// What `explain` takes.
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// Only operations whose label, key or reason holds this text, or that became this, such as `differs`
    text: Option<String>,
    /// So many operations at most, the latest last
    #[arg(short = 'n', long, default_value_t = 10)]
    number: usize,
    /// Misses alone
    #[arg(long)]
    misses: bool,
    /// With everything that identifies each operation
    #[arg(short, long)]
    ingredients: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Tells what became of the last operations.
pub(super) fn explain(global: &Global, args: &ExplainArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let context = Context::here(global)?;
    let all = journal::latest(&context.store, &context.partition, usize::MAX);
    let holds = |record: &Record| match &args.text {
        None => true,
        Some(text) => {
            record.result.word() == text
                || record.label.contains(text)
                || record.key.starts_with(text)
                || record.reason.contains(text)
        }
    };
    let chosen: Vec<_> = all
        .into_iter()
        .filter(|record| record.result != Became::Trim)
        .filter(|record| holds(record) && (!args.misses || record.result == Became::Miss))
        .collect();
    let chosen = &chosen[chosen.len().saturating_sub(args.number)..];
    if args.json {
        let list: Vec<_> = chosen.iter().map(|record| as_json(&context, args, record)).collect();
        writeln!(out, "{}", Json::Array(list))?;
    } else {
        for record in chosen {
            tell(&context, args, record, out)?;
        }
        if chosen.is_empty() {
            writeln!(out, "No such operation of this repository is in the journal.")?;
        }
    }
    Ok(if chosen.is_empty() { Exit::Absent } else { Exit::Done })
}

fn tell(context: &Context, args: &ExplainArgs, record: &Record, out: &mut impl Write) -> anyhow::Result<()> {
    let label = if record.label.is_empty() { "(no label)" } else { &record.label };
    let key = record.key.get(..12).unwrap_or("-");
    let (age, took) = (show::ago(record.time, now()), show::duration(record.duration));
    let word = record.result.word();
    writeln!(out, "{word:<9} {label}  key {key}  {age}, {took}  by {}", record.plugin)?;
    match record.result {
        Became::Rechecked if !record.reason.is_empty() => writeln!(out, "          {}", record.reason)?,
        Became::Hit | Became::Rechecked | Became::Trim => {}
        Became::Differs => writeln!(out, "          the entry was set aside: {}", record.reason)?,
        Became::Uncached => writeln!(out, "          because {}", record.reason)?,
        Became::Miss => {
            match &record.differences {
                None => writeln!(out, "          nothing with this label was known")?,
                Some(differences) if differences.is_empty() => {
                    writeln!(out, "          nothing differs: the entry is gone, or was never recorded")?;
                }
                Some(differences) => {
                    for difference in differences {
                        writeln!(out, "          {difference}")?;
                    }
                }
            }
            if !record.reason.is_empty() {
                writeln!(out, "          not recorded: {}", record.reason)?;
            }
        }
    }
    if args.ingredients {
        for ingredient in ingredients(context, record) {
            let (kind, shown) = (&ingredient.kind, ingredient.shown());
            let place = if kind == "text" || ingredient.place == ingredient.label {
                String::new()
            } else {
                format!(" {}", ingredient.place)
            };
            writeln!(out, "          {kind:<8} {}{place} = {shown}", ingredient.label)?;
        }
    }
    Ok(())
}

/// What identified an operation: the ingredients of its base key, then those of the list that its key was made with.
fn ingredients(context: &Context, record: &Record) -> Vec<Explained> {
    let base = Digest::from_hex(&record.base);
    let lists = || {
        let bytes = fs::read(context.store.layout().companion(context.partition.id(), base?)).ok()?;
        Lists::from_bytes(&bytes, context.place.root.path.to_str()?).ok()
    };
    let (Some(base), Some(lists)) = (base, lists()) else { return Vec::new() };
    let mut all = lists.base;
    // A list is kept with its latest values alone: only under the key that they make were they this operation's.
    let key = |list: &Resolved| full(base, list.names, &list.values).to_string();
    match lists.lists.iter().find(|list| key(list) == record.key) {
        Some(list) => {
            let pairs = list.ingredients.iter().zip(&list.values);
            all.extend(pairs.map(|(ingredient, value)| Explained::kept(ingredient, value)));
        }
        None if lists.lists.is_empty() => {}
        None => all.push(Explained {
            label: "what the run discovered: its values are not kept any more".to_owned(),
            kind: "list".to_owned(),
            place: String::new(),
            value: Value::Absent,
        }),
    }
    all
}

fn as_json(context: &Context, args: &ExplainArgs, record: &Record) -> Json {
    let mut line = record.to_json();
    if args.ingredients {
        let all = ingredients(context, record);
        let all = all.iter().map(
            |one| json!({"label": one.label, "kind": one.kind, "place": one.place, "value": one.shown()}),
        );
        line["ingredients"] = all.collect();
    }
    line
}
