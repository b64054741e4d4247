//! The reader of entries. Whatever it accepts has the contents that it says, and can be written again as it is.

use super::Round;
use super::mutator::mutated;
use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{
    Added, Content, Draft, DraftItem, Entry, ItemKind, LinkMode, Remedy, ReviveError, StageError, TrimRequest,
};
use reviver::time::Timestamp;
use std::fs;
use std::path::{Path, PathBuf};
use tests::generation::Generation;
use tests::header::{Crafted, crafted, sign};
use tests::place::{Place, now};

const GOLDEN: &[u8] = include_bytes!("../../../../host/src/store/golden/entry-1");

/// What each round does.
pub(super) fn rounds(directory: &Path) -> Result<Round> {
    let place = Place::open(directory, LinkMode::Auto)?;
    // All seeds are bound to the key of the golden entry.
    let key = Key::new(Digest::of(b"golden"));
    let path = place.store.layout().entry(place.partition.id(), key);
    let mut seeds = vec![GOLDEN.to_vec()];
    for number in [1, 3, 4] {
        // The objects of these stay for all rounds, but for those that a round finds damaged.
        let draft = Generation::new(0, number)
            .drafted(None, |draft| place.partition.add(key, draft, Timestamp(1)))?;
        ensure!(matches!(draft?, Added::Stored { .. }));
        seeds.push(fs::read(&path)?);
    }
    let plain =
        |kind, content: &[u8]| Crafted { path: Vec::new(), kind, mode: 0o644, content: content.to_vec() };
    seeds.push(crafted(key, false, &[]));
    seeds.push(crafted(key, false, &[plain(0, b"one"), plain(2, b""), plain(3, b"target"), plain(0, b"")]));
    seeds.push(crafted(key, false, &vec![plain(0, b"x"); 300]));
    seeds.push(crafted(key, false, &[plain(1, &Generation::new(0, 1).content(1)), plain(1, b"nowhere")]));
    ensure!(place.partition.find(key)?.is_some());

    let out = directory.join("out");
    Ok(Box::new(move |dice| {
        let mut bytes = mutated(dice, &seeds);
        if !dice.once_in(4) {
            sign(&mut bytes);
        }
        place.store.publish(&path, &bytes)?;
        if dice.once_in(4) {
            look(&place)?;
        }
        let Some(entry) = place.partition.find(key)? else { return Ok(false) };
        ensure!(entry.key() == key, "it is bound to another key");
        let whole = is_right(&entry)?;
        if whole {
            is_written_again(&place, &entry)?;
        }
        revives(&place, &entry, &out, whole)?;
        Ok(true)
    }))
}

/// Whoever looks at many entries meets this one too.
fn look(place: &Place) -> Result<()> {
    let keys = place.partition.keys()?;
    place.store.verify(Remedy::Tell, &mut |_| {})?;
    place.partition.reindex()?;
    let stats = place.partition.stats()?;
    ensure!(stats.entries == keys.len() as u64, "{stats:?} and {} keys", keys.len());
    place.store.usage()?;
    place.store.plan(&TrimRequest::new(1, now()))?;
    Ok(())
}

/// Contents are those of the digests, or damage; whether all are there.
fn is_right(entry: &Entry) -> Result<bool> {
    let mut whole = true;
    for (index, item) in entry.items().iter().enumerate() {
        match entry.bytes(index) {
            Ok(bytes) => {
                ensure!(Digest::of(&bytes) == item.digest, "content {index} is not that of its digest");
                ensure!(
                    bytes.len() as u64 == item.size,
                    "content {index} has {} bytes: {item:?}",
                    bytes.len()
                );
            }
            Err(StageError::Damaged { .. }) => whole = false,
            Err(error) => return Err(error.into()),
        }
    }
    Ok(whole)
}

/// A draft of what was read makes the same entry again.
fn is_written_again(place: &Place, entry: &Entry) -> Result<()> {
    let contents = (0..entry.items().len()).map(|index| entry.bytes(index)).collect::<Result<Vec<_>, _>>()?;
    let items = entry.items().iter().zip(&contents).map(|(item, bytes)| DraftItem {
        path: item.path.clone(),
        content: match item.kind {
            ItemKind::File => Content::Bytes(bytes),
            ItemKind::Directory => Content::Directory,
            ItemKind::Link => Content::Link(bytes),
        },
        mode: Some(item.mode),
    });
    let draft = Draft {
        name: entry.name(),
        metadata: entry.metadata(),
        remembered: entry.remembered(),
        companion: entry.companion(),
        companion_size: entry.companion_size(),
        cost: entry.cost(),
        manifest: entry.is_manifest(),
        items: items.collect(),
    };
    let key = Key::new(Digest::of(b"again"));
    let added = place.partition.add(key, &draft, entry.created()).context("it cannot be written again")?;
    ensure!(matches!(added, Added::Stored { .. }));
    let again = place.partition.find(key)?.context("what was written again")?;
    let told = |entry: &Entry| -> Vec<(Vec<u8>, ItemKind, u32, u64, Digest)> {
        let items = entry.items().iter();
        items.map(|item| (item.path.clone(), item.kind, item.mode, item.size, item.digest)).collect()
    };
    ensure!(told(&again) == told(entry) && again.metadata() == entry.metadata(), "it reads otherwise then");
    ensure!(again.name() == entry.name() && again.remembered() == entry.remembered());
    ensure!(again.companion() == entry.companion() && again.created() == entry.created());
    Ok(())
}

/// Plain files are put in place if all contents are right; else nothing is there.
fn revives(place: &Place, entry: &Entry, out: &Path, whole: bool) -> Result<()> {
    drop(fs::remove_dir_all(out));
    let paths: Vec<PathBuf> = (0..entry.items().len()).map(|index| out.join(index.to_string())).collect();
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    match place.partition.revive(entry.key(), &paths, now()) {
        Ok(Some(_)) => {
            ensure!(whole, "damage was revived");
            for (item, path) in
                entry.items().iter().zip(paths).filter(|(item, _)| item.kind == ItemKind::File)
            {
                ensure!(Digest::of(&fs::read(path)?) == item.digest, "{} is another content", path.display());
            }
        }
        Ok(None) => ensure!(!whole, "what is right was not revived"),
        // As a link whose target no link can have.
        Err(ReviveError::Stage(StageError::Destination { .. })) => {}
        Err(error) => return Err(error.into()),
    }
    let staged = Place::names(out)?.into_iter().find(|name| name.ends_with(".reviver"));
    ensure!(staged.is_none(), "{staged:?} stayed");
    Ok(())
}
