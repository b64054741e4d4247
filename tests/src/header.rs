//! Entries, made by hand: the bytes are drawn in `host/src/store/format.rs`. Nothing is checked here, so that what no store
//! would write can be given to one that reads.

use reviver::digest::Digest;
use reviver::key::Key;

/// Where the length of the header lies.
const LENGTH: usize = 8;
/// Where the size of the file lies.
const SIZE: usize = 16;
/// The shortest header: up to the size of the companion.
const SHORTEST: usize = 80;

/// A content.
#[derive(Clone, Debug)]
pub struct Crafted {
    /// Where it says to belong.
    pub path: Vec<u8>,
    /// 0 file here, 1 file in an object, 2 directory, 3 link.
    pub kind: u8,
    /// Its permissions.
    pub mode: u32,
    /// Its bytes, which lie in the file unless it is in an object.
    pub content: Vec<u8>,
}

/// The bytes of an entry with these contents.
#[must_use]
pub fn crafted(key: Key, manifest: bool, items: &[Crafted]) -> Vec<u8> {
    let mut file = b"RVENTRY1".to_vec();
    file.extend([0; 4]);
    file.extend(u32::from(manifest).to_le_bytes());
    file.extend([0; 8]);
    file.extend(key.digest().as_bytes());
    file.extend([0; 24]);
    for bytes in [&b""[..], b"hunk", b""] {
        put(&mut file, bytes);
    }
    file.push(0);
    file.extend((items.len() as u32).to_le_bytes());
    for item in items {
        put(&mut file, &item.path);
        file.push(item.kind);
        file.extend(item.mode.to_le_bytes());
        file.extend((item.content.len() as u64).to_le_bytes());
        file.extend(Digest::of(&item.content).as_bytes());
    }
    let end = file.len();
    file.extend([0; Digest::SIZE]);
    for item in items.iter().filter(|item| item.kind != 1) {
        file.extend(&item.content);
    }
    set_header(&mut file, end);
    sign(&mut file);
    file
}

fn put(file: &mut Vec<u8>, bytes: &[u8]) {
    file.extend((bytes.len() as u32).to_le_bytes());
    file.extend(bytes);
}

/// Where the header of an entry ends, as it says itself; `None` if nothing can be there.
#[must_use]
pub fn header(file: &[u8]) -> Option<usize> {
    let end = u32::from_le_bytes(*file.get(LENGTH..)?.first_chunk()?) as usize;
    (end >= SHORTEST && end + Digest::SIZE <= file.len()).then_some(end)
}

/// Says where the header ends.
pub fn set_header(file: &mut [u8], end: usize) {
    if let Some(there) = file.get_mut(LENGTH..LENGTH + 4) {
        there.copy_from_slice(&(end as u32).to_le_bytes());
    }
}

/// Makes the size and the digest of a header right, so that what it says is looked at. Nothing happens to what has none.
pub fn sign(file: &mut [u8]) {
    let Some(end) = header(file) else { return };
    let size = file.len() as u64;
    file[SIZE..SIZE + 8].copy_from_slice(&size.to_le_bytes());
    let check = Digest::of(&file[..end]);
    file[end..end + Digest::SIZE].copy_from_slice(check.as_bytes());
}
