//! Two codecs over the outcomes of entries.

use crate::bytes::from_bytes;
use crate::outcome::Outcome;
use crate::policy::{Codec, Fault};
use crate::store::{Partition, StoreError};

/// Two codecs compared; numbers of outcomes unless said otherwise.
#[derive(Debug, Default)]
pub struct Hunks {
    /// All that were compared.
    pub outcomes: usize,
    /// Written down in the same bytes.
    pub equal: usize,
    /// In other bytes.
    pub changed: usize,
    /// Written by the former, refused by the latter.
    pub newly_refused: usize,
    /// Refused by the former, written by the latter.
    pub newly_accepted: usize,
    /// Refused by both.
    pub refused: usize,
    /// Which the latter does not give back as they were, so that they would not be recorded.
    pub lost: usize,
    /// Whose former hunk the latter reads as what it was made of. It never has to: another codec is another key.
    pub readable: usize,
    /// Bytes that the former makes of those that both write.
    pub old_bytes: u64,
    /// Bytes that the latter makes of them.
    pub new_bytes: u64,
    /// Faults of either.
    pub faults: Vec<Box<Fault>>,
}

impl Hunks {
    /// Whether the codecs differ in anything.
    #[must_use]
    pub const fn differ(&self) -> bool {
        self.changed + self.newly_refused + self.newly_accepted + self.lost > 0
    }
}

/// The outcomes that a partition keeps, `most` at most, the latest used first. Entries without any are passed over.
pub fn outcomes(partition: &Partition, most: usize) -> Result<Vec<Outcome>, StoreError> {
    let mut keys = partition.keys()?;
    keys.sort_by_key(|info| std::cmp::Reverse(info.last_use));
    let mut found = Vec::new();
    for info in keys {
        if found.len() == most {
            break;
        }
        // It may be gone by now.
        if let Some(entry) = partition.find(info.key)?
            && let Ok(outcome) = from_bytes(entry.remembered())
        {
            found.push(outcome);
        }
    }
    Ok(found)
}

/// Compares two codecs.
#[must_use]
pub fn hunks((old, new): (&dyn Codec, &dyn Codec), outcomes: &[Outcome]) -> Hunks {
    let mut hunks = Hunks { outcomes: outcomes.len(), ..Hunks::default() };
    for outcome in outcomes {
        if let Err(fault) = hunks.compare(old, new, outcome) {
            hunks.faults.push(fault);
        }
    }
    hunks
}

impl Hunks {
    fn compare(&mut self, old: &dyn Codec, new: &dyn Codec, outcome: &Outcome) -> Result<(), Box<Fault>> {
        let (was, now) = match (old.encode(outcome)?, new.encode(outcome)?) {
            (Ok(was), Ok(now)) => (was, now),
            (was, now) => {
                self.refused += usize::from(was.is_err() && now.is_err());
                self.newly_refused += usize::from(was.is_ok());
                self.newly_accepted += usize::from(now.is_ok());
                return Ok(());
            }
        };
        self.old_bytes += was.len() as u64;
        self.new_bytes += now.len() as u64;
        self.equal += usize::from(was == now);
        self.changed += usize::from(was != now);
        let whole = |answer: Result<Outcome, String>| {
            answer.is_ok_and(|read| (read.exit, &read.output) == (outcome.exit, &outcome.output))
        };
        self.lost += usize::from(!whole(new.decode(&now)?));
        self.readable += usize::from(whole(new.decode(&was)?));
        Ok(())
    }
}
