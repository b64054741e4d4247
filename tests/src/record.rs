//! Records of an index, made by hand: the bytes are drawn in `host/src/store/index.rs`.

use reviver::digest::Digest;
use reviver::key::Key;
use reviver::time::Timestamp;

/// How many bytes a record has.
pub const RECORD: usize = 112;

/// The record of an addition.
#[must_use]
pub fn added(key: Key, files: u32, own: u64, objects: u64, time: Timestamp) -> [u8; RECORD] {
    let mut bytes = [0; RECORD];
    bytes[..4].copy_from_slice(b"RVI\x01");
    bytes[4..36].copy_from_slice(key.digest().as_bytes());
    bytes[68..72].copy_from_slice(&files.to_le_bytes());
    bytes[76..84].copy_from_slice(&own.to_le_bytes());
    bytes[84..92].copy_from_slice(&objects.to_le_bytes());
    bytes[92..100].copy_from_slice(&time.0.to_le_bytes());
    sign(&mut bytes);
    bytes
}

/// Makes the check of a record right.
pub fn sign(record: &mut [u8]) {
    let check = Digest::of(&record[..108]);
    record[108..RECORD].copy_from_slice(&check.as_bytes()[..4]);
}
