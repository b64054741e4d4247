//! The last step of a miss: what the run did becomes an entry.

use super::execute::Executed;
use super::explain::{self, explained};
use super::guard::Guard;
use super::hunk::{self, Hunk, HunkError};
use super::identify;
use super::label;
use super::list::Lists;
use super::prepare::Prepared;
use super::record::{Part, item, parts};
use super::remember::{Answer, Memory, Resolved};
use super::resolve::Resolver;
use super::revive::keep_made;
use super::run::{Report, Request, Reviver};
use super::tree::Node;
use super::value::{Value, names};
use super::writes::{State, Watched, normal, prove, state};
use crate::digest::Digest;
use crate::operation::{Discovery, Source};
use crate::store::{Added, Draft, StoreError};
use std::fs;
use std::path::PathBuf;

impl Reviver<'_> {
    /// Records a run whose inputs are beyond doubt; the error says why it is not recorded after all.
    #[expect(clippy::too_many_arguments, reason = "one step of one miss, with all that the miss is about")]
    pub(super) fn record(
        &self,
        request: &Request<'_>,
        after: &Resolver,
        prepared: &Prepared,
        watched: &[Watched],
        discovery: &Discovery,
        values: &[Value],
        executed: &Executed,
        (left, guard): (&[Option<State>], &Guard),
        report: &mut Report,
    ) -> Result<(), String> {
        refuse_written(after, prepared, discovery)?;
        let states: Vec<State> =
            watched.iter().map(prove).collect::<Result<_, _>>().map_err(|unproved| unproved.to_string())?;
        let hunk = self.hunk(executed, report)?;
        let matter = identify::streams_matter(request.joined, &executed.output);
        let base = if matter { prepared.base } else { prepared.either };
        report.record.base = base.to_hex();
        let companion = self
            .write_lists(request, after, (prepared, base), discovery, values)
            .map_err(|error| report.refused(&error))?;

        let parted = |(watched, state): (&Watched, &State)| {
            parts(watched.write.label.as_bytes(), &watched.path, state)
        };
        let parts: Vec<_> = watched.iter().zip(&states).flat_map(parted).collect();
        let own =
            |watched: &Watched| discovery.produced.iter().any(|(label, _)| *label == watched.write.label);
        for (watched, left) in watched.iter().zip(left).filter(|(watched, _)| !own(watched)) {
            let now = state(&watched.path).ok();
            let late = matches!(&now, Some(State::File(identity)) if identity.changed_after(executed.ended));
            if late || now != *left {
                return Err(format!("{} changed after the command had ended", watched.path.display()));
            }
        }
        let draft = Draft {
            manifest: false,
            name: None,
            metadata: &hunk.metadata,
            remembered: &hunk.remembered,
            companion: Some(base),
            companion_size: companion,
            cost: report.record.duration,
            items: parts.iter().map(|part| item(part, request.environment.umask)).collect(),
        };
        let key = identify::full(base, names(&discovery.ingredients), values);
        let now = self.clock.now();
        let added = self.partition.add(key, &draft, now).map_err(|error| report.refused(&error))?;
        let (bytes, items) = match added {
            Added::Stored { bytes, items } => (bytes, items),
            Added::SourceMissing(path) => return Err(format!("{} vanished", path.display())),
        };
        // What was read must be what was proved: somebody else may have written in between.
        let proved = |(part, item): (&Part, &crate::store::ItemInfo)| match &part.node {
            Node::File(identity) => item.identity == Some(*identity),
            _ => true,
        };
        if !parts.iter().zip(&items).all(proved) || guard.is_disturbed() {
            self.partition.remove(key, now).map_err(|error| report.refused(&error))?;
            return Err("an output changed after the command had ended".to_owned());
        }
        report.record.key = key.to_string();
        label::note(self.store, self.partition, &prepared.derivation.label, base);
        let directories =
            watched.iter().zip(&states).filter(|(_, state)| matches!(state, State::Directory(_)));
        let directories: Vec<PathBuf> = directories.map(|(watched, _)| watched.path.clone()).collect();
        if !directories.is_empty() {
            let made: Vec<_> =
                parts.iter().zip(&items).map(|(part, item)| (part.place.clone(), item.digest)).collect();
            keep_made(self.store, self.partition, &directories, &made);
        }
        self.remember_again(request, after, prepared);
        report.size = self.store.grown(bytes + companion).ok();
        Ok(())
    }

    /// What the entry keeps of the outcome.
    fn hunk(&self, executed: &Executed, report: &mut Report) -> Result<Hunk, String> {
        hunk::encode(self.codec, &executed.outcome()).map_err(|error| {
            if let HunkError::Fault(fault) = &error {
                report.fault(fault);
            }
            error.to_string()
        })
    }

    /// Writes the lists of the base key, this one in front; the number of bytes.
    fn write_lists(
        &self,
        request: &Request<'_>,
        after: &Resolver,
        (prepared, base): (&Prepared, Digest),
        discovery: &Discovery,
        values: &[Value],
    ) -> Result<u64, StoreError> {
        let root = &request.operation.root;
        let path = self.store.layout().companion(self.partition.id(), base);
        // Another process may have added a list since the lookup.
        let known = fs::read(&path).ok().and_then(|bytes| Lists::from_bytes(&bytes, root).ok());
        let mut lists = known.unwrap_or_default();
        lists.label.clone_from(&prepared.derivation.label);
        lists.base = explained(&prepared.derivation.ingredients, &prepared.values, &prepared.secret);
        lists.base.push(explain::Explained::new(&explain::input(), &prepared.input, &prepared.secret));
        if base == prepared.base {
            lists.base.push(explain::streams(request.joined));
        }
        if prepared.derivation.report.is_some() {
            let now = self.clock.now();
            lists.put(Resolved::new(after, discovery.ingredients.clone(), values, &prepared.secret, now));
        }
        let bytes = lists.to_bytes(root);
        self.store.publish(&path, &bytes)?;
        Ok(bytes.len() as u64)
    }

    /// Sees the derivation's ingredients anew, so that the next lookup finds them as they are now.
    pub(super) fn remember_again(&self, request: &Request<'_>, resolver: &Resolver, prepared: &Prepared) {
        let now = self.clock.now();
        let ingredients = prepared.derivation.ingredients.clone();
        let resolved = Resolved::new(resolver, ingredients, &prepared.values, &prepared.secret, now);
        let answer = Answer::Derivation(prepared.derivation.clone());
        let conditions = prepared.conditions.clone();
        let memory = Memory { conditions, answer, resolved };
        self.remember(prepared.question, &request.operation, &memory);
    }
}

/// What a run reads it must not write.
fn refuse_written(after: &Resolver, prepared: &Prepared, discovery: &Discovery) -> Result<(), String> {
    for ingredient in &discovery.ingredients {
        if let Source::File(path) | Source::Tree(path) = &ingredient.source {
            let path = normal(&after.environment.absolute(path));
            if prepared.places.contains(&path) {
                return Err(format!("it reads and writes {}", path.display()));
            }
        }
    }
    Ok(())
}
