//! One promotion: the files of a rule, and then the rule.
//!
//! ```text
//! 1  open each file below the build root; read it, or copy it into the session's directory
//! 2  find the format in which all files have the digests that were announced, and what is at their places already
//! 3  write the rule's new file beside them, unless the same bytes are in its place
//! 4  link to each file that is new, or rename its copy; forbid writing it
//! 5  rename the rule's file
//! 6  tell which files were there before
//! ```
//!
//! What refuses a promotion does so in the steps 1 to 3, before anything is visible or any file of the build tree differs: a
//! full disk shows in the third. After a kill in 4 there are whole files without a rule, which [`trim`](super::trim) lets go.
//!
//! # Formats
//!
//! | digests | on a connection of 1.0 or 1.1 | of 1.2 |
//! |---|---|---|
//! | as in Dune 2.8 and later | v4 | v4 |
//! | as in Dune 2.1 to 2.7 | v2 | v3 |
//! | as in Dune 2.0 | v2 | refused: no client sends that |
//! | no files, and so none | v2 | that of the client's last promotion, else v4 |
//!
//! # Collisions
//!
//! A rule that was promoted before with other files is not reproducible, which is told. Only files count: the commit in the
//! metadata differs from one build to the next. Then [`Collision`] decides, but a rule whose files are not all there is nothing to be
//! kept; a rule with the same files is written anew with its new metadata and is no collision.

use super::annotate::Provenance;
use super::compare::are_equal;
use super::layout::{FileId, FileLayout, MetaLayout};
use super::meta::Meta;
use super::note::{Note, Refusal};
use super::place::{Renamed, Spot, rename, rename_new};
use super::session::Session;
use super::source::{Stored, read_rule};
use super::stage::{Staged, Staging, is_absent};
use super::{Collision, DuneStore};
use crate::protocol::csexp::Sexp;
use crate::protocol::dune::{Dedup, Duplication, FileDigest, Promotion, Repository};
use crate::protocol::version::Version;
use crate::time::Timestamp;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// What is in the place of a rule.
enum Before {
    Nothing,
    /// The same bytes.
    Equal,
    /// The same files with other metadata, or what is no rule.
    Other,
    /// Other files, and whether clients find them all.
    Colliding(bool),
}

impl Session {
    pub(super) fn promote(
        &mut self,
        promotion: &Promotion,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Dedup>, Refusal> {
        let now = self.clock.now();
        if self.root.is_none() {
            return Err(Refusal::NoBuildRoot);
        }
        let mut metadata = self.metadata(promotion)?;
        let staged = self.stage(promotion)?;
        let layout = self.layout_of(promotion, &staged)?;
        let store = Arc::clone(&self.store);
        let spots = self.spots(promotion, layout, &staged, now, notes)?;
        metadata.extend(self.annotation(promotion, now, notes));
        let meta = Meta { metadata, files: Some(named(&store, promotion, &spots)) };
        let bytes = meta.to_bytes();
        let path = store.layout().meta(layout.meta(), promotion.key);
        let before = store.before(&path, &meta, &bytes, layout.meta(), notes)?;
        if let Before::Colliding(whole) = before {
            let kept = whole && store.options().collision == Collision::Keep;
            notes.push(Note::Collision { key: promotion.key, kept });
            if kept {
                return Ok(Vec::new());
            }
        }
        let staging = self.staging.as_mut().ok_or_else(gone)?;
        let rule = if matches!(before, Before::Equal) { None } else { Some(staging.bytes(&bytes)?) };
        let mut dedups = Vec::new();
        for (((path, digest), spot), mut staged) in promotion.files.iter().zip(spots).zip(staged) {
            if store.keep(spot, &mut staged, staging, now)? {
                let place = store.layout().file(spot.id());
                dedups.push(Dedup { path: path.clone(), place, digest: *digest });
            }
        }
        if let Some(rule) = rule {
            let first = matches!(before, Before::Nothing) && store.options().collision == Collision::Keep;
            let renamed = if first {
                rename_new(rule.path(), &path)
            } else {
                rename(rule.path(), &path).map(|()| Renamed::Moved)
            };
            match renamed.map_err(Refusal::io("make", &path))? {
                Renamed::Moved => rule.moved(),
                // Somebody else was first, maybe with the same.
                Renamed::There => {
                    if matches!(
                        store.before(&path, &meta, &bytes, layout.meta(), notes)?,
                        Before::Colliding(_)
                    ) {
                        notes.push(Note::Collision { key: promotion.key, kept: true });
                        return Ok(Vec::new());
                    }
                }
            }
        }
        self.last = Some(layout);
        Ok(dedups)
    }

    /// The session's directory, which is made for its first promotion, and anew where somebody cleared the whole cache.
    fn staging(&mut self) -> Result<&mut Staging, Refusal> {
        let there = self.staging.take().filter(Staging::is_there);
        let staging = match there {
            Some(staging) => staging,
            None => Staging::new(self.store.root(), std::process::id())
                .map_err(Refusal::io("write below", self.store.root()))?,
        };
        Ok(self.staging.insert(staging))
    }

    fn stage(&mut self, promotion: &Promotion) -> Result<Vec<Staged>, Refusal> {
        let how = promotion.duplication.unwrap_or(Duplication::Hardlink);
        self.staging()?;
        let mut all = Vec::with_capacity(promotion.files.len());
        for (number, (path, _)) in promotion.files.iter().enumerate() {
            let root = self.root.as_mut().ok_or(Refusal::NoBuildRoot)?;
            let staging = self.staging.as_mut().ok_or_else(gone)?;
            all.push(staging.file(root.open(path)?, path, how, number)?);
        }
        Ok(all)
    }

    /// The format that all files have their digests for.
    fn layout_of(&self, promotion: &Promotion, staged: &[Staged]) -> Result<FileLayout, Refusal> {
        let mut layout = None;
        for ((path, announced), staged) in promotion.files.iter().zip(staged) {
            let scheme = staged.content.scheme(*announced);
            let own = scheme.and_then(|scheme| scheme.layout(self.version));
            let own = own.ok_or_else(|| mismatch(path, *announced, staged))?;
            match (layout, scheme) {
                (None, _) => layout = Some(own),
                (Some(layout), Some(scheme)) if layout != own => {
                    return Err(Refusal::Mixed { path: path.clone(), scheme, layout });
                }
                _ => {}
            }
        }
        // Nothing else tells what the client reads.
        let usual = if self.version < Version::new(1, 2) { FileLayout::V2 } else { FileLayout::V4 };
        Ok(layout.or(self.last).unwrap_or(usual))
    }

    fn spots(
        &mut self,
        promotion: &Promotion,
        layout: FileLayout,
        staged: &[Staged],
        now: Timestamp,
        notes: &mut Vec<Note>,
    ) -> Result<Vec<Spot>, Refusal> {
        let buffer = self.staging.as_mut().ok_or_else(gone)?.buffer();
        let mut spots: Vec<Spot> = Vec::with_capacity(staged.len());
        for ((path, digest), own) in promotion.files.iter().zip(staged) {
            let mut id = FileId::new(layout, *digest);
            let spot = loop {
                let spot = self.store.spot(own, id, buffer, now, notes)?;
                if layout != FileLayout::V2 {
                    break spot;
                }
                // Nothing is there yet of this rule's own files either.
                let Some(same) = spots.iter().position(|other| other.id() == spot.id()) else { break spot };
                if are_equal(own, &staged[same], buffer).map_err(Refusal::io("read", path))? {
                    break spot;
                }
                id = FileId { number: spot.id().number + 1, ..id };
            };
            spots.push(spot);
        }
        Ok(spots)
    }

    fn repository(&self, promotion: &Promotion) -> Result<Option<&Repository>, Refusal> {
        let Some(index) = promotion.repository else { return Ok(None) };
        let repository = usize::try_from(index).ok().and_then(|index| self.repositories.get(index));
        repository.map(Some).ok_or(Refusal::Repository(index))
    }

    /// What is said of the rule besides its files: of itself, of all, of its repository.
    fn metadata(&self, promotion: &Promotion) -> Result<Vec<Sexp>, Refusal> {
        let mut all = promotion.metadata.clone();
        all.extend(self.common.iter().cloned());
        if let Some(repository) = self.repository(promotion)? {
            all.push(Sexp::named("repo", [Sexp::atom(repository.remote.clone())]));
            all.push(Sexp::named("commit_id", [Sexp::atom(repository.commit.clone())]));
        }
        Ok(all)
    }

    /// What the repository's own plugin adds.
    fn annotation(&mut self, promotion: &Promotion, now: Timestamp, notes: &mut Vec<Note>) -> Option<Sexp> {
        let mut annotate = self.annotate.take()?;
        let repository = self.repository(promotion).ok().flatten();
        let (key, version) = (promotion.key, self.version);
        let build_root = self.root.as_ref()?.path();
        let annotation = annotate.annotate(&Provenance { key, build_root, repository, version, now });
        self.annotate = Some(annotate);
        match annotation {
            Ok(annotation) => annotation,
            Err(why) => {
                notes.push(Note::Unannotated { key, why });
                None
            }
        }
    }
}

fn mismatch(path: &Path, announced: FileDigest, staged: &Staged) -> Refusal {
    let found = staged.content.digest(super::digest::Scheme::Joined);
    Refusal::Mismatch { path: path.to_owned(), announced, found }
}

fn gone() -> Refusal {
    Refusal::io("write in", Path::new("promoting"))(io::ErrorKind::NotFound.into())
}

/// The files of a rule as its format names them.
fn named(store: &DuneStore, promotion: &Promotion, spots: &[Spot]) -> Vec<(Vec<u8>, Vec<u8>)> {
    let files = promotion.files.iter().zip(spots);
    let name = |((path, digest), spot): (&(_, FileDigest), &Spot)| {
        let path: &PathBuf = path;
        let named = match spot.id().layout {
            FileLayout::V2 => store.layout().file(spot.id()).as_os_str().as_bytes().to_vec(),
            FileLayout::V3 | FileLayout::V4 => digest.to_string().into_bytes(),
        };
        (path.as_os_str().as_bytes().to_vec(), named)
    };
    files.map(name).collect()
}

impl DuneStore {
    /// What is in the place of a rule. What is no file there is put aside, so that one can be.
    fn before(
        &self,
        path: &Path,
        meta: &Meta,
        bytes: &[u8],
        layout: MetaLayout,
        notes: &mut Vec<Note>,
    ) -> Result<Before, Refusal> {
        let there = match read_rule(path) {
            Ok(Stored::Bytes(there)) => there,
            Ok(Stored::NoFile) => {
                match self.set_aside(path) {
                    Ok(quarantine) => notes.push(Note::Damaged { path: path.to_owned(), quarantine }),
                    Err(error) if is_absent(&error) => {}
                    Err(error) => return Err(Refusal::io("set aside", path)(error)),
                }
                return Ok(Before::Nothing);
            }
            Err(error) if is_absent(&error) => return Ok(Before::Nothing),
            Err(error) => return Err(Refusal::io("read", path)(error)),
        };
        if there == bytes {
            return Ok(Before::Equal);
        }
        let Some(before) = Meta::from_bytes(&there) else { return Ok(Before::Other) };
        // Whole paths of one store may differ in how its root is spelled.
        let named = before.named(layout);
        let same = before.files == meta.files
            || named.is_some() && named == meta.named(layout) && paths(&before) == paths(meta);
        if same {
            return Ok(Before::Other);
        }
        let is_there = |file: &FileId| self.layout().file(*file).exists();
        Ok(Before::Colliding(named.is_some_and(|named| named.iter().all(is_there))))
    }
}

fn paths(meta: &Meta) -> Vec<&[u8]> {
    meta.files.iter().flatten().map(|(path, _)| path.as_slice()).collect()
}
