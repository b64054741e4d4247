//! The component that answers in place of native code, where `reviver plugin test` names one.
//!
//! Each thread, which is each test, starts one child for all its questions. A line asks, a line answers.

use std::cell::RefCell;
use std::env;
use std::ffi::OsString;
use std::io::{BufRead as _, BufReader, Write as _};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};

use crate::Value;

/// The component's file.
const PLUGIN: &str = "REVIVER_PLUGIN";
/// The `reviver` that loads it.
const COMMAND: &str = "REVIVER_COMMAND";

/// A child that answers for the component.
struct Component {
    child: Child,
    /// `None` once the child is told that nothing more is asked.
    questions: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

thread_local! {
    static COMPONENT: RefCell<Option<Component>> = const { RefCell::new(None) };
}

/// What the component answers to the question that `ask` makes, with the line that it answered; `None` where tests run
/// natively.
pub(super) fn ask(ask: impl FnOnce() -> Value) -> Option<(Value, String)> {
    let (command, plugin) = match (env::var_os(COMMAND), env::var_os(PLUGIN)) {
        (None, None) => return None,
        (Some(command), Some(plugin)) => (command, plugin),
        // Tests that quietly ran natively would show something about another thing than was asked for.
        _ => panic!("{COMMAND} and {PLUGIN} are set together or not at all: run `reviver plugin test`"),
    };
    let question = ask().to_json();
    let answer = COMPONENT.with_borrow_mut(|component| {
        let mut asked = component.take().unwrap_or_else(|| Component::start(&command, &plugin));
        let line = asked.answer(&question);
        // One that failed is not put back: its next answer would belong to this question.
        *component = Some(asked);
        line
    });
    match Value::parse(&answer) {
        Some(value) => Some((value, answer)),
        None => panic!("the answer to {question} is no JSON: {answer}"),
    }
}

impl Component {
    fn start(command: &OsString, plugin: &OsString) -> Self {
        let started = Command::new(command)
            .args(["plugin", "run"])
            .arg(plugin)
            .arg("--calls")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn();
        let mut child = match started {
            Ok(child) => child,
            Err(error) => panic!("{} cannot be started: {error}", command.display()),
        };
        let (questions, answers) = (child.stdin.take(), child.stdout.take());
        let answers = BufReader::new(answers.expect("invariant: standard output is a pipe"));
        Self { child, questions, answers }
    }

    fn answer(&mut self, question: &str) -> String {
        let mut answer = String::new();
        let questions = self.questions.as_mut().expect("invariant: it is taken when this is dropped");
        // The whole line at once, for the child sees each write.
        let asked =
            questions.write_all([question, "\n"].concat().as_bytes()).and_then(|()| questions.flush());
        let read = asked.and_then(|()| self.answers.read_line(&mut answer));
        if !matches!(read, Ok(1..)) || !answer.ends_with('\n') {
            self.questions = None;
            let ended = self.child.wait().map_or_else(|error| error.to_string(), |status| status.to_string());
            panic!("`reviver plugin run --calls` did not answer {question}: {ended}");
        }
        answer
    }
}

impl Drop for Component {
    fn drop(&mut self) {
        self.questions = None;
        let _ended = self.child.wait();
    }
}
