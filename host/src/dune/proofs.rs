//! Which files of a store were found to be what their names say.
//!
//! Reading a file before it is given to others is worth it once, not with every promotion of the same content. A file is taken for
//! the one that was read while its inode, size, executable bit and time of last change are the same. The inode's own time does not
//! count, although it would tell more: every client that links to the file changes it.

use crate::identity::Identity;
use crate::time::Timestamp;
use rustc_hash::FxHashMap;
use std::sync::{Mutex, PoisonError};

/// So many are remembered, in 4 MB. Beyond that all are forgotten, which costs a reading each.
const MOST: usize = 64 << 10;

/// Size, time of last change, mode.
type Seen = (u64, i64, u32);

/// What a process knows of the files in a store.
#[derive(Debug, Default)]
pub(super) struct Proofs(Mutex<FxHashMap<(u64, u64), Seen>>);

const fn seen(identity: &Identity) -> Seen {
    (identity.size, identity.mtime, identity.mode & 0o100)
}

impl Proofs {
    /// Whether the file was read as it is.
    pub(super) fn holds(&self, identity: &Identity) -> bool {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(&(identity.device, identity.inode)) == Some(&seen(identity))
    }

    /// Remembers that it was, where a later change must show.
    pub(super) fn read(&self, identity: &Identity, now: Timestamp) {
        let settled = Identity { ctime: identity.mtime, ..*identity }.settled(now);
        if settled {
            self.set(identity);
        }
    }

    /// Remembers that a file that was read got this time from us, which no change by others would give it.
    pub(super) fn touched(&self, identity: &Identity, now: Timestamp) {
        let mtime = i64::try_from(now.0).unwrap_or(i64::MAX);
        self.set(&Identity { mtime, ..*identity });
    }

    fn set(&self, identity: &Identity) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if all.len() >= MOST {
            all.clear();
        }
        all.insert((identity.device, identity.inode), seen(identity));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_no_change_and_a_write_is() {
        let (proofs, now) = (Proofs::default(), Timestamp(5_000_000_000));
        let one = Identity { device: 1, inode: 2, mode: 0o100_444, size: 3, mtime: 4, ctime: 5 };
        assert!(!proofs.holds(&one));
        proofs.read(&one, now);
        assert!(proofs.holds(&Identity { ctime: 6, mode: 0o100_644, ..one }));
        for other in [
            Identity { mtime: 5, ..one },
            Identity { size: 4, ..one },
            Identity { inode: 3, ..one },
            Identity { mode: 0o100_544, ..one },
        ] {
            assert!(!proofs.holds(&other), "{other:?}");
        }
        let fresh = Identity { inode: 9, mtime: 4_999_000_000, ..one };
        proofs.read(&fresh, now);
        assert!(!proofs.holds(&fresh), "a write in the same tick of the clock would not show");
        proofs.touched(&fresh, now);
        assert!(proofs.holds(&Identity { mtime: 5_000_000_000, ..fresh }));
    }
}
