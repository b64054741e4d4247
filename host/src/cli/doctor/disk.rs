//! What the file systems of cache and repository can do: room, sharing of blocks, times.

use super::cache::nearest;
use super::{Finding, Scene};
use crate::identity::{GRANULARITY, Identity};
use crate::repository::size::ByteSize;
use crate::store::{LinkMode, Options, Store, StoreError};
use rustix::fs::ioctl_ficlone;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;
use std::time::Duration;

/// With less room than this, next to nothing can be recorded.
const LEAST: u64 = 16 << 20;

/// What is tried, is tried with a file of this size: the smallest that is an object.
const TRIED: usize = 64 << 10;

pub(super) fn space(scene: &Scene) -> Vec<Finding> {
    let Some(cache) = &scene.cache else { return Vec::new() };
    let free = match rustix::fs::statvfs(nearest(cache)) {
        Ok(all) => all.f_bavail.saturating_mul(all.f_frsize),
        Err(error) => return vec![Finding::note("room", format!("cannot tell how much is free: {error}"))],
    };
    let limit = scene.place.user.size;
    let used = open(cache).and_then(|store| store.usage()).map_or(0, |usage| usage.bytes);
    let says = format!("{} free; the cache has {} of {limit}", ByteSize(free), ByteSize(used));
    let cure = "lower `size` in config.toml, or make room";
    vec![if free < LEAST && used < limit.0 {
        Finding::problem("room", says, cure)
    } else if free.saturating_add(used) < limit.0 {
        Finding::note("room", format!("{says}, which it cannot reach")).cured_by(cure)
    } else {
        Finding::ok("room", says)
    }]
}

pub(super) fn sharing(scene: &Scene) -> Vec<Finding> {
    let Some(cache) = scene.cache.as_ref().filter(|cache| cache.is_dir()) else {
        return vec![Finding::note("sharing", "not tried before there is a cache")];
    };
    let link = scene.place.user.link;
    let subject = "sharing";
    let wanted = matches!(link, LinkMode::Reflink | LinkMode::Hardlink);
    let cannot = |says: &str, cure: &str| {
        let says = format!("{says}, so contents are copied");
        if wanted {
            Finding::problem(subject, says, cure)
        } else {
            Finding::note(subject, says).cured_by(cure)
        }
    };
    if link == LinkMode::Copy {
        return vec![Finding::ok(subject, "contents are copied, as config.toml says")];
    }
    let device = |path: &Path| fs::metadata(path).map(|metadata| metadata.dev());
    match (device(cache), device(&scene.place.root.path)) {
        (Ok(cache), Ok(repository)) if cache == repository => {}
        (Ok(_), Ok(_)) => {
            return vec![cannot(
                "the cache is on another file system than the repository",
                "move it with `cache` in config.toml",
            )];
        }
        (Err(error), _) | (_, Err(error)) => return vec![untried(subject, &error)],
    }
    vec![match tried(cache) {
        Err(error) => untried(subject, &error),
        Ok(Can { reflink: true, .. }) if link != LinkMode::Hardlink => {
            Finding::ok(subject, "the file system shares blocks (reflinks)")
        }
        Ok(Can { hardlink: true, .. }) if link == LinkMode::Hardlink => {
            Finding::ok(subject, "large contents are linked, and so read-only")
        }
        Ok(_) if link == LinkMode::Hardlink => {
            cannot("the file system has no hard links", "set `link = \"auto\"` in config.toml")
        }
        Ok(can) => {
            let cure = if can.hardlink {
                "`link = \"hardlink\"` in config.toml shares them, read-only"
            } else {
                "move the cache and the repository to one that can"
            };
            cannot("the file system shares no blocks (no reflinks)", cure)
        }
    }]
}

fn untried(subject: &str, error: &dyn std::fmt::Display) -> Finding {
    Finding::note(subject, format!("could not be tried: {error}"))
}

fn open(cache: &Path) -> Result<Store, StoreError> {
    Store::open(cache, Options::default())
}

/// How a file of the cache can be had elsewhere on its file system.
struct Can {
    reflink: bool,
    hardlink: bool,
}

fn tried(cache: &Path) -> io::Result<Can> {
    let temporary = open(cache).and_then(|store| store.temporary()).map_err(io::Error::other)?;
    let (one, other) = (temporary.path().join("one"), temporary.path().join("other"));
    fs::write(&one, vec![1; TRIED])?;
    let reflink = ioctl_ficlone(File::create(&other)?, File::open(&one)?).is_ok();
    let hardlink = fs::hard_link(&one, temporary.path().join("link")).is_ok();
    Ok(Can { reflink, hardlink })
}

pub(super) fn times(scene: &Scene) -> Vec<Finding> {
    let mut places = vec![("times in the repository", scene.place.root.path.as_path())];
    places.extend(scene.cache.as_deref().map(|cache| ("times in the cache", cache)));
    let there = places.into_iter().filter(|(_, path)| path.is_dir());
    there
        .map(|(subject, path)| {
            let granularity = granularity(changes(path).into_iter());
            let says = format!("the file system keeps them to {granularity:?} or better");
            if granularity <= GRANULARITY {
                return Finding::ok(subject, says);
            }
            let says = format!("{says} only, and changes in quick succession may go unseen");
            let cure = format!("move {} to a file system with finer times", path.display());
            Finding::problem(subject, says, cure)
        })
        .collect()
}

/// When a directory and what is in it last changed. Nobody can set these times, so they are as fine as the file system is.
fn changes(directory: &Path) -> Vec<i64> {
    let inside = fs::read_dir(directory).into_iter().flatten().flatten().map(|entry| entry.path());
    let all = std::iter::once(directory.to_owned()).chain(inside.take(200));
    all.filter_map(|path| Some(Identity::of(&fs::symlink_metadata(path).ok()?).ctime)).collect()
}

/// The largest unit that divides all of these times, a second at most.
fn granularity(times: impl Iterator<Item = i64>) -> Duration {
    const SECOND: u64 = 1_000_000_000;
    let mut unit = SECOND;
    for time in times {
        let mut rest = time.unsigned_abs() % SECOND;
        while rest != 0 {
            (unit, rest) = (rest, unit % rest);
        }
    }
    Duration::from_nanos(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_as_fine_as_the_finest_of_them() {
        let seconds = [1_700_000_000_000_000_000, 1_700_000_007_000_000_000];
        assert_eq!(granularity(seconds.into_iter()), Duration::from_secs(1));
        let finer = [1_700_000_000_250_000_000, 1_700_000_007_100_000_000];
        assert_eq!(granularity(seconds.into_iter().chain(finer)), Duration::from_millis(50));
        assert_eq!(granularity([1_700_000_000_123_456_789].into_iter()), Duration::from_nanos(1));
        assert!(Duration::from_secs(1) > GRANULARITY && Duration::from_millis(1) < GRANULARITY);
    }
}
