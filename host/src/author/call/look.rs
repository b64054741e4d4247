//! What a plugin looked at during a call, in order.

use crate::policy::{Inputs, LookFailure, Match, QueryAnswer, SharedInputs};
use serde_json::{Value as Json, json};
use std::cell::RefCell;
use std::rc::Rc;

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

impl Look {
    /// As JSON.
    #[must_use]
    pub fn to_json(&self) -> Json {
        match self {
            Self::Variable(name) => json!({"variable": name}),
            Self::Terminal => json!("terminal"),
            Self::Read(path) => json!({"read": path}),
            Self::Scan(path, needles) => json!({"scan": [path, needles]}),
            Self::Query(arguments) => json!({"query": arguments}),
        }
    }
}

/// Inputs that note what is looked at through them, answered or not.
pub(super) struct Noted {
    inputs: SharedInputs,
    looks: Vec<Look>,
}

impl Noted {
    pub(super) fn new(inputs: SharedInputs) -> Rc<RefCell<Self>> {
        Rc::new(RefCell::new(Self { inputs, looks: Vec::new() }))
    }

    pub(super) fn take_looks(&mut self) -> Vec<Look> {
        std::mem::take(&mut self.looks)
    }
}

impl Inputs for Noted {
    fn begin(&mut self) {
        self.looks.clear();
        self.inputs.borrow_mut().begin();
    }

    fn variable(&mut self, name: &str) -> Result<Option<String>, LookFailure> {
        self.looks.push(Look::Variable(name.to_owned()));
        self.inputs.borrow_mut().variable(name)
    }

    fn terminal(&mut self) -> bool {
        self.looks.push(Look::Terminal);
        self.inputs.borrow_mut().terminal()
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, LookFailure> {
        self.looks.push(Look::Read(path.to_owned()));
        self.inputs.borrow_mut().read(path)
    }

    fn scan(&mut self, path: &str, needles: &[String]) -> Result<Vec<Match>, LookFailure> {
        self.looks.push(Look::Scan(path.to_owned(), needles.to_vec()));
        self.inputs.borrow_mut().scan(path, needles)
    }

    fn query(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure> {
        self.looks.push(Look::Query(arguments.to_vec()));
        self.inputs.borrow_mut().query(arguments)
    }
}
