//! What tells whether a file is still the one that was looked at.

use crate::bytes::{Layout, Malformed, Reader, Writer};
use crate::time::Timestamp;
use std::fs::Metadata;
use std::os::unix::fs::MetadataExt as _;
use std::time::Duration;

/// How much a change may lie behind the clock on a local file system: the kernel stamps files with a clock that ticks
/// every 1 to 10 ms.
pub const GRANULARITY: Duration = Duration::from_millis(10);

/// Device, inode, mode, size and both times of a file. Two equal identities at one path mean one content, provided that
/// the identity was [settled](Identity::settled) when the content was read.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The inode.
    pub inode: u64,
    /// The kind of the file and its permissions.
    pub mode: u32,
    /// The number of bytes.
    pub size: u64,
    /// The time of the last change of the content, in nanoseconds since the epoch; negative before it.
    pub mtime: i64,
    /// The time of the last change of the inode.
    pub ctime: i64,
}

impl Identity {
    /// The identity in what the system told.
    #[must_use]
    pub fn of(metadata: &Metadata) -> Self {
        let nanoseconds =
            |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
        Self {
            device: metadata.dev(),
            inode: metadata.ino(),
            mode: metadata.mode(),
            size: metadata.size(),
            mtime: nanoseconds(metadata.mtime(), metadata.mtime_nsec()),
            ctime: nanoseconds(metadata.ctime(), metadata.ctime_nsec()),
        }
    }

    /// Whether a later change is sure to show: the last one lies before `now` by more than the clock's granularity. A
    /// time in the future is never settled.
    #[must_use]
    pub fn settled(&self, now: Timestamp) -> bool {
        self.unchanged_since(now)
    }

    /// Whether the file was surely last changed before `moment`.
    #[must_use]
    pub fn unchanged_since(&self, moment: Timestamp) -> bool {
        let limit = i64::try_from(moment.before(GRANULARITY).0).unwrap_or(i64::MAX);
        self.ctime < limit && self.mtime < limit
    }

    /// Whether the file was surely changed after `moment`: the kernel's clock is behind, never ahead.
    #[must_use]
    pub fn changed_after(&self, moment: Timestamp) -> bool {
        self.ctime > i64::try_from(moment.0).unwrap_or(i64::MAX)
    }

    /// Whether this is a regular file.
    #[must_use]
    pub const fn is_file(&self) -> bool {
        self.mode & 0o170_000 == 0o100_000
    }

    /// Whether this is a directory.
    #[must_use]
    pub const fn is_directory(&self) -> bool {
        self.mode & 0o170_000 == 0o040_000
    }

    /// Whether anybody may execute this.
    #[must_use]
    pub const fn is_executable(&self) -> bool {
        self.mode & 0o111 != 0
    }
}

impl Layout for Identity {
    fn put(&self, out: &mut Writer) {
        out.u64(self.device);
        out.u64(self.inode);
        out.u32(self.mode);
        out.u64(self.size);
        out.u64(self.mtime.cast_unsigned());
        out.u64(self.ctime.cast_unsigned());
    }

    fn take(from: &mut Reader<'_>) -> Result<Self, Malformed> {
        Ok(Self {
            device: from.u64()?,
            inode: from.u64()?,
            mode: from.u32()?,
            size: from.u64()?,
            mtime: from.u64()?.cast_signed(),
            ctime: from.u64()?.cast_signed(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_changed_within_the_granularity_is_not_settled() {
        let at = |ctime| Identity { device: 1, inode: 1, mode: 0o100_644, size: 0, mtime: 0, ctime };
        let now = Timestamp(1_000_000_000);
        assert!(at(900_000_000).settled(now));
        assert!(!at(995_000_000).settled(now));
        assert!(!at(2_000_000_000).settled(now), "a clock that went back proves nothing");
    }
}
