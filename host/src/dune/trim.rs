//! Letting files go, those that no build tree needs.
//!
//! 1. Candidates are the files that nothing but the store links to; all files where that is asked for. Their bytes together are
//!    the *overhead*.
//! 2. Unused ones go first, then those that the policy scores lowest, then those whose inode has not changed for longest:
//!    a use, and the loss of the last link, both change it. Without a policy that is Dune's own order.
//! 3. They go until the overhead is within the bound. Whether a build tree links to one is looked at again right before.
//! 4. Rules that name what is not there, or are none, go too: with some gone this is looked through in all formats.
//! 5. What was left on its way by processes that are gone, and what has been in quarantine for a week, goes always.
//!
//! | outcome | the store afterwards |
//! |---|---|
//! | [`Trimmed`] without troubles | within the bound, as far as candidates allow |
//! | with some | what could not be removed is still there, and told |
//! | a dry run | as before; files that would go are told as victims |
//! | error | as before: its root cannot be listed |
//!
//! A rule that is promoted anew while its old file is found to be void may go with it: that is a miss, and nothing wrong. Others
//! may trim at the same time; what they remove is not counted here.

use super::layout::{FileId, FileLayout, MetaLayout};
use super::walk::{Found, RuleState, Trouble, Troubles, is_older};
use super::{DuneError, DuneStore};
use crate::identity::Identity;
use crate::policy::score::{self, PolicyFaultKind};
use crate::policy::{Budget, Candidate, Eviction};
use crate::time::Timestamp;
use std::fmt;
use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

/// How much is to go.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Bound {
    /// So much that at most so many bytes of candidates stay.
    Size(u64),
    /// At least so many bytes.
    Goal(u64),
}

/// What a trim is asked for.
#[derive(Clone, Copy)]
pub struct TrimRequest<'a> {
    /// How much is to go.
    pub bound: Bound,
    /// The time now.
    pub now: Timestamp,
    /// What decides what goes first; without one the longest unchanged, as in Dune.
    pub policy: Option<&'a dyn Eviction>,
    /// Whether files that a build tree links to are candidates too.
    pub all: bool,
    /// Whether nothing is done, only told.
    pub dry_run: bool,
    /// Whether rules are looked through also where no file went.
    pub sweep: bool,
}

impl TrimRequest<'_> {
    /// Down to a bound, in Dune's own way.
    #[must_use]
    pub const fn new(bound: Bound, now: Timestamp) -> Self {
        Self { bound, now, policy: None, all: false, dry_run: false, sweep: false }
    }
}

impl fmt::Debug for TrimRequest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TrimRequest({:?} at {:?})", self.bound, self.now)
    }
}

/// What a trim did, or would do.
#[derive(Debug, Default)]
pub struct Trimmed {
    /// The bytes of all candidates before.
    pub overhead: u64,
    /// How many files went.
    pub files: u64,
    /// How many rules went.
    pub metas: u64,
    /// The bytes of both.
    pub freed: u64,
    /// The files that went, in order.
    pub victims: Vec<FileId>,
    /// How many directories that were left on their way went.
    pub stale: u64,
    /// How many files went from quarantine.
    pub quarantined: u64,
    /// The policy that was at fault, so that Dune's order held.
    pub fault: Option<PolicyFault>,
    /// What could not be looked at or removed.
    pub troubles: Vec<Trouble>,
}

/// A policy that was at fault.
#[derive(Clone, PartialEq, Debug)]
pub struct PolicyFault {
    /// Its name.
    pub policy: String,
    /// What it did.
    pub kind: PolicyFaultKind,
}

impl fmt::Display for PolicyFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.kind.tell(&self.policy, f)
    }
}

impl std::error::Error for PolicyFault {}

/// How long what is damaged is kept for whoever wants to know why.
const QUARANTINE: Duration = Duration::from_hours(7 * 24);

/// A file: 56 bytes, since there may be a million.
#[derive(Clone, Copy)]
struct Seen {
    id: FileId,
    size: u64,
    created: Timestamp,
    last_use: Timestamp,
    unused: bool,
    gone: bool,
}

impl Seen {
    fn of(id: FileId, metadata: &Metadata) -> Self {
        let Identity { size, mtime, ctime, .. } = Identity::of(metadata);
        let time = |time: i64| Timestamp(u64::try_from(time).unwrap_or(0));
        let unused = metadata.nlink() == 1;
        Self { id, size, created: time(mtime), last_use: time(ctime), unused, gone: false }
    }

    const fn candidate(&self) -> Candidate {
        let Self { size, created, last_use, unused, .. } = *self;
        Candidate { size, files: 1, created, last_use, uses: 0, cost: 0, unused }
    }
}

impl DuneStore {
    /// Lets files go until the request's bound holds; see the [module](self).
    pub fn trim(&self, request: &TrimRequest<'_>) -> Result<Trimmed, DuneError> {
        self.readable()?;
        let (mut trimmed, mut troubles) = (Trimmed::default(), Troubles::default());
        let mut seen = self.seen(&mut troubles);
        let is_candidate = |seen: &Seen| seen.unused || request.all;
        trimmed.overhead = seen.iter().filter(|seen| is_candidate(seen)).map(|seen| seen.size).sum();
        let goal = match request.bound {
            Bound::Size(size) => trimmed.overhead.saturating_sub(size),
            Bound::Goal(goal) => goal,
        };
        if goal > 0 {
            let mut order: Vec<u32> =
                (0..seen.len() as u32).filter(|at| is_candidate(&seen[*at as usize])).collect();
            let left = trimmed.overhead.saturating_sub(goal);
            let budget = Budget { limit: left, used: trimmed.overhead, entries: order.len() as u64 };
            trimmed.fault = rank(&mut order, &seen, request, budget).err();
            for at in order {
                if trimmed.freed >= goal {
                    break;
                }
                let one = &mut seen[at as usize];
                if self.let_go(one, request, &mut troubles) {
                    one.gone = true;
                    trimmed.files += 1;
                    trimmed.freed += one.size;
                    trimmed.victims.push(one.id);
                }
            }
        }
        if request.sweep || !trimmed.victims.is_empty() {
            self.sweep(&seen, request, &mut trimmed, &mut troubles);
        }
        self.clean(request, &mut trimmed, &mut troubles);
        trimmed.troubles = troubles.0;
        Ok(trimmed)
    }

    /// All files, in the order of what they are called.
    fn seen(&self, troubles: &mut Troubles) -> Vec<Seen> {
        let mut all = Vec::new();
        for layout in FileLayout::ALL {
            self.each_file(layout, troubles, |found, entry, troubles| {
                let Found::Right(id) = found else { return };
                let metadata = troubles.check("look at", &entry.path(), entry.metadata());
                all.extend(metadata.filter(Metadata::is_file).map(|metadata| Seen::of(id, &metadata)));
            });
        }
        all.sort_unstable_by_key(|seen| seen.id);
        all
    }

    /// Removes a file that is still what it was. Whether it did, or would.
    fn let_go(&self, one: &Seen, request: &TrimRequest<'_>, troubles: &mut Troubles) -> bool {
        if request.dry_run {
            return true;
        }
        let path = self.layout().file(one.id);
        let Some(now) = troubles.check("look at", &path, fs::symlink_metadata(&path)) else { return false };
        // Used since, by a build that linked or touched it.
        if !request.all && (now.nlink() != 1 || Seen::of(one.id, &now).last_use != one.last_use) {
            return false;
        }
        troubles.check("remove", &path, fs::remove_file(&path)).is_some()
    }

    /// Removes rules that nobody can use.
    fn sweep(
        &self,
        seen: &[Seen],
        request: &TrimRequest<'_>,
        trimmed: &mut Trimmed,
        troubles: &mut Troubles,
    ) {
        let exists = |file: FileId| match seen.binary_search_by_key(&file, |seen| seen.id) {
            Ok(at) => !seen[at].gone || !request.dry_run && self.layout().file(file).exists(),
            // Promoted since.
            Err(_) => self.layout().file(file).exists(),
        };
        for layout in MetaLayout::ALL {
            self.each_meta(layout, troubles, |found, entry, troubles| {
                let Found::Right(_) = found else { return };
                let Some(rule) = Self::rule(layout, entry, troubles, exists) else { return };
                let remove = || match rule.state {
                    // Whatever it is, it may be somebody's.
                    RuleState::NoFile => self.set_aside(&rule.path).map(drop),
                    _ => fs::remove_file(&rule.path),
                };
                if rule.state == RuleState::Whole {
                    return;
                }
                let removed = request.dry_run || troubles.check("remove", &rule.path, remove()).is_some();
                if removed {
                    trimmed.metas += 1;
                    trimmed.freed += rule.size;
                }
            });
        }
    }

    /// Removes what nobody will come back for.
    fn clean(&self, request: &TrimRequest<'_>, trimmed: &mut Trimmed, troubles: &mut Troubles) {
        for (path, stale) in self.promoting(request.now, troubles) {
            let gone = stale
                && (request.dry_run || troubles.check("remove", &path, fs::remove_dir_all(&path)).is_some());
            trimmed.stale += u64::from(gone);
        }
        for (path, metadata) in self.quarantined(troubles) {
            if !is_older(&metadata, request.now, QUARANTINE) {
                continue;
            }
            let remove =
                || if metadata.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            let gone = request.dry_run || troubles.check("remove", &path, remove()).is_some();
            trimmed.quarantined += u64::from(gone);
        }
    }
}

/// Brings files into the order in which they go. Where the policy is at fault that is Dune's.
fn rank(
    order: &mut [u32],
    seen: &[Seen],
    request: &TrimRequest<'_>,
    budget: Budget,
) -> Result<(), PolicyFault> {
    let one = |at: u32| &seen[at as usize];
    order.sort_unstable_by_key(|at| (!one(*at).unused, one(*at).last_use, *at));
    let Some(policy) = request.policy else { return Ok(()) };
    let candidates = order.iter().map(|at| one(*at).candidate());
    let scores = score::scores(policy, request.now, budget, candidates)
        .map_err(|kind| PolicyFault { policy: policy.id().name.clone(), kind })?;
    let mut scored: Vec<_> = scores.into_iter().zip(order.iter().copied()).collect();
    // Stable: what scores leave open stays in Dune's order.
    scored.sort_by(|(a, at), (b, other)| one(*other).unused.cmp(&one(*at).unused).then(a.total_cmp(b)));
    for (at, (_, scored)) in order.iter_mut().zip(scored) {
        *at = scored;
    }
    Ok(())
}
