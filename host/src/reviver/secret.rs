//! The cache directory's secret: what keeps the values of variables from being guessed from what is kept of them.

use crate::digest::Digest;
use crate::store::Store;
use std::fs;
use std::io;
use std::io::Read as _;

/// The secret, made where there is none. Two processes that make one at once both read the one that stayed.
pub fn secret(store: &Store) -> io::Result<Digest> {
    let path = store.layout().secret();
    let known = || store.read(&path).ok().and_then(|bytes| bytes.try_into().ok()).map(Digest::new);
    if let Some(secret) = known() {
        return Ok(secret);
    }
    let mut bytes = [0; Digest::SIZE];
    fs::File::open("/dev/urandom")?.read_exact(&mut bytes)?;
    if store.options().read_only {
        // Nothing that was sealed opens with this one: what depends on variables is asked anew.
        return Ok(Digest::new(bytes));
    }
    store.publish(&path, &bytes).map_err(io::Error::other)?;
    Ok(known().unwrap_or(Digest::new(bytes)))
}
