//! From a base key to an entry, and from an entry to a hit.

use super::execute::Outputs;
use super::explain::{self, Difference, differences, explained};
use super::files::Files;
use super::hunk::{self, HunkError};
use super::identify;
use super::journal;
use super::label;
use super::list::Lists;
use super::prepare::Prepared;
use super::remember::Resolved;
use super::resolve::Resolver;
use super::revive::Reviving;
use super::run::{Report, Request, Reviver, Search};
use super::value::names;
use crate::digest::Digest;
use crate::key::Key;
use crate::outcome::{Exit, Outcome};
use crate::store::{Entry, StageError};

/// So many hints of a list may be stale before it is written anew.
const STALE: usize = 4;

impl Reviver<'_> {
    /// What is found under either base key: most commands say nothing, or say it on one stream alone.
    pub(super) fn lookup(&self, request: &Request<'_>, resolver: &Resolver, prepared: &Prepared) -> Search {
        let either = self.search(request, resolver, prepared, prepared.either);
        if either.found.is_some() {
            return either;
        }
        let own = self.search(request, resolver, prepared, prepared.base);
        // Where neither leads anywhere, the one that knows lists tells what has changed.
        if own.found.is_none() && own.lists.is_empty() { either } else { own }
    }

    fn search(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        prepared: &Prepared,
        base: Digest,
    ) -> Search {
        let mut search = Search { found: None, base, lists: Vec::new(), now: Vec::new() };
        if prepared.derivation.report.is_none() {
            let key = identify::full(base, names(&[]), &[]);
            search.found = self.find(key).map(|entry| (key, entry, None));
            return search;
        }
        let path = self.store.layout().companion(self.partition.id(), base);
        // Without lists nothing was recorded, and damaged ones are none.
        search.lists = self.store.read(&path).unwrap_or_default();
        for (position, list) in Lists::kept(&search.lists).unwrap_or_default().into_iter().enumerate() {
            // A list that cannot be looked at now leads nowhere; another one may.
            let Ok(now) = list.now(resolver, &request.operation.root) else {
                search.now.push(None);
                continue;
            };
            let key = identify::full(base, now.names, &now.values);
            search.now.push(Some(now));
            if let Some(entry) = self.find(key) {
                search.found = Some((key, entry, Some(position)));
                break;
            }
        }
        search
    }

    /// Revives what was found; `None` where it proves to be no hit.
    pub(super) fn hit(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        prepared: &Prepared,
        search: &Search,
        outputs: &mut Outputs<'_>,
        report: &mut Report,
    ) -> Option<Exit> {
        let (_, entry, list) = search.found.as_ref()?;
        let outcome =
            self.put_in_place(request.environment.umask, &resolver.files, prepared, entry, report)?;
        for chunk in &outcome.output {
            outputs.say(chunk.stream, &chunk.bytes);
        }
        self.note_use(entry, &outcome, report);
        self.see_anew(request, resolver, prepared, search, *list);
        Some(outcome.exit)
    }

    /// Puts the files of an entry in place; `None` where it proves to be no hit.
    pub(super) fn put_in_place(
        &self,
        umask: u32,
        files: &Files,
        prepared: &Prepared,
        entry: &Entry,
        report: &mut Report,
    ) -> Option<Outcome> {
        let key = entry.key();
        let outcome = self.outcome(entry, report)?;
        // Whoever runs a command that writes there must not take this for what that command wrote.
        let _told: Vec<_> = prepared.places.iter().map(|place| self.store.disturb_path(place)).collect();
        let reviving = Reviving { store: self.store, partition: self.partition, files, umask };
        match reviving.revive(entry, &prepared.derivation, &prepared.places) {
            Ok(Some(revived)) => {
                let foreign = revived.foreign.iter().map(|path| {
                    format!(
                        "{} was not made by this operation and stays in its output directory",
                        path.display()
                    )
                });
                report.warnings.extend(foreign);
            }
            // Something of another kind may be in the way, which only the command may replace.
            Ok(None) | Err(StageError::IsADirectory { .. } | StageError::NotADirectory { .. }) => {
                return None;
            }
            Err(StageError::Damaged { .. }) => {
                let aside = if self.store.options().read_only { "" } else { " and was set aside" };
                report.warnings.push(format!("the entry {key} is damaged{aside}; the command runs"));
                return None;
            }
            Err(error) => {
                report.warnings.push(format!("cannot revive: {error}; the command runs"));
                return None;
            }
        }
        Some(outcome)
    }

    /// Notes that an entry was revived.
    pub(super) fn note_use(&self, entry: &Entry, outcome: &Outcome, report: &mut Report) {
        let key = entry.key();
        report.record.result = journal::Result::Hit;
        report.record.key = key.to_string();
        report.record.duration = outcome.duration;
        if let Err(error) = self.partition.used(key, self.clock.now()) {
            report.warnings.push(format!("cannot note that the entry was used: {error}"));
        }
    }

    /// Makes the next lookup of what was found by this list as cheap as it can be.
    pub(super) fn see_anew(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        prepared: &Prepared,
        search: &Search,
        list: Option<usize>,
    ) {
        if self.store.options().read_only {
            return;
        }
        if prepared.stale_programs {
            self.remember_again(request, resolver, prepared);
        }
        if let Some(position) = list {
            self.refresh(request, resolver, prepared, search, position);
        }
    }

    /// What differs from the nearest operation that is known; `None` where none is.
    pub(super) fn differences(
        &self,
        request: &Request<'_>,
        prepared: &Prepared,
        search: &Search,
    ) -> Option<Vec<Difference>> {
        let secret = &prepared.secret;
        let known = Lists::from_bytes(&search.lists, &request.operation.root).unwrap_or_default();
        let lists = known.lists.iter().zip(&search.now).filter_map(|(list, now)| {
            let was = list.ingredients.iter().zip(&list.values);
            let was: Vec<_> =
                was.map(|(ingredient, value)| explain::Explained::kept(ingredient, value)).collect();
            Some(differences(&was, &explained(&list.ingredients, &now.as_ref()?.values, secret)))
        });
        let nearest = lists.filter(|found| !found.is_empty()).min_by_key(Vec::len);
        nearest.or_else(|| {
            let mut now = explained(&prepared.derivation.ingredients, &prepared.values, secret);
            now.push(explain::Explained::new(&explain::input(), &prepared.input, secret));
            now.push(explain::streams(request.joined));
            let (label, root) = (&prepared.derivation.label, &request.operation.root);
            label::nearest(self.store, self.partition, label, root, &now)
        })
    }

    /// An entry that cannot be read is a miss, and so is a damaged one.
    fn find(&self, key: Key) -> Option<Entry> {
        self.partition.find(key).ok().flatten()
    }

    /// The outcome of an entry: as remembered, else as the codec decodes it.
    fn outcome(&self, entry: &Entry, report: &mut Report) -> Option<Outcome> {
        match hunk::decode(self.codec, entry) {
            Ok(outcome) => Some(outcome),
            Err(HunkError::Fault(fault)) => {
                report.fault(&fault);
                None
            }
            Err(error) => {
                report.warnings.push(format!("cannot revive {}: {error}", entry.key()));
                None
            }
        }
    }

    /// Moves the list that led to the hit to the front, and sees anew what it names if much of it was touched.
    fn refresh(
        &self,
        request: &Request<'_>,
        resolver: &Resolver,
        prepared: &Prepared,
        search: &Search,
        position: usize,
    ) {
        let Some(Some(now)) = search.now.get(position) else { return };
        if position == 0 && now.stale < STALE {
            return;
        }
        let (root, values) = (&request.operation.root, &now.values);
        let Some(list) = search.list(position, root) else { return };
        // Another process may have added a list since.
        let path = self.store.layout().companion(self.partition.id(), search.base);
        let whole = self.store.read(&path).ok().and_then(|bytes| Lists::from_bytes(&bytes, root).ok());
        let Some(mut lists) = whole else { return };
        let now = self.clock.now();
        let seen = Resolved::new(resolver, list.ingredients, values, &prepared.secret, now);
        lists.put(Resolved { names: list.names, ..seen });
        // The old order costs time at most.
        self.store.publish(&path, &lists.to_bytes(root)).ok();
    }
}
