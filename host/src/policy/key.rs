//! The key role.

use super::{Fault, PolicyId};
use crate::operation::{Derivation, Discovery, Operation, Refusal};
use crate::outcome::Exit;
use std::cell::RefCell;
use std::rc::Rc;

/// Names operations. Both functions are pure: equal arguments and equal looks give equal answers.
pub trait KeyPolicy {
    /// What stands for this policy in keys.
    fn id(&self) -> &PolicyId;

    /// Whether it would be asked at all. What would not be asked is better known before a command runs than after it.
    fn ready(&self) -> Result<(), Box<Fault>> {
        Ok(())
    }

    /// What identifies the operation before it ran.
    fn derive(
        &self,
        operation: &Operation,
        inputs: SharedInputs,
    ) -> Result<Result<Derivation, Refusal>, Box<Fault>>;

    /// What further identifies it, from the report of its run.
    fn discover(
        &self,
        operation: &Operation,
        report: &[u8],
        inputs: SharedInputs,
    ) -> Result<Result<Discovery, Refusal>, Box<Fault>>;
}

/// What a key policy looks at, answered by the host, which notes each answer as a condition. The policy's capabilities
/// are checked before these are called.
pub trait Inputs {
    /// A call begins, or begins anew: whatever it looked at is looked at again.
    fn begin(&mut self) {}
    /// An environment variable. [`LookFailure::Failed`] where it is not UTF-8.
    fn variable(&mut self, name: &str) -> Result<Option<String>, LookFailure>;
    /// Whether standard error is a terminal.
    fn terminal(&mut self) -> bool;
    /// A file's content.
    fn read(&mut self, path: &str) -> Result<Vec<u8>, LookFailure>;
    /// The lines of a file that hold any needle.
    fn scan(&mut self, path: &str, needles: &[String]) -> Result<Vec<Match>, LookFailure>;
    /// What the operation's own program says of itself.
    fn query(&mut self, arguments: &[String]) -> Result<QueryAnswer, LookFailure>;
}

/// The inputs of a call. They are shared for its duration, since a guest's host functions own what they use; afterwards the
/// policy holds none of them, so that a sole owner before is a sole owner again. The caller must hold no borrow meanwhile.
///
/// A policy may look at the same thing more than once, also because a call is started over.
pub type SharedInputs = Rc<RefCell<dyn Inputs>>;

/// A line that holds a needle.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Match {
    /// The position of the needle in the list that was asked for.
    pub needle: u32,
    /// The line without its end.
    pub line: Vec<u8>,
}

/// What a program said of itself.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct QueryAnswer {
    /// How it ended.
    pub exit: Exit,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// Its standard error.
    pub stderr: Vec<u8>,
}

/// Why there was nothing to see.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum LookFailure {
    /// Not allowed.
    Denied(String),
    /// No such file.
    Absent,
    /// Larger than this limit.
    TooLarge(u64),
    /// Anything else; the operation runs uncached.
    Failed(String),
}
