//! Files that vanish, change or are replaced while they are promoted.
//!
//! Whatever the store then holds has the content that its name says, as far as it was ever one content: a file that somebody
//! rewrites in place after it was linked is changed in the store as well, which is what links are. So files that are linked are
//! replaced by rename, removed, and swapped for links, as build tools do; those that are copied are rewritten in place too.

use super::{Attacked, file_digest, next_key, promotion, store_is_right};
use crate::fixture::write;
use crate::speech::Speech;
use crate::tree;
use anyhow::{Result, ensure};
use reviver::protocol::dune::{Duplication, Promotion};
use std::fs::{self, File};
use std::os::unix::fs::{FileExt as _, MetadataExt as _, symlink};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

const SECRET: &[u8] = b"a secret of somebody else\n";
/// Long enough that reading takes a while.
const SIZE: usize = 300_000;

#[test]
fn a_file_that_changes_while_it_is_promoted_is_stored_right_or_not_at_all() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let secret = attacked.place.path("outside/secret");
    write(&secret, SECRET, 0o644)?;
    let before = tree::build(&attacked.place.path("outside"))?;
    let contents = [1_u8, 2, 3].map(|byte| vec![byte; SIZE]);
    let names = ["default/a", "default/b"];
    for name in names {
        client.file(name, &contents[0])?;
    }
    let done = AtomicBool::new(false);
    let (rounds, changes) = thread::scope(|scope| -> Result<_> {
        let changer = scope.spawn(|| change(&client.build_root, &names, &contents, &secret, &done));
        let rounds = promote_all(&attacked, &client, &names, &contents);
        done.store(true, Ordering::Relaxed);
        let changes = changer.join().map_err(|_| anyhow::anyhow!("the changer broke"))??;
        Ok((rounds?, changes))
    })?;
    ensure!(rounds > 5 && changes > 50, "{rounds} rounds, {changes} changes");
    let files = store_is_right(&attacked.place.root())?;
    ensure!(files > 0, "nothing was ever stored in {rounds} rounds");
    ensure!(!attacked.kept(file_digest(SECRET, false)).exists(), "a link was followed");
    ensure!(tree::build(&attacked.place.path("outside"))? == before, "what is outside was touched");
    attacked.serves()
}

fn promote_all(
    attacked: &Attacked,
    client: &super::Client,
    names: &[&str],
    contents: &[Vec<u8>],
) -> Result<usize> {
    let until = Instant::now() + Duration::from_secs(3);
    let mut rounds = 0;
    while Instant::now() < until {
        let mut promotions = Vec::new();
        for name in names {
            for content in contents {
                promotions.push(promotion(next_key(), &[((*name).into(), file_digest(content, false))]));
            }
            promotions.push(promotion(next_key(), &[((*name).into(), file_digest(SECRET, false))]));
        }
        let mut speech = Speech::with(&attacked.daemon)?;
        speech.say(&client.words(&promotions)?)?;
        speech.end()?;
        rounds += 1;
    }
    Ok(rounds)
}

fn change(
    build_root: &Path,
    names: &[&str],
    contents: &[Vec<u8>],
    secret: &Path,
    done: &AtomicBool,
) -> Result<usize> {
    let mut turn = 0;
    while !done.load(Ordering::Relaxed) {
        let path = build_root.join(names[turn % names.len()]);
        let beside = build_root.join("beside");
        match turn % 7 {
            5 => {
                // A link to what is nobody's business, for a moment.
                fs::remove_file(&path)?;
                symlink(secret, &path)?;
            }
            6 => fs::remove_file(&path)?,
            _ => {
                fs::write(&beside, &contents[turn % contents.len()])?;
                fs::rename(&beside, &path)?;
            }
        }
        turn += 1;
        if turn % 7 == 0 {
            fs::write(&beside, &contents[0])?;
            fs::rename(&beside, &path)?;
        }
        thread::sleep(Duration::from_micros(300));
    }
    Ok(turn)
}

/// What is copied is read once, and is what its name says even if it never was one content: it is rewritten in place here.
#[test]
fn a_file_that_is_rewritten_in_place_is_copied_right_or_not_at_all() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let contents = [1_u8, 2].map(|byte| vec![byte; SIZE]);
    client.file("default/a", &contents[0])?;
    let path = client.build_root.join("default/a");
    let done = AtomicBool::new(false);
    let writes = thread::scope(|scope| -> Result<_> {
        let writer = scope.spawn(|| -> Result<usize> {
            let file = File::options().write(true).open(&path)?;
            let mut writes = 0;
            while !done.load(Ordering::Relaxed) {
                file.write_all_at(&contents[writes % 2], 0)?;
                writes += 1;
                // Now and then it is one content for a while.
                thread::sleep(Duration::from_millis(if writes % 8 == 0 { 20 } else { 0 }));
            }
            Ok(writes)
        });
        let until = Instant::now() + Duration::from_secs(2);
        let mut end = Ok(());
        while Instant::now() < until && end.is_ok() {
            let promotions = contents.each_ref().map(|content| Promotion {
                duplication: Some(Duplication::Copy),
                ..promotion(next_key(), &[("default/a".into(), file_digest(content, false))])
            });
            end = client.promotes(&attacked.daemon, &promotions).map(drop);
        }
        done.store(true, Ordering::Relaxed);
        let writes = writer.join().map_err(|_| anyhow::anyhow!("the writer broke"))??;
        end.map(|()| writes)
    })?;
    ensure!(writes > 50, "{writes} writes");
    let files = store_is_right(&attacked.place.root())?;
    ensure!(files > 0, "nothing was ever stored");
    ensure!(fs::metadata(&path)?.nlink() == 1, "it was linked");
    attacked.serves()
}

/// The directory above a file becomes a link to another one while files in it are promoted.
#[test]
fn a_directory_that_becomes_a_link_leads_nowhere() -> Result<()> {
    let mut attacked = Attacked::new()?;
    let client = attacked.client()?;
    let outside = attacked.place.path("outside");
    write(&outside.join("a"), SECRET, 0o644)?;
    client.file("default/sub/a", b"inside\n")?;
    let (directory, aside, link) = (
        client.build_root.join("default/sub"),
        client.build_root.join("aside"),
        client.build_root.join("link"),
    );
    symlink(&outside, &link)?;
    let done = AtomicBool::new(false);
    thread::scope(|scope| -> Result<()> {
        let changer = scope.spawn(|| -> Result<usize> {
            let mut turns = 0;
            while !done.load(Ordering::Relaxed) {
                fs::rename(&directory, &aside)?;
                fs::rename(&link, &directory)?;
                thread::sleep(Duration::from_micros(100));
                fs::rename(&directory, &link)?;
                fs::rename(&aside, &directory)?;
                turns += 1;
            }
            Ok(turns)
        });
        let until = Instant::now() + Duration::from_secs(2);
        let mut end = Ok(());
        while Instant::now() < until && end.is_ok() {
            let promotions: Vec<_> = (0..40)
                .map(|turn| if turn % 2 == 0 { SECRET } else { b"inside\n" })
                .map(|content| {
                    promotion(next_key(), &[("default/sub/a".into(), file_digest(content, false))])
                })
                .collect();
            end = client.promotes(&attacked.daemon, &promotions).map(drop);
        }
        done.store(true, Ordering::Relaxed);
        let turns = changer.join().map_err(|_| anyhow::anyhow!("the changer broke"))??;
        ensure!(turns > 50, "{turns} turns");
        end
    })?;
    ensure!(!attacked.kept(file_digest(SECRET, false)).exists(), "the link was followed");
    store_is_right(&attacked.place.root())?;
    attacked.serves()
}
