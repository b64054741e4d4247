//! One call of a plugin, as somebody asks it.

use super::host::Host;
use super::json;
use super::member::{Member, Problem, QuestionError};
use super::shape;
use crate::operation::Operation;
use crate::outcome::Outcome;
use crate::policy::{Budget, Candidate, Role};
use crate::time::Timestamp;
use serde_json::Value as Json;

/// One call of a plugin.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Question {
    /// The function with its arguments.
    pub asked: Asked,
    /// What the plugin sees instead of the machine.
    pub host: Option<Host>,
}

/// A function of the contract with its arguments.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Asked {
    /// What identifies an operation before it ran.
    Derive(Operation),
    /// What further identifies it, from this report.
    Discover(Operation, Vec<u8>),
    /// The bytes that stand for an outcome.
    Encode(Outcome),
    /// The outcome that bytes stand for.
    Decode(Vec<u8>),
    /// A number for each candidate.
    Score {
        /// The time now.
        now: Timestamp,
        /// What the cache may hold and holds.
        budget: Budget,
        /// What may go.
        candidates: Vec<Candidate>,
    },
}

/// What a question leaves open.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Surroundings<'a> {
    /// The root of an operation that names none and looks at the machine.
    pub root: &'a str,
    /// The role of the plugin that is asked; functions of other roles are wrong. `None` where it does not tell.
    pub role: Option<Role>,
}

impl Asked {
    /// The function's name.
    #[must_use]
    pub const fn function(&self) -> &'static str {
        match self {
            Self::Derive(_) => "derive",
            Self::Discover(..) => "discover",
            Self::Encode(_) => "encode",
            Self::Decode(_) => "decode",
            Self::Score { .. } => "score",
        }
    }

    /// The role that has the function.
    #[must_use]
    pub const fn role(&self) -> Role {
        match self {
            Self::Derive(_) | Self::Discover(..) => Role::Key,
            Self::Encode(_) | Self::Decode(_) => Role::Metadata,
            Self::Score { .. } => Role::Eviction,
        }
    }
}

impl Question {
    /// Reads a question of JSON.
    pub fn read(json: &Json, around: &Surroundings<'_>) -> Result<Self, QuestionError> {
        let top = Member::top(json);
        let function = function(&top)?;
        let host = top.get("host")?.map(|host| Host::read(&host)).transpose()?;
        // Nobody sees the root of an operation whose host stands in the question.
        let root = if host.is_some() { "/" } else { around.root };
        let operation = || operation(&top.need("operation")?, root, host.is_some());
        let asked = match function {
            "derive" => Asked::Derive(operation()?),
            "discover" => Asked::Discover(operation()?, json::bytes(&top.need("report")?)?),
            "encode" => Asked::Encode(shape::outcome(&top.need("outcome")?)?),
            "decode" => Asked::Decode(json::bytes(&top.need("hunk")?)?),
            _ => Asked::Score {
                now: Timestamp(top.need("now")?.number()?),
                budget: shape::budget(&top.need("budget")?)?,
                candidates: top.need("candidates")?.list(shape::candidate)?,
            },
        };
        if let Some(role) = around.role.filter(|role| *role != asked.role()) {
            let functions = match role {
                Role::Key => "derive and discover",
                Role::Metadata => "encode and decode",
                Role::Eviction => "score alone",
            };
            return Err(top.wrong(Problem::Role { function: asked.function(), functions }));
        }
        let members: &[&str] = match asked {
            Asked::Derive(_) => &["function", "host", "operation"],
            Asked::Discover(..) => &["function", "host", "operation", "report"],
            Asked::Encode(_) => &["function", "host", "outcome"],
            Asked::Decode(_) => &["function", "host", "hunk"],
            Asked::Score { .. } => &["function", "host", "now", "budget", "candidates"],
        };
        top.allow(members)?;
        Ok(Self { asked, host })
    }
}

/// Reads an operation of JSON: the member `operation` of a question. Without a root it has `root`.
pub fn read_operation(json: &Json, root: &str) -> Result<Operation, QuestionError> {
    operation(&Member::top(json), root, false)
}

/// The function that is called: named, or plain from the other members.
fn function(top: &Member<'_>) -> Result<&'static str, QuestionError> {
    const FUNCTIONS: [(&str, &str); 5] = [
        ("discover", "report"),
        ("derive", "operation"),
        ("encode", "outcome"),
        ("decode", "hunk"),
        ("score", "candidates"),
    ];
    if let Some(function) = top.get("function")? {
        let name = function.text()?;
        let known = FUNCTIONS.iter().find(|(known, _)| *known == name).map(|(known, _)| *known);
        let names = || FUNCTIONS.map(|(known, _)| known).join(", ");
        return known
            .ok_or_else(|| function.wrong(Problem::NoneOf { name: name.to_owned(), names: names() }));
    }
    for (function, member) in FUNCTIONS {
        if top.get(member)?.is_some() {
            return Ok(function);
        }
    }
    Err(top.wrong(Problem::NoFunction))
}

fn operation(member: &Member<'_>, root: &str, scripted: bool) -> Result<Operation, QuestionError> {
    member.allow(&["argv", "root", "directory", "reads", "writes", "variables"])?;
    let text = |name| member.get(name)?.map(|text| text.text().map(str::to_owned)).transpose();
    let texts = |name| Ok(member.get(name)?.map(|texts| texts.texts()).transpose()?.unwrap_or_default());
    let argv = member.need("argv")?;
    let operation = Operation {
        argv: argv.texts()?,
        root: text("root")?.unwrap_or_else(|| root.to_owned()),
        directory: text("directory")?.unwrap_or_default(),
        reads: texts("reads")?,
        writes: texts("writes")?,
        variables: texts("variables")?,
    };
    // The machine has nothing to show of an operation without a program.
    if operation.argv.is_empty() && !scripted {
        return Err(argv.expected("a list that begins with the program"));
    }
    Ok(operation)
}
