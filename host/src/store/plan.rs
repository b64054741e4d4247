//! Deciding what goes, without touching it.
//!
//! 1. Within the budget, and every partition within its share: nothing goes.
//! 2. Objects that no entry needs, and of the auxiliary files the oldest until they are within an eighth of the limit.
//! 3. The host's order over the entries of all partitions decides how many bytes each gives up; more, where its share
//!    demands it.
//! 4. Within a partition, unused entries go first, then those that its policy scores lowest, then as in
//!    [`crate::policy::order::least_recent`]. A policy at fault is reported, and the host's order holds.
//!
//! An entry counts its file and its record in the index; objects and companions count once, and are freed with the last
//! entry that needs them. So the sizes of the victims add up to what is freed.

use super::Store;
use super::auxiliary::Auxiliary;
use super::error::StoreError;
use super::fold::Live;
use super::layout::PartitionId;
use super::ledger::{Ledger, Measured};
use super::rank::{PolicyFault, Rank, by_host, by_policy};
use crate::key::Key;
use crate::policy::{Budget, Eviction};
use crate::time::Timestamp;

/// What a trim is to reach.
#[derive(Clone, Copy)]
pub struct TrimRequest<'a> {
    /// Bytes that the cache may hold.
    pub limit: u64,
    /// Each partition's policy; the host's order where there is none.
    pub policies: &'a dyn Fn(PartitionId) -> Option<&'a dyn Eviction>,
    /// Bytes that a partition may hold where it may not have the whole cache.
    pub shares: &'a dyn Fn(PartitionId) -> Option<u64>,
    /// Whether an entry is known to be garbage.
    pub unused: &'a dyn Fn(&Key) -> bool,
    /// The present.
    pub now: Timestamp,
}

impl TrimRequest<'_> {
    /// Down to a limit, in the host's order.
    #[must_use]
    pub fn new(limit: u64, now: Timestamp) -> Self {
        Self { limit, policies: &no_policy, shares: &|_| None, unused: &|_| false, now }
    }
}

/// How many bytes may stay of those that are there: the smaller of a number of bytes and a percentage, rounded down; all of
/// them without either.
#[must_use]
pub fn budget(used: u64, bytes: Option<u64>, percent: Option<u8>) -> u64 {
    // Wider for a moment, so that a hundred times the whole fits.
    let share = percent.map_or(used, |percent| (u128::from(used) * u128::from(percent) / 100) as u64);
    bytes.map_or(share, |bytes| bytes.min(share))
}

fn no_policy<'a>(_: PartitionId) -> Option<&'a dyn Eviction> {
    None
}

/// What would go.
#[derive(Clone, PartialEq, Default, Debug)]
pub struct Plan {
    /// Bytes that are there.
    pub used: u64,
    /// Bytes that would be left.
    pub left: u64,
    /// The entries, in the order in which they would go.
    pub victims: Vec<Victim>,
    /// The bytes of other files that would go.
    pub auxiliary_bytes: u64,
    /// Policies that were at fault.
    pub faults: Vec<PolicyFault>,
    pub(super) auxiliaries: Vec<Auxiliary>,
    /// Whether there is more to do than to look.
    pub(super) due: bool,
}

/// An entry that would go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Victim {
    /// Its partition.
    pub partition: PartitionId,
    /// Its key.
    pub key: Key,
    /// The bytes that this frees, after those before it have gone.
    pub bytes: u64,
}

impl Store {
    /// Decides what [`Store::trim`] would let go. Only an index that is lost or damaged is changed, by being made anew.
    pub fn plan(&self, request: &TrimRequest<'_>) -> Result<Plan, StoreError> {
        let measured = Measured::of(self)?;
        let used = measured.bytes();
        let mut plan = Plan { used, left: used, ..Plan::default() };
        let sizes: Vec<u64> = measured.partitions.iter().map(|(_, entries)| total(entries)).collect();
        let mut quotas: Vec<u64> = measured.partitions.iter().zip(&sizes).map(over(request)).collect();
        plan.due = used > request.limit || quotas.iter().any(|&quota| quota > 0);
        if !plan.due {
            return Ok(plan);
        }
        let mut ledger = Ledger::of(self, &measured)?;
        plan.left -= ledger.unneeded();
        plan.take_auxiliaries(&measured.auxiliaries, request.limit);

        let mut ranks: Vec<_> =
            measured.partitions.iter().map(|(_, entries)| by_host(entries, request.unused)).collect();
        let need = plan.left.saturating_sub(request.limit);
        demand(&mut quotas, need, &measured, &ranks, &ledger);
        for (at, (id, entries)) in measured.partitions.iter().enumerate() {
            if let Some(policy) = (request.policies)(*id)
                && quotas[at] > 0
            {
                let budget = Budget {
                    limit: sizes[at].saturating_sub(quotas[at]),
                    used: sizes[at],
                    entries: entries.len() as u64,
                };
                if let Err(kind) = by_policy(&mut ranks[at], entries, policy, request.now, budget) {
                    let policy = policy.id().name.clone();
                    plan.faults.push(PolicyFault { partition: *id, policy, kind });
                }
            }
        }
        plan.take_victims(&measured, &ranks, &quotas, &mut ledger, request.limit);
        Ok(plan)
    }
}

impl Plan {
    fn take_auxiliaries(&mut self, auxiliaries: &[Auxiliary], limit: u64) {
        if self.left <= limit {
            return;
        }
        let mut there: u64 = auxiliaries.iter().map(|file| file.size).sum();
        for file in auxiliaries {
            if there <= limit / 8 {
                break;
            }
            there -= file.size;
            self.left -= file.size;
            self.auxiliary_bytes += file.size;
            self.auxiliaries.push(file.clone());
        }
    }

    fn take_victims(
        &mut self,
        measured: &Measured,
        ranks: &[Vec<Rank>],
        quotas: &[u64],
        ledger: &mut Ledger,
        limit: u64,
    ) {
        let mut kept: Vec<(usize, Rank)> = Vec::new();
        let mut take = |plan: &mut Self, at: usize, rank: &Rank| {
            let (id, entries) = &measured.partitions[at];
            let live = &entries[rank.index as usize];
            let bytes = ledger.evict(*id, live);
            plan.victims.push(Victim { partition: *id, key: live.record.key, bytes });
            plan.left = plan.left.saturating_sub(bytes);
            bytes
        };
        for (at, ranks) in ranks.iter().enumerate() {
            let mut freed = 0;
            for (position, rank) in ranks.iter().enumerate() {
                if freed >= quotas[at] {
                    kept.extend(ranks[position..].iter().map(|rank| (at, *rank)));
                    break;
                }
                freed += take(self, at, rank);
            }
        }
        // What partitions share is freed only by the last of them, so the quotas may fall short.
        if self.left > limit {
            kept.sort_by(|a, b| a.1.order(&b.1));
            for (at, rank) in kept {
                if self.left <= limit {
                    break;
                }
                take(self, at, &rank);
            }
        }
    }
}

fn total(entries: &[Live]) -> u64 {
    entries.iter().map(|live| live.candidate(false).size).sum()
}

/// How many bytes a partition has above its share.
fn over<'r>(request: &'r TrimRequest<'_>) -> impl Fn((&(PartitionId, Vec<Live>), &u64)) -> u64 + 'r {
    |((id, _), &size)| (request.shares)(*id).map_or(0, |share| size.saturating_sub(share))
}

/// Raises quotas until together they meet what is needed, in the host's order over all partitions.
fn demand(quotas: &mut [u64], need: u64, measured: &Measured, ranks: &[Vec<Rank>], ledger: &Ledger) {
    if need == 0 {
        return;
    }
    // One partition gives up all of it, and its own order says by which entries.
    if let [quota] = quotas {
        *quota = need.max(*quota);
        return;
    }
    let mut all: Vec<(usize, &Rank)> =
        ranks.iter().enumerate().flat_map(|(at, ranks)| ranks.iter().map(move |rank| (at, rank))).collect();
    all.sort_by(|a, b| a.1.order(b.1));
    let mut trial = ledger.clone();
    let mut demanded = vec![0; quotas.len()];
    let mut freed = 0;
    for (at, rank) in all {
        if freed >= need {
            break;
        }
        let (id, entries) = &measured.partitions[at];
        let bytes = trial.evict(*id, &entries[rank.index as usize]);
        demanded[at] += bytes;
        freed += bytes;
    }
    for (quota, demanded) in quotas.iter_mut().zip(demanded) {
        *quota = demanded.max(*quota);
    }
}
