//! `reviver plugin check`.

use super::subject::Subject;
use crate::author::check::key::{Terms, key};
use crate::author::check::{
    Finding, Scenes, Subject as Checked, Verdict, eviction::eviction, example::example, given,
    metadata::metadata, purity::purity,
};
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::run::umask;
use crate::cli::show;
use crate::operation::Operation;
use crate::policy::Role;
use crate::reviver::remember::operations;
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;
use std::sync::Arc;

/// What `plugin check` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct CheckArgs {
    /// The name of a plugin, or a component's file
    plugin: String,
    /// A file with operations to ask a key plugin about, as JSON; may be given again [default: the latest that ran here,
    /// else an example]
    #[arg(long = "operation", value_name = "FILE")]
    operations: Vec<PathBuf>,
    /// So many of the operations that ran here at most
    #[arg(short = 'n', long, default_value_t = 20)]
    number: usize,
    /// The key plugin means its keys to depend on where the repository is
    #[arg(long)]
    located: bool,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// So many recorded operations are looked through for those of one plugin.
const RECORDED: usize = 10_000;

/// Puts a plugin to the test.
pub(super) fn check(context: &Context, args: &CheckArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let subject = Subject::find(context, &args.plugin)?;
    let inspection = subject.inspected()?;
    let checked = Checked { runtime: Arc::clone(&context.runtime), source: subject.source.clone() };
    let mut verdicts = vec![purity(&checked, &subject.component)];
    let mut over = None;
    match inspection.role {
        Role::Metadata => verdicts.extend(metadata(&checked)),
        Role::Eviction => verdicts.extend(eviction(&checked)),
        Role::Key => {
            let scratch = tempfile::tempdir().context("cannot make a temporary directory")?;
            let scenes = Scenes::new(scratch.path(), std::env::vars_os().collect(), umask(), Rc::new(now))?;
            let (operations, from) = asked_about(context, args, &subject, &scenes)?;
            verdicts.extend(key(&checked, &operations, &scenes, Terms { located: args.located }));
            over = Some((operations.len(), from));
        }
    }
    // What a guest logs is for its author; here it was asked hundreds of times.
    drop(context.runtime.take_log());
    let broken = verdicts.iter().filter(|verdict| verdict.finding == Finding::Broken).count();
    let exit = if broken > 0 { Exit::Plugin } else { Exit::Done };
    if args.json {
        let (role, digest) = (inspection.role.name(), inspection.digest.to_hex());
        let verdicts: Vec<_> = verdicts.iter().map(as_json).collect();
        let (number, from) = over.map_or((None, None), |(number, from)| (Some(number), Some(from)));
        let line = json!({"plugin": args.plugin, "role": role, "digest": digest, "operations": number,
            "operations_from": from, "broken": broken, "verdicts": verdicts});
        writeln!(out, "{line}")?;
        return Ok(exit);
    }
    let (role, digest) = (inspection.role, inspection.digest.short());
    write!(out, "{role} plugin {} ({digest})", args.plugin)?;
    match over {
        Some((number, from)) => {
            writeln!(out, ", over {} {from}", show::number(number, "operation", "operations"))?;
        }
        None => writeln!(out)?,
    }
    for verdict in &verdicts {
        tell(verdict, out)?;
    }
    match broken {
        0 => writeln!(out, "No law is found broken.")?,
        _ => writeln!(out, "{} broken.", show::number(broken, "law is", "laws are"))?,
    }
    Ok(exit)
}

/// The operations that a key plugin is asked about, and where they come from.
fn asked_about(
    context: &Context,
    args: &CheckArgs,
    subject: &Subject,
    scenes: &Scenes,
) -> anyhow::Result<(Vec<Operation>, &'static str)> {
    if !args.operations.is_empty() {
        let root = context.place.root.path.to_str().context("the repository's path is not UTF-8")?;
        let mut all = Vec::new();
        for path in &args.operations {
            let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
            all.extend(given::operations(&text, root).with_context(|| path.display().to_string())?);
        }
        return Ok((all, "that were given"));
    }
    let recorded = operations(&context.store, &context.partition, RECORDED);
    let asked = |operation: &Operation| subject.name.is_none() || subject.is_for(context, operation);
    let recorded: Vec<_> = recorded.into_iter().filter(asked).take(args.number).collect();
    if recorded.is_empty() {
        return Ok((example(scenes)?, "of an example: none that it is asked about ran here"));
    }
    Ok((recorded, "that ran here"))
}

fn tell(verdict: &Verdict, out: &mut impl Write) -> anyhow::Result<()> {
    let word = match verdict.finding {
        Finding::Held => "pass",
        Finding::Broken => "FAIL",
        Finding::Unchecked => "?",
    };
    write!(out, "{word:<5} {:<11} {}", verdict.law.name(), verdict.law.sentence())?;
    match verdict.finding {
        Finding::Unchecked => writeln!(out, ": could not be checked")?,
        _ => writeln!(out, " ({})", show::number(verdict.tested, "test", "tests"))?,
    }
    for ground in &verdict.grounds {
        writeln!(out, "      {}", show::path(ground.as_bytes()))?;
    }
    for note in &verdict.notes {
        writeln!(out, "      note: {}", show::path(note.as_bytes()))?;
    }
    Ok(())
}

fn as_json(verdict: &Verdict) -> serde_json::Value {
    let Verdict { law, finding, tested, grounds, notes } = verdict;
    json!({"law": law.name(), "says": law.sentence(), "finding": finding.word(), "tested": tested,
        "grounds": grounds, "notes": notes})
}
