//! Diagnostics are what the compiler shows by itself, on a terminal and in a pipe, made or revived.
//!
//! The terminal is a real one, made by `script`, whose width is not known, so that no compiler cuts lines at it.

use crate::support::{REVIVER, Ran, Repository, Verdict, installed, settle};
use anyhow::{Result, ensure};
use serde_json::{Value as Json, json};
use std::process::Output;

/// The compilers, each with a source that it has something to say about.
const COMPILERS: [(&str, &str); 4] = [("gcc", "a.c"), ("clang", "a.c"), ("g++", "b.cc"), ("clang++", "b.cc")];

const C: &str = "int f(int a_parameter_with_a_rather_long_name) { int unused; if (a_parameter_with_a_rather_long_name = 1) return 2; }\n";
const CXX: &str = "template <class T> T f(T x) { int unused; if (x = 1) return x; return x; }\nint g(int y) { f(y) == y; return f(y); }\n";

/// Where standard error goes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum To {
    Terminal,
    Pipe,
}

/// Whatever a terminal is told that is no text begins with this byte.
const ESCAPE: u8 = 0x1b;

fn repository() -> Result<Option<Repository>> {
    if !installed("script") {
        return Ok(None);
    }
    let repository = Repository::new()?;
    repository.write("a.c", C)?;
    repository.write("b.cc", CXX)?;
    settle();
    Ok(Some(repository))
}

/// What a command shows, with these variables around it.
fn shows(repository: &Repository, to: To, variables: &[(&str, &str)], command: &str) -> Result<Ran> {
    let mut process = match to {
        To::Terminal => repository.command("script"),
        To::Pipe => repository.command("sh"),
    };
    match to {
        To::Terminal => process.args(["-qec", command, "/dev/null"]),
        To::Pipe => process.args(["-c", command]),
    };
    let output = process.envs(variables.iter().copied()).output()?;
    // A terminal has one stream, and ends lines in its own way.
    Ok(match to {
        To::Terminal => {
            let shown = String::from_utf8(output.stdout)?.replace("\r\n", "\n").into_bytes();
            Ran::from(Output { stdout: Vec::new(), stderr: shown, ..output })
        }
        To::Pipe => Ran::from(output),
    })
}

/// Runs a command under `run`, and holds it to what it shows by itself and to an object that is the same.
fn same(
    repository: &Repository,
    to: To,
    variables: &[(&str, &str)],
    command: &str,
) -> Result<(Ran, Verdict)> {
    let plain = shows(repository, to, variables, command)?;
    let object = repository.read("o.o").ok();
    if object.is_some() {
        repository.remove(&["o.o"])?;
    }
    let ran = shows(repository, to, variables, &format!("{REVIVER} run -v -- {command}"))?;
    let told = |ran: &Ran| (ran.code, ran.out(), ran.err());
    ensure!(
        told(&ran) == told(&plain),
        "{command} to {to:?} with {variables:?} shows\n{:?}\ninstead of\n{:?}",
        told(&ran),
        told(&plain)
    );
    ensure!(repository.read("o.o").ok() == object, "{command} to {to:?} with {variables:?}: another object");
    let verdict = ran.verdict.clone();
    Ok((ran, verdict))
}

const XTERM: [(&str, &str); 1] = [("TERM", "xterm-256color")];

#[test]
fn a_terminal_gets_colours_and_a_pipe_gets_none_whichever_came_first() -> Result<()> {
    let Some(repository) = repository()? else { return Ok(()) };
    for (compiler, source) in COMPILERS.into_iter().filter(|(compiler, _)| installed(compiler)) {
        for (first, second) in [(To::Terminal, To::Pipe), (To::Pipe, To::Terminal)] {
            // Another key for each order.
            let command = format!("{compiler} -Wall -Wextra -DORDER={first:?} -c {source} -o o.o");
            for (to, expected) in [
                (first, Verdict::Miss),
                (second, Verdict::Miss),
                (first, Verdict::Hit),
                (second, Verdict::Hit),
                (first, Verdict::Hit),
            ] {
                let (ran, verdict) = same(&repository, to, &XTERM, &command)?;
                ensure!(verdict == expected, "{command} to {to:?}: {ran:?}");
                ensure!(ran.err().contains("unused"), "there is something to say: {ran:?}");
                ensure!(ran.stderr.contains(&ESCAPE) == (to == To::Terminal), "{command} to {to:?}: {ran:?}");
            }
        }
    }
    Ok(())
}

#[test]
fn variables_decide_what_a_terminal_gets_as_they_do_by_themselves() -> Result<()> {
    let Some(repository) = repository()? else { return Ok(()) };
    let cases: [&[(&str, &str)]; 14] = [
        &[],
        &[("TERM", "")],
        &[("TERM", "dumb")],
        &[("TERM", "xterm")],
        &[("TERM", "linux")],
        &[("TERM", "vt100")],
        &[("TERM", "xterm"), ("COLORTERM", "truecolor")],
        &[("TERM", "xterm-256color"), ("COLORTERM", "gnome-terminal")],
        &[("TERM", "xterm-256color"), ("GCC_COLORS", "")],
        &[("TERM", "xterm-256color"), ("GCC_COLORS", "warning=01;32")],
        &[("TERM", "xterm-256color"), ("GCC_URLS", "st")],
        &[("TERM", "xterm-256color"), ("TERM_URLS", "no")],
        &[("TERM", "dumb"), ("COLUMNS", "200")],
        &[("TERM", "xterm-256color"), ("NO_COLOR", "1")],
    ];
    for (compiler, source) in COMPILERS.into_iter().take(2).filter(|(compiler, _)| installed(compiler)) {
        let command = format!("{compiler} -Wall -c {source} -o o.o");
        for variables in cases {
            same(&repository, To::Terminal, variables, &command)?;
            let (ran, verdict) = same(&repository, To::Terminal, variables, &command)?;
            ensure!(verdict == Verdict::Hit, "{command} with {variables:?}: {ran:?}");
            let (piped, _) = same(&repository, To::Pipe, variables, &command)?;
            ensure!(!piped.stderr.contains(&ESCAPE), "{command} with {variables:?}: {piped:?}");
        }
    }
    // clang breaks lines at the columns that it is told of, and at no other terminal's.
    if installed("clang") {
        let narrow = [("TERM", "xterm"), ("COLUMNS", "50")];
        for _ in 0..2 {
            same(&repository, To::Terminal, &narrow, "clang -Wall -c a.c -o o.o")?;
        }
    }
    Ok(())
}

#[test]
fn options_decide_before_the_terminal_does() -> Result<()> {
    let Some(repository) = repository()? else { return Ok(()) };
    for (compiler, source) in COMPILERS.into_iter().take(2).filter(|(compiler, _)| installed(compiler)) {
        let mut options = vec![
            "-fdiagnostics-color=never",
            "-fno-diagnostics-color",
            "-fdiagnostics-color=always",
            "-fdiagnostics-color=auto",
            "-fdiagnostics-color",
            "-fdiagnostics-color=always -fdiagnostics-color=never",
        ];
        options.extend(match compiler {
            "gcc" => ["-fdiagnostics-urls=never", "-fdiagnostics-urls=always"],
            _ => ["-fno-color-diagnostics", "-fcolor-diagnostics"],
        });
        for option in options {
            let command = format!("{compiler} -Wall {option} -c {source} -o o.o");
            for (to, expected) in [
                (To::Terminal, None),
                (To::Pipe, None),
                (To::Terminal, Some(Verdict::Hit)),
                (To::Pipe, Some(Verdict::Hit)),
            ] {
                let (ran, verdict) = same(&repository, to, &XTERM, &command)?;
                ensure!(expected.is_none_or(|expected| verdict == expected), "{command} to {to:?}: {ran:?}");
            }
        }
    }
    Ok(())
}

/// gcc puts the option for links into debugging information, as it does with many that change no code.
#[test]
fn what_is_shown_does_not_change_the_object() -> Result<()> {
    let Some(repository) = repository()? else { return Ok(()) };
    for (compiler, source) in COMPILERS.into_iter().filter(|(compiler, _)| installed(compiler)) {
        let command = format!("{compiler} -g -Wall -c {source} -o o.o");
        // A terminal for which gcc makes no links.
        for to in [To::Terminal, To::Pipe, To::Terminal] {
            same(&repository, to, &[("TERM", "xterm")], &command)?;
        }
    }
    Ok(())
}

#[test]
fn errors_are_coloured_too_although_nothing_is_recorded() -> Result<()> {
    let Some(repository) = repository()? else { return Ok(()) };
    repository.write("bad.c", "int f(void) { return undeclared; }\n")?;
    for compiler in ["gcc", "clang"].into_iter().filter(|compiler| installed(compiler)) {
        let command = format!("{compiler} -c bad.c -o o.o");
        let (ran, verdict) = same(&repository, To::Terminal, &XTERM, &command)?;
        ensure!(verdict == Verdict::Unrecorded("exit status 1".to_owned()), "{ran:?}");
        ensure!(ran.stderr.contains(&ESCAPE), "{ran:?}");
    }
    Ok(())
}

/// Whoever asks a plugin by hand says what its standard error is.
#[test]
fn a_question_may_have_a_terminal() -> Result<()> {
    let repository = Repository::new()?;
    let ask = |terminal: &str| -> Result<Json> {
        let answers = [
            (vec!["--version"], "gcc 12\nFree Software Foundation", ""),
            (
                vec!["-E", "-v", "-x", "c", "/dev/null"],
                "",
                "#include <...> search starts here:\nEnd of search list.",
            ),
            (vec!["-print-prog-name=cc1"], "/cc1", ""),
            (vec!["-print-prog-name=as"], "as", ""),
            (vec!["-print-search-dirs"], "install: /gcc", ""),
        ];
        let answers = answers.map(
            |(arguments, stdout, stderr)| json!({"arguments": arguments, "stdout": stdout, "stderr": stderr}),
        );
        let mut host = json!({"variables": {"TERM": "xterm"}, "answers": answers});
        host["terminal"] = serde_json::from_str(terminal)?;
        let question = json!({"operation": {"argv": ["gcc", "-c", "a.c"]}, "host": host});
        repository.write("question.json", question.to_string())?;
        let asked = repository.ask(&["plugin", "run", "key-cc", "--json", "question.json"])?;
        Ok(serde_json::from_slice(if asked.code == Some(0) { &asked.stdout } else { b"null" })?)
    };
    let coloured = |answer: &Json| {
        let arguments = answer["ok"]["arguments"].as_array().cloned().unwrap_or_default();
        arguments.contains(&json!("-fdiagnostics-color=always"))
    };
    let (with, without) = (ask("true")?, ask("null")?);
    ensure!(
        coloured(&with) && with["looks"].as_array().is_some_and(|it| it.contains(&json!("terminal"))),
        "{with}"
    );
    ensure!(!coloured(&without) && without["ok"].is_object(), "{without}");
    ensure!(ask("1")?.is_null(), "a terminal is there or not");
    Ok(())
}
