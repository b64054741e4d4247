//! Entries that are not what was added: cases 38 to 40 and 51. Each is a miss, and no destination is touched.

use crate::cache::{Cache, NOW, Old, key, of_bytes};
use reviver::digest::Digest;
use std::fs;
use std::path::{Path, PathBuf};

/// A hunk that stands nowhere else in an entry.
const HUNK: &[u8] = b"<the hunk>";
/// More than lies in the entry's own file.
const LARGE: usize = 70_000;

/// An entry's file with a digest that is right for its header, whatever that says by now.
pub(crate) fn sealed(mut file: Vec<u8>) -> Vec<u8> {
    let end = u32::from_le_bytes(*file[8..].first_chunk().unwrap()) as usize;
    let digest = Digest::of(&file[..end]);
    file[end..end + Digest::SIZE].copy_from_slice(digest.as_bytes());
    file
}

/// A key bound to a small content, a large one and a small one, and something old in three places.
struct Damaged {
    cache: Cache,
    old: Old,
    whole: Vec<u8>,
    object: PathBuf,
}

impl Damaged {
    fn new() -> Self {
        let cache = Cache::new();
        let old = Old::write(&cache, &["out/0", "out/1", "out/2"]);
        let mut this = Self { cache, old, whole: Vec::new(), object: PathBuf::new() };
        this.bind();
        let entry = this.cache.partition.find(key("k")).unwrap().unwrap();
        this.object = this.cache.store.layout().object(entry.items()[1].digest, entry.items()[1].mode);
        this.whole = fs::read(this.cache.entry("k")).unwrap();
        this
    }

    fn bind(&self) {
        let large = vec![7; LARGE];
        let contents: [&[u8]; 3] = [b"<first>", &large, b"<third>"];
        self.cache.partition.add(key("k"), &of_bytes(HUNK, &contents), NOW).unwrap();
    }

    /// With these bytes for an entry, or another object, there is no entry.
    fn assert_miss(&self, entry: &[u8], what: &str) {
        self.cache.store.publish(&self.cache.entry("k"), entry).unwrap();
        assert_eq!(self.cache.revive("k", &self.old.paths()), None, "{what}");
        self.old.assert_untouched();
        assert!(!self.cache.partition.contains(key("k")), "{what}: it is in quarantine");
    }

    /// After all that, the key is bound and revived as ever.
    fn assert_heals(&self) {
        self.bind();
        assert_eq!(self.cache.revive("k", &self.old.paths()), Some(HUNK.to_vec()));
        assert_eq!(fs::read(&self.old.paths()[1]).unwrap(), vec![7; LARGE]);
        assert_eq!(fs::read(&self.old.paths()[2]).unwrap(), b"<third>");
    }
}

/// Where `part` stands in an entry.
fn position(entry: &[u8], part: &[u8]) -> usize {
    entry.windows(part.len()).position(|bytes| bytes == part).unwrap()
}

fn write_object(path: &Path, bytes: &[u8]) {
    fs::remove_file(path).ok();
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

/// The original wrote all files and then missed the metadata.
#[test]
fn an_entry_that_lost_its_metadata_is_a_miss() {
    let damaged = Damaged::new();
    let at = position(&damaged.whole, HUNK);
    let mut lost = damaged.whole.clone();
    lost.drain(at..at + HUNK.len());
    damaged.assert_miss(&lost, "the hunk is cut out");
    // Even if everything else says that this is right.
    let end = u32::from_le_bytes(*lost[8..].first_chunk().unwrap()) - HUNK.len() as u32;
    let size = lost.len() as u64;
    lost[8..12].copy_from_slice(&end.to_le_bytes());
    lost[16..24].copy_from_slice(&size.to_le_bytes());
    damaged.assert_miss(&sealed(lost), "the hunk is cut out of a sealed entry");
    damaged.assert_miss(&damaged.whole[..at], "all from the hunk on is lost");
    damaged.assert_heals();
}

#[test]
fn no_content_that_was_truncated_or_flipped_is_revived() {
    let damaged = Damaged::new();
    let start = position(&damaged.whole, b"<first>");
    for at in start..damaged.whole.len() {
        let mut flipped = damaged.whole.clone();
        flipped[at] ^= 0x10;
        damaged.assert_miss(&flipped, &format!("byte {at} is flipped"));
        damaged.assert_miss(&damaged.whole[..at], &format!("only {at} bytes are left"));
    }
    let large = vec![7; LARGE];
    for length in [0, 1, 4096, LARGE - 1] {
        write_object(&damaged.object, &large[..length]);
        damaged.assert_miss(&damaged.whole, &format!("only {length} bytes of the object are left"));
        assert!(!damaged.object.exists(), "the object is in quarantine");
    }
    for at in [0, 4095, LARGE - 1] {
        let mut flipped = large.clone();
        flipped[at] ^= 1;
        write_object(&damaged.object, &flipped);
        damaged.assert_miss(&damaged.whole, &format!("byte {at} of the object is flipped"));
        assert!(!damaged.object.exists(), "the object is in quarantine");
    }
    write_object(&damaged.object, &[&large[..], b"more"].concat());
    damaged.assert_miss(&damaged.whole, "the object has grown");
    damaged.assert_heals();
}

#[test]
fn an_entry_that_lost_a_content_in_the_middle_is_a_miss() {
    let damaged = Damaged::new();
    fs::remove_file(&damaged.object).unwrap();
    damaged.assert_miss(&damaged.whole, "the object is gone");
    damaged.bind();
    let at = position(&damaged.whole, b"<first>");
    let mut lost = damaged.whole.clone();
    lost.drain(at..at + 7);
    damaged.assert_miss(&lost, "a content is cut out");
    let size = lost.len() as u64;
    lost[16..24].copy_from_slice(&size.to_le_bytes());
    damaged.assert_miss(&sealed(lost), "a content is cut out of a sealed entry");
    damaged.assert_heals();
}

/// The original found out after it had written all files.
#[test]
fn an_entry_with_damaged_metadata_is_a_miss() {
    let damaged = Damaged::new();
    let at = position(&damaged.whole, HUNK);
    // Its length too.
    for at in at - 4..at + HUNK.len() {
        for bit in [0x01, 0x80] {
            let mut flipped = damaged.whole.clone();
            flipped[at] ^= bit;
            damaged.assert_miss(&flipped, &format!("byte {at} is flipped"));
        }
    }
    damaged.assert_heals();
}
