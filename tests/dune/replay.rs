//! What clients of Dune 2.0, 2.5 and 2.9 once said to their own daemons, said again.
//!
//! * The dedups are those of Dune's daemon, in its order; the rules are its bytes; files lie where clients of that version look.
//! * The first file of a content is linked into the store, and read-only from then on; others are left alone until their client
//!   has read the dedup.
//! * A client that finds everything has nothing to promote, and changes nothing.

use crate::fixture::{Fixture, moved};
use crate::peer::{Place, Whose, dune_is_here};
use crate::speech::{GREETING, Speech};
use crate::tree;
use anyhow::{Context as _, Result, ensure};
use reviver::protocol::Sexp;
use reviver::protocol::dune::{Dedup, NEWEST};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

#[test]
fn a_client_of_2_0_is_served_as_by_its_own_daemon() -> Result<()> {
    replay(Whose::Ours, "dune-2.0.1_gen")
}

#[test]
fn a_client_of_2_5_is_served_as_by_its_own_daemon() -> Result<()> {
    replay(Whose::Ours, "dune-2.5.1_gen")
}

#[test]
fn a_client_of_2_9_is_served_as_by_its_own_daemon() -> Result<()> {
    replay(Whose::Ours, "dune-2.9.3_gen")
}

#[test]
fn a_client_in_a_repository_is_served_as_by_its_own_daemon() -> Result<()> {
    replay(Whose::Ours, "dune-2.9.3_git")
}

#[test]
fn clients_of_three_generations_share_one_daemon() -> Result<()> {
    let place = Place::new()?;
    let daemon = place.start(Whose::Ours)?;
    for name in ["dune-2.0.1_gen", "dune-2.9.3_gen", "dune-2.5.1_gen"] {
        let fixture = Fixture { name };
        let build_root = place.path(name).join("_build");
        fixture.lay_out(&build_root)?;
        let mut speech = Speech::with(&daemon)?;
        speech.say(&fixture.said_from("conn1.c2s.bin", &build_root)?)?;
        speech.end()?;
        let rules = fixture.rules(&place.root())?;
        for (path, expected) in rules {
            let found = fs::read(place.root().join(&path)).with_context(|| format!("{name}: {path}"))?;
            ensure!(found == expected, "{name}: {path} holds {}", found.escape_ascii());
        }
    }
    Ok(())
}

/// Dune 2.6 and 2.7 name contents as 2.5 did and speak as 2.9 does: nothing but the digests tells which cache they read. Between
/// them and Dune 2.9's own daemon every promotion failed, and nobody was told.
#[test]
fn a_client_of_2_7_is_told_from_one_of_2_9_by_its_digests() -> Result<()> {
    let (fixture, place) = (Fixture { name: "dune-2.5.1_gen" }, Place::new()?);
    let build_root = place.path("w/_build");
    fixture.lay_out(&build_root)?;
    let daemon = place.start(Whose::Ours)?;
    let said = fixture.said_from("conn1.c2s.bin", &build_root)?;
    let mut speech = Speech::with(&daemon)?;
    speech.say(&[GREETING, &said[GREETING.len()..]].concat())?;
    let heard = speech.end()?;
    // As to 2.5, but without the place.
    let expected = fixture.said("conn1.s2c.bin")?;
    let expected = expected[1..].iter().map(|value| Ok(Dedup::from_sexp(value)?.to_sexp(NEWEST)));
    ensure!(heard[1..] == expected.collect::<Result<Vec<_>>>()?, "{}", Sexp::list(heard));
    let root = place.root();
    for file in fixture.promoted()? {
        let kept = root.join(format!("files/v3/{}/{}", &file.digest[..2], file.digest));
        ensure!(fs::read(&kept).with_context(|| kept.display().to_string())? == file.content);
    }
    let rules = fixture.rules(&root)?.len();
    let found = tree::store(&root)?.into_keys().filter(|path| path.starts_with("meta/v3/")).count();
    ensure!(found == rules && !root.join("meta/v4").exists() && !root.join("v2").exists(), "{found} rules");
    Ok(())
}

/// What is said here of ours is true of Dune's.
#[test]
fn the_same_is_seen_of_dunes_own_daemon() -> Result<()> {
    if dune_is_here() {
        replay(Whose::Dunes, "dune-2.9.3_gen")?;
        replay(Whose::Dunes, "dune-2.9.3_git")?;
    }
    Ok(())
}

fn replay(whose: Whose, name: &'static str) -> Result<()> {
    let (fixture, place) = (Fixture { name }, Place::new()?);
    let (root, build_root) = (place.root(), place.path("w/_build"));
    fixture.lay_out(&build_root)?;
    let mut daemon = place.start(whose)?;

    let mut speech = Speech::with(&daemon)?;
    speech.say(&fixture.said_from("conn1.c2s.bin", &build_root)?)?;
    let heard = speech.end()?;
    let expected: Vec<Sexp> =
        fixture.said("conn1.s2c.bin")?.iter().map(|value| moved(value, &root)).collect();
    ensure!(heard.first().map(Sexp::to_bytes) == Some(GREETING.to_vec()), "{heard:?}");
    ensure!(heard[1..] == expected[1..], "{}", Sexp::list(heard));
    rules_are_right(&fixture, &root)?;
    files_are_right(&fixture, &root, &build_root)?;

    let before = (tree::store(&root)?, tree::build(&build_root)?);
    let mut speech = Speech::with(&daemon)?;
    speech.say(&fixture.said_from("conn2.c2s.bin", &build_root)?)?;
    let heard = speech.end()?;
    ensure!(heard.len() == 1 && heard[0].to_bytes() == GREETING, "{}", Sexp::list(heard));
    ensure!((tree::store(&root)?, tree::build(&build_root)?) == before);
    ensure!(daemon.is_alive()?);
    Ok(())
}

/// The rules are those that Dune wrote, and no others.
fn rules_are_right(fixture: &Fixture, root: &Path) -> Result<()> {
    let expected: BTreeMap<_, _> = fixture.rules(root)?.into_iter().collect();
    let found = tree::store(root)?.into_iter().filter(|(path, _)| path.contains("meta/"));
    let found: BTreeMap<_, _> = found.map(|(path, text)| (path, tree::from_latin(&text))).collect();
    for (path, expected) in &expected {
        let found = found.get(path).map(|found| tree::latin(found));
        ensure!(
            found.as_deref() == Some(&*tree::latin(expected)),
            "{}: {path} holds {found:?}",
            fixture.name
        );
    }
    ensure!(found.len() == expected.len(), "{}: {:?}", fixture.name, found.keys());
    Ok(())
}

/// Each content lies where its clients look, is the inode of the build file that came first, and nothing else was linked.
fn files_are_right(fixture: &Fixture, root: &Path, build_root: &Path) -> Result<()> {
    let is_old = !fixture.name.contains("2.9");
    let order = order(fixture)?;
    let mut stored = 0;
    for file in fixture.promoted()? {
        let (start, path) = (&file.digest[..2], build_root.join(&file.path));
        let kept = if is_old {
            root.join(format!("v2/files/{start}/{}.1", file.digest))
        } else {
            root.join(format!("files/v4/{start}/{}", file.digest))
        };
        let (kept_is, is) = (kept.metadata().with_context(|| kept.display().to_string())?, path.metadata()?);
        ensure!(fs::read(&kept)? == file.content && fs::read(&path)? == file.content, "{}", file.path);
        let mode = if file.is_executable { 0o555 } else { 0o444 };
        ensure!(kept_is.mode() & 0o7777 == mode && kept_is.nlink() == 2, "{}: {kept_is:?}", file.path);
        let is_first = order.get(&file.digest) == Some(&file.path);
        ensure!((is.ino() == kept_is.ino()) == is_first, "{}: first {is_first}", file.path);
        ensure!(is_first || (is.nlink() == 1 && is.mode() & 0o222 != 0), "{}: {is:?}", file.path);
        stored += usize::from(is_first);
    }
    let files = tree::store(root)?.into_keys().filter(|path| path.contains("files/")).count();
    ensure!(files == stored && stored == order.len(), "{files} files for {} contents", order.len());
    Ok(())
}

/// For each digest, the file that was promoted first.
fn order(fixture: &Fixture) -> Result<BTreeMap<String, String>> {
    let mut first = BTreeMap::new();
    for value in fixture.said("conn1.c2s.bin")? {
        let Some((b"promote", fields)) = value.as_named() else { continue };
        let (_, files) = fields.get(1).and_then(Sexp::as_named).context("files")?;
        for file in files {
            let [path, digest] = file.as_list().context("a file")? else { anyhow::bail!("{file}") };
            let text = |value: &Sexp| value.as_text().map(ToOwned::to_owned).context("a text");
            first.entry(text(digest)?).or_insert(text(path)?);
        }
    }
    Ok(first)
}
