//! From an operation to its base key: ask the plugin or its remembered answer, resolve, bound.

use super::environment::Environment;
use super::execute::ChildInput;
use super::hints::{Hint, Look};
use super::identify;
use super::input;
use super::look::{Looks, SharedLooks};
use super::remember::{Answer, Memory, Resolved};
use super::resolve::Resolver;
use super::run::{Report, Request, Reviver};
use super::secret::secret;
use super::value::{Value, names};
use super::writes;
use crate::digest::Digest;
use crate::operation::{Derivation, Ingredient, Operation, Refusal, Source};
use crate::policy::Fault;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// Why an operation has no key, or nothing to do with it.
#[derive(Debug)]
pub(super) struct Uncached {
    pub(super) reason: String,
    pub(super) fault: Option<Box<Fault>>,
    pub(super) cause: Cause,
}

/// What kind of reason that is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Cause {
    /// Something is doubtful.
    Doubt,
    /// The cache cannot be used.
    Unusable,
    /// The plugin refused.
    Refused,
    /// It did because something is not what it should be: its settings, as a rule.
    Malformed,
    /// The operation has a key, and is a miss that cannot be recorded.
    Unrecordable,
}

impl Uncached {
    pub(super) fn because(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), fault: None, cause: Cause::Doubt }
    }

    pub(super) fn unrecordable(reason: impl Into<String>) -> Self {
        Self { cause: Cause::Unrecordable, ..Self::because(reason) }
    }

    fn unusable(error: impl std::fmt::Display) -> Self {
        Self { cause: Cause::Unusable, ..Self::because(super::run::unusable(error)) }
    }
}

/// An operation with its base key.
#[derive(Debug)]
pub(super) struct Prepared {
    /// What the plugin answered.
    pub(super) derivation: Derivation,
    /// What its ingredients resolved to.
    pub(super) values: Vec<Value>,
    /// Where its writes are.
    pub(super) places: Vec<PathBuf>,
    /// What standard input resolved to.
    pub(super) input: Value,
    /// What the command gets for it.
    pub(super) child_input: ChildInput,
    /// The base key with what standard output and standard error are to each other.
    pub(super) base: Digest,
    /// The one of runs to which that made no difference.
    pub(super) either: Digest,
    /// What the plugin looked at, with what it resolved to.
    pub(super) conditions: Resolved,
    /// Whether what was seen of a program is out of date, so that it is worth seeing anew for later lookups.
    pub(super) stale_programs: bool,
    /// What a remembered derivation is found by.
    pub(super) question: Digest,
    /// The secret that variables are sealed with.
    pub(super) secret: Digest,
}

impl Reviver<'_> {
    /// The operation's base key, or why it has none.
    pub(super) fn prepare(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        report: &mut Report,
    ) -> Result<Prepared, Uncached> {
        let secret = secret(self.store).map_err(Uncached::unusable)?;
        let question = identify::question(self.key_policy.id().digest(), self.limits, &request.operation);
        let remembered = self.remembered(question, resolver, &secret)?;
        let fresh = remembered.is_none();
        let (memory, lasting) = match remembered {
            Some(memory) => (memory, true),
            None => self.ask(request, resolver, &secret)?,
        };
        let Memory { conditions, answer, resolved } = memory;
        let derivation = match answer {
            Answer::Derivation(derivation) => derivation,
            Answer::Refusal(refusal) => {
                let reason = refusal.reason().to_owned();
                let cause = match refusal {
                    Refusal::NotCacheable(_) => Cause::Refused,
                    Refusal::Malformed(_) => Cause::Malformed,
                };
                if fresh && lasting {
                    let answer = Answer::Refusal(refusal);
                    self.remember(question, &request.operation, &Memory { conditions, answer, resolved });
                }
                return Err(Uncached { cause, ..Uncached::because(reason) });
            }
        };
        report.record.label.clone_from(&derivation.label);
        let places =
            places(&request.environment, &request.operation, &derivation).map_err(Uncached::because)?;
        refuse_cycles(resolver, &request.operation, &derivation, &conditions.ingredients, &places)
            .map_err(Uncached::because)?;
        let (names, values) = if fresh {
            (names(&derivation.ingredients), resolver.values(&derivation.ingredients, None))
        } else {
            (resolved.names, resolved.now(resolver))
        };
        let values = values.map_err(|doubt| Uncached::because(doubt.to_string()))?;
        if fresh && lasting {
            let now = self.clock.now();
            let resolved = Resolved::new(resolver, derivation.ingredients.clone(), &values, &secret, now);
            let answer = Answer::Derivation(derivation.clone());
            let memory = Memory { conditions: conditions.clone(), answer, resolved };
            self.remember(question, &request.operation, &memory);
        }
        let (input, child_input) = input::resolve(request.stdin, derivation.input, request.input)
            .map_err(|doubt| Uncached::because(doubt.to_string()))?;
        let surroundings = identify::Frame {
            partition: self.partition.id(),
            key_policy: self.key_policy.id().digest(),
            codec: self.codec.id().digest(),
            accepted: request.accepted,
            input,
            root: &request.operation.root,
        };
        let either = identify::base(&surroundings, &derivation, names, &values);
        let base = identify::with_streams(either, request.joined);
        Ok(Prepared {
            derivation,
            values,
            places,
            input,
            child_input,
            base,
            either,
            conditions,
            stale_programs: !fresh && stale_programs(resolver, &resolved),
            question,
            secret,
        })
    }

    /// Keeps an answer. Where that fails the plugin is asked again next time.
    pub(super) fn remember(&self, question: Digest, operation: &Operation, memory: &Memory) {
        let path = self.store.layout().derivation(self.partition.id(), question);
        self.store.publish(&path, &memory.to_bytes(operation)).ok();
    }

    /// A policy's view of the world, for one call.
    pub(super) fn looks(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        report: Option<Vec<u8>>,
    ) -> SharedLooks {
        SharedLooks::new(Looks {
            operation: Rc::clone(&request.operation),
            resolver: resolver.clone(),
            store: self.store.clone(),
            partition: self.partition.clone(),
            report,
            conditions: Vec::new(),
            failed: false,
        })
    }

    fn remembered(
        &self,
        question: Digest,
        resolver: &Resolver,
        secret: &Digest,
    ) -> Result<Option<Memory>, Uncached> {
        let path = self.store.layout().derivation(self.partition.id(), question);
        let memory = self.store.read(&path).ok().and_then(|bytes| Memory::from_bytes(&bytes).ok());
        let Some(memory) = memory else { return Ok(None) };
        let holds = memory.conditions.holds(resolver, secret);
        Ok(holds.map_err(|doubt| Uncached::because(doubt.to_string()))?.then_some(memory))
    }

    fn ask(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        secret: &Digest,
    ) -> Result<(Memory, bool), Uncached> {
        let looks = self.looks(request, resolver, None);
        let answer = self.key_policy.derive(&request.operation, looks.inputs()).map_err(|fault| {
            let reason = fault.reason();
            Uncached { fault: Some(fault), ..Uncached::because(reason) }
        })?;
        let (ingredients, values): (Vec<_>, Vec<_>) = looks.conditions().into_iter().unzip();
        let conditions = Resolved::new(resolver, ingredients, &values, secret, self.clock.now());
        let answer = match answer {
            Ok(derivation) => Answer::Derivation(derivation),
            Err(refusal) => Answer::Refusal(refusal),
        };
        Ok((Memory { conditions, answer, resolved: Resolved::nothing() }, looks.lasting()))
    }
}

/// Where the writes of a derivation are, or why they may not be there.
pub(super) fn places(
    environment: &Environment,
    operation: &Operation,
    derivation: &Derivation,
) -> Result<Vec<PathBuf>, String> {
    writes::places(environment, operation, derivation).map_err(|path| {
        format!("the plugin names {} as a write, which this operation may not write", path.display())
    })
}

/// Whether a program must be followed through its libraries each time, because something of it was touched since.
fn stale_programs(resolver: &Resolver, resolved: &Resolved) -> bool {
    let moved = |look: &Look| resolver.files.identity(Path::new(&look.path)).ok() != Some(look.identity);
    resolved.ingredients.iter().zip(&resolved.hints.each).any(|(ingredient, hint)| {
        match (&ingredient.source, hint) {
            (Source::Program(_), Hint::Program(searched, looks)) => {
                *searched != resolver.programs.searched(&resolver.environment) || looks.iter().any(moved)
            }
            (Source::Program(_), _) => true,
            _ => false,
        }
    })
}

/// An operation that writes what it reads is not a function of its inputs.
pub(super) fn refuse_cycles(
    resolver: &Resolver,
    operation: &Operation,
    derivation: &Derivation,
    conditions: &[Ingredient],
    places: &[PathBuf],
) -> Result<(), String> {
    let absolute = |path: &str| writes::normal(&resolver.environment.absolute(path));
    let looked = derivation.ingredients.iter().chain(conditions);
    let looked = looked.filter_map(|Ingredient { source, .. }| match source {
        Source::File(path) | Source::Listing(path) => Some((absolute(path), false)),
        Source::Tree(path) => Some((absolute(path), true)),
        _ => None,
    });
    let declared = operation.reads.iter().map(|path| (absolute(path), path.ends_with('/')));
    for (read, tree) in looked.chain(declared) {
        if let Some(place) = places.iter().find(|place| **place == read || (tree && place.starts_with(&read)))
        {
            let (read, place) = (read.display(), place.display());
            return Err(format!("it reads {read} and writes {place}"));
        }
    }
    Ok(())
}
