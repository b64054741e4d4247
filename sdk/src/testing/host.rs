//! The host of native tests.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::{Level, question, scan};
use crate::{Answer, ExitStatus, Failure, Match, Value};

/// The capabilities that a plugin may have.
const CAPABILITIES: [&str; 3] = ["arguments", "query", "read"];

/// Stands for the host while a plugin is tested.
///
/// It knows what it was told, asks the plugin, and notes what is looked at. Native code may also run in it by itself: it
/// is the host of [`run`](Self::run)'s closure alone, and code that runs outside of any finds a host that knows nothing.
#[derive(Clone, Debug, Default)]
pub struct TestHost {
    configuration: Option<String>,
    variables: BTreeMap<String, String>,
    terminal: bool,
    files: BTreeMap<String, Vec<u8>>,
    answers: BTreeMap<Vec<String>, Answer>,
    denied: BTreeSet<String>,
    notes: Rc<RefCell<Notes>>,
}

#[derive(Debug, Default)]
struct Notes {
    looks: Vec<Look>,
    logs: Vec<(Level, String)>,
}

/// Something that a plugin looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Look {
    /// An environment variable.
    Variable(String),
    /// Whether standard error is a terminal.
    Terminal,
    /// A file's content.
    Read(String),
    /// The lines of a file that hold these needles.
    Scan(String, Vec<String>),
    /// What the program answers to these arguments.
    Query(Vec<String>),
}

thread_local! {
    static HOST: RefCell<TestHost> = RefCell::default();
}

/// What `ask` gets from the host of this thread.
pub(crate) fn current<T>(ask: impl FnOnce(&TestHost) -> T) -> T {
    let host = HOST.with_borrow(Clone::clone);
    ask(&host)
}

impl TestHost {
    /// A host that knows nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// With this configuration, a JSON object.
    #[must_use]
    pub fn configuration(self, json: impl Into<String>) -> Self {
        Self { configuration: Some(json.into()), ..self }
    }

    /// With this environment variable.
    #[must_use]
    pub fn variable(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.variables.insert(name.into(), value.into());
        self
    }

    /// With a standard error that is a terminal, or is none, as it is without being told.
    #[must_use]
    pub fn terminal(self, terminal: bool) -> Self {
        Self { terminal, ..self }
    }

    /// With this file, under the very path that the plugin will ask for.
    #[must_use]
    pub fn file(mut self, path: impl Into<String>, content: impl Into<Vec<u8>>) -> Self {
        self.files.insert(path.into(), content.into());
        self
    }

    /// With what the operation's program prints, ending with status 0, when it is asked with these arguments.
    #[must_use]
    pub fn answer(self, arguments: &[&str], stdout: impl Into<Vec<u8>>, stderr: impl Into<Vec<u8>>) -> Self {
        let (stdout, stderr) = (stdout.into(), stderr.into());
        self.answer_with(arguments, Answer { exit: ExitStatus::Code(0), stdout, stderr })
    }

    /// With this answer of the operation's program to these arguments.
    #[must_use]
    pub fn answer_with(mut self, arguments: &[&str], answer: Answer) -> Self {
        self.answers.insert(arguments.iter().map(|argument| (*argument).to_owned()).collect(), answer);
        self
    }

    /// Without a capability: `arguments`, `read` or `query`.
    #[must_use]
    pub fn without(mut self, capability: impl Into<String>) -> Self {
        self.denied.insert(capability.into());
        self
    }

    /// What native code answers with this host, which is that of this thread until the closure is left, in whatever way.
    /// It is native also where all else is answered by a component, so it is for code that is not the plugin's own.
    pub fn run<T>(&self, plugin: impl FnOnce() -> T) -> T {
        struct Restore(TestHost);
        impl Drop for Restore {
            fn drop(&mut self) {
                let before = std::mem::take(&mut self.0);
                HOST.set(before);
            }
        }
        let _restore = Restore(HOST.replace(self.clone()));
        plugin()
    }

    /// All that was looked at, in order.
    #[must_use]
    pub fn looks(&self) -> Vec<Look> {
        self.notes.borrow().looks.clone()
    }

    /// All that was logged, in order.
    #[must_use]
    pub fn logs(&self) -> Vec<(Level, String)> {
        self.notes.borrow().logs.clone()
    }

    /// The same host, which has noted nothing yet and keeps its notes to itself.
    #[must_use]
    pub(crate) fn afresh(&self) -> Self {
        Self { notes: Rc::default(), ..self.clone() }
    }

    /// All that the plugin may see, as a component's host is told of it.
    pub(super) fn to_value(&self) -> Value {
        let configuration = self.configuration_text();
        let Some(configuration) = Value::parse(&configuration) else {
            panic!("the configuration of the test host is no JSON: {configuration}");
        };
        let variables = self.variables.iter().map(|(name, value)| (name.clone(), value.as_str().into()));
        let files = self.files.iter().map(|(path, content)| (path.clone(), question::bytes(content)));
        let answers =
            self.answers.iter().map(|(arguments, answer)| question::query_answer(arguments, answer));
        let capabilities: Vec<_> =
            CAPABILITIES.into_iter().filter(|one| !self.denied.contains(*one)).collect();
        question::table([
            ("configuration", configuration),
            ("variables", Value::Table(variables.collect())),
            ("terminal", self.terminal.into()),
            ("files", Value::Table(files.collect())),
            ("answers", Value::List(answers.collect())),
            ("capabilities", question::texts(&capabilities)),
        ])
    }

    /// Notes what a component looked at and logged.
    pub(super) fn noted(&self, looks: Vec<Look>, logs: Vec<(Level, String)>) {
        let mut notes = self.notes.borrow_mut();
        notes.looks.extend(looks);
        notes.logs.extend(logs);
    }

    pub(crate) fn configuration_text(&self) -> String {
        self.configuration.clone().unwrap_or_else(|| "{}".to_owned())
    }

    pub(crate) fn log(&self, level: Level, message: &str) {
        self.notes.borrow_mut().logs.push((level, message.to_owned()));
    }

    pub(crate) fn look_at_variable(&self, name: &str) -> Option<String> {
        self.note(Look::Variable(name.to_owned()));
        self.variables.get(name).cloned()
    }

    pub(crate) fn look_at_terminal(&self) -> bool {
        self.note(Look::Terminal);
        self.terminal
    }

    pub(crate) fn read(&self, path: &str) -> Result<Vec<u8>, Failure> {
        self.note(Look::Read(path.to_owned()));
        self.allowed("read")?;
        self.files.get(path).cloned().ok_or(Failure::Absent)
    }

    pub(crate) fn scan(&self, path: &str, needles: Vec<String>) -> Result<Vec<Match>, Failure> {
        let found = match self.files.get(path) {
            None => Err(Failure::Absent),
            Some(content) => scan::scan(content, &needles),
        };
        self.note(Look::Scan(path.to_owned(), needles));
        found
    }

    pub(crate) fn query(&self, arguments: Vec<String>) -> Result<Answer, Failure> {
        let answer = match self.answers.get(&arguments) {
            Some(answer) => Ok(answer.clone()),
            None => Err(Failure::Failed(format!("the test host knows no answer to {arguments:?}"))),
        };
        self.note(Look::Query(arguments));
        self.allowed("query")?;
        answer
    }

    fn note(&self, look: Look) {
        self.notes.borrow_mut().looks.push(look);
    }

    fn allowed(&self, capability: &str) -> Result<(), Failure> {
        if self.denied.contains(capability) {
            return Err(Failure::Denied(format!("the plugin lacks the capability `{capability}`")));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{query, read, terminal, variable, warning};

    #[test]
    fn the_host_answers_what_it_was_told_and_notes_the_looks() {
        let host = TestHost::new()
            .variable("CC", "gcc")
            .file("a", b"x")
            .answer(&["-v"], "", "gcc 14")
            .terminal(true)
            .without("read");
        host.run(|| {
            assert_eq!(variable("CC"), Some("gcc".into()));
            assert_eq!(variable("CXX"), None);
            assert!(matches!(read("a"), Err(Failure::Denied(_))));
            assert_eq!(query(&["-v"]).map(|answer| answer.stderr), Ok(b"gcc 14".to_vec()));
            assert!(matches!(query(&["-V"]), Err(Failure::Failed(_))));
            assert!(terminal());
            warning("odd");
        });
        assert_eq!(host.logs(), [(Level::Warning, "odd".to_owned())]);
        assert_eq!(host.looks().len(), 6);
        assert!(!terminal(), "nobody said that there is one");
        assert_eq!(variable("CC"), None, "the host is gone behind its closure");
    }

    #[test]
    fn hosts_nest_and_are_put_back_after_a_panic() {
        let (outer, inner) = (TestHost::new().variable("A", "1"), TestHost::new().variable("A", "2"));
        outer.run(|| {
            let caught =
                std::panic::catch_unwind(|| TestHost::new().variable("A", "2").run(|| panic!("left")));
            assert!(caught.is_err());
            assert_eq!(variable("A"), Some("1".into()));
            inner.run(|| assert_eq!(variable("A"), Some("2".into())));
            assert_eq!(variable("A"), Some("1".into()));
        });
    }
}
