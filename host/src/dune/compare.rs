//! Whether files have the same bytes.
//!
//! Two contents can be made to have one MD5. Formats since Dune 2.6 take them for one; the oldest compares what it has and keeps both.

use super::layout::{FileId, FileLayout};
use super::note::Refusal;
use super::source::open_stored;
use super::stage::{Held, Staged};
use crate::identity::Identity;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::os::unix::fs::FileExt as _;
use std::path::Path;

/// Whether a file of the store has the bytes of a staged one.
pub(super) fn equals(
    staged: &Staged,
    identity: &Identity,
    path: &Path,
    buffer: &mut [u8],
) -> io::Result<bool> {
    if identity.size != staged.identity.size || identity.mode & 0o100 != staged.identity.mode & 0o100 {
        return Ok(false);
    }
    reading(staged, |ours| have_same(ours, &open_stored(path)?, identity.size, buffer))
}

/// Whether two staged files with one digest have the same bytes.
pub(super) fn are_equal(one: &Staged, other: &Staged, buffer: &mut [u8]) -> io::Result<bool> {
    let size = one.identity.size;
    Ok(size == other.identity.size
        && reading(one, |one| reading(other, |other| have_same(one, other, size, buffer)))?)
}

fn reading<T>(staged: &Staged, read: impl FnOnce(&File) -> io::Result<T>) -> io::Result<T> {
    match staged.held() {
        Held::Open(file) => read(file),
        // That ours was cleared away does not make the place another one.
        Held::Named(name) => read(&open_stored(name.path()).map_err(io::Error::other)?),
        Held::Moved => Err(io::Error::other("it was moved away")),
    }
}

/// Whether two files have the same first bytes. Of the second there may be fewer.
fn have_same(ours: &File, file: &File, size: u64, buffer: &mut [u8]) -> io::Result<bool> {
    let half = buffer.len() / 2;
    let (one, other) = buffer.split_at_mut(half);
    let mut at = 0;
    while at < size {
        let some = (half as u64).min(size - at) as usize;
        ours.read_exact_at(&mut one[..some], at)?;
        match file.read_exact_at(&mut other[..some], at) {
            Err(error) if error.kind() == ErrorKind::UnexpectedEof => return Ok(false),
            read => read?,
        }
        if one[..some] != other[..some] {
            return Ok(false);
        }
        at += some as u64;
    }
    Ok(true)
}

/// Refuses what somebody else put in its place meanwhile, where the same digest need not mean the same content.
pub(super) fn is_same(id: FileId, staged: &Staged, path: &Path, buffer: &mut [u8]) -> Result<(), Refusal> {
    if id.layout != FileLayout::V2 {
        return Ok(());
    }
    let there = fs::symlink_metadata(path).map(|metadata| Identity::of(&metadata));
    match there.and_then(|there| equals(staged, &there, path, buffer)) {
        Ok(true) => Ok(()),
        Ok(false) => Err(Refusal::Changing(path.to_owned())),
        Err(error) => Err(Refusal::io("read", path)(error)),
    }
}
