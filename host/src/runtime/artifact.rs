//! Compiled components, kept so that a component is compiled once on a machine and mapped from then on.
//!
//! ```text
//! <artifacts>/                                  0700, owned by the effective user
//!   <component>-<compatibility>.cwasm           0600, appears by rename, never written again
//!     ├── what the engine serialised
//!     └── the sum of that, 32 bytes, with the digest of the file's name taken to it bit by bit
//! ```
//!
//! `component` is the digest of the component in 64 hexadecimal digits, `compatibility` a hash in 16 of all that the engine
//! says must agree: its version, its configuration, the machine's features. It keeps those apart that share a directory; that
//! they agree is what the engine reads in the artefact itself.
//!
//! Laws:
//! - A load needs the digest of a component and not its bytes.
//! - Only files of the effective user that nobody else may write, in a directory of which the same holds, are mapped; no
//!   last link is followed to either.
//! - Any failure means that the component is compiled, and kept in memory where it cannot be kept here. An artefact that is
//!   there and does not load is replaced, by rename.
#![allow(unsafe_code)]

use crate::digest::Digest;
use crate::sum;
use rustc_hash::FxHasher;
use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, Stat};
use std::fs::{DirBuilder, File};
use std::hash::{Hash as _, Hasher as _};
use std::io::{self, Read as _, Write as _};
use std::os::fd::{AsRawFd as _, OwnedFd};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use wasmtime::Engine;
use wasmtime::component::Component;

/// How many bytes a sum takes.
const SUM: u64 = 32;

/// The directory of compiled components.
#[derive(Debug)]
pub(super) struct Artifacts {
    directory: PathBuf,
    compatibility: OnceLock<String>,
}

impl Artifacts {
    pub(super) const fn new(directory: PathBuf) -> Self {
        Self { directory, compatibility: OnceLock::new() }
    }

    /// The compiled component with this digest, if it is here, whole, and nobody else could have written it.
    pub(super) fn find(&self, engine: &Engine, component: Digest) -> Option<Component> {
        let directory = self.open().ok()?;
        let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC | OFlags::NONBLOCK;
        let name = self.name(engine, component);
        let file = rustix::fs::openat(&directory, &name, flags, Mode::empty()).ok()?;
        let stat = rustix::fs::fstat(&file).ok()?;
        if !is_private(&stat, FileType::RegularFile) {
            return None;
        }
        let file = File::from(file);
        if !is_whole(&file, u64::try_from(stat.st_size).ok()?, &name).ok()? {
            return None;
        }
        let path = format!("/proc/self/fd/{}", file.as_raw_fd());
        // SAFETY: `deserialize_file` runs what it maps, so the file must be what `Component::serialize` wrote. What is
        // checked: the file and its directory belong to the effective user, nobody else may write to either, neither was
        // reached through a link in its last step, and the file holds the bytes that were summed when it was written; the
        // path names the very descriptor that was checked. Files here are never written to in place, only replaced by
        // rename, so that the mapping cannot change. What is not checked: that this program wrote the file. Whoever acts as
        // this user, or may rename the directories above, can put anything here, sum included; they can also replace this
        // program. The sum is against disks and crashes, not against people. Files of other versions and configurations of
        // the engine are refused by the engine.
        unsafe { Component::deserialize_file(engine, path) }.ok()
    }

    /// Keeps a compiled component. The caller goes on with the one that it has, also where this fails.
    pub(super) fn keep(&self, engine: &Engine, digest: Digest, component: &Component) -> io::Result<()> {
        static TEMPORARY: AtomicU32 = AtomicU32::new(0);
        let directory = match self.open() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(0o700).create(&self.directory)?;
                self.open()?
            }
            other => other?,
        };
        let artifact = component.serialize().map_err(io::Error::other)?;
        let number = TEMPORARY.fetch_add(1, Ordering::Relaxed);
        let temporary = format!(".{}-{number}.tmp", std::process::id());
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let written = rustix::fs::openat(&directory, &temporary, flags, Mode::RUSR | Mode::WUSR)
            .map_err(io::Error::from)
            .and_then(|file| {
                let mut file = File::from(file);
                file.write_all(&artifact)?;
                let name = self.name(engine, digest);
                file.write_all(&named(sum::of(&artifact), &name))?;
                rustix::fs::renameat(&directory, &temporary, &directory, name).map_err(io::Error::from)
            });
        if written.is_err() {
            // Where even this fails, or the process is killed before, the file is trimmed with the rest of the cache.
            let _ = rustix::fs::unlinkat(&directory, &temporary, AtFlags::empty());
        }
        written
    }

    fn open(&self) -> io::Result<OwnedFd> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        let directory = rustix::fs::openat(CWD, &self.directory, flags, Mode::empty())?;
        if is_private(&rustix::fs::fstat(&directory)?, FileType::Directory) {
            return Ok(directory);
        }
        Err(io::Error::new(io::ErrorKind::PermissionDenied, "others own or may write the directory"))
    }

    fn name(&self, engine: &Engine, component: Digest) -> String {
        let compatibility = self.compatibility.get_or_init(|| {
            let mut hasher = FxHasher::default();
            engine.precompile_compatibility_hash().hash(&mut hasher);
            format!("{:016x}", hasher.finish())
        });
        format!("{}-{compatibility}.cwasm", component.to_hex())
    }
}

fn is_private(stat: &Stat, kind: FileType) -> bool {
    FileType::from_raw_mode(stat.st_mode) == kind
        && stat.st_uid == rustix::process::geteuid().as_raw()
        && stat.st_mode & 0o022 == 0
}

/// Whether the last bytes of the file are the sum of the others, under this name.
fn is_whole(mut file: &File, size: u64, name: &str) -> io::Result<bool> {
    let Some(size) = size.checked_sub(SUM) else { return Ok(false) };
    let (is, read) = sum::of_reader(&mut file.take(size))?;
    let mut said = [0; SUM as usize];
    file.read_exact(&mut said)?;
    Ok(read == size && named(is, name) == said)
}

/// The sum of a file of this name: under another one the same bytes are no artefact. A copy that was put back in the wrong
/// place would answer for another plugin, and be believed.
pub(super) fn named(mut sum: [u8; SUM as usize], name: &str) -> [u8; SUM as usize] {
    for (byte, other) in sum.iter_mut().zip(Digest::of(name.as_bytes()).as_bytes()) {
        *byte ^= other;
    }
    sum
}
