//! Reading a file once for all that is wanted of it: its digest, and a copy with the same holes.
//!
//! | file | how |
//! |---|---|
//! | small | from the start to the end, wherever that is by now |
//! | from [`PARALLEL`] on | in pieces, which all cores take in turn: each is read, hashed as the subtree that it is, and written |
//! | with holes | in pieces too; what is a hole is neither read nor written |
//!
//! A piece is a subtree of BLAKE3's tree, so the digest is the usual one. Memory is bounded whatever the size.

use super::share::cores;
use crate::digest::Digest;
use blake3::Hasher;
use blake3::hazmat::{ChainingValue, HasherExt as _, Mode, merge_subtrees_non_root, merge_subtrees_root};
use rustix::fs::{SeekFrom, seek};
use rustix::io::Errno;
use std::cell::RefCell;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// From this size on all cores take part: below, waking them costs more than they save.
const PARALLEL: u64 = 4 * 1024 * 1024;
/// The smallest piece; a power of two, as subtrees are.
const PIECE: u64 = 1024 * 1024;
/// The most pieces of a file: what is kept of each is 32 bytes.
const PIECES: u64 = 16 * 1024;
/// What is read at once: it is still in the core's cache when it is hashed and written.
pub(super) const BUFFER: usize = 256 * 1024;

thread_local! {
    /// Made once in a thread: to make it for each of many files would cost as much as to hash them.
    static SPACE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends a buffer of [`BUFFER`] bytes, in which anything may be.
pub(super) fn with_buffer<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    with_bytes(BUFFER, work)
}

/// Lends a buffer of so many bytes. A process that reads small files alone has no large one to fill with zeros.
fn with_bytes<T>(bytes: usize, work: impl FnOnce(&mut [u8]) -> T) -> T {
    SPACE.with_borrow_mut(|space| {
        space.resize(space.len().max(bytes), 0);
        work(&mut space[..bytes])
    })
}

/// Which side refused.
#[derive(Debug)]
pub(super) enum PassError {
    Read(io::Error),
    Write(io::Error),
}

/// The digest of a regular file that has this size.
///
/// Errors: it cannot be read; it is large and its size is another one by now.
pub fn digest_of(file: &File, size: u64) -> io::Result<Digest> {
    let read = if size < PARALLEL { stream(file, size, None) } else { pieces(file, size, false, None) };
    match read {
        Ok((_, length)) if size >= PARALLEL && length != size => {
            Err(io::Error::new(ErrorKind::ResourceBusy, "the file changed while it was read"))
        }
        Ok((digest, _)) => Ok(digest),
        Err(PassError::Read(error) | PassError::Write(error)) => Err(error),
    }
}

/// The digest of bytes.
pub(super) fn digest_of_bytes(bytes: &[u8]) -> Digest {
    if (bytes.len() as u64) < PARALLEL {
        return Digest::of(bytes);
    }
    Digest::new(*Hasher::new().update_rayon(bytes).finalize().as_bytes())
}

/// Hashes a file of this size and copies it into an empty one. What is hashed is what is written.
///
/// The length is what there was to read. Where that is not `size` the file changed, and the digest is of no use.
pub(super) fn pass(file: &File, size: u64, to: Option<&File>) -> Result<(Digest, u64), PassError> {
    // Holes of small files are not worth to look for.
    let holes = to.is_some()
        && size > BUFFER as u64
        && file.metadata().map_err(PassError::Read)?.blocks() * 512 < size;
    if holes || size >= PARALLEL { pieces(file, size, holes, to) } else { stream(file, size, to) }
}

fn stream(file: &File, size: u64, to: Option<&File>) -> Result<(Digest, u64), PassError> {
    let mut hasher = Hasher::new();
    // One byte more than there is shows that there is no more.
    let wanted = BUFFER.min(size.saturating_add(1) as usize);
    with_bytes(wanted, |buffer| {
        loop {
            let offset = hasher.count();
            let read = fill(file, buffer, offset, size)?;
            let part = &buffer[..read];
            hasher.update(part);
            write(to, part, offset)?;
            if read < buffer.len() {
                return Ok((Digest::new(*hasher.finalize().as_bytes()), hasher.count()));
            }
        }
    })
}

fn pieces(file: &File, size: u64, holes: bool, to: Option<&File>) -> Result<(Digest, u64), PassError> {
    // It may end with a hole.
    to.map_or(Ok(()), |to| to.set_len(size)).map_err(PassError::Write)?;
    let piece = (size / PIECES).next_power_of_two().max(PIECE);
    let number = size.div_ceil(piece).max(1) as usize;
    let whole = Pieces { file, size, piece, holes, to };
    if number == 1 {
        let mut hasher = Hasher::new();
        let length = with_buffer(|buffer| whole.take(0, &mut hasher, buffer))?;
        return Ok((Digest::new(*hasher.finalize().as_bytes()), whole.length(length)?));
    }
    let next = AtomicUsize::new(0);
    let work = |buffer: &mut [u8]| {
        let mut done = Vec::new();
        let mut length = 0;
        loop {
            let index = next.fetch_add(1, Ordering::Relaxed);
            if index >= number {
                return Ok((done, length));
            }
            let mut hasher = Hasher::new();
            hasher.set_input_offset(index as u64 * piece);
            let read = whole.take(index as u64 * piece, &mut hasher, buffer)?;
            if read == 0 {
                return Ok((done, 0));
            }
            length += read;
            done.push((index, hasher.finalize_non_root()));
        }
    };
    let others = if size < PARALLEL { 0 } else { cores() - 1 };
    let shares = thread::scope(|scope| {
        let threads: Vec<_> = (0..others).map(|_| scope.spawn(|| with_buffer(work))).collect();
        let mine = with_buffer(work);
        let joined =
            threads.into_iter().map(|thread| thread.join().expect("invariant: hashing does not panic"));
        std::iter::once(mine).chain(joined).collect::<Result<Vec<_>, _>>()
    })?;
    let mut values = vec![[0; 32]; number];
    let mut length = 0;
    for (share, read) in shares {
        length += read;
        for (index, value) in share {
            values[index] = value;
        }
    }
    let middle = left(number);
    let (left, right) = (merge(&values[..middle]), merge(&values[middle..]));
    let root = merge_subtrees_root(&left, &right, Mode::Hash);
    Ok((Digest::new(*root.as_bytes()), whole.length(length)?))
}

/// How many of `number` pieces are on the left of a tree: the largest power of two that leaves something for the right.
fn left(number: usize) -> usize {
    number.next_power_of_two() / 2
}

fn merge(values: &[ChainingValue]) -> ChainingValue {
    match values {
        [value] => *value,
        values => {
            let (left, right) = values.split_at(left(values.len()));
            merge_subtrees_non_root(&merge(left), &merge(right), Mode::Hash)
        }
    }
}

struct Pieces<'a> {
    file: &'a File,
    size: u64,
    piece: u64,
    holes: bool,
    to: Option<&'a File>,
}

impl Pieces<'_> {
    /// Hashes and writes the piece at this offset, and tells how many bytes of it there were.
    fn take(&self, start: u64, hasher: &mut Hasher, buffer: &mut [u8]) -> Result<u64, PassError> {
        let end = self.size.min(start + self.piece);
        let mut at = start;
        while at < end {
            let data = if self.holes { self.next(SeekFrom::Data(at), end)? } else { at };
            let zeros = buffer.len().min((data - at) as usize);
            buffer[..zeros].fill(0);
            while at < data {
                let zeros = buffer.len().min((data - at) as usize);
                hasher.update(&buffer[..zeros]);
                at += zeros as u64;
            }
            let hole = if self.holes && at < end { self.next(SeekFrom::Hole(at), end)? } else { end };
            while at < hole {
                let wanted = buffer.len().min((hole - at) as usize);
                let read = fill(self.file, &mut buffer[..wanted], at, self.size)?;
                hasher.update(&buffer[..read]);
                write(self.to, &buffer[..read], at)?;
                at += read as u64;
                if read < wanted {
                    return Ok(at - start);
                }
            }
        }
        Ok(at - start)
    }

    /// Where data or a hole is next, at most `end`. The file's own position moves, which nobody here goes by.
    fn next(&self, from: SeekFrom, end: u64) -> Result<u64, PassError> {
        match seek(self.file, from) {
            Ok(at) => Ok(at.min(end)),
            Err(Errno::NXIO) => Ok(end),
            Err(error) => Err(PassError::Read(error.into())),
        }
    }

    /// The length of the file, of which this much was read.
    fn length(&self, read: u64) -> Result<u64, PassError> {
        Ok(read + fill(self.file, &mut [0], self.size, self.size)? as u64)
    }
}

/// Reads until the buffer is full or the file ends. A read that is short, and ends where the file is said to end, is the last.
pub(super) fn fill(file: &File, buffer: &mut [u8], offset: u64, size: u64) -> Result<usize, PassError> {
    let mut filled = 0;
    while filled < buffer.len() {
        let wanted = buffer.len() - filled;
        match file.read_at(&mut buffer[filled..], offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => {
                filled += read;
                if read < wanted && offset + filled as u64 == size {
                    break;
                }
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(PassError::Read(error)),
        }
    }
    Ok(filled)
}

fn write(to: Option<&File>, bytes: &[u8], offset: u64) -> Result<(), PassError> {
    to.map_or(Ok(()), |to| to.write_all_at(bytes, offset)).map_err(PassError::Write)
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "in a test it is the assertion")]
mod tests {
    use super::*;
    use std::fs;

    fn bytes(size: u64) -> Vec<u8> {
        (0..size).map(|at| (at ^ (at >> 8) ^ (at >> 16)) as u8).collect()
    }

    #[test]
    fn the_digest_is_the_usual_one_however_the_file_is_read() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        let sizes = [0, 1, 16_383, 16_384, BUFFER as u64, PIECE, PIECE + 1, PARALLEL - 1, PARALLEL];
        for size in sizes.into_iter().chain([PARALLEL + 1, 5 * PIECE, 7 * PIECE - 1, 11 * PIECE + 5000]) {
            let bytes = bytes(size);
            fs::write(&path, &bytes).unwrap();
            let file = File::open(&path).unwrap();
            let expected = (Digest::of(&bytes), size);
            assert_eq!(digest_of(&file, size).unwrap(), expected.0, "{size}");
            assert_eq!(digest_of_bytes(&bytes), expected.0, "{size}");
            for holes in [false, true] {
                let copy = tempfile::tempfile_in(&directory).unwrap();
                assert_eq!(pieces(&file, size, holes, Some(&copy)).unwrap(), expected, "{size}");
                let mut copied = vec![0; size as usize];
                copy.read_exact_at(&mut copied, 0).unwrap();
                assert!(copied == bytes && copy.metadata().unwrap().len() == size, "{size}");
            }
            assert_eq!(stream(&file, 0, None).unwrap(), expected, "{size}");
        }
    }

    #[test]
    fn a_file_that_is_longer_or_shorter_than_it_was_is_seen() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("f");
        fs::write(&path, bytes(6 * PIECE)).unwrap();
        let file = File::open(&path).unwrap();
        let small = directory.path().join("small");
        fs::write(&small, bytes(1000)).unwrap();
        for size in [999, 1001] {
            assert_eq!(
                pass(&File::open(&small).unwrap(), size, None).unwrap(),
                (Digest::of(&bytes(1000)), 1000)
            );
        }
        for size in [6 * PIECE - 1, 6 * PIECE + 1, 5 * PIECE, 9 * PIECE] {
            assert_ne!(pass(&file, size, None).unwrap().1, size);
            assert_eq!(digest_of(&file, size).unwrap_err().kind(), ErrorKind::ResourceBusy);
        }
    }
}
