//! What a key plugin sees of the world, and what its answer therefore depends on.
//!
//! Each look is answered by the host and noted as a *condition*, which has the form of an ingredient: it holds as long as
//! it resolves to the same value. A remembered answer of a plugin holds while all of its conditions hold.

use super::query;
use super::resolve::Resolver;
use super::scan;
use super::value::Value;
use super::writes::normal;
use crate::digest::Digest;
use crate::operation::{Ingredient, Operation, Source};
use crate::policy::{Inputs, LookFailure, Match, QueryAnswer, SharedInputs};
use crate::store::{Partition, Store};
use std::cell::RefCell;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// The largest file that a guest may read.
pub const READ_LIMIT: u64 = 4 << 20;

/// A key plugin's view of the world during one call.
#[derive(Debug)]
pub struct Looks {
    /// The operation that is asked about.
    pub operation: Rc<Operation>,
    /// How files are seen.
    pub resolver: Resolver,
    /// Where answers to queries are remembered.
    pub store: Store,
    /// The partition that they are remembered in.
    pub partition: Partition,
    /// The report of the run, during `discover`: the files that it names may be scanned wherever they are.
    pub report: Option<Vec<u8>>,
    /// What was looked at, with what it resolved to.
    pub conditions: Vec<(Ingredient, Value)>,
    /// Whether a look failed for a reason that may be gone the next time, such as a program that did not answer in time.
    pub failed: bool,
}

impl Looks {
    fn note(&mut self, source: Source, value: Value) {
        let label = String::new();
        if !self.conditions.iter().any(|(known, _)| known.source == source) {
            self.conditions.push((Ingredient { label, source }, value));
        }
    }

    /// The absolute form of a path in the repository. Links may not lead out of it either.
    fn within(&self, path: &str) -> Result<PathBuf, LookFailure> {
        let absolute = self.resolver.environment.absolute(path);
        let real = match fs::canonicalize(&absolute) {
            Ok(real) => real,
            Err(error) if error.kind() == io::ErrorKind::NotFound => normal(&absolute),
            Err(error) => return Err(LookFailure::Failed(format!("cannot look at {path}: {error}"))),
        };
        let root = Path::new(&self.operation.root);
        let inside =
            real.starts_with(root) || fs::canonicalize(root).is_ok_and(|root| real.starts_with(root));
        if inside {
            Ok(absolute.into_owned())
        } else {
            Err(LookFailure::Denied(format!("{path} lies outside of the repository")))
        }
    }

    fn file(&mut self, path: &str, absolute: &Path) -> Result<(), LookFailure> {
        let value = self.resolver.file(absolute).map_err(|doubt| LookFailure::Failed(doubt.to_string()))?;
        self.note(Source::File(path.to_owned()), value);
        match value {
            Value::File { .. } => Ok(()),
            Value::Directory => Err(LookFailure::Denied(format!("{path} is a directory"))),
            _ => Err(LookFailure::Absent),
        }
    }

    /// The bytes of a file whose value was noted, which must be those that the value tells.
    fn bytes(&self, path: &str, absolute: &Path, limit: u64) -> Result<Vec<u8>, LookFailure> {
        let failed =
            |what: &dyn std::fmt::Display| LookFailure::Failed(format!("cannot read {path}: {what}"));
        let size = fs::metadata(absolute).map_err(|error| failed(&error))?.len();
        if size > limit {
            return Err(LookFailure::TooLarge(limit));
        }
        let bytes = fs::read(absolute).map_err(|error| failed(&error))?;
        let read = Digest::of(&bytes);
        match self.resolver.file(absolute) {
            Ok(Value::File { content, .. }) if content == read => Ok(bytes),
            _ => Err(failed(&"it changed while it was read")),
        }
    }
}

/// Looks that are shared with a policy for the time of a call.
#[derive(Clone, Debug)]
pub struct SharedLooks(Rc<RefCell<Looks>>);

impl SharedLooks {
    /// Looks that nothing was looked at through.
    #[must_use]
    pub fn new(looks: Looks) -> Self {
        Self(Rc::new(RefCell::new(looks)))
    }

    /// The form in which a policy takes them.
    #[must_use]
    pub fn inputs(&self) -> SharedInputs {
        Rc::<RefCell<Looks>>::clone(&self.0)
    }

    /// What was looked at, with what it resolved to.
    #[must_use]
    pub fn conditions(&self) -> Vec<(Ingredient, Value)> {
        self.0.borrow().conditions.clone()
    }

    /// Whether an answer after these looks may be remembered.
    #[must_use]
    pub fn lasting(&self) -> bool {
        !self.0.borrow().failed
    }
}

impl Inputs for Looks {
    fn variable(&mut self, name: &str) -> Result<Option<String>, LookFailure> {
        let answer = self.look_up(name);
        self.judged(answer)
    }

    fn terminal(&mut self) -> bool {
        let terminal = self.resolver.environment.terminal;
        self.note(Source::Terminal, Value::of(&[u8::from(terminal)]));
        terminal
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, LookFailure> {
        let answer = self.content(path);
        self.judged(answer)
    }

    fn scan(&mut self, path: &str, needles: &[String]) -> Result<Vec<Match>, LookFailure> {
        let answer = self.lines(path, needles);
        self.judged(answer)
    }

    fn query(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure> {
        let answer = self.ask(arguments);
        self.judged(answer)
    }
}

impl Looks {
    fn judged<T>(&mut self, answer: Result<T, LookFailure>) -> Result<T, LookFailure> {
        self.failed |= matches!(answer, Err(LookFailure::Failed(_)));
        answer
    }

    fn look_up(&mut self, name: &str) -> Result<Option<String>, LookFailure> {
        let value = match self.resolver.environment.variable(name) {
            None => None,
            Some(value) => match value.to_str() {
                Some(text) => Some(text.to_owned()),
                None => return Err(LookFailure::Failed(format!("the variable {name} is not UTF-8"))),
            },
        };
        let source = Source::Variable(name.to_owned());
        self.note(source, value.as_ref().map_or(Value::Absent, |text| Value::of(text.as_bytes())));
        Ok(value)
    }

    fn content(&mut self, path: &str) -> Result<Vec<u8>, LookFailure> {
        let absolute = self.within(path)?;
        self.file(path, &absolute)?;
        self.bytes(path, &absolute, READ_LIMIT)
    }

    fn lines(&mut self, path: &str, needles: &[String]) -> Result<Vec<Match>, LookFailure> {
        let absolute = self.resolver.environment.absolute(path);
        if !self.report.as_deref().is_some_and(|report| names(report, path)) {
            self.within(path)?;
        }
        scan::check(needles)?;
        self.file(path, &absolute)?;
        let bytes = self.bytes(path, &absolute, scan::FILE_LIMIT)?;
        scan::scan(&bytes, needles)
    }

    fn ask(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure> {
        let operation = Rc::clone(&self.operation);
        let program = &operation.argv[0];
        let source = Source::Program(program.clone());
        let value = self.resolver.value(&source).map_err(|doubt| LookFailure::Failed(doubt.to_string()))?;
        let path = self.look_up("PATH")?;
        self.note(source, value);
        let question =
            query::Question { program, value, arguments, path: path.as_deref().unwrap_or_default() };
        query::answer(&question, &self.resolver, &self.store, &self.partition)
    }
}

/// Whether a report names a path, as it is or as make and compilers escape it.
fn names(report: &[u8], path: &str) -> bool {
    let escaped = path.replace('$', "$$").replace(' ', "\\ ").replace('#', "\\#");
    let holds = |path: &str| memchr::memmem::find(report, path.as_bytes()).is_some();
    !path.is_empty() && (holds(path) || holds(&escaped))
}
