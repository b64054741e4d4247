//! `reviver plugin diff`.

use super::subject::Subject;
use crate::author::diff::eviction::{Orders, orders};
use crate::author::diff::key::{Became, Compared, Keys, keys};
use crate::author::diff::metadata::{Hunks, hunks, outcomes};
use crate::cli::context::{Context, faulty, now};
use crate::cli::exit::Exit;
use crate::cli::run::umask;
use crate::cli::show;
use crate::cli::what::What;
use crate::key::Key;
use crate::operation::Operation;
use crate::policy::{Budget, Fault, Role};
use crate::reviver::rehearse::Rehearsal;
use crate::reviver::remember::operations;
use crate::reviver::secret::secret;
use crate::runtime::{WasmCodec, WasmEviction, WasmKey};
use crate::time::Clock;
use anyhow::bail;
use clap::Args;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

/// What `plugin diff` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct DiffArgs {
    /// The former version: the name of a plugin, or a component's file
    old: String,
    /// The latter version
    new: String,
    /// Over all operations that ran here, not only those that either plugin is asked about
    #[arg(long)]
    all: bool,
    /// So many changes of each kind at most are shown
    #[arg(short = 'n', long, default_value_t = 10)]
    number: usize,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// The most recorded operations or outcomes that are compared.
const MOST: usize = 2_000;

/// Tells what another version of a plugin changes.
pub(super) fn diff(context: &Context, args: &DiffArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let (mut old, mut new) = (Subject::find(context, &args.old)?, Subject::find(context, &args.new)?);
    let (role, other) = (old.inspected()?.role, new.inspected()?.role);
    if role != other {
        bail!("`{}` is a {role} plugin and `{}` a {other} plugin", args.old, args.new);
    }
    // A former version is a file that nothing configures any more.
    match (&old.name, &new.name) {
        (None, Some(_)) => old.configured_like(&new.source),
        (Some(_), None) => new.configured_like(&old.source),
        _ => {}
    }
    let exit = match role {
        Role::Key => diff_keys(context, args, (&old, &new), out)?,
        Role::Metadata => diff_hunks(context, args, (old, new), out)?,
        Role::Eviction => diff_orders(context, args, (old, new), out)?,
    };
    // What guests log is for whoever runs them.
    drop(context.runtime.take_log());
    Ok(exit)
}

fn verdict(differ: bool, faults: bool) -> Exit {
    match (faults, differ) {
        (true, _) => Exit::Plugin,
        (false, true) => Exit::Absent,
        (false, false) => Exit::Done,
    }
}

fn diff_keys(
    context: &Context,
    args: &DiffArgs,
    (old, new): (&Subject, &Subject),
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let recorded = operations(&context.store, &context.partition, MOST);
    let anonymous = old.name.is_none() && new.name.is_none();
    let asked = |operation: &Operation| {
        args.all || anonymous || old.is_for(context, operation) || new.is_for(context, operation)
    };
    let recorded: Vec<_> = recorded.into_iter().filter(asked).collect();
    let (there, gone): (Vec<_>, Vec<_>) = recorded
        .into_iter()
        .partition(|operation| Path::new(&operation.root).join(&operation.directory).is_dir());
    let variables: BTreeMap<_, _> = std::env::vars_os().collect();
    let (umask, clock): (u32, Rc<dyn Clock>) = (umask(), Rc::new(now));
    let rehearsal = |operation: &Rc<Operation>| {
        let cache = (&context.store, &context.partition);
        Rehearsal::new(operation, (&variables, umask), cache, &context.table, &clock)
    };
    let policy = |subject: &Subject| WasmKey::new(Arc::clone(&context.runtime), subject.source.clone());
    let keys = keys((&policy(old), &policy(new)), there, &rehearsal, &secret(&context.store)?);
    let exit = verdict(keys.differ(), keys.count("fault") > 0);
    if args.json {
        writeln!(out, "{}", keys_as_json(&keys, gone.len()))?;
        return Ok(exit);
    }
    tell_keys(&keys, gone.len(), args, out)?;
    Ok(exit)
}

fn tell_keys(keys: &Keys, gone: usize, args: &DiffArgs, out: &mut impl Write) -> anyhow::Result<()> {
    let (all, equal) = (keys.compared.len(), keys.count("equal"));
    if all == 0 {
        writeln!(out, "No operation that these plugins are asked about ran here; nothing is compared.")?;
    }
    let operations = show::number(all, "operation", "operations");
    writeln!(out, "{operations}: {equal} with the same key, {} with another", keys.count("changed"))?;
    writeln!(out, "keys that merge: {}, that split: {}", keys.merged.len(), keys.split.len())?;
    let (refused, accepted) = (keys.count("newly-refused"), keys.count("newly-accepted"));
    let (both, faults) = (keys.count("refused"), keys.count("fault"));
    writeln!(
        out,
        "{refused} newly refused, {accepted} newly accepted, {both} refused by both, {faults} faults"
    )?;
    if gone > 0 {
        writeln!(out, "{gone} not compared: their directory is gone")?;
    }
    for (word, groups) in [("merge", &keys.merged), ("split", &keys.split)] {
        for group in groups.iter().take(args.number) {
            writeln!(out, "{word}")?;
            for at in group.iter().take(args.number) {
                let compared = &keys.compared[*at];
                writeln!(out, "    {}  {}", shown(&compared.label), command(compared))?;
            }
        }
    }
    for word in ["changed", "newly-refused", "newly-accepted", "refused", "fault"] {
        let became = keys.compared.iter().filter(|compared| compared.became.word() == word);
        // That both refuse alike is no change.
        let alike =
            |compared: &&Compared| !matches!(&compared.became, Became::Refused { was, now } if was == now);
        for compared in became.filter(alike).take(args.number) {
            writeln!(out, "{word}  {}  {}", shown(&compared.label), command(compared))?;
            for line in lines(&compared.became).iter().take(args.number) {
                writeln!(out, "    {}", shown(line))?;
            }
        }
    }
    Ok(())
}

/// What there is to tell of one operation.
fn lines(became: &Became) -> Vec<String> {
    match became {
        Became::Equal => Vec::new(),
        Became::Changed(differences) => differences.iter().map(ToString::to_string).collect(),
        Became::NewlyRefused(why) => vec![why.clone()],
        Became::NewlyAccepted(why) => vec![format!("was refused: {why}")],
        Became::Refused { was, now } => vec![format!("was refused: {was}"), format!("is refused: {now}")],
        Became::Faulty(faults) => faults.iter().map(ToString::to_string).collect(),
    }
}

fn shown(text: &str) -> String {
    show::path(text.as_bytes())
}

fn command(compared: &Compared) -> String {
    let Operation { argv, directory, .. } = &*compared.operation;
    let place = if directory.is_empty() { String::new() } else { format!(" in {directory}") };
    shown(&format!("`{}`{place}", argv.join(" ")))
}

fn keys_as_json(keys: &Keys, gone: usize) -> Json {
    let compared = keys.compared.iter().map(|compared| {
        let Compared { operation, label, became } = compared;
        json!({"label": label, "argv": operation.argv, "directory": operation.directory,
            "became": became.word(), "because": lines(became)})
    });
    json!({"role": "key", "operations": keys.compared.len(), "gone": gone, "equal": keys.count("equal"),
        "changed": keys.count("changed"), "newly_refused": keys.count("newly-refused"),
        "newly_accepted": keys.count("newly-accepted"), "refused": keys.count("refused"),
        "faults": keys.count("fault"), "merged": keys.merged, "split": keys.split,
        "compared": compared.collect::<Json>()})
}

fn diff_hunks(
    context: &Context,
    args: &DiffArgs,
    (old, new): (Subject, Subject),
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let outcomes = outcomes(&context.partition, MOST)?;
    let codec = |subject: Subject| WasmCodec::new(Arc::clone(&context.runtime), subject.source);
    let found = hunks((&codec(old), &codec(new)), &outcomes);
    let exit = verdict(found.differ(), !found.faults.is_empty());
    let Hunks { outcomes, equal, changed, newly_refused, newly_accepted, refused, lost, readable, .. } =
        found;
    let Hunks { old_bytes, new_bytes, faults, .. } = found;
    let faults: Vec<_> = faults.iter().map(ToString::to_string).collect();
    if args.json {
        let line = json!({"role": "metadata", "outcomes": outcomes, "equal": equal, "changed": changed,
            "newly_refused": newly_refused, "newly_accepted": newly_accepted, "refused": refused, "lost": lost,
            "readable": readable, "old_bytes": old_bytes, "new_bytes": new_bytes, "faults": faults});
        writeln!(out, "{line}")?;
        return Ok(exit);
    }
    writeln!(
        out,
        "{}: {equal} have the same hunk, {changed} another",
        show::number(outcomes, "outcome", "outcomes")
    )?;
    writeln!(
        out,
        "{newly_refused} newly refused, {newly_accepted} newly accepted, {refused} refused by both"
    )?;
    writeln!(
        out,
        "{lost} come back otherwise than they were; {readable} former hunks can be read, which no hit needs"
    )?;
    writeln!(out, "{old_bytes} bytes before, {new_bytes} now")?;
    for fault in faults.iter().take(args.number) {
        writeln!(out, "fault  {fault}")?;
    }
    Ok(exit)
}

fn diff_orders(
    context: &Context,
    args: &DiffArgs,
    (old, new): (Subject, Subject),
    out: &mut impl Write,
) -> anyhow::Result<Exit> {
    let entries = context.partition.candidates()?;
    let used = context.partition.stats()?.bytes;
    let budget = Budget { limit: context.place.user.size.0, used, entries: entries.len() as u64 };
    let policy = |subject: Subject| WasmEviction::new(Arc::clone(&context.runtime), subject.source);
    let found = orders((&policy(old), &policy(new)), &entries, now(), budget);
    let found = found.map_err(|fault: Box<Fault>| faulty(*fault))?;
    let Orders { entries, moved, correlation, only_old, only_new } = found;
    let exit = verdict(moved > 0, false);
    if args.json {
        let keys = |keys: &[Key]| keys.iter().map(ToString::to_string).collect::<Vec<_>>();
        let line = json!({"role": "eviction", "entries": entries, "moved": moved, "correlation": correlation,
            "only_old": keys(&only_old), "only_new": keys(&only_new)});
        writeln!(out, "{line}")?;
        return Ok(exit);
    }
    let number = show::number(entries, "entry", "entries");
    writeln!(out, "{number}: {moved} have another place in the order, rank correlation {correlation:.3}")?;
    writeln!(out, "until half of the bytes are gone, {} go otherwise", only_old.len().max(only_new.len()))?;
    let what = What::of(context)?;
    for (word, keys) in [("only before", &only_old), ("only now   ", &only_new)] {
        for key in keys.iter().take(args.number) {
            writeln!(out, "{word}  {key}  {}", what.is(*key))?;
        }
    }
    Ok(exit)
}
