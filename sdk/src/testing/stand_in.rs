//! The other side of a [`component`](super::component): a process that answers as `reviver plugin run --calls` does, with
//! native code, so that what goes over the line is tested without an engine.
//!
//! [`serves`] is that process. The tests that ask it are run once as they are, and once more by
//! [`what_is_answered_does_not_depend_on_who_answers`], in a process whose environment names the stand-in.

use std::io::{BufRead as _, Write as _};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::{env, fs, panic};

use super::{Level, Look, TestHost, answer, question};
use crate::{
    Answer, Budget, Candidate, Chunk, Derivation, Discovery, EvictionPlugin, ExitStatus, Ingredient, Input,
    KeyPlugin, MetadataPlugin, Operation, Outcome, REPORT, Refusal, Source, Stream, Value, Write, WriteKind,
    configuration, query, read, scan, terminal, variable, warning,
};

/// Answers with something of every kind, and with the process that answers.
struct Sample;

impl KeyPlugin for Sample {
    fn derive(operation: &Operation) -> Result<Derivation, Refusal> {
        match operation.program() {
            "odd" => panic!("nobody knows `odd`\nor what it does"),
            "refused" => return Err(Refusal::not_cacheable("it tells the time")),
            "malformed" => return Err(Refusal::malformed("no operand")),
            _ => {}
        }
        configuration()?.only(&["deep"])?;
        warning(["about ", operation.program()].concat());
        let content = read("a.bin").map_err(|failure| failure.refusal("a.bin"))?;
        let version = query(&["-v"]).map_err(|failure| failure.refusal("the program"))?;
        Ok(Derivation::new(std::process::id().to_string())
            .ingredient(Ingredient::text("directory", &operation.directory))
            .ingredient(Ingredient::text("deep", configuration()?.boolean("deep")?.map_or("", |_| "set")))
            .ingredient(Ingredient::bytes("content", content))
            .ingredient(Ingredient::bytes("version", version.stderr))
            .ingredient(Ingredient::text("b", variable("B").unwrap_or_default()))
            .ingredients(operation.reads.iter().map(|path| Ingredient::file(path, path)))
            .ingredients(operation.variables.iter().map(|name| Ingredient::variable(name, name)))
            .ingredient(Ingredient::tree("tree", "t"))
            .ingredient(Ingredient::listing("listing", "l"))
            .ingredient(Ingredient::program("program", operation.program()))
            .ingredient(Ingredient::umask("umask"))
            .ingredient(Ingredient::terminal("terminal"))
            .ingredient(Ingredient::text("seen", if terminal() { "yes" } else { "no" }))
            .writes(operation.writes.iter().map(|path| Write::either(path, path)))
            .write(Write::file("file", "f"))
            .write(Write::directory("directory", "d").optional())
            .input_unused()
            .arguments([REPORT, "\"quoted\"\n"])
            .report(REPORT))
    }

    fn discover(_: &Operation, report: &[u8]) -> Result<Discovery, Refusal> {
        let found = scan("a.bin", &["x"]).map_err(|failure| failure.refusal("a.bin"))?;
        Ok(Discovery::new()
            .ingredients(found.iter().map(|one| Ingredient::bytes("line", &*one.line)))
            .produced("file", report)
            .uncacheable("for a test"))
    }
}

/// A codec that writes what the line does.
struct Lines;

impl MetadataPlugin for Lines {
    fn encode(outcome: &Outcome) -> Result<Vec<u8>, String> {
        if outcome.notes.iter().any(|(name, _)| name == "secret") {
            return Err("a secret is not written down".to_owned());
        }
        Ok(question::outcome(outcome).to_json().into_bytes())
    }

    fn decode(hunk: &[u8]) -> Result<Outcome, String> {
        let text = std::str::from_utf8(hunk).map_err(|error| error.to_string())?;
        Value::parse(text).and_then(|value| answer::outcome(&value)).ok_or_else(|| "no outcome".to_owned())
    }
}

struct Oldest;

impl EvictionPlugin for Oldest {
    fn score(now: u64, budget: &Budget, candidate: &Candidate) -> f64 {
        let age = now.saturating_sub(candidate.last_use) as f64;
        if candidate.unused { f64::MIN } else { -age / (budget.limit as f64 + 1.5) }
    }
}

crate::conformance!(metadata: Lines);

mod policy {
    use super::Oldest;
    crate::conformance!(eviction: Oldest);
}

mod sample {
    use super::{Sample, host, operation};
    crate::conformance!(key: Sample, [operation(), operation().root("/elsewhere")], host: host());
}

fn host() -> TestHost {
    TestHost::new()
        .configuration(r#"{"deep": true}"#)
        .variable("B", "b\u{1}\"")
        .terminal(true)
        .file("a.bin", b"x\xff\n\0")
        .answer_with(
            &["-v"],
            Answer { exit: ExitStatus::Signal(2), stdout: vec![0xff], stderr: b"14".to_vec() },
        )
}

fn operation() -> Operation {
    Operation::new(["cc", "é \u{1}"]).directory("d").reads(["r"]).writes(["w"]).variables(["V"])
}

#[test]
fn a_derivation_is_the_same() {
    let (asked, here) = (host(), host());
    let derivation = asked.derive::<Sample>(&operation()).expect("a derivation");
    let mut expected = here.run(|| Sample::derive(&operation())).expect("a derivation");
    let elsewhere = env::var_os("REVIVER_PLUGIN").is_some();
    assert_eq!(derivation.label != expected.label, elsewhere, "{}", derivation.label);
    expected.label.clone_from(&derivation.label);
    assert_eq!(derivation, expected);
    assert_eq!(asked.looks(), here.looks());
    assert_eq!(asked.looks().len(), 4);
    assert_eq!(asked.logs(), [(Level::Warning, "about cc".to_owned())]);

    let (asked, here) = (host(), host());
    let discovery = asked.discover::<Sample>(&operation(), b"\xff: x");
    assert_eq!(discovery, here.run(|| Sample::discover(&operation(), b"\xff: x")));
    assert_eq!(asked.looks(), [Look::Scan("a.bin".into(), vec!["x".into()])]);
}

#[test]
fn a_refusal_is_the_same() {
    let ask = |host: TestHost, program: &str| host.derive::<Sample>(&Operation::new([program])).unwrap_err();
    assert_eq!(ask(host(), "refused"), Refusal::not_cacheable("it tells the time"));
    assert_eq!(ask(host(), "malformed"), Refusal::malformed("no operand"));
    assert_eq!(ask(TestHost::new(), "cc"), Refusal::not_cacheable("a.bin is absent"));
    let denied = ask(host().without("read"), "cc");
    assert!(denied.reason().starts_with("a.bin may not be looked at"), "{denied:?}");
}

#[test]
fn an_outcome_is_the_same() {
    let mut outcome = Outcome::new(ExitStatus::Signal(-9));
    outcome.output = vec![Chunk::new(Stream::Both, b"\xff"), Chunk::new(Stream::Stderr, "é")];
    outcome.started = u64::MAX;
    outcome.notes = vec![("a".into(), "\0".into())];
    let hunk = TestHost::new().encode::<Lines>(&outcome).expect("a hunk");
    assert_eq!(Ok(&hunk), Lines::encode(&outcome).as_ref());
    assert_eq!(TestHost::new().decode::<Lines>(&hunk), Ok(outcome));
    let mut secret = Outcome::new(ExitStatus::Code(0));
    secret.notes = vec![("secret".into(), String::new())];
    let refused = TestHost::new().encode::<Lines>(&secret);
    assert_eq!(refused, Err("a secret is not written down".into()));
    assert!(TestHost::new().decode::<Lines>(b"\xff").is_err());
}

#[test]
#[should_panic(expected = "nobody knows `odd`\nor what it does")]
fn a_panic_is_the_tests_own() {
    let _derivation = host().derive::<Sample>(&Operation::new(["odd"]));
}

/// Runs the tests of this module that `filter` names in a process of its own, whose plugin is `plugin`.
fn again(filter: &str, plugin: Option<&str>) -> Output {
    // The shell takes `plugin`, the first argument of the call, for the script that it runs.
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("reviver-sdk-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
    let directory = env::temp_dir().join(name);
    fs::create_dir_all(&directory).expect("a directory for tests");
    let script = "exec 3>&1; STAND_IN=\"$2\" exec \"$STAND_IN_BINARY\" --exact testing::stand_in::serves --ignored \
                  --nocapture >/dev/null\n";
    fs::write(directory.join("plugin"), script).expect("a script");
    let binary = env::current_exe().expect("the path of this test");
    let mut command = Command::new(&binary);
    command.args([&["testing::stand_in::", filter].concat(), "--nocapture"]).current_dir(&directory);
    command.env("STAND_IN_BINARY", &binary).env("REVIVER_COMMAND", "/bin/sh");
    if let Some(plugin) = plugin {
        command.env("REVIVER_PLUGIN", plugin);
    }
    let output = command.output().expect("this test, once more");
    fs::remove_dir_all(&directory).expect("an end of the directory");
    output
}

#[test]
fn what_is_answered_does_not_depend_on_who_answers() {
    for filter in ["a_", "an_", "conformance::", "policy::", "sample::"] {
        let output = again(filter, Some("sample"));
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8_lossy(&told);
        assert!(output.status.success() && !told.contains("running 0 tests"), "{told}");
    }
}

#[test]
fn no_answer_fails_the_test_with_a_reason() {
    let filter = "an_outcome_is_the_same";
    for (plugin, reason) in [
        (Some("dies"), "`reviver plugin run --calls` did not answer {\"function\":\"encode\""),
        (Some("prints"), "is no JSON: Segmentation fault"),
        (Some("changes"), "the answer is not understood: {\"okay\":1}"),
        (Some("asks"), "the question is not understood: no such function"),
        (Some("faults"), "the plugin is at fault (limit.fuel): more than 2 of 1"),
        (None, "REVIVER_COMMAND and REVIVER_PLUGIN are set together or not at all"),
    ] {
        let output = again(filter, plugin);
        let told = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && told.contains(reason), "{plugin:?}: {told}");
    }
}

#[test]
#[ignore = "it is the other side of a line, started by other tests"]
fn serves() {
    panic::set_hook(Box::new(|_| {}));
    let mut answers = fs::OpenOptions::new().write(true).open("/dev/fd/3").expect("the answers' pipe");
    for question in std::io::stdin().lock().lines() {
        let question = question.expect("a line");
        let line = match env::var("STAND_IN").expect("the plugin's name").as_str() {
            "sample" => serve(&Value::parse(&question).expect("a question")).to_json(),
            "prints" => "Segmentation fault".to_owned(),
            "changes" => "{\"okay\":1}".to_owned(),
            "asks" => "{\"error\":\"no such function\"}".to_owned(),
            "faults" => r#"{"fault":{"code":"limit.fuel","message":"more than 2 of 1"}}"#.to_owned(),
            _ => return,
        };
        answers.write_all([&*line, "\n"].concat().as_bytes()).expect("an open pipe");
    }
}

/// The answer of native code to a question.
fn serve(question: &Value) -> Value {
    let host = told_host(question.member("host").expect("a host"));
    let answered = panic::catch_unwind(panic::AssertUnwindSafe(|| host.run(|| call(question))));
    let (name, value) = match answered {
        Ok(Ok(value)) => ("ok", value),
        Ok(Err(value)) => ("refused", value),
        Err(panic) => {
            let message = panic.downcast::<&str>().map_or_else(|_| "not a text", |message| *message);
            ("fault", question::table([("code", "panic".into()), ("message", message.into())]))
        }
    };
    let look = |look: &Look| match look {
        Look::Variable(name) => question::table([("variable", name.as_str().into())]),
        Look::Terminal => "terminal".into(),
        Look::Read(path) => question::table([("read", path.as_str().into())]),
        Look::Scan(path, needles) => {
            question::table([("scan", Value::List(vec![path.as_str().into(), question::texts(needles)]))])
        }
        Look::Query(arguments) => question::table([("query", question::texts(arguments))]),
    };
    let logged = |(level, message): &(Level, String)| {
        let level = match level {
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warning => "warning",
        };
        question::texts(&[level, message])
    };
    question::table([
        (name, value),
        ("looks", Value::List(host.looks().iter().map(look).collect())),
        ("log", Value::List(host.logs().iter().map(logged).collect())),
        ("fuel", 1.into()),
    ])
}

fn call(question: &Value) -> Result<Value, Value> {
    let operation = || told_operation(question.member("operation").expect("an operation"));
    let refusal = |refusal: Refusal| match refusal {
        Refusal::NotCacheable(reason) => question::table([("not_cacheable", reason.as_str().into())]),
        Refusal::Malformed(reason) => question::table([("malformed", reason.as_str().into())]),
    };
    let reason = |reason: String| Value::Text(reason);
    let member = |name| question.member(name).expect(name);
    match member("function").text().expect("a name") {
        "derive" => Sample::derive(&operation()).map(|one| derivation(&one)).map_err(refusal),
        "discover" => {
            let report = answer::bytes(member("report")).expect("a report");
            Sample::discover(&operation(), &report).map(|one| discovery(&one)).map_err(refusal)
        }
        "encode" => {
            let outcome = answer::outcome(member("outcome")).expect("an outcome");
            Lines::encode(&outcome).map(|hunk| question::bytes(&hunk)).map_err(reason)
        }
        "decode" => {
            let hunk = answer::bytes(member("hunk")).expect("a hunk");
            Lines::decode(&hunk).map(|outcome| question::outcome(&outcome)).map_err(reason)
        }
        "score" => {
            let number = |value: &Value, name: &str| value.member(name).and_then(Value::number).expect(name);
            let (now, budget) = (member("now").number().expect("a time"), member("budget"));
            let budget = Budget {
                limit: number(budget, "limit"),
                used: number(budget, "used"),
                entries: number(budget, "entries"),
            };
            let candidates = member("candidates").list().expect("candidates").iter().map(|one| Candidate {
                size: number(one, "size"),
                files: number(one, "files") as u32,
                created: number(one, "created"),
                last_use: number(one, "last_use"),
                uses: number(one, "uses"),
                cost: number(one, "cost"),
                unused: one.member("unused").and_then(Value::boolean).expect("unused"),
            });
            let score = |one: Candidate| Value::Number(format!("{:?}", Oldest::score(now, &budget, &one)));
            Ok(Value::List(candidates.map(score).collect()))
        }
        other => panic!("{other}"),
    }
}

fn told_host(value: &Value) -> TestHost {
    let member = |name| value.member(name).expect(name);
    let mut host = TestHost::new().configuration(member("configuration").to_json());
    for (name, value) in member("variables").table().expect("a table") {
        host = host.variable(name, value.text().expect("a text"));
    }
    host = host.terminal(member("terminal").boolean().expect("true or false"));
    for (path, content) in member("files").table().expect("a table") {
        host = host.file(path, answer::bytes(content).expect("bytes"));
    }
    for one in member("answers").list().expect("a list") {
        let member = |name| one.member(name).expect(name);
        let arguments: Vec<_> =
            member("arguments").list().expect("a list").iter().filter_map(Value::text).collect();
        host = host.answer_with(
            &arguments,
            Answer {
                exit: answer::exit(member("exit")).expect("an exit"),
                stdout: answer::bytes(member("stdout")).expect("bytes"),
                stderr: answer::bytes(member("stderr")).expect("bytes"),
            },
        );
    }
    let granted = answer::list(member("capabilities"), answer::text).expect("texts");
    for capability in ["query", "read"] {
        if !granted.iter().any(|one| one == capability) {
            host = host.without(capability);
        }
    }
    host
}

fn told_operation(value: &Value) -> Operation {
    let text = |name| answer::text(value.member(name).expect(name)).expect("a text");
    let texts = |name| answer::list(value.member(name).expect(name), answer::text).expect("texts");
    Operation::new(texts("argv"))
        .root(text("root"))
        .directory(text("directory"))
        .reads(texts("reads"))
        .writes(texts("writes"))
        .variables(texts("variables"))
}

fn ingredients(ingredients: &[Ingredient]) -> Value {
    let source = |source: &Source| match source {
        Source::Text(text) => question::table([("text", text.as_str().into())]),
        Source::Bytes(bytes) => question::table([("bytes", question::bytes(bytes))]),
        Source::File(path) => question::table([("file", path.as_str().into())]),
        Source::Tree(path) => question::table([("tree", path.as_str().into())]),
        Source::Listing(path) => question::table([("listing", path.as_str().into())]),
        Source::Variable(name) => question::table([("variable", name.as_str().into())]),
        Source::Program(name) => question::table([("program", name.as_str().into())]),
        Source::Umask => "umask".into(),
        Source::Terminal => "terminal".into(),
    };
    let ingredient = |one: &Ingredient| {
        question::table([("label", one.label.as_str().into()), ("source", source(&one.source))])
    };
    Value::List(ingredients.iter().map(ingredient).collect())
}

fn derivation(derivation: &Derivation) -> Value {
    let write = |write: &Write| {
        let kind = match write.kind {
            WriteKind::File => "file",
            WriteKind::Directory => "directory",
            WriteKind::Either => "either",
        };
        question::table([
            ("label", write.label.as_str().into()),
            ("path", write.path.as_str().into()),
            ("kind", kind.into()),
            ("optional", write.optional.into()),
        ])
    };
    question::table([
        ("label", derivation.label.as_str().into()),
        ("ingredients", ingredients(&derivation.ingredients)),
        ("writes", Value::List(derivation.writes.iter().map(write).collect())),
        ("input", if derivation.input == Input::Read { "read" } else { "unused" }.into()),
        ("arguments", derivation.arguments.as_deref().map_or(Value::Null, question::texts)),
        ("report", derivation.report.as_deref().map_or(Value::Null, Value::from)),
    ])
}

fn discovery(discovery: &Discovery) -> Value {
    let produced = |(label, content): &(String, Vec<u8>)| {
        Value::List(vec![label.as_str().into(), question::bytes(content)])
    };
    question::table([
        ("ingredients", ingredients(&discovery.ingredients)),
        ("produced", Value::List(discovery.produced.iter().map(produced).collect())),
        ("uncacheable", discovery.uncacheable.as_deref().map_or(Value::Null, Value::from)),
    ])
}
