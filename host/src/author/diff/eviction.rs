//! Two eviction policies over the entries of a partition.

use crate::key::Key;
use crate::policy::order::by_score;
use crate::policy::{Budget, Candidate, Eviction, Fault};
use crate::time::Timestamp;

/// Two policies compared.
#[derive(Debug)]
pub struct Orders {
    /// How many entries there are.
    pub entries: usize,
    /// How many have another place in the order.
    pub moved: usize,
    /// Spearman's rank correlation: 1 for the same order, -1 for the reverse.
    pub correlation: f64,
    /// Of the entries that go until half of the bytes are gone: those that only the former lets go, first ones first.
    pub only_old: Vec<Key>,
    /// And those that only the latter does.
    pub only_new: Vec<Key>,
}

/// Compares two policies; the error is the fault of one of them.
pub fn orders(
    (old, new): (&dyn Eviction, &dyn Eviction),
    entries: &[(Key, Candidate)],
    now: Timestamp,
    budget: Budget,
) -> Result<Orders, Box<Fault>> {
    let candidates: Vec<_> = entries.iter().map(|(_, candidate)| *candidate).collect();
    let order = |policy: &dyn Eviction| {
        let scores = policy.score(now, budget, &candidates)?;
        let mut order: Vec<usize> = (0..candidates.len()).collect();
        order.sort_by(|a, b| {
            by_score((scores[*a], &candidates[*a]), (scores[*b], &candidates[*b])).then(a.cmp(b))
        });
        Ok::<_, Box<Fault>>(order)
    };
    let (was, then) = (order(old)?, order(new)?);
    let mut places = vec![0; was.len()];
    for (place, entry) in was.iter().enumerate() {
        places[*entry] = place;
    }
    let distance = |(place, entry): (usize, &usize)| (place as f64 - places[*entry] as f64).powi(2);
    let squares: f64 = then.iter().enumerate().map(distance).sum();
    let number = was.len() as f64;
    let correlation =
        if was.len() < 2 { 1.0 } else { 1.0 - 6.0 * squares / (number * (number * number - 1.0)) };
    let moved = was.iter().zip(&then).filter(|(one, other)| one != other).count();

    let half = candidates.iter().map(|candidate| candidate.size).fold(0, u64::saturating_add) / 2;
    let first = |order: &[usize]| {
        let mut gone = 0_u64;
        let mut going = vec![false; order.len()];
        for entry in order {
            if gone >= half {
                break;
            }
            gone = gone.saturating_add(candidates[*entry].size);
            going[*entry] = true;
        }
        going
    };
    let (old_goes, new_goes) = (first(&was), first(&then));
    let only = |order: &[usize], goes: &[bool], other: &[bool]| {
        let alone = order.iter().filter(|entry| goes[**entry] && !other[**entry]);
        alone.map(|entry| entries[*entry].0).collect()
    };
    Ok(Orders {
        entries: entries.len(),
        moved,
        correlation,
        only_old: only(&was, &old_goes, &new_goes),
        only_new: only(&then, &new_goes, &old_goes),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::policy::PolicyId;

    struct By(PolicyId, fn(&Candidate) -> f64);

    impl Eviction for By {
        fn id(&self) -> &PolicyId {
            &self.0
        }

        fn score(&self, _: Timestamp, _: Budget, all: &[Candidate]) -> Result<Vec<f64>, Box<Fault>> {
            Ok(all.iter().map(self.1).collect())
        }
    }

    fn by(score: fn(&Candidate) -> f64) -> By {
        let (component, text) = (Digest::of(b""), String::new);
        By(PolicyId { name: text(), component, configuration: text(), abi: text() }, score)
    }

    #[test]
    fn the_same_order_correlates_and_the_reverse_does_the_opposite() {
        let entry = |number: u64| {
            let candidate = Candidate {
                size: 10,
                files: 1,
                created: Timestamp(0),
                last_use: Timestamp(number),
                uses: number,
                cost: 0,
                unused: false,
            };
            (Key::new(Digest::of(&number.to_le_bytes())), candidate)
        };
        let entries: Vec<_> = (0..8).map(entry).collect();
        let budget = Budget { limit: 0, used: 0, entries: 8 };
        let (up, down) = (by(|one| one.uses as f64), by(|one| -(one.uses as f64)));
        let same = orders((&up, &up), &entries, Timestamp(9), budget).unwrap();
        assert_eq!((same.moved, same.only_old.len(), same.only_new.len()), (0, 0, 0));
        assert!((same.correlation - 1.0).abs() < 1e-9);
        let reverse = orders((&up, &down), &entries, Timestamp(9), budget).unwrap();
        assert!((reverse.correlation + 1.0).abs() < 1e-9);
        assert_eq!(
            (reverse.moved, reverse.only_old[0], reverse.only_new[0]),
            (8, entries[0].0, entries[7].0)
        );
        assert_eq!((reverse.only_old.len(), reverse.only_new.len()), (4, 4));
    }
}
