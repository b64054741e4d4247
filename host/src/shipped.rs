//! The plugins that come with the host.
//!
//! Their sources are in `plugins/`, their components in `plugins/components/`, from where the build script embeds them
//! together with their digests: a hit must not spend time on hashing them, nor does the host's build need a Wasm target.
//! A test of the workspace builds them again and compares them byte for byte.

use crate::digest::Digest;
use crate::policy::Role;

/// A plugin that comes with the host.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Shipped {
    /// What `reviver.toml` calls it.
    pub name: &'static str,
    /// What it is for.
    pub role: Role,
    /// Its component.
    pub bytes: &'static [u8],
    /// The digest of its component.
    pub digest: Digest,
}

include!(concat!(env!("OUT_DIR"), "/shipped.rs"));

/// All of them, by name.
#[must_use]
pub fn all() -> &'static [Shipped] {
    SHIPPED
}

/// The names of all that are meant to be there. One without a component is new, and is not embedded before the
/// components are renewed.
#[must_use]
pub fn names() -> &'static [&'static str] {
    NAMES
}

/// The one called `name`; `None` where there is none.
#[must_use]
pub fn find(name: &str) -> Option<&'static Shipped> {
    SHIPPED.iter().find(|shipped| shipped.name == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_the_bytes_and_every_name_is_there() {
        assert!(names().is_sorted());
        for name in names() {
            let shipped = find(name).expect("a component for each name");
            assert_eq!(shipped.digest, Digest::of(shipped.bytes), "{name}");
            assert!(name.starts_with(match shipped.role {
                Role::Key => "key-",
                Role::Metadata => "metadata-",
                Role::Eviction => "evict-",
            }));
        }
        assert_eq!(find("key"), None);
    }
}
