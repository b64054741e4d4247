//! Rechecking: some hits are not revived but run again, and what they do is held against the entry.
//!
//! A key can be too small: the command reads a file that nobody declared and no plugin knew of, and the entry is revived
//! although that file changed. Nothing in a lookup can tell. Running the command once more can, so a [`Share`] of the hits
//! is given to that.
//!
//! | the command, run again | result | exit status, output and files | the entry |
//! |---|---|---|---|
//! | does what the entry holds | rechecked | the command's | stays, and was used |
//! | does something else | differs, with a warning | the command's | in `quarantine/`; nothing is recorded in its place by this run |
//! | ran while its inputs changed, or others wrote its outputs, or cannot be judged for another reason | rechecked, with that reason | the command's | stays |
//! | was not started: others write its outputs now, or the entry cannot be read | as without a recheck | | |
//!
//! Operations that their caller [declares](super::declared) are not rechecked: who declares them knows what they read.
//!
//! What differs is not always a wrong key: some commands never do the same twice. The warning says both.

use super::compare::Compared;
use super::examine::Performed;
use super::execute::Outputs;
use super::explain::Explained;
use super::guard::Guard;
use super::hunk;
use super::journal;
use super::kept::Now;
use super::outputs;
use super::prepare::Prepared;
use super::remember::Resolved;
use super::resolve::Resolver;
use super::revive::{directories, targets};
use super::run::{Report, Request, Reviver, RunError, Search};
use super::unchanged::unchanged;
use super::writes::watch;
use crate::digest::Framer;
use crate::key::Key;
use crate::outcome::Exit;
use crate::store::Entry;
use crate::time::Timestamp;

/// So many ingredients are named in a warning; `explain` names all.
const NAMED: usize = 8;

/// A share of the hits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Share(u64);

impl Share {
    /// No hit.
    pub const NONE: Self = Self(0);
    /// Every hit.
    pub const ALL: Self = Self(u64::MAX);

    /// The share that a number from 0 to 1 says.
    #[must_use]
    #[expect(clippy::cast_sign_loss, reason = "one with a sign is none")]
    pub fn new(share: f64) -> Option<Self> {
        (0.0..=1.0).contains(&share).then_some(Self((share * u64::MAX as f64) as u64))
    }

    /// Whether the hit of this key at this time is one of them: as good as at random, and every key has its turn.
    #[must_use]
    pub fn takes(self, key: Key, now: Timestamp) -> bool {
        let drawn = Framer::new("reviver.recheck").digest(key.digest()).number(now.0).finish();
        let drawn = drawn.as_bytes().first_chunk().copied().map_or(u64::MAX, u64::from_le_bytes);
        drawn < self.0 || self == Self::ALL
    }
}

impl Reviver<'_> {
    /// Runs again what was found, if it is its turn; `None` where it is to be revived after all.
    pub(super) fn recheck(
        &self,
        request: &Request<'_>,
        before: &Resolver,
        prepared: &mut Prepared,
        search: &Search,
        outputs: &mut Outputs<'_>,
        report: &mut Report,
    ) -> Result<Option<Exit>, RunError> {
        let Some((key, entry, list)) = &search.found else { return Ok(None) };
        if !request.recheck.takes(*key, self.clock.now()) || self.key_policy.ready().is_err() {
            return Ok(None);
        }
        let Ok(outcome) = hunk::decode(self.codec, entry) else { return Ok(None) };
        let Some(targets) = targets(entry, &prepared.derivation, &prepared.places) else { return Ok(None) };
        let Ok(watched) = watch(&prepared.derivation, &prepared.places) else { return Ok(None) };
        let Some(guard) = Guard::alone(self.store, &prepared.places) else { return Ok(None) };
        let performed = match self.perform(request, before, prepared, &watched, outputs, report) {
            Ok(Ok(performed)) => performed,
            Ok(Err(exit)) => {
                undecided(report, *key, String::new());
                return Ok(Some(exit));
            }
            // As at a miss: ours may be what is too much for the system.
            Err(RunError::Spawn { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let exit = performed.executed.exit;
        let compared = Compared { entry, outcome: &outcome, targets: &targets, watched: &watched };
        let found = list.and_then(|position| search.list(position, &request.operation.root));
        let then = list.and_then(|position| search.now.get(position)?.as_ref());
        let same_inputs = || same_inputs(before, prepared, found.as_ref().zip(then), &performed);
        // What speaks against recording speaks against comparing, but for the exit itself.
        let doubt = if exit == outcome.exit { Some(report.record.reason.clone()) } else { None };
        let doubt = doubt.filter(|reason| !reason.is_empty());
        let doubt = doubt.or_else(|| performed.executed.unsure().map(|unsure| unsure.to_string()));
        let differences =
            doubt.map_or_else(same_inputs, Err).and_then(|()| compared.with(&performed, request.joined));
        match differences {
            _ if guard.is_disturbed() => undecided(report, *key, "others wrote its outputs".to_owned()),
            Err(reason) => undecided(report, *key, reason),
            Ok(differences) if differences.is_empty() => {
                report.record.result = journal::Result::Rechecked;
                report.record.key = key.to_string();
                report.record.reason.clear();
                for (directory, made) in directories(entry, &targets) {
                    outputs::keep(self.store, self.partition, &directory, &made);
                }
                // As with a hit: the entry stays, whether or not that can be noted.
                self.partition.used(*key, self.clock.now()).ok();
            }
            Ok(differences) => differs(report, entry, &differences, &ingredients(prepared, found.as_ref())),
        }
        Ok(Some(exit))
    }
}

fn undecided(report: &mut Report, key: Key, reason: String) {
    report.record.result = journal::Result::Rechecked;
    report.record.key = key.to_string();
    report.unrecorded(reason);
    report.record.reason = format!("not compared: {}", report.record.reason);
}

/// Whether all that led to the entry is still as it was, now that the command has run.
fn same_inputs(
    before: &Resolver,
    prepared: &Prepared,
    list: Option<(&Resolved, &Now)>,
    performed: &Performed,
) -> Result<(), String> {
    let Performed { after, since, .. } = performed;
    unchanged(&before.files.seen(), after, prepared, *since)?;
    let Some((list, then)) = list else { return Ok(()) };
    let now = list.now(after).map_err(|doubt| doubt.to_string())?;
    (now == then.values).then_some(()).ok_or_else(|| "an input changed while the command ran".to_owned())
}

fn differs(report: &mut Report, entry: &Entry, differences: &[String], ingredients: &[String]) {
    let key = entry.key().to_string();
    let (short, label) = (key.get(..12).unwrap_or(&key), &report.record.label);
    let aside = match entry.set_aside() {
        Ok(()) => "It was set aside, and is recorded anew by the next run".to_owned(),
        Err(error) => format!("It cannot be set aside ({error}): run `reviver cache rm {short}`"),
    };
    let told = differences.join("; ");
    let more = match ingredients.len().saturating_sub(NAMED) {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let named = ingredients[..ingredients.len().min(NAMED)].join(", ");
    report.warnings.push(format!(
        "the entry {short} of `{label}` is not what the command does now: {told}. {aside}. Either the command reads something \
         that its key does not name, or it never does the same twice. The key names {named}{more}: \
         `reviver explain -i {short}`"
    ));
    report.record.result = journal::Result::Differs;
    report.record.key = key;
    report.record.reason = told;
}

/// What the key was made of, as it is told to people: texts last, since what is missing is something else.
fn ingredients(prepared: &Prepared, list: Option<&Resolved>) -> Vec<String> {
    let known = prepared.derivation.ingredients.iter().zip(&prepared.values);
    let discovered = list.into_iter().flat_map(|list| list.ingredients.iter().zip(&list.values));
    let told = |Explained { label, kind, place, .. }: Explained| {
        if kind == "text" || label.contains(&place) {
            if label.starts_with(&kind) { label } else { format!("{kind} {label}") }
        } else {
            format!("{kind} {label} ({place})")
        }
    };
    let all = known.chain(discovered).map(|(ingredient, value)| Explained::kept(ingredient, value));
    let (texts, others): (Vec<_>, Vec<_>) = all.partition(|one| one.kind == "text");
    others.into_iter().chain(texts).map(told).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;

    #[test]
    fn a_share_of_the_hits_is_taken_and_none_without_one() {
        let taken = |share: f64| {
            let share = Share::new(share).unwrap();
            let key = |number: u64| Key::new(Digest::of(&(number / 50).to_le_bytes()));
            (0..10_000).filter(|&number| share.takes(key(number), Timestamp(number))).count()
        };
        assert_eq!((taken(0.0), taken(1.0)), (0, 10_000));
        assert!((50..200).contains(&taken(0.01)), "{}", taken(0.01));
        assert!((4_700..5_300).contains(&taken(0.5)), "{}", taken(0.5));
        let wrong = [-0.1, 1.1, f64::NAN, f64::INFINITY];
        assert!(wrong.into_iter().all(|share| Share::new(share).is_none()));
        assert!(Share::new(0.1) < Share::new(0.2) && Share::new(1.0) == Some(Share::ALL));
    }
}
