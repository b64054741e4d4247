//! Whose an attempt is: a plugin may be replaced while a command runs.

use super::super::run::Reviver;
use crate::digest::Digest;
use crate::store::PartitionId;

/// What an attempt is begun with, and must be finished with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Origin {
    partition: PartitionId,
    key_policy: Digest,
    limits: Digest,
    codec: Digest,
}

impl Reviver<'_> {
    pub(super) fn origin(&self) -> Origin {
        Origin {
            partition: self.partition.id(),
            key_policy: self.key_policy.id().digest(),
            limits: self.limits,
            codec: self.codec.id().digest(),
        }
    }
}
