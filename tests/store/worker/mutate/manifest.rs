//! The reader of manifests. Whatever a manifest names, nothing is written outside of the root; and where a part of it cannot
//! be, nothing is written at all.

use super::Round;
use super::mutator::mutated;
use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{LinkMode, ReviveError, StageError};
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use tests::dice::Dice;
use tests::header::{Crafted, crafted, sign};
use tests::place::{Place, now};

/// Names that go together well and badly.
const NAMES: [&[u8]; 24] = [
    b"a",
    b"b",
    b"a/b",
    b"a/b/c",
    b"dir",
    b"dir/a",
    b"file",
    b"file/a",
    b"link",
    b"link/a",
    b"link/new/a",
    b"..",
    b"../outside/a",
    b"a/../../outside/a",
    b"./a",
    b"a/.",
    b"a//b",
    b"a/",
    b"/",
    b"",
    b"a\0b",
    b"new\nline",
    b"\xff",
    b".",
];

/// What each round does.
pub(super) fn rounds(directory: &Path) -> Result<Round> {
    let place = Place::open(directory, LinkMode::Auto)?;
    let key = Key::new(Digest::of(b"manifest"));
    let path = place.store.layout().entry(place.partition.id(), key);
    let arena = directory.join("arena");
    let mut round = 0_u32;
    Ok(Box::new(move |dice| {
        // Links that one manifest makes are in the way of the next, but not of all.
        if round.is_multiple_of(8) {
            prepare(&arena).context("an arena")?;
        }
        round += 1;
        let mut bytes = craft(dice, key, &arena);
        if dice.once_in(3) {
            let other = craft(dice, key, &arena);
            bytes = mutated(dice, &[bytes, other]);
            sign(&mut bytes);
        }
        place.store.publish(&path, &bytes)?;
        let root = arena.join("root");
        let before = seen(&root)?;
        let revived = place.partition.manifest_revive(key, &root, now());
        ensure!(Place::names(&arena)? == ["outside", "root"], "{:?} beside the root", Place::names(&arena)?);
        ensure!(Place::names(&arena.join("outside"))? == ["kept"], "written outside of the root");
        ensure!(fs::read(arena.join("outside/kept"))? == b"kept", "overwritten outside of the root");
        let after = seen(&root)?;
        let staged = after.keys().find(|path| path.as_os_str().as_bytes().ends_with(b".reviver"));
        ensure!(staged.is_none(), "{staged:?} stayed");
        match revived {
            Ok(Some(revived)) => {
                for placed in &revived.paths {
                    ensure!(placed.starts_with(&root), "{} is elsewhere", placed.display());
                    let there = after.contains_key(placed);
                    ensure!(there, "{} is not there", placed.display());
                }
                Ok(true)
            }
            Ok(None) => {
                ensure!(before == after, "a miss has changed something");
                Ok(false)
            }
            Err(ReviveError::Stage(StageError::NotPutBack { .. })) => Err(anyhow::anyhow!("not put back")),
            Err(ReviveError::Stage(_)) => {
                ensure!(before == after, "an error has changed something");
                Ok(true)
            }
            Err(error) => Err(error.into()),
        }
    }))
}

fn prepare(arena: &Path) -> Result<()> {
    if arena.exists() {
        fs::remove_dir_all(arena)?;
    }
    for directory in ["root/dir", "outside"] {
        fs::create_dir_all(arena.join(directory))?;
    }
    fs::write(arena.join("root/file"), "file")?;
    fs::write(arena.join("outside/kept"), "kept")?;
    Ok(symlink("../outside", arena.join("root/link"))?)
}

/// A manifest of a few names, most of them possible.
fn craft(dice: &mut Dice, key: Key, arena: &Path) -> Vec<u8> {
    let mut items = Vec::new();
    for _ in 0..=dice.below(4) {
        let mut path = if dice.once_in(4) { dice.one(&NAMES) } else { dice.one(&NAMES[..11]) }.to_vec();
        match dice.below(60) {
            0 => path = arena.join("outside/absolute").into_os_string().into_encoded_bytes(),
            1 => path = b"x".repeat(300),
            2 => path = b"d/".repeat(200),
            3 => path.extend(b"/deeper/still"),
            _ => {}
        }
        let kind = dice.one(&[0, 0, 0, 0, 2, 2, 3, 3, 1, 4]);
        let content = match kind {
            3 => dice.one(&[&b"../outside"[..], b"..", b"a", b"/", b"outside/kept", b"", b"a\0b"]).to_vec(),
            2 => Vec::new(),
            _ => vec![b'c'; dice.below(20)],
        };
        items.push(Crafted { path, kind, mode: dice.one(&[0o644, 0o755, 0o700, 0o777]), content });
    }
    crafted(key, !dice.once_in(20), &items)
}

/// What is below a directory: links by their targets, directories by nothing, files by their bytes.
fn seen(directory: &Path) -> Result<BTreeMap<PathBuf, Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut open = vec![directory.to_owned()];
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let entry = entry?;
            let (path, kind) = (entry.path(), entry.file_type()?);
            let what = if kind.is_symlink() {
                [b"link to ", OsStr::as_bytes(fs::read_link(&path)?.as_os_str())].concat()
            } else if kind.is_dir() {
                open.push(path.clone());
                Vec::new()
            } else {
                [b"file of ", &*fs::read(&path)?].concat()
            };
            found.insert(path, what);
        }
    }
    Ok(found)
}
