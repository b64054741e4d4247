//! `plugin run`, `plugin inspect` and `plugin bench`: one call of a plugin and what it takes, for people and for programs.

use crate::hostile::{ATTACKS, guest};
use crate::support::{Ran, Repository, installed, settle};
use anyhow::{Context as _, Result, ensure};
use serde_json::{Value as Json, json};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::Stdio;

/// `plugin run` with these arguments and questions.
fn asked(repository: &Repository, arguments: &[&str], questions: &str) -> Result<Ran> {
    repository.write("questions.json", questions)?;
    let mut all = vec!["plugin", "run", arguments[0], "questions.json"];
    all.extend(&arguments[1..]);
    repository.ask(&all)
}

/// The answers on the lines of standard output.
fn answers(ran: &Ran) -> Result<Vec<Json>> {
    ran.out().lines().map(|line| serde_json::from_str(line).with_context(|| line.to_owned())).collect()
}

/// The answers of `--calls` to these lines.
fn served(repository: &Repository, plugin: &str, lines: &[u8]) -> Result<(Ran, Vec<Json>)> {
    let mut command = repository.reviver(&["plugin", "run", plugin, "--calls"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()?;
    child.stdin.take().context("a pipe")?.write_all(lines)?;
    let ran = Ran::from(child.wait_with_output()?);
    let told = answers(&ran)?;
    Ok((ran, told))
}

fn operation(program: &str) -> Json {
    json!({"operation": {"argv": [program]}, "host": {"variables": {"LANG": "C"}, "files": {"LANG": "LANG is here\n"}}})
}

#[test]
fn each_function_of_each_role_is_asked_and_answered() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("key.wasm", guest("key", "good")?)?;
    repository.write("metadata.wasm", guest("metadata", "metadata-good")?)?;
    repository.write("eviction.wasm", guest("eviction", "eviction-good")?)?;
    let candidate = |last_use: u64| json!({"size": 1, "files": 1, "created": 0, "last_use": last_use, "uses": 0, "cost": 0, "unused": false});
    let budget = json!({"limit": 1, "used": 2, "entries": 2});
    let cases = [
        (
            "key.wasm",
            json!({"function": "derive", "operation": {"argv": ["cc"]}}),
            "/ok/label",
            json!("good"),
        ),
        (
            "key.wasm",
            json!({"operation": {"argv": ["cc"]}, "report": {"hex": "7265"}}),
            "/ok/ingredients",
            json!([{"label": "argv", "source": {"text": "re"}}]),
        ),
        ("metadata.wasm", json!({"outcome": {"exit": {"code": 200}}}), "/ok", json!({"hex": "c8000000"})),
        ("metadata.wasm", json!({"hunk": {"hex": "c8000000"}}), "/ok/exit", json!({"code": 200})),
        (
            "eviction.wasm",
            json!({"now": 9, "budget": budget, "candidates": [candidate(7), candidate(3)]}),
            "/ok",
            json!([7.0, 3.0]),
        ),
    ];
    for (plugin, question, pointer, expected) in cases {
        let ran = asked(&repository, &[plugin, "--json"], &question.to_string())?;
        ensure!(ran.code == Some(0), "{question}: {ran:?}");
        let [answer] = &answers(&ran)?[..] else { panic!("one answer was expected: {ran:?}") };
        assert_eq!(answer.pointer(pointer), Some(&expected), "{question}: {answer}");
        for number in ["fuel", "memory", "time_ns"] {
            ensure!(answer[number].as_u64() > Some(0), "{question}: {answer}");
        }
        let people = asked(&repository, &[plugin], &question.to_string())?.out();
        for used in ["fuel", "memory", "output", "time"] {
            let line = people.lines().find(|line| line.starts_with(used)).context("a line")?;
            ensure!(line.contains(" of ") && line.contains(" %)"), "{people}");
        }
    }
    Ok(())
}

#[test]
fn what_came_of_it_is_the_exit_status() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("metadata.wasm", guest("metadata", "metadata-good")?)?;
    repository.write("panic.wasm", guest("key", "panic")?)?;
    let refused = asked(&repository, &["metadata.wasm"], r#"{"hunk": "long one"}"#)?;
    ensure!(
        refused.code == Some(1) && refused.out().starts_with("decode: refused: not four bytes\n"),
        "{refused:?}"
    );
    let refused = asked(&repository, &["metadata.wasm", "--json"], r#"{"hunk": "long one"}"#)?;
    assert_eq!((refused.code, &answers(&refused)?[0]["refused"]), (Some(1), &json!("not four bytes")));
    let refused = asked(&repository, &["key-command", "--json"], r#"{"operation": {"argv": ["cp"]}}"#)?;
    ensure!(refused.code == Some(1), "{refused:?}");
    ensure!(answers(&refused)?[0]["refused"]["not_cacheable"].is_string(), "{refused:?}");

    let fault = asked(&repository, &["panic.wasm", "--json"], r#"{"operation": {"argv": ["cp"]}}"#)?;
    ensure!(fault.code == Some(3), "{fault:?}");
    let fault = &answers(&fault)?[0]["fault"];
    assert_eq!(fault["code"], "panic");
    assert_eq!(fault["panic"], json!({"message": "no input named `cc`", "file": "src/lib.rs", "line": 4}));
    let message = fault["message"].as_str().context("a text")?;
    ensure!(
        message.contains("key plugin `panic.wasm`") && message.contains("src/lib.rs:4: no input"),
        "{message}"
    );

    // The worst of several counts, and all are answered.
    let several = "{\"hunk\": \"long one\"}\n{\"hunk\": {\"hex\": \"00000000\"}} {\"outcome\": {\"exit\": {\"code\": 1}}}";
    let ran = asked(&repository, &["metadata.wasm", "--json"], several)?;
    assert_eq!((ran.code, answers(&ran)?.len()), (Some(1), 3));
    Ok(())
}

#[test]
fn a_wrong_question_is_told_with_its_place_and_nothing_is_asked() -> Result<()> {
    let repository = Repository::new()?;
    let good = r#"{"operation": {"argv": ["cp"], "reads": ["a"]}}"#;
    for (questions, place) in [
        (
            format!("{good}\n {{\"operation\":\n  {{\"argv\": [\"é\", 7]}}}}"),
            "questions.json:3:18: `operation.argv[1]`: a text",
        ),
        (
            format!("{good}\n{{\"hunk\": \"\"}}"),
            "questions.json:2:1: `decode` is no function of the plugin's role",
        ),
        (format!("{good}\n{{\"operation\" 1}}"), "questions.json:2:14: expected `:`"),
        (format!("{good}\n{{\"operation\":"), "questions.json:2:13: EOF while parsing a value"),
        ("[1]".to_owned(), "questions.json:1:1: an object is expected"),
        (" \n".to_owned(), "questions.json holds no question"),
    ] {
        let ran = asked(&repository, &["key-command"], &questions)?;
        ensure!(ran.code == Some(2) && ran.stdout.is_empty(), "{questions}: {ran:?}");
        let [said] = &ran.said[..] else { panic!("one line was expected: {ran:?}") };
        ensure!(said.starts_with(place), "{questions}: {said}");
    }
    for (arguments, place) in [
        (&["plugin", "run", "key-command", "absent.json"][..], "cannot read absent.json"),
        (&["plugin", "run", "key-command", "--in", "a"], "belong to a command"),
        (&["plugin", "run", "key-command", "--", "cat", "--in"], ""),
    ] {
        let ran = repository.ask(arguments)?;
        ensure!(ran.code == Some(if place.is_empty() { 1 } else { 2 }), "{arguments:?}: {ran:?}");
        ensure!(
            ran.said.iter().any(|line| line.contains(place)) || place.is_empty(),
            "{arguments:?}: {ran:?}"
        );
    }
    let absent = repository.ask(&["plugin", "run", "absent", "--calls"])?;
    ensure!(absent.code == Some(3) && absent.said[0].contains("there is no plugin `absent`"), "{absent:?}");
    Ok(())
}

#[test]
fn a_bad_line_is_answered_and_the_next_ones_go_on() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("good.wasm", guest("key", "good")?)?;
    let mut lines = format!("{}\n", operation("x")).into_bytes();
    for bad in
        [&b"no json"[..], b"", b"\xff\xfe", b"{} {}", b"{\"hunk\": \"\"}", b"{\"operation\": {\"argv\": []}}"]
    {
        lines.extend_from_slice(bad);
        lines.push(b'\n');
    }
    // The last line has no end.
    lines.extend_from_slice(operation("v").to_string().as_bytes());
    let (ran, answers) = served(&repository, "./good.wasm", &lines)?;
    ensure!(ran.code == Some(0) && ran.said.is_empty() && answers.len() == 8, "{ran:?}");
    for bad in &answers[1..7] {
        ensure!(
            bad["error"].is_string() && bad.as_object().is_some_and(|members| members.len() == 1),
            "{bad}"
        );
    }
    assert_eq!(answers[0]["looks"], json!([]));
    assert_eq!(answers[0]["log"], json!([["info", "good"]]));
    assert_eq!(answers[7]["looks"], json!([{"variable": "LANG"}]));
    assert_eq!(answers[7]["ok"]["ingredients"], json!([{"label": "argv", "source": {"text": "C"}}]));
    Ok(())
}

#[test]
fn each_line_is_answered_before_the_next_one_is_asked() -> Result<()> {
    let repository = Repository::new()?;
    let mut command = repository.reviver(&["plugin", "run", "metadata-compact", "--calls"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let mut questions = child.stdin.take().context("a pipe")?;
    let mut answers = BufReader::new(child.stdout.take().context("a pipe")?);
    let outcome = json!({"exit": {"code": 3}, "output": [{"stream": "stdout", "bytes": {"hex": "ff00"}}], "started": 1, "duration": 2, "notes": []});
    let mut ask = |question: Json| -> Result<Json> {
        questions.write_all(format!("{question}\n").as_bytes())?;
        let mut line = String::new();
        answers.read_line(&mut line)?;
        Ok(serde_json::from_str(&line)?)
    };
    for _ in 0..3 {
        let hunk = ask(json!({"outcome": outcome}))?;
        let again = ask(json!({"hunk": hunk["ok"]}))?;
        assert_eq!(again["ok"], outcome, "{hunk}");
    }
    drop(questions);
    ensure!(child.wait()?.success());
    Ok(())
}

#[test]
fn every_attack_is_a_fault_with_its_code_and_the_process_goes_on() -> Result<()> {
    let repository = Repository::new()?;
    let lines = format!("{}\n{}\n", operation("cc"), operation("cc"));
    // Loops end sooner for the limits that a repository says.
    for (name, code) in ATTACKS {
        repository.write("plugin.wasm", guest("key", name)?)?;
        repository
            .write("reviver.toml", "[plugin.evil]\npath = \"plugin.wasm\"\nlimits = { fuel = 30000000 }\n")?;
        let (ran, answers) = served(&repository, "evil", lines.as_bytes())?;
        ensure!(ran.code == Some(0) && answers.len() == 2, "{name}: {ran:?}");
        for answer in &answers {
            assert_eq!(answer["fault"]["code"], code, "{name}: {answer}");
            assert_eq!(answer["fault"].get("panic").is_some(), code == "panic", "{name}: {answer}");
        }
        assert_eq!(answers[0]["fuel"], answers[1]["fuel"], "{name}");
    }
    for (name, code) in [("eviction-nan", "protocol"), ("eviction-out-of-bounds", "protocol")] {
        repository.write("eviction.wasm", guest("eviction", name)?)?;
        let question = json!({
            "now": 1, "budget": {"limit": 1, "used": 1, "entries": 1},
            "candidates": [{"size": 1, "files": 1, "created": 0, "last_use": 0, "uses": 0, "cost": 0, "unused": false}],
        });
        let ran = asked(&repository, &["eviction.wasm", "--json"], &question.to_string())?;
        assert_eq!((ran.code, &answers(&ran)?[0]["fault"]["code"]), (Some(3), &json!(code)), "{name}");
    }
    Ok(())
}

/// A call that wants more fuel than the first try has is started over, and what it looked at used to be noted twice.
#[test]
fn a_call_that_is_started_over_looked_once() -> Result<()> {
    let repository = Repository::new()?;
    let text =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile/good.wat"))?;
    let burn = "(loop $burn (br_if $burn (i32.lt_u (local.tee $letter (i32.add (local.get $letter) (i32.const 1))) (i32.const 10000000))))";
    let busy = text.replacen("    (i32.const 0x100))", &format!("    {burn}\n    (i32.const 0x100))"), 1);
    ensure!(busy != text, "the guest is not what it was");
    let shell = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile/shell-key.wat"),
    )?;
    repository.write("busy.wasm", wat::parse_str(shell.replacen("  GUEST\n", &busy, 1))?)?;
    let ran = asked(&repository, &["busy.wasm", "--json"], &operation("s").to_string())?;
    let answer = &answers(&ran)?[0];
    ensure!(answer["fuel"].as_u64() > Some(20_000_000), "it was not started over: {answer}");
    assert_eq!(answer["looks"], json!([{"scan": ["LANG", ["LANG"]]}]));
    assert_eq!(answer["log"], json!([["info", "good"]]));
    Ok(())
}

#[test]
fn limits_are_those_of_the_repository_and_what_oversteps_one_is_red() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("good.wasm", guest("key", "good")?)?;
    repository.write("loop.wasm", guest("key", "loop")?)?;
    repository.write(
        "reviver.toml",
        "[plugin.good]\npath = \"good.wasm\"\nlimits = { fuel = 300, memory = \"140 kB\" }\n\
         [plugin.loop]\npath = \"loop.wasm\"\nlimits = { fuel = 25000000 }\n",
    )?;
    let question = operation("x").to_string();
    let near = asked(&repository, &["good"], &question)?.out();
    ensure!(
        near.lines().any(|line| line.starts_with("memory") && line.ends_with("near the limit")),
        "{near}"
    );
    ensure!(near.contains(" of 300 ("), "{near}");
    repository.write("question.json", &question)?;
    for (variable, value, red) in
        [("NO_COLOR", "1", false), ("CLICOLOR_FORCE", "1", true), ("CLICOLOR_FORCE", "0", false)]
    {
        let mut command = repository.reviver(&["plugin", "run", "loop", "question.json"]);
        let ran = Ran::of(command.env(variable, value))?;
        ensure!(ran.code == Some(3) && ran.out().contains("[limit.fuel]"), "{ran:?}");
        ensure!(ran.out().contains("25 000 000 of 25 000 000 (100.0 %)  OVER THE LIMIT"), "{}", ran.out());
        assert_eq!(ran.out().contains("\x1b[31m"), red, "{variable}={value}");
    }
    Ok(())
}

#[test]
fn a_plugin_of_the_repository_is_asked_as_it_is_built_and_sees_the_machine() -> Result<()> {
    let repository = Repository::new()?;
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/custom-key");
    for name in ["generate.sh", "plugin.wasm", "reviver.toml"] {
        std::fs::copy(from.join(name), repository.path(name))?;
    }
    repository.write("words.txt", "; no word\nbegin\n")?;
    let settings = repository.text("reviver.toml")?.replace("comment = \"#\"", "comment = \";\"");
    repository.write("reviver.toml", settings)?;
    // What the user does not grant in a build an author gets here: it is what the plugin asks for.
    std::fs::write(repository.home.join("config/reviver/config.toml"), "capabilities = []\n")?;
    settle();
    let ran = repository.ask(&["plugin", "run", "words", "--json", "--", "./generate.sh"])?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let answer = &answers(&ran)?[0];
    assert_eq!(answer["looks"], json!([{"read": "words.txt"}]));
    let words = json!({"label": "words", "source": {"bytes": "begin"}});
    ensure!(answer["ok"]["ingredients"].as_array().context("a list")?.contains(&words), "{answer}");
    let people = repository.ask(&["plugin", "run", "words", "--", "./generate.sh"])?.out();
    for line in ["derive: words", "  bytes     words      5 bytes: begin", "looked at   read      words.txt"]
    {
        ensure!(people.lines().any(|told| told == line), "{line}: {people}");
    }
    let refused = repository.ask(&["plugin", "run", "words", "--", "./generate.sh", "-v"])?;
    ensure!(refused.code == Some(1) && refused.out().contains("takes no arguments"), "{refused:?}");
    Ok(())
}

#[test]
fn a_command_is_asked_about_with_what_its_rule_and_its_caller_declare() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("a.txt", "a")?;
    repository.write("sub/b.txt", "b")?;
    repository.write(
        "reviver.toml",
        "[[rule]]\ncommand = \"pack\"\nplugin = \"key-command\"\nreads = [\"*.txt\"]\nwrites = [\"out\"]\nvariables = [\"MODE\"]\n",
    )?;
    let arguments =
        ["plugin", "run", "key-command", "--json", "--in", "b.txt", "--env", "B", "--", "pack", "-x"];
    let ran = Ran::of(repository.reviver(&arguments).current_dir(repository.path("sub")))?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let answer = &answers(&ran)?[0]["ok"];
    let labels: Vec<_> =
        answer["ingredients"].as_array().context("a list")?.iter().map(|one| one["label"].as_str()).collect();
    for label in ["argument 1", "read ../a.txt", "read b.txt", "variable B", "variable MODE"] {
        ensure!(labels.contains(&Some(label)), "{label}: {answer}");
    }
    assert_eq!(answer["writes"][0]["path"], "../out");
    Ok(())
}

#[test]
fn a_compilation_is_named_as_a_run_names_it() -> Result<()> {
    if !installed("gcc") {
        return Ok(());
    }
    let repository = Repository::new()?;
    repository.write("a.c", "int a;\n")?;
    settle();
    let ran = repository.ask(&["plugin", "run", "key-cc", "--json", "--", "gcc", "-c", "a.c"])?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let answer = &answers(&ran)?[0];
    assert_eq!((&answer["ok"]["label"], &answer["ok"]["report"]), (&json!("gcc a.c"), &json!("{report}")));
    ensure!(
        answer["looks"].as_array().context("a list")?.contains(&json!({"query": ["--version"]})),
        "{answer}"
    );
    // And its report, as the machine shows it.
    let report = json!({"operation": {"argv": ["gcc", "-c", "a.c"]}, "report": "a.o: a.c\n"});
    let found = asked(&repository, &["key-cc", "--json"], &report.to_string())?;
    ensure!(found.code == Some(0), "{found:?}");
    let scanned = |look: &Json| look["scan"][0] == "a.c";
    ensure!(answers(&found)?[0]["looks"].as_array().context("a list")?.iter().any(scanned), "{found:?}");
    Ok(())
}

/// A component with a section of settings put behind its core module's.
fn with_settings(text: &str, lines: &str) -> Result<Vec<u8>> {
    let escaped = lines.replace('\t', "\\09").replace('\n', "\\0a");
    let told = text.replacen(
        "  (core module $libc\n",
        &format!("  (core module (@custom \"reviver:settings\" \"{escaped}\"))\n  (core module $libc\n"),
        1,
    );
    ensure!(told != text, "the shell is not what it was");
    let good =
        std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile/good.wat"))?;
    Ok(wat::parse_str(told.replacen("  GUEST\n", &good, 1))?)
}

#[test]
fn inspecting_tells_settings_and_what_is_wrong() -> Result<()> {
    let repository = Repository::new()?;
    let shell = std::fs::read_to_string(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/hostile/shell-key.wat"),
    )?;
    repository.write("told.wasm", with_settings(&shell, "comment\ttext\twhat starts a comment\n")?)?;
    let told = repository.ask(&["plugin", "inspect", "told.wasm"])?;
    ensure!(
        told.code == Some(0) && told.out().contains("\nsetting  comment (text): what starts a comment\n"),
        "{told:?}"
    );
    let told: Json =
        serde_json::from_str(&repository.ask(&["plugin", "inspect", "told.wasm", "--json"])?.out())?;
    assert_eq!(
        told["settings"],
        json!([{"name": "comment", "kind": "text", "about": "what starts a comment"}])
    );
    assert_eq!(
        (&told["role"], &told["abi"], &told["problem"]),
        (&json!("key"), &json!("0.1.0"), &Json::Null)
    );

    repository.write("odd.wasm", with_settings(&shell, "comment\n")?)?;
    let odd = repository.ask(&["plugin", "inspect", "odd.wasm"])?;
    ensure!(odd.code == Some(3) && odd.out().contains("PROBLEM  line 1 of its section"), "{odd:?}");

    repository.write("foreign.wasm", guest("key", "foreign-import")?)?;
    let foreign = repository.ask(&["plugin", "inspect", "foreign.wasm", "--json"])?;
    ensure!(foreign.code == Some(3) && foreign.said.len() == 1, "{foreign:?}");
    let foreign: Json = serde_json::from_str(&foreign.out())?;
    let imports = foreign["imports"].as_array().context("a list")?;
    ensure!(
        imports.iter().any(|import| !import.as_str().unwrap_or("reviver:").starts_with("reviver:")),
        "{foreign}"
    );
    ensure!(
        foreign["problem"].as_str().is_some_and(|problem| problem.contains("no plugin may have")),
        "{foreign}"
    );

    repository.write("core.wasm", guest("key", "core-module")?)?;
    repository.write("text.wasm", "no component")?;
    for (name, problem) in [("core.wasm", "core module"), ("text.wasm", "no WebAssembly at all")] {
        let ran = repository.ask(&["plugin", "inspect", name])?;
        ensure!(
            ran.code == Some(3) && ran.out().contains("digest") && ran.out().contains(problem),
            "{ran:?}"
        );
    }
    Ok(())
}

#[test]
fn a_plugin_is_measured_beside_the_shipped_one() -> Result<()> {
    let repository = Repository::new()?;
    repository.write("eviction.wasm", guest("eviction", "eviction-good")?)?;
    let bench = |arguments: &[&str]| repository.ask(&[&["plugin", "bench", "--quick"], arguments].concat());
    let ran = bench(&["eviction.wasm", "--json"])?;
    ensure!(ran.code == Some(0), "{ran:?}");
    let measured: Json = serde_json::from_str(&ran.out())?;
    assert_eq!(
        (&measured["plugin"]["name"], &measured["against"]["name"]),
        (&json!("eviction.wasm"), &json!("evict-lru"))
    );
    let call = &measured["calls"][0];
    for number in [
        &measured["plugin"]["size"],
        &measured["plugin"]["load_ns"],
        &call["plugin"]["fuel"],
        &call["against"]["time_ns"],
    ] {
        ensure!(number.as_u64() > Some(0), "{measured}");
    }
    ensure!(call["ratio"].as_f64().is_some_and(f64::is_finite), "{measured}");

    repository.write("loop.wasm", guest("key", "panic")?)?;
    repository.write("call.json", operation("x").to_string())?;
    let ran = bench(&["loop.wasm", "--call", "call.json"])?;
    ensure!(ran.code == Some(3) && ran.out().contains("fault (panic)"), "{ran:?}");
    let ran = bench(&["key-command"])?;
    ensure!(ran.code == Some(0) && ran.out().contains("key-command: 3 questions, 0 refused"), "{ran:?}");
    let ran = bench(&["key-command", "--against", "evict-lru"])?;
    ensure!(ran.code == Some(2) && ran.said[0].contains("another role"), "{ran:?}");
    repository.write("foreign.wasm", guest("key", "foreign-import")?)?;
    let ran = bench(&["foreign.wasm"])?;
    ensure!(ran.code == Some(3) && ran.said[0].contains("[import]"), "{ran:?}");
    Ok(())
}
