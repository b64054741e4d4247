//! What is to be done, and by whom it is not.

use super::super::environment::Environment;
use super::super::input::InputRule;
use super::super::recheck::Share;
use super::super::run::Request;
use crate::operation::Operation;
use std::collections::BTreeSet;
use std::rc::Rc;

/// An operation that its caller runs itself, with nothing as standard input.
#[derive(Clone, Debug)]
pub struct Task {
    /// What it is.
    pub operation: Operation,
    /// What surrounds the command that the caller would run.
    pub environment: Environment,
    /// The exit statuses that are recorded.
    pub accepted: BTreeSet<u8>,
    /// Whether standard output and standard error are one file.
    pub joined: bool,
}

impl Task {
    /// Asks this of a reviver; the task, and the answer.
    pub(super) fn ask<T>(self, answer: impl FnOnce(&Request<'_>) -> T) -> (Self, T) {
        let Self { operation, environment, accepted, joined } = self;
        let request = Request {
            operation: Rc::new(operation),
            environment: Rc::new(environment),
            accepted: &accepted,
            input: InputRule::None,
            stdin: None,
            joined,
            here: false,
            told: &[],
            recheck: Share::NONE,
            anew: None,
        };
        let answer = answer(&request);
        let Request { operation, environment, .. } = request;
        // Nobody else holds them any more, as a rule; who does holds what never changes.
        let (operation, environment) = (Rc::unwrap_or_clone(operation), Rc::unwrap_or_clone(environment));
        (Self { operation, environment, accepted, joined }, answer)
    }
}
