//! `reviver plugin run`: one call of a plugin, or many for a program.

use super::answer::{self, Colours};
use super::subject::Subject;
use crate::author::call::{Asked, Caller, Machine, Question, QuestionError, Reply, Surroundings};
use crate::cli::context::{Context, now};
use crate::cli::exit::Exit;
use crate::cli::operation::{Declared, operation, texts};
use crate::cli::run::umask;
use crate::repository::choose::key_plugin;
use anyhow::{Context as _, anyhow, bail};
use clap::Args;
use serde_json::{Value as Json, json};
use std::ffi::OsString;
use std::fs;
use std::io::{self, BufRead, IsTerminal as _, Read as _, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

/// What `plugin run` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct RunArgs {
    /// The name of a plugin, or a component's file
    plugin: String,
    /// Questions as JSON objects, one after the other [default: standard input]
    #[arg(conflicts_with = "calls")]
    file: Option<PathBuf>,
    /// Answer one question on each line of standard input with one line, until its end
    #[arg(long)]
    calls: bool,
    /// The answers as JSON, one on each line
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    declared: Declared,
    /// A command that `derive` is asked about, as `reviver run` would ask
    #[arg(last = true, value_name = "COMMAND", conflicts_with_all = ["file", "calls"])]
    command: Vec<OsString>,
}

/// Asks a plugin.
pub(super) fn run(context: &Context, args: &RunArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let subject = Subject::find(context, &args.plugin)?;
    let root = context.place.root.path.to_string_lossy();
    let around = Surroundings { root: &root, role: subject.role() };
    let caller = caller(context, &subject);
    if args.calls {
        return serve(&caller, &around, &mut io::stdin().lock(), &mut io::stdout().lock());
    }
    let questions = if args.command.is_empty() {
        if !args.declared.is_empty() {
            bail!("--in, --out and --env belong to a command, which stands behind `--`");
        }
        questions(args.file.as_deref(), &around)?
    } else {
        let argv = texts(&args.command, "argument")?;
        let (rule, _) = key_plugin(&context.place.settings, &argv);
        let operation = operation(&args.declared, argv, &context.place, rule)?;
        vec![Question { asked: Asked::Derive(operation), host: None }]
    };
    let colours = Colours::of_this_terminal();
    let mut exit = Exit::Done;
    for question in &questions {
        let answer = caller.ask(question);
        exit = match (&answer.reply, exit) {
            (Reply::Fault(_), _) | (_, Exit::Plugin) => Exit::Plugin,
            (Reply::Refused(_) | Reply::Declined(_), _) => Exit::Absent,
            (_, exit) => exit,
        };
        if args.json {
            writeln!(out, "{}", answer.to_json())?;
        } else {
            answer::tell(question, &answer, &subject.source.limits, colours, out)?;
        }
    }
    Ok(exit)
}

/// Somebody who asks this plugin, and shows it this machine.
pub(super) fn caller(context: &Context, subject: &Subject) -> Caller {
    let machine = Machine {
        store: context.store.clone(),
        partition: context.partition.clone(),
        table: Rc::clone(&context.table),
        clock: Rc::new(now),
        variables: std::env::vars_os().collect(),
        umask: umask(),
        terminal: io::stderr().is_terminal(),
    };
    let start = Instant::now();
    let ticks = Rc::new(move || start.elapsed().as_nanos() as u64);
    Caller::new(Arc::clone(&context.runtime), subject.source.clone(), machine, ticks)
}

/// Answers each line at once.
fn serve(
    caller: &Caller,
    around: &Surroundings<'_>,
    questions: &mut impl BufRead,
    answers: &mut impl Write,
) -> anyhow::Result<Exit> {
    let mut line = Vec::new();
    loop {
        line.clear();
        if questions.read_until(b'\n', &mut line).context("cannot read standard input")? == 0 {
            return Ok(Exit::Done);
        }
        let question = serde_json::from_slice::<Json>(&line).map_err(|error| error.to_string());
        let question =
            question.and_then(|json| Question::read(&json, around).map_err(|error| error.to_string()));
        let answer = match question {
            Ok(question) => caller.ask(&question).to_json(),
            Err(error) => json!({"error": error}),
        };
        let told = writeln!(answers, "{answer}").and_then(|()| answers.flush());
        match told {
            // Whoever asked wants to know no more.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => return Ok(Exit::Done),
            told => told.context("cannot write to standard output")?,
        }
    }
}

/// All questions of a file, or of standard input. None is asked where one of them is wrong.
pub(super) fn questions(file: Option<&Path>, around: &Surroundings<'_>) -> anyhow::Result<Vec<Question>> {
    let file = file.filter(|file| *file != Path::new("-"));
    let (name, bytes) = if let Some(file) = file {
        let name = file.display().to_string();
        let bytes = fs::read(file).with_context(|| format!("cannot read {name}"))?;
        (name, bytes)
    } else {
        let mut bytes = Vec::new();
        io::stdin().lock().read_to_end(&mut bytes).context("cannot read standard input")?;
        ("standard input".to_owned(), bytes)
    };
    let text = String::from_utf8(bytes).map_err(|_| anyhow!("{name} is not UTF-8"))?;
    let mut objects = serde_json::Deserializer::from_str(&text).into_iter::<Json>();
    let mut questions = Vec::new();
    loop {
        let start = objects.byte_offset();
        let Some(object) = objects.next() else { break };
        let object = object.map_err(|error| {
            let (line, column) = (error.line(), error.column());
            let what = error.to_string();
            // The error tells the place itself, in words that no editor follows.
            let what = what.strip_suffix(&format!(" at line {line} column {column}")).unwrap_or(&what);
            anyhow!("{name}:{line}:{column}: {what}")
        })?;
        let wrong = |error: QuestionError| {
            let (line, column) = error.place.line_and_column(&text, start);
            anyhow!("{name}:{line}:{column}: {error}")
        };
        questions.push(Question::read(&object, around).map_err(wrong)?);
    }
    if questions.is_empty() {
        bail!("{name} holds no question; `docs/calls.md` tells what one looks like");
    }
    Ok(questions)
}
