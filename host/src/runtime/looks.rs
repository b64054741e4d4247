//! What a key plugin may look at: its capabilities are checked here, what it sees comes from the caller.
//!
//! | a look | the guest gets | the operation |
//! |---|---|---|
//! | answered, absent, too large, denied | that | as the guest answers |
//! | without the capability, or with more needles than the contract allows | `denied` | as the guest answers |
//! | failed | `failed` | uncached, whatever the guest answers |
//! | failed, at a variable | nothing: the call ends | uncached |

use super::bindings::inputs::{self, Answer, Failure};
use super::bindings::types::ExitStatus;
use super::capability::Capability;
use super::fault::Halt;
use super::state::State;
use crate::outcome::Exit;
use crate::policy::{Inputs, LookFailure, Match, QueryAnswer};
use wasmtime::{Error, Result};

const NEEDLES: usize = 16;
const NEEDLE: usize = 64;

impl State {
    fn look<T>(
        &mut self,
        look: impl FnOnce(&mut dyn Inputs) -> Result<T, LookFailure>,
    ) -> Result<T, Failure> {
        let inputs = self.inputs.as_ref().expect("invariant: only key plugins link `inputs`");
        let answer = look(&mut *inputs.borrow_mut());
        answer.map_err(|failure| match failure {
            LookFailure::Denied(why) => Failure::Denied(why),
            LookFailure::Absent => Failure::Absent,
            LookFailure::TooLarge(limit) => Failure::TooLarge(limit),
            LookFailure::Failed(why) => {
                self.failed.get_or_insert_with(|| why.clone());
                Failure::Failed(why)
            }
        })
    }

    fn needs(&self, capability: Capability, function: &str) -> Result<(), Failure> {
        if self.capabilities.has(capability) {
            return Ok(());
        }
        Err(Failure::Denied(capability.lacking(function)))
    }
}

impl inputs::Host for State {
    fn variable(&mut self, name: String) -> Result<Option<String>> {
        self.hear([&name])?;
        match self.look(|inputs| inputs.variable(&name)) {
            Ok(value) => Ok(value),
            Err(Failure::Absent) => Ok(None),
            Err(failure) => {
                self.failed.get_or_insert_with(|| match failure {
                    Failure::Denied(why) | Failure::Failed(why) => why,
                    _ => format!("the variable `{name}` is too large"),
                });
                Err(Error::new(Halt::Look))
            }
        }
    }

    fn terminal(&mut self) -> Result<bool> {
        self.hear([])?;
        Ok(self.look(|inputs| Ok(inputs.terminal())).unwrap_or_default())
    }

    fn read(&mut self, path: String) -> Result<Result<Vec<u8>, Failure>> {
        self.hear([&path])?;
        let leave = self.needs(Capability::Read, "read");
        Ok(leave.and_then(|()| self.look(|inputs| inputs.read(&path))))
    }

    fn scan(&mut self, path: String, needles: Vec<String>) -> Result<Result<Vec<inputs::Match>, Failure>> {
        self.hear(needles.iter().chain([&path]))?;
        if needles.len() > NEEDLES || needles.iter().any(|needle| needle.is_empty() || needle.len() > NEEDLE)
        {
            let why = format!("`scan` takes at most {NEEDLES} needles of 1 to {NEEDLE} bytes");
            return Ok(Err(Failure::Denied(why)));
        }
        let matches = self.look(|inputs| inputs.scan(&path, &needles));
        Ok(matches.map(|matches| matches.into_iter().map(Into::into).collect()))
    }

    fn query(&mut self, arguments: Vec<String>) -> Result<Result<Answer, Failure>> {
        self.hear(&arguments)?;
        let leave = self.needs(Capability::Query, "query");
        Ok(leave.and_then(|()| self.look(|inputs| inputs.query(&arguments))).map(Into::into))
    }
}

impl From<Match> for inputs::Match {
    fn from(Match { needle, line }: Match) -> Self {
        Self { needle, line }
    }
}

impl From<QueryAnswer> for Answer {
    fn from(QueryAnswer { exit, stdout, stderr }: QueryAnswer) -> Self {
        Self { exit: exit.into(), stdout, stderr }
    }
}

impl From<Exit> for ExitStatus {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Code(code),
            Exit::Signal(signal) => Self::Signal(signal),
        }
    }
}

impl From<ExitStatus> for Exit {
    fn from(exit: ExitStatus) -> Self {
        match exit {
            ExitStatus::Code(code) => Self::Code(code),
            ExitStatus::Signal(signal) => Self::Signal(signal),
        }
    }
}
