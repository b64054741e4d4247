//! What an operation's base key would be, found as a run finds it, and without running, remembering or noting anything.
//!
//! | the plugin | the run would be | [`Rehearsed`] |
//! |---|---|---|
//! | names the operation | looked up under a base key | `Named` |
//! | refuses, or names what cannot be seen or written | uncached | `Refused`, with the reason of the run |
//! | is at fault | uncached, with a warning | `Faulty` |
//!
//! The base key is made for a frame in which the plugin itself stands for nothing: two plugins, or two versions of one,
//! that name an operation alike have equal keys here, which those of runs never are. Standard input is empty where it
//! matters, and standard error is no terminal.

use super::environment::Environment;
use super::explain::{Difference, Explained, differences, explained, input};
use super::files::Files;
use super::identify::{self, Frame};
use super::look::{Looks, SharedLooks};
use super::prepare::{places, refuse_cycles};
use super::program::Programs;
use super::resolve::Resolver;
use super::table::Table;
use super::value::{Value, names};
use crate::bytes::to_bytes;
use crate::digest::Digest;
use crate::operation::{Derivation, Ingredient, Input, Operation, Refusal, Write};
use crate::policy::{Fault, KeyPolicy};
use crate::store::{Partition, PartitionId, Store};
use crate::time::Clock;
use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// An operation, and what surrounds it.
#[derive(Clone, Debug)]
pub struct Rehearsal {
    /// What is asked about.
    pub operation: Rc<Operation>,
    /// How files are seen.
    pub resolver: Resolver,
    /// Where answers of programs are remembered.
    pub store: Store,
    /// The partition that they are remembered in.
    pub partition: Partition,
}

/// What came of it.
#[derive(Debug)]
pub enum Rehearsed {
    /// The operation has a base key.
    Named(Box<Named>),
    /// It has none.
    Refused(String),
    /// The plugin is at fault.
    Faulty(Box<Fault>),
}

/// An operation with its base key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Named {
    /// What the plugin answered.
    pub derivation: Derivation,
    /// What its ingredients resolved to.
    pub values: Vec<Value>,
    /// Where its writes are.
    pub places: Vec<PathBuf>,
    /// What the plugin looked at.
    pub looked: Vec<Ingredient>,
    /// The repository's root.
    pub root: String,
    /// The base key, the plugin left out.
    pub key: Digest,
}

impl Rehearsal {
    /// An operation in its directory, with these variables and this file mode creation mask, and the file system as it is
    /// from now on.
    #[must_use]
    pub fn new(
        operation: &Rc<Operation>,
        (variables, umask): (&BTreeMap<OsString, OsString>, u32),
        (store, partition): (&Store, &Partition),
        table: &Rc<Table>,
        clock: &Rc<dyn Clock>,
    ) -> Self {
        let directory = Path::new(&operation.root).join(&operation.directory);
        let environment = Environment { variables: variables.clone(), directory, umask, terminal: false };
        let resolver = Resolver {
            environment: Rc::new(environment),
            files: Rc::new(Files::new(Rc::clone(table), Rc::clone(clock))),
            programs: Rc::new(Programs::kept_in(store.clone(), partition.id())),
        };
        let (store, partition) = (store.clone(), partition.clone());
        Self { operation: Rc::clone(operation), resolver, store, partition }
    }

    /// What surrounds the operation.
    #[must_use]
    pub fn environment(&self) -> &Environment {
        &self.resolver.environment
    }

    /// A policy's view of the world, for one call: `derive`, or `discover` with this report.
    #[must_use]
    pub fn looks(&self, report: Option<Vec<u8>>) -> SharedLooks {
        SharedLooks::new(Looks {
            operation: Rc::clone(&self.operation),
            resolver: self.resolver.clone(),
            store: self.store.clone(),
            partition: self.partition.clone(),
            report,
            conditions: Vec::new(),
            failed: false,
        })
    }

    /// Asks a policy, and makes of its answer what a run makes of it.
    #[must_use]
    pub fn ask(&self, policy: &dyn KeyPolicy) -> Rehearsed {
        let looks = self.looks(None);
        match policy.derive(&self.operation, looks.inputs()) {
            Ok(answer) => self.answered(answer, &looks),
            Err(fault) => Rehearsed::Faulty(fault),
        }
    }

    /// What a run makes of an answer that was given after these looks.
    #[must_use]
    pub fn answered(&self, answer: Result<Derivation, Refusal>, looks: &SharedLooks) -> Rehearsed {
        let derivation = match answer {
            Ok(derivation) => derivation,
            Err(refusal) => return Rehearsed::Refused(refusal.reason().to_owned()),
        };
        let looked: Vec<_> = looks.conditions().into_iter().map(|(looked, _)| looked).collect();
        match self.name(derivation, looked) {
            Ok(named) => Rehearsed::Named(Box::new(named)),
            Err(reason) => Rehearsed::Refused(reason),
        }
    }

    fn name(&self, derivation: Derivation, looked: Vec<Ingredient>) -> Result<Named, String> {
        let places = places(self.environment(), &self.operation, &derivation)?;
        refuse_cycles(&self.resolver, &self.operation, &derivation, &looked, &places)?;
        let values =
            self.resolver.values(&derivation.ingredients, None).map_err(|doubt| doubt.to_string())?;
        let root = self.operation.root.clone();
        let key = key(&derivation, &values, &root);
        Ok(Named { derivation, values, places, looked, root, key })
    }
}

impl Named {
    /// What identifies the operation, with standard input, as explanations show it.
    #[must_use]
    pub fn explained(&self, secret: &Digest) -> Vec<Explained> {
        let mut all = explained(&self.derivation.ingredients, &self.values, secret);
        all.push(Explained::new(&input(), &stdin(&self.derivation), secret));
        all
    }

    /// What differs between this and what was named before, in all that makes the key.
    #[must_use]
    pub fn differences(&self, was: &Self, secret: &Digest) -> Vec<Difference> {
        let mut found = differences(&was.explained(secret), &self.explained(secret));
        let mut other = |label: &str, was: String, now: String| {
            if was != now {
                let (was, now) = (Some(was), Some(now));
                found.push(Difference {
                    label: label.into(),
                    kind: "the".into(),
                    place: String::new(),
                    was,
                    now,
                });
            }
        };
        let (then, now) = (&was.derivation, &self.derivation);
        other("writes", writes(then), writes(now));
        other("arguments to run with", format!("{:?}", then.arguments), format!("{:?}", now.arguments));
        other("report", format!("{:?}", then.report), format!("{:?}", now.report));
        if found.is_empty() && was.key != self.key {
            let order = |named: &Self| {
                let labels = named.derivation.ingredients.iter().map(|ingredient| ingredient.label.as_str());
                labels.collect::<Vec<_>>().join(", ")
            };
            let (was, now) = (Some(order(was)), Some(order(self)));
            let label = "order of ingredients".to_owned();
            found.push(Difference { label, kind: "the".into(), place: String::new(), was, now });
        }
        found
    }

    /// The base key of the same derivation with its ingredients and writes in an order of their own.
    #[must_use]
    pub fn unordered_key(&self) -> Digest {
        let Derivation { ingredients, .. } = &self.derivation;
        let mut pairs: Vec<_> = ingredients.iter().cloned().zip(self.values.iter().copied()).collect();
        pairs.sort_by_cached_key(|(ingredient, value)| {
            (ingredient.label.clone(), ingredient.source.kind(), to_bytes(value))
        });
        let (ingredients, values): (Vec<_>, Vec<_>) = pairs.into_iter().unzip();
        let mut derivation = Derivation { ingredients, ..self.derivation.clone() };
        derivation.writes.sort_by(|one, other| one.label.cmp(&other.label));
        key(&derivation, &values, &self.root)
    }
}

/// The base key of a derivation in a frame that says nothing.
fn key(derivation: &Derivation, values: &[Value], root: &str) -> Digest {
    let nothing = Digest::of(b"");
    let frame = Frame {
        partition: PartitionId::of(nothing),
        key_policy: nothing,
        codec: nothing,
        accepted: &BTreeSet::from([0]),
        input: stdin(derivation),
        root,
    };
    identify::base(&frame, derivation, names(&derivation.ingredients), values)
}

/// The writes of a derivation as they enter its key.
fn writes(derivation: &Derivation) -> String {
    let write = |write: &Write| format!("{} ({:?}, optional: {})", write.label, write.kind, write.optional);
    derivation.writes.iter().map(write).collect::<Vec<_>>().join(", ")
}

fn stdin(derivation: &Derivation) -> Value {
    match derivation.input {
        Input::Unused => Value::Absent,
        Input::Read => Value::of(b""),
    }
}
