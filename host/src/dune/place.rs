//! Giving a staged file its place in the store.
//!
//! | at its place is | [`DuneStore::spot`] | [`DuneStore::keep`] |
//! |---|---|---|
//! | nothing | [`Spot::New`] | the file is linked or its copy renamed there, and nobody may write it; one that was written to since it was read is taken back, and the promotion refused |
//! | the very inode, as it was read | [`Spot::Same`] | it gets the present time, so that it counts as used; nothing for the client to do |
//! | a file with the digest that its name says | [`Spot::There`] | the same, and the client may link to it |
//! | anything else | it goes into quarantine, and the place is free | |
//!
//! Where a store is not verified, any file at its place is taken for what it should be, as Dune does. In the oldest format files
//! with one digest and different contents have different numbers.

use super::DuneStore;
use super::compare::{equals, is_same};
use super::digest::OWNER_EXECUTES;
use super::layout::{FileId, FileLayout};
use super::note::{Note, Refusal};
use super::source::open_stored;
use super::stage::{Held, KEPT, Staged, Staging, is_absent, is_fatal, link, read_whole};
use crate::identity::Identity;
use crate::time::Timestamp;
use rustix::fs::{AtFlags, CWD, RenameFlags, Timespec, Timestamps, renameat_with, utimensat};
use rustix::io::Errno;
use std::fs::{self, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::PermissionsExt as _;
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
            if is_inode(&identity, &staged.identity) && is_content(&identity, &staged.identity) {
                return Ok(Spot::Same(id, identity));
            }
            if id.layout == FileLayout::V2 && identity.is_file() {
                match equals(staged, &identity, &path, buffer) {
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
        let (read, content) = read_whole(&file, path, buffer)?;
        if content.is_of(id) {
            self.proofs().read(&read, now);
            return Ok(State::Right);
        }
        // Only what was read is wrong, not what others have put in its place since.
        let still = fs::symlink_metadata(path).is_ok_and(|still| Identity::of(&still).inode == read.inode);
        Ok(if still { State::Wrong } else { State::Gone })
    }

    /// Puts a staged file in its place. Whether the client may link to what is there.
    pub(super) fn keep(
        &self,
        spot: Spot,
        staged: &mut Staged,
        staging: &mut Staging,
        now: Timestamp,
    ) -> Result<bool, Refusal> {
        let path = self.layout().file(spot.id());
        if let Spot::There(id, identity) | Spot::Same(id, identity) = spot
            && let Some(identity) = self.still(id, identity, &path, staging.buffer(), now)?
            && self.touch(&path, &identity, now)
        {
            return Ok(matches!(spot, Spot::There(..)));
        }
        if let Held::Open(file) = staged.held() {
            match link_new(file, &path).map_err(Refusal::io("make", &path))? {
                Linked::Done => staged.moved(),
                Linked::There => {
                    return is_same(spot.id(), staged, &path, staging.buffer()).map(|()| true);
                }
                Linked::Not(why) => staging.copy_instead(staged, why)?,
            }
        }
        if let Held::Named(name) = staged.held() {
            match rename_new(name.path(), &path).map_err(Refusal::io("make", &path))? {
                Renamed::There => {
                    return is_same(spot.id(), staged, &path, staging.buffer()).map(|()| true);
                }
                Renamed::Moved => staged.moved(),
            }
        }
        forbid_writing(&staged.identity, &path)?;
        as_read(staged, &path, staging.buffer())?;
        self.proofs().read(&staged.identity, now);
        Ok(false)
    }

    /// What was found in the place of a file, unless it is gone. Where somebody touched it since, it is looked at once more.
    fn still(
        &self,
        id: FileId,
        found: Identity,
        path: &Path,
        buffer: &mut [u8],
        now: Timestamp,
    ) -> Result<Option<Identity>, Refusal> {
        let there = match fs::symlink_metadata(path) {
            Ok(metadata) => Identity::of(&metadata),
            Err(error) if is_absent(&error) => return Ok(None),
            Err(error) => return Err(Refusal::io("look at", path)(error)),
        };
        if is_inode(&there, &found) && is_content(&there, &found) {
            return Ok(Some(there));
        }
        match self.look(id, &there, path, buffer, now)? {
            State::Right => Ok(Some(there)),
            State::Gone => Ok(None),
            State::Wrong => Err(Refusal::Changing(path.to_owned())),
        }
    }

    /// Counts a file as used now, as clients do on a hit; where that is refused, it goes sooner. Whether it is still there:
    /// somebody may be trimming.
    fn touch(&self, path: &Path, identity: &Identity, now: Timestamp) -> bool {
        let billion = 1_000_000_000;
        let time =
            Timespec { tv_sec: (now.0 / billion).cast_signed(), tv_nsec: (now.0 % billion).cast_signed() };
        let times = Timestamps { last_access: time, last_modification: time };
        let touched = utimensat(CWD, path, &times, AtFlags::SYMLINK_NOFOLLOW);
        match touched {
            Ok(()) if self.options().verify => self.proofs().touched(identity, now),
            Err(Errno::NOENT | Errno::NOTDIR) => return false,
            _ => {}
        }
        // Left so by a kill between two steps, or by who wrote through a link.
        if identity.mode & !KEPT & 0o777 != 0 {
            fs::set_permissions(path, Permissions::from_mode(identity.mode & KEPT)).ok();
        }
        true
    }
}

fn forbid_writing(identity: &Identity, path: &Path) -> Result<(), Refusal> {
    if identity.mode & 0o7777 == identity.mode & KEPT {
        return Ok(());
    }
    match fs::set_permissions(path, Permissions::from_mode(identity.mode & KEPT)) {
        // Dune's trim took it, and a client that finds the rule makes it again.
        Err(error) if is_absent(&error) => Ok(()),
        set => set.map_err(Refusal::io("give permissions to", path)),
    }
}

/// Takes back what was put in its place where somebody wrote to it after it was read: no rule of ours names it yet. Another time may
/// as well say that it was used by somebody who found it there already; then it is read once more.
fn as_read(staged: &Staged, path: &Path, buffer: &mut [u8]) -> Result<(), Refusal> {
    let read = &staged.identity;
    match fs::symlink_metadata(path).map(|metadata| Identity::of(&metadata)) {
        Ok(now) if is_inode(&now, read) && !is_content(&now, read) => {
            let again = open_stored(path).map_err(Refusal::io("open", path));
            let again = again.and_then(|file| read_whole(&file, path, buffer));
            if again.is_ok_and(|(_, content)| content == staged.content) {
                return Ok(());
            }
            fs::remove_file(path).map_err(Refusal::io("remove", path))?;
            Err(Refusal::Changing(path.to_owned()))
        }
        // What others have put there since is theirs.
        Ok(_) => Ok(()),
        Err(error) if is_absent(&error) => Ok(()),
        Err(error) => Err(Refusal::io("look at", path)(error)),
    }
}

fn is_inode(one: &Identity, other: &Identity) -> bool {
    (one.device, one.inode) == (other.device, other.inode)
}

/// Whether nobody wrote in between, as far as times tell, nor made it executable.
fn is_content(one: &Identity, other: &Identity) -> bool {
    let content = |identity: &Identity| (identity.size, identity.mtime, identity.mode & OWNER_EXECUTES);
    content(one) == content(other)
}

/// What came of a link.
enum Linked {
    /// It is done.
    Done,
    /// Something is there, which somebody else made meanwhile.
    There,
    /// It cannot be done with this file, or not here at all.
    Not(Errno),
}

/// Links to an open file where nothing is, with the directories that this needs.
fn link_new(file: &File, to: &Path) -> io::Result<Linked> {
    match link(file, to) {
        Ok(()) => return Ok(Linked::Done),
        Err(Errno::EXIST) => return Ok(Linked::There),
        Err(Errno::NOENT) => {}
        Err(error) if is_fatal(error) => return Err(error.into()),
        Err(error) => return Ok(Linked::Not(error)),
    }
    // The directory, or the file itself, or `/proc` is missing.
    to.parent().map_or(Ok(()), fs::create_dir_all)?;
    match link(file, to) {
        Ok(()) => Ok(Linked::Done),
        Err(Errno::EXIST) => Ok(Linked::There),
        Err(error) => Ok(Linked::Not(error)),
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
    use crate::dune::stage::OPEN;
    use crate::protocol::dune::Duplication;
    use std::os::unix::fs::FileExt as _;

    /// Somebody clears the whole cache in the middle of a promotion. Whether two files are equal was once asked again and again
    /// then, since one of them was absent.
    #[test]
    fn a_staged_file_that_is_cleared_away_ends_the_promotion() {
        let all = tempfile::tempdir().unwrap();
        let store = DuneStore::open(all.path().join("db"), Options::default()).unwrap();
        let built = all.path().join("built");
        fs::write(&built, "content").unwrap();
        let mut staging = Staging::new(store.root(), 1).unwrap();
        let staged = staging.file(open_stored(&built).unwrap(), &built, Duplication::Hardlink, OPEN).unwrap();
        let id = FileId::new(FileLayout::V2, staged.content.digest(Scheme::Joined));
        let path = store.layout().file(id);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, "content").unwrap();
        let Held::Named(name) = staged.held() else { panic!("{staged:?}") };
        fs::remove_file(name.path()).unwrap();
        let (mut buffer, mut notes) = (vec![0; 1000], Vec::new());
        let spot = store.spot(&staged, id, &mut buffer, Timestamp(1), &mut notes);
        assert!(matches!(spot, Err(Refusal::Io { .. })), "{spot:?}");
    }

    /// The same as by many at once in `tests/together.rs`, without chance.
    #[test]
    fn what_is_used_by_others_at_once_is_not_taken_back_and_what_is_written_to_is() {
        let all = tempfile::tempdir().unwrap();
        let (built, kept) = (all.path().join("built"), all.path().join("kept"));
        fs::write(&built, "content").unwrap();
        let mut staging = Staging::new(all.path(), 1).unwrap();
        let staged = staging.file(open_stored(&built).unwrap(), &built, Duplication::Hardlink, 0).unwrap();
        fs::hard_link(&built, &kept).unwrap();
        let file = File::options().write(true).open(&kept).unwrap();
        file.set_modified(std::time::UNIX_EPOCH).unwrap();
        as_read(&staged, &kept, staging.buffer()).unwrap();
        assert!(kept.exists());
        file.write_all_at(b"CONTENT", 0).unwrap();
        let taken = as_read(&staged, &kept, staging.buffer());
        assert!(matches!(taken, Err(Refusal::Changing(_))) && !kept.exists(), "{taken:?}");
    }
}
