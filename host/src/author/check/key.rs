//! The key role, over operations.
//!
//! | module | laws |
//! |---|---|
//! | `alike` | same, reused, order: nothing but the question counts |
//! | `elsewhere` | place, unrelated: nothing counts that the operation has nothing to do with |
//! | `another` | reads, variables, arguments: all counts that the caller declared |
//!
//! The keys are those that [`rehearse`](crate::reviver::rehearse) makes, which are base keys: what a run discovers can only be
//! told after a run. Of `discover` it is only tried whether it answers alike, and without fault, to reports that are none.

mod alike;
mod another;
mod elsewhere;

use super::Subject;
use super::scene::Scenes;
use super::verdict::{Law, Tally, Tried, Verdict};
use crate::digest::Digest;
use crate::operation::Operation;
use crate::policy::Fault;
use crate::reviver::rehearse::{Named, Rehearsed};
use crate::reviver::secret::secret;
use crate::runtime::WasmKey;
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

/// How key plugins are checked.
#[derive(Clone, Copy, Debug)]
pub struct Terms {
    /// Whether the plugin means its keys to depend on where the repository is.
    pub located: bool,
}

/// An operation on a copy, which the plugin names.
struct Case<'a> {
    /// As it was recorded or given.
    original: &'a Operation,
    /// On a copy.
    operation: Rc<Operation>,
    /// What a fresh instance names it.
    named: Named,
}

/// What all tests of one plugin share.
struct Bench<'a> {
    scenes: &'a Scenes,
    plugin: WasmKey,
    secret: Digest,
    /// Faults count here, whatever was tried: a test of another law comes to nothing by one.
    answers: RefCell<Tally>,
}

impl Bench<'_> {
    /// What became of a key that had to stay; nothing at all where the plugin is at fault.
    fn changed(&self, case: &Case<'_>, now: &Rehearsed, what: &str) -> Tried {
        let why = match now {
            Rehearsed::Named(now) if now.key == case.named.key => return Tried::Passed,
            Rehearsed::Named(now) => self.differences(&case.named, now),
            Rehearsed::Refused(why) => format!("it is refused: {why}"),
            Rehearsed::Faulty(fault) => return self.fault(case, what, fault),
        };
        Tried::Broke(format!("{}: {what}: {why}", case.label()))
    }

    /// What became of a key that had to change. A refusal makes no wrong hit.
    fn unchanged(&self, case: &Case<'_>, now: &Rehearsed, what: &str) -> Tried {
        match now {
            Rehearsed::Named(now) if now.key == case.named.key => {
                Tried::Broke(format!("{}: {what}, and the key is the same: a wrong hit", case.label()))
            }
            Rehearsed::Faulty(fault) => self.fault(case, what, fault),
            _ => Tried::Passed,
        }
    }

    fn fault(&self, case: &Case<'_>, what: &str, fault: &Fault) -> Tried {
        self.answers.borrow_mut().test(Some(format!("{}: {what}: {fault}", case.label())));
        Tried::Nothing
    }

    /// The first differences between two names.
    fn differences(&self, was: &Named, now: &Named) -> String {
        let all = now.differences(was, &self.secret);
        let first: Vec<_> = all.iter().take(3).map(ToString::to_string).collect();
        let more = if all.len() > 3 { format!("; and {} more", all.len() - 3) } else { String::new() };
        first.join("; ") + &more
    }
}

impl Case<'_> {
    fn label(&self) -> String {
        command(self.original)
    }
}

/// A command as people know it.
fn command(operation: &Operation) -> String {
    let mut text: String = operation.argv.join(" ").chars().take(60).collect();
    if operation.argv.join(" ").chars().count() > 60 {
        text.push('…');
    }
    format!("`{}`", text.escape_debug())
}

/// Checks a key plugin over operations.
#[must_use]
pub fn key(subject: &Subject, operations: &[Operation], scenes: &Scenes, terms: Terms) -> Vec<Verdict> {
    let plugin = WasmKey::new(Arc::clone(&subject.runtime), subject.source.clone());
    // Seals what is shown of variables. A scratch cache without one shows nothing that could be told from outside.
    let secret = secret(scenes.store()).unwrap_or_else(|_| Digest::of(b""));
    let bench = Bench { scenes, plugin, secret, answers: RefCell::new(Tally::new(Law::Answers)) };
    let (mut cases, mut copies) = (Vec::new(), Vec::new());
    for (number, original) in operations.iter().enumerate() {
        match scenes.copy(original, &bench.plugin, &format!("copy/{number}")) {
            Ok(copy) => {
                let heard = bench.first(original, &copy);
                if let Rehearsed::Named(named) = heard {
                    cases.push(Case { original, operation: Rc::clone(&copy), named: *named });
                } else if let Rehearsed::Faulty(_) = heard {
                    continue;
                }
                copies.push(copy);
            }
            Err(why) => bench.answers.borrow_mut().unchecked(format!("{}: {why}", command(original))),
        }
    }
    if operations.is_empty() {
        bench.answers.borrow_mut().unchecked("there is no operation to ask it about");
    }
    let mut verdicts: Vec<_> = alike::alike(&bench, &cases, &copies).into();
    verdicts.extend(elsewhere::elsewhere(&bench, &cases, terms));
    verdicts.extend(another::another(&bench, &cases));
    verdicts.insert(0, bench.answers.into_inner().verdict());
    if cases.is_empty() {
        for verdict in verdicts.iter_mut().filter(|verdict| verdict.tested == 0 && verdict.grounds.is_empty())
        {
            let why = "it names none of the operations; run one, or give one with --operation";
            verdict.grounds.push(why.to_owned());
        }
    }
    verdicts
}

impl Bench<'_> {
    /// What a fresh instance makes of an operation.
    fn first(&self, original: &Operation, copy: &Rc<Operation>) -> Rehearsed {
        let heard = self.scenes.ask(copy, &self.scenes.variables, &self.plugin).0;
        let mut answers = self.answers.borrow_mut();
        match &heard {
            Rehearsed::Named(_) => answers.test(None),
            Rehearsed::Refused(why) => {
                answers.test(None);
                answers.note(format!("{} is refused: {why}", command(original)));
            }
            Rehearsed::Faulty(fault) => answers.test(Some(format!("{}: {fault}", command(original)))),
        }
        heard
    }
}
