//! Names of plugins that are made here: what is a directory, a crate and a bare key of `reviver.toml` alike.

use super::NewError;
use crate::author::sdk::DIRECTORY;
use crate::shipped;

/// The most characters.
const LENGTH: usize = 64;

/// Words of Rust, and names that cargo and its standard crates have.
const RESERVED: &str = "abstract alloc as async await become box break build const continue core crate deps do dyn else enum \
    examples extern false final fn for gen if impl in incremental let loop macro match mod move mut \
    override priv pub ref return self static std struct super test trait true try type typeof unsafe \
    unsized use virtual where while yield";

/// Nothing, where `name` can be that of a plugin and its crate.
pub(super) fn check(name: &str) -> Result<(), NewError> {
    let wrong = |why| Err(NewError::Name { name: name.to_owned(), why });
    let letter = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_';
    if !name.starts_with(|c: char| c.is_ascii_lowercase()) || !name.chars().all(letter) {
        return wrong("it begins with a letter of a to z and goes on with a to z, 0 to 9, `-` and `_`");
    }
    if name.len() > LENGTH {
        return wrong("it has more than 64 characters");
    }
    if RESERVED.split(' ').any(|reserved| reserved == name) || name == DIRECTORY {
        return wrong("cargo, Rust or Reviver uses it for something else");
    }
    if shipped::names().contains(&name) {
        return wrong("a shipped plugin has it");
    }
    Ok(())
}
