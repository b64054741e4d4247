//! `reviver plugin bench`.

use super::answer::grouped;
use super::run::{caller, questions};
use super::subject::Subject;
use crate::author::bench::{Case, Cost, Ended, Measured, Rounds, measure, typical};
use crate::author::call::{Caller, Surroundings};
use crate::cli::context::{Context, faulty};
use crate::cli::exit::Exit;
use crate::cli::show;
use crate::policy::{Fault, Role};
use anyhow::bail;
use clap::Args;
use serde_json::{Value as Json, json};
use std::io::{self, Write};
use std::path::PathBuf;

/// What `plugin bench` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct BenchArgs {
    /// The name of a plugin, or a component's file
    plugin: String,
    /// The plugin to compare with [default: key-command, metadata-compact or evict-lru, as the role is]
    #[arg(long, value_name = "PLUGIN")]
    against: Option<String>,
    /// Questions as JSON objects, instead of typical ones; may be given again
    #[arg(long = "call", value_name = "FILE")]
    calls: Vec<PathBuf>,
    /// Measure less often
    #[arg(long)]
    quick: bool,
    /// As JSON, times in nanoseconds
    #[arg(long)]
    json: bool,
}

/// Compares what calls of a plugin cost with another one, in turns.
pub(super) fn bench(context: &Context, args: &BenchArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let subject = Subject::find(context, &args.plugin)?;
    let role = role(&subject)?;
    let usual = match role {
        Role::Key => "key-command",
        Role::Metadata => "metadata-compact",
        Role::Eviction => "evict-lru",
    };
    let other = Subject::find(context, args.against.as_deref().unwrap_or(usual))?;
    if self::role(&other)? != role {
        bail!("`{}` is a plugin of another role than `{}`", other.source.name, args.plugin);
    }
    let callers = [caller(context, &subject), caller(context, &other)];
    let sides = [&callers[0], &callers[1]];
    let cases = cases(context, args, role, sides)?;
    let rounds = if args.quick { Rounds { calls: 11, loads: 11 } } else { Rounds { calls: 101, loads: 101 } };
    let measured = measure(sides, role, &cases, rounds).map_err(|fault| faulty(*fault))?;
    if args.json {
        writeln!(out, "{}", json([&subject, &other], &cases, &measured))?;
    } else {
        table([&subject, &other], &cases, &measured, out)?;
    }
    let fault = measured[0].calls.iter().any(|cost| matches!(cost.ended, Ended::Fault(_)));
    Ok(if fault { Exit::Plugin } else { Exit::Done })
}

fn role(subject: &Subject) -> anyhow::Result<Role> {
    let kind = match &subject.inspection {
        Ok(inspection) => return Ok(inspection.role),
        Err(kind) => kind.clone(),
    };
    let (plugin, digest) = (subject.source.name.clone(), subject.source.digest);
    Err(faulty(Fault { plugin, digest, role: Role::Key, function: "", kind }))
}

fn cases(context: &Context, args: &BenchArgs, role: Role, sides: [&Caller; 2]) -> anyhow::Result<Vec<Case>> {
    if args.calls.is_empty() {
        return Ok(typical(role, sides));
    }
    let root = context.place.root.path.to_string_lossy();
    let around = Surroundings { root: &root, role: Some(role) };
    let mut cases = Vec::new();
    for file in &args.calls {
        for (number, question) in questions(Some(file), &around)?.into_iter().enumerate() {
            cases.push(Case::alike(format!("{} {}", file.display(), number + 1), question));
        }
    }
    Ok(cases)
}

fn ended(ended: Ended) -> String {
    match ended {
        Ended::Answered => "answered".to_owned(),
        Ended::Refused => "refused".to_owned(),
        Ended::Fault(code) => format!("fault ({code})"),
    }
}

fn refused(measured: &Measured) -> usize {
    measured.calls.iter().filter(|cost| cost.ended == Ended::Refused).count()
}

fn ratio(one: u64, other: u64) -> Option<f64> {
    (other != 0).then(|| (one as f64 / other as f64 * 1000.0).round() / 1000.0)
}

fn table(
    subjects: [&Subject; 2],
    cases: &[Case],
    measured: &[Measured; 2],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut line = |what: &str, values: [String; 2], numbers: [u64; 2]| {
        let ratio =
            ratio(numbers[0], numbers[1]).map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        writeln!(out, "{what:<34}{:>20}{:>20}{ratio:>9}", values[0], values[1])
    };
    let both = |of: &dyn Fn(usize) -> u64| [of(0), of(1)];
    let micros = |numbers: [u64; 2]| numbers.map(|time| format!("{:.1} us", time as f64 / 1e3));
    let units = |numbers: [u64; 2], unit: &str| numbers.map(|number| format!("{}{unit}", grouped(number)));
    let names = subjects.map(|subject| show::path(subject.source.name.as_bytes()));
    let short = |name: &String| name.rsplit('/').next().unwrap_or_default().to_owned();
    line("", [short(&names[0]), short(&names[1])], [0, 0])?;
    let size = both(&|side| subjects[side].component.len() as u64);
    line("component", units(size, " B"), size)?;
    let compile = both(&|side| measured[side].compile);
    line("compile, once", micros(compile), compile)?;
    let load = both(&|side| measured[side].load);
    line("load", micros(load), load)?;
    for (position, case) in cases.iter().enumerate() {
        let cost = |side: usize| -> &Cost { &measured[side].calls[position] };
        let time = both(&|side| cost(side).time);
        line(&show::path(case.name.as_bytes()), micros(time), time)?;
        let fuel = both(&|side| cost(side).fuel);
        line("  fuel", units(fuel, ""), fuel)?;
        let memory = both(&|side| cost(side).memory);
        line("  memory", units(memory, " B"), memory)?;
        if [0, 1].iter().any(|side| cost(*side).ended != Ended::Answered) {
            line("  ended", [0, 1].map(|side| ended(cost(side).ended)), [0, 0])?;
        }
    }
    for (name, measured) in names.iter().zip(measured) {
        let (calls, refused) = (measured.calls.len(), refused(measured));
        writeln!(out, "{name}: {}, {refused} refused", show::number(calls, "question", "questions"))?;
    }
    Ok(())
}

fn json(subjects: [&Subject; 2], cases: &[Case], measured: &[Measured; 2]) -> Json {
    let plugin = |side: usize| {
        let (subject, measured) = (subjects[side], &measured[side]);
        json!({
            "name": subject.source.name, "digest": subject.source.digest.to_hex(),
            "size": subject.component.len(), "compile_ns": measured.compile, "load_ns": measured.load,
            "refused": refused(measured),
        })
    };
    let call = |(position, case): (usize, &Case)| {
        let cost = |side: usize| {
            let Cost { ended: end, time, fuel, memory } = measured[side].calls[position];
            json!({"ended": ended(end), "time_ns": time, "fuel": fuel, "memory": memory})
        };
        let times = [0, 1].map(|side| measured[side].calls[position].time);
        json!({
            "name": case.name, "plugin": cost(0), "against": cost(1), "ratio": ratio(times[0], times[1]),
        })
    };
    json!({
        "plugin": plugin(0), "against": plugin(1),
        "calls": cases.iter().enumerate().map(call).collect::<Json>(),
    })
}
