//! What a plugin sees in a call instead of the machine: it stands in the question.
//!
//! | a look | |
//! |---|---|
//! | without the capability | denied |
//! | at a variable or a file that is told | what is told, within the limits of real files |
//! | at another variable or file | absent |
//! | at the terminal | what is told, else that there is none |
//! | a query that is told | what is told |
//! | another query | fails: the question has no answer, whatever the plugin says |

use super::json;
use super::member::{Member, Problem, QuestionError};
use super::shape;
use crate::policy::{Inputs, LookFailure, Match, QueryAnswer};
use crate::reviver::look::READ_LIMIT;
use crate::reviver::scan;
use crate::runtime::{Capabilities, Capability};
use std::collections::BTreeMap;

/// What a plugin sees instead of the machine.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Host {
    /// Its configuration, a JSON object with sorted keys; without one, that of the plugin's source.
    pub configuration: Option<String>,
    /// The environment variables that there are.
    pub variables: BTreeMap<String, String>,
    /// Whether standard error is a terminal.
    pub terminal: bool,
    /// The files that there are, by the very path that the plugin asks for.
    pub files: BTreeMap<String, Vec<u8>>,
    /// What the operation's program answers, by its arguments.
    pub answers: BTreeMap<Vec<String>, QueryAnswer>,
    /// What the plugin may do.
    pub capabilities: Capabilities,
}

impl Default for Host {
    fn default() -> Self {
        Self {
            configuration: None,
            variables: BTreeMap::new(),
            terminal: false,
            files: BTreeMap::new(),
            answers: BTreeMap::new(),
            capabilities: Capabilities::ALL,
        }
    }
}

impl Host {
    pub(super) fn read(member: &Member<'_>) -> Result<Self, QuestionError> {
        member.allow(&["configuration", "variables", "terminal", "files", "answers", "capabilities"])?;
        let mut host = Self::default();
        if let Some(configuration) = member.get("configuration")? {
            let json = configuration.json();
            if !json.is_object() {
                return Err(configuration.expected("an object"));
            }
            host.configuration = Some(json.to_string());
        }
        if let Some(variables) = member.get("variables")? {
            host.variables.extend(variables.entries(|value| value.text().map(str::to_owned))?);
        }
        if let Some(terminal) = member.get("terminal")? {
            host.terminal = terminal.boolean()?;
        }
        if let Some(files) = member.get("files")? {
            host.files.extend(files.entries(json::bytes)?);
        }
        if let Some(answers) = member.get("answers")? {
            host.answers.extend(answers.list(answer)?);
        }
        if let Some(capabilities) = member.get("capabilities")? {
            host.capabilities = capabilities.list(capability)?.into_iter().collect();
        }
        Ok(host)
    }
}

fn answer(member: &Member<'_>) -> Result<(Vec<String>, QueryAnswer), QuestionError> {
    member.allow(&["arguments", "exit", "stdout", "stderr"])?;
    let bytes = |name| member.get(name)?.map_or_else(|| Ok(Vec::new()), |bytes| json::bytes(&bytes));
    let exit = member.get("exit")?.map_or(Ok(crate::outcome::Exit::Code(0)), |exit| shape::exit(&exit))?;
    let answer = QueryAnswer { exit, stdout: bytes("stdout")?, stderr: bytes("stderr")? };
    Ok((member.need("arguments")?.texts()?, answer))
}

fn capability(member: &Member<'_>) -> Result<Capability, QuestionError> {
    let name = member.text()?;
    Capability::from_name(name).ok_or_else(|| {
        let names = Capability::ALL.map(Capability::name).join(", ");
        member.wrong(Problem::NoneOf { name: name.to_owned(), names })
    })
}

/// A host, as a plugin asks it.
pub(super) struct Scripted(pub(super) Host);

impl Scripted {
    fn needs(&self, capability: Capability, function: &str) -> Result<(), LookFailure> {
        if self.0.capabilities.has(capability) {
            return Ok(());
        }
        Err(LookFailure::Denied(capability.lacking(function)))
    }

    fn file(&self, path: &str, limit: u64) -> Result<&[u8], LookFailure> {
        let file = self.0.files.get(path).ok_or(LookFailure::Absent)?;
        if file.len() as u64 > limit { Err(LookFailure::TooLarge(limit)) } else { Ok(file) }
    }
}

impl Inputs for Scripted {
    fn variable(&mut self, name: &str) -> Result<Option<String>, LookFailure> {
        Ok(self.0.variables.get(name).cloned())
    }

    fn terminal(&mut self) -> bool {
        self.0.terminal
    }

    fn read(&mut self, path: &str) -> Result<Vec<u8>, LookFailure> {
        self.needs(Capability::Read, "read")?;
        self.file(path, READ_LIMIT).map(<[u8]>::to_vec)
    }

    fn scan(&mut self, path: &str, needles: &[String]) -> Result<Vec<Match>, LookFailure> {
        scan::check(needles)?;
        scan::scan(self.file(path, scan::FILE_LIMIT)?, needles)
    }

    fn query(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure> {
        self.needs(Capability::Query, "query")?;
        let unknown = || LookFailure::Failed(format!("the call's host knows no answer to {arguments:?}"));
        self.0.answers.get(arguments).cloned().ok_or_else(unknown)
    }
}
