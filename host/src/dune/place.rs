//! Giving a staged file its place in the store.
//!
//! | at its place is | [`DuneStore::spot`] | [`DuneStore::keep`] |
//! |---|---|---|
//! | nothing | [`Spot::New`] | the staged file is renamed there, and nobody may write it |
//! | the very inode | [`Spot::Same`] | it gets the present time, so that it counts as used; nothing for the client to do |
//! | a file with the digest that its name says | [`Spot::There`] | the same, and the client may link to it |
//! | anything else | it goes into quarantine, and the place is free | |
//!
//! Where a store is not verified, any file at its place is taken for what it should be, as Dune does. In the oldest format files
//! with one digest and different contents have different numbers.

use super::DuneStore;
use super::layout::{FileId, FileLayout};
use super::note::{Note, Refusal};
use super::source::open_stored;
use super::stage::{KEPT, Staged, is_absent, read_stored};
use crate::identity::Identity;
use crate::time::Timestamp;
use rustix::fs::{AtFlags, CWD, RenameFlags, Timespec, Timestamps, renameat_with, utimensat};
use rustix::io::Errno;
use std::fs::{self, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt as _, PermissionsExt as _};
use std::path::Path;

/// Where a file goes.
#[derive(Clone, Copy, Debug)]
pub(super) enum Spot {
    /// Nothing is there.
    New(FileId),
    /// The same content is.
    There(FileId, Identity),
    /// The file itself is.
    Same(FileId, Identity),
}

/// What is in the place of a file.
enum State {
    /// What belongs there.
    Right,
    /// Something else.
    Wrong,
    /// Nothing any more, or another file than the one that was looked at.
    Gone,
}

impl Spot {
    pub(super) const fn id(&self) -> FileId {
        match self {
            Self::New(id) | Self::There(id, _) | Self::Same(id, _) => *id,
        }
    }
}

impl DuneStore {
    /// Where a staged file with this first name goes.
    pub(super) fn spot(
        &self,
        staged: &Staged,
        first: FileId,
        buffer: &mut [u8],
        now: Timestamp,
        notes: &mut Vec<Note>,
    ) -> Result<Spot, Refusal> {
        let mut id = first;
        loop {
            let path = self.layout().file(id);
            let identity = match fs::symlink_metadata(&path) {
                Ok(metadata) => Identity::of(&metadata),
                Err(error) if is_absent(&error) => return Ok(Spot::New(id)),
                Err(error) => return Err(Refusal::io("look at", &path)(error)),
            };
            let inode = |identity: &Identity| (identity.device, identity.inode);
            if inode(&identity) == inode(&staged.identity) {
                return Ok(Spot::Same(id, identity));
            }
            if id.layout == FileLayout::V2 && identity.is_file() {
                match self.equals(staged, &identity, &path, buffer) {
                    Ok(true) => return Ok(Spot::There(id, identity)),
                    Ok(false) => {}
                    Err(error) if is_absent(&error) => continue,
                    Err(error) => return Err(Refusal::io("read", &path)(error)),
                }
            }
            match self.look(id, &identity, &path, buffer, now)? {
                State::Right if id.layout == FileLayout::V2 => id.number += 1,
                State::Right => return Ok(Spot::There(id, identity)),
                State::Gone => {}
                State::Wrong => match self.set_aside(&path) {
                    Ok(quarantine) => notes.push(Note::Damaged { path, quarantine }),
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(Refusal::io("set aside", &path)(error)),
                },
            }
        }
    }

    /// Whether a file of the store is what its name says, as far as that is asked for.
    fn look(
        &self,
        id: FileId,
        identity: &Identity,
        path: &Path,
        buffer: &mut [u8],
        now: Timestamp,
    ) -> Result<State, Refusal> {
        if !identity.is_file() {
            return Ok(State::Wrong);
        }
        if !self.options().verify || self.proofs().holds(identity) {
            return Ok(State::Right);
        }
        let file = match open_stored(path) {
            Ok(file) => file,
            Err(error) if is_absent(&error) => return Ok(State::Gone),
            Err(error) => return Err(Refusal::io("open", path)(error)),
        };
        let (read, content) = read_stored(&file, path, buffer)?;
        if content.scheme(id.digest).is_some_and(|scheme| scheme.is_of(id.layout)) {
            self.proofs().read(&read, now);
            return Ok(State::Right);
        }
        // Only what was read is wrong, not what others have put in its place since.
        let still = fs::symlink_metadata(path).is_ok_and(|still| Identity::of(&still).inode == read.inode);
        Ok(if still { State::Wrong } else { State::Gone })
    }

    /// Whether a file of the store has the bytes of a staged one.
    fn equals(
        &self,
        staged: &Staged,
        identity: &Identity,
        path: &Path,
        buffer: &mut [u8],
    ) -> io::Result<bool> {
        if identity.size != staged.identity.size || identity.mode & 0o100 != staged.identity.mode & 0o100 {
            return Ok(false);
        }
        // That ours was cleared away does not make the place another one.
        let ours = staged.path().map(open_stored).transpose().map_err(io::Error::other)?;
        let ours = ours.ok_or_else(|| io::Error::other("it was moved away"))?;
        let (file, half) = (open_stored(path)?, buffer.len() / 2);
        let (one, other) = buffer.split_at_mut(half);
        let mut at = 0;
        while at < identity.size {
            let some = (half as u64).min(identity.size - at) as usize;
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

    /// Puts a staged file in its place. Whether the client may link to what is there.
    pub(super) fn keep(&self, spot: Spot, staged: &mut Staged, now: Timestamp) -> Result<bool, Refusal> {
        let path = self.layout().file(spot.id());
        match spot {
            Spot::New(_) => {
                let Some(from) = staged.path() else { return Ok(false) };
                match rename_new(from, &path).map_err(Refusal::io("make", &path))? {
                    Renamed::There => return Ok(true),
                    Renamed::Moved => {}
                }
                staged.moved();
                forbid_writing(&staged.identity, &path)?;
                self.proofs().read(&staged.identity, now);
                Ok(false)
            }
            Spot::There(_, identity) | Spot::Same(_, identity) => {
                self.touch(&path, &identity, now);
                Ok(matches!(spot, Spot::There(..)))
            }
        }
    }

    /// Counts a file as used now, as clients do on a hit. Where that is refused, it goes sooner.
    fn touch(&self, path: &Path, identity: &Identity, now: Timestamp) {
        let billion = 1_000_000_000;
        let time =
            Timespec { tv_sec: (now.0 / billion).cast_signed(), tv_nsec: (now.0 % billion).cast_signed() };
        let times = Timestamps { last_access: time, last_modification: time };
        let touched = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
        if touched.is_ok() && self.options().verify {
            self.proofs().touched(identity, now);
        }
        // Left so by a kill between two steps, or by who wrote through a link.
        if identity.mode & !KEPT & 0o777 != 0 {
            fs::set_permissions(path, Permissions::from_mode(identity.mode & KEPT)).ok();
        }
    }
}

fn forbid_writing(identity: &Identity, path: &Path) -> Result<(), Refusal> {
    if identity.mode & !KEPT & 0o7777 == 0 {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(identity.mode & KEPT)) {
        // Dune's trim took it, and a client that finds the rule makes it again.
        Err(error) if is_absent(&error) => Ok(()),
        set => set.map_err(Refusal::io("give permissions to", path)),
    }
}

/// What came of a rename that replaces nothing.
pub(super) enum Renamed {
    /// It is done.
    Moved,
    /// Something is there, which somebody else made meanwhile.
    There,
}

/// Renames to where nothing is, with the directories that this needs.
pub(super) fn rename_new(from: &Path, to: &Path) -> io::Result<Renamed> {
    loop {
        match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
            Ok(()) => return Ok(Renamed::Moved),
            Err(Errno::EXIST) => return Ok(Renamed::There),
            // A file system that cannot refuse to replace: a link does.
            Err(Errno::INVAL | Errno::NOSYS) => match fs::hard_link(from, to) {
                Ok(()) => {
                    fs::remove_file(from)?;
                    return Ok(Renamed::Moved);
                }
                Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(Renamed::There),
                Err(error) if error.kind() == ErrorKind::NotFound => make_parent(from, to)?,
                // Nor links: what is there then is the same, and whole.
                Err(_) => return rename(from, to).map(|()| Renamed::Moved),
            },
            Err(Errno::NOENT) => make_parent(from, to)?,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Renames over whatever is there, with the directories that this needs.
pub(super) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    loop {
        match fs::rename(from, to) {
            Err(error) if error.kind() == ErrorKind::NotFound => make_parent(from, to)?,
            renamed => return renamed,
        }
    }
}

fn make_parent(from: &Path, to: &Path) -> io::Result<()> {
    // It is the other end that is missing where somebody cleared the cache; then nothing helps.
    fs::symlink_metadata(from)?;
    to.parent().map_or(Ok(()), fs::create_dir_all)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dune::Options;
    use crate::dune::digest::Scheme;
    use crate::dune::stage::Staging;
    use crate::protocol::dune::Duplication;

    /// Somebody clears the whole cache in the middle of a promotion. Whether two files are equal was once asked again and again
    /// then, since one of them was absent.
    #[test]
    fn a_staged_file_that_is_cleared_away_ends_the_promotion() {
        let all = tempfile::tempdir().unwrap();
        let store = DuneStore::open(all.path().join("db"), Options::default()).unwrap();
        let built = all.path().join("built");
        fs::write(&built, "content").unwrap();
        let mut staging = Staging::new(store.root(), 1).unwrap();
        let staged = staging.file(open_stored(&built).unwrap(), &built, Duplication::Hardlink).unwrap();
        let id = FileId::new(FileLayout::V2, staged.content.digest(Scheme::Joined));
        let path = store.layout().file(id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "content").unwrap();
        fs::remove_file(staged.path().unwrap()).unwrap();
        let (mut buffer, mut notes) = (vec![0; 1000], Vec::new());
        let spot = store.spot(&staged, id, &mut buffer, Timestamp(1), &mut notes);
        assert!(matches!(spot, Err(Refusal::Io { .. })), "{spot:?}");
    }
}
