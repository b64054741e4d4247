//! Two key plugins over operations: which keys stay equal, change, merge and split.
//!
//! Keys are base keys, since what a run discovers can only be told after one. *Merged* are operations that had different
//! keys and have one now: where they do different things, that is a wrong hit. *Split* is the reverse, and costs hits.

use crate::digest::Digest;
use crate::operation::Operation;
use crate::policy::{Fault, KeyPolicy};
use crate::reviver::explain::Difference;
use crate::reviver::rehearse::{Named, Rehearsal, Rehearsed};
use std::collections::BTreeMap;
use std::rc::Rc;

/// What became of one operation.
#[derive(Debug)]
pub struct Compared {
    /// The operation.
    pub operation: Rc<Operation>,
    /// What it is called; the command where both refuse it.
    pub label: String,
    /// What became of it.
    pub became: Became,
}

/// What another version makes of an operation.
#[derive(Debug)]
pub enum Became {
    /// The same key.
    Equal,
    /// Another key, for these differences.
    Changed(Vec<Difference>),
    /// It had a key and is refused.
    NewlyRefused(String),
    /// It was refused and has a key.
    NewlyAccepted(String),
    /// Both refuse it.
    Refused {
        /// Why the former version does.
        was: String,
        /// Why the latter does.
        now: String,
    },
    /// One of them is at fault, or both.
    Faulty(Vec<Box<Fault>>),
}

impl Became {
    /// The word for it.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Equal => "equal",
            Self::Changed(_) => "changed",
            Self::NewlyRefused(_) => "newly-refused",
            Self::NewlyAccepted(_) => "newly-accepted",
            Self::Refused { .. } => "refused",
            Self::Faulty(_) => "fault",
        }
    }
}

/// Two key plugins compared.
#[derive(Debug, Default)]
pub struct Keys {
    /// Each operation.
    pub compared: Vec<Compared>,
    /// Groups of operations, by position, that had different keys and have one now.
    pub merged: Vec<Vec<usize>>,
    /// Groups of operations, by position, that had one key and have different ones now.
    pub split: Vec<Vec<usize>>,
}

impl Keys {
    /// How many operations became this.
    #[must_use]
    pub fn count(&self, word: &str) -> usize {
        self.compared.iter().filter(|compared| compared.became.word() == word).count()
    }

    /// Whether the versions differ in anything.
    #[must_use]
    pub fn differ(&self) -> bool {
        let alike = |compared: &Compared| match &compared.became {
            Became::Equal => true,
            Became::Refused { was, now } => was == now,
            _ => false,
        };
        !self.compared.iter().all(alike)
    }
}

/// Compares two key plugins over operations, each of which `rehearsal` puts into its surroundings; `secret` seals what is
/// shown of variables.
pub fn keys(
    (old, new): (&dyn KeyPolicy, &dyn KeyPolicy),
    operations: Vec<Operation>,
    rehearsal: &dyn Fn(&Rc<Operation>) -> Rehearsal,
    secret: &Digest,
) -> Keys {
    let mut keys = Keys::default();
    let mut pairs = Vec::new();
    for operation in operations.into_iter().map(Rc::new) {
        let ask = |policy| rehearsal(&operation).ask(policy);
        let (was, now) = (ask(old), ask(new));
        if let (Rehearsed::Named(was), Rehearsed::Named(now)) = (&was, &now) {
            pairs.push((keys.compared.len(), was.key, now.key));
        }
        let label = match (&was, &now) {
            (_, Rehearsed::Named(named)) | (Rehearsed::Named(named), _) => named.derivation.label.clone(),
            _ => operation.argv.join(" "),
        };
        let became = became(was, now, secret);
        keys.compared.push(Compared { operation, label, became });
    }
    keys.merged = groups(pairs.iter().map(|(at, was, now)| (*at, *now, *was)));
    keys.split = groups(pairs.iter().map(|(at, was, now)| (*at, *was, *now)));
    keys
}

fn became(was: Rehearsed, now: Rehearsed, secret: &Digest) -> Became {
    match (was, now) {
        (Rehearsed::Faulty(one), Rehearsed::Faulty(other)) => Became::Faulty(vec![one, other]),
        (Rehearsed::Faulty(fault), _) | (_, Rehearsed::Faulty(fault)) => Became::Faulty(vec![fault]),
        (Rehearsed::Named(was), Rehearsed::Named(now)) => changed(&was, &now, secret),
        (Rehearsed::Named(_), Rehearsed::Refused(why)) => Became::NewlyRefused(why),
        (Rehearsed::Refused(why), Rehearsed::Named(_)) => Became::NewlyAccepted(why),
        (Rehearsed::Refused(was), Rehearsed::Refused(now)) => Became::Refused { was, now },
    }
}

fn changed(was: &Named, now: &Named, secret: &Digest) -> Became {
    if was.key == now.key { Became::Equal } else { Became::Changed(now.differences(was, secret)) }
}

/// Those with one first key and several second ones.
fn groups(pairs: impl Iterator<Item = (usize, Digest, Digest)>) -> Vec<Vec<usize>> {
    let mut together: BTreeMap<[u8; 32], Vec<(usize, Digest)>> = BTreeMap::new();
    for (at, one, other) in pairs {
        together.entry(*one.as_bytes()).or_default().push((at, other));
    }
    let mut found: Vec<Vec<usize>> = together
        .into_values()
        .filter(|all| all.iter().any(|(_, other)| *other != all[0].1))
        .map(|all| all.into_iter().map(|(at, _)| at).collect())
        .collect();
    found.sort();
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_has_one_key_on_one_side_and_several_on_the_other() {
        let key = |name: &str| Digest::of(name.as_bytes());
        let pairs = [(0, "x", "a"), (1, "x", "b"), (2, "y", "c"), (3, "y", "c"), (4, "z", "d")];
        let pairs = pairs.map(|(at, one, other)| (at, key(one), key(other)));
        assert_eq!(groups(pairs.into_iter()), [[0, 1]]);
    }
}
