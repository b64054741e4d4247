//! The SDK's sources, which this program carries until the SDK is published.
//!
//! A plugin's crate depends on them by path: they lie in [`DIRECTORY`] beside it, and belong into its repository, so that
//! whoever builds the plugin there needs nothing but cargo. They are plain bytes of this program and cost nothing
//! before they are asked for.
//!
//! | [`State`] | what lies there |
//! |---|---|
//! | `Absent` | nothing |
//! | `Same` | the SDK that this program carries |
//! | `Other` | the SDK of another version of this program, or a changed one |
//! | `Foreign` | something that is no SDK, and is never replaced |

use std::collections::BTreeSet;
use std::fs;
use std::io;
use std::path::Path;

/// The directory that the SDK is written to, beside the crates that use it.
pub const DIRECTORY: &str = "reviver-sdk";

/// The directories of the SDK in which every file counts, as one too many would be compiled.
const WHOLE: [&str; 2] = ["src", "wit"];

include!(concat!(env!("OUT_DIR"), "/sdk.rs"));

/// What lies where the SDK should be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum State {
    /// Nothing.
    Absent,
    /// The SDK that this program carries.
    Same,
    /// Another version of the SDK.
    Other,
    /// Something else.
    Foreign,
}

/// All files of the SDK that this program carries: path and content.
#[must_use]
pub const fn files() -> &'static [(&'static str, &'static str)] {
    FILES
}

/// What lies at `directory`.
pub(super) fn state(directory: &Path) -> io::Result<State> {
    if let Err(error) = fs::symlink_metadata(directory) {
        return if error.kind() == io::ErrorKind::NotFound { Ok(State::Absent) } else { Err(error) };
    }
    if !directory.is_dir() || !is_sdk(directory) {
        return Ok(State::Foreign);
    }
    let mut expected = BTreeSet::new();
    for (name, content) in FILES {
        match fs::read(directory.join(name)) {
            Ok(there) if there == content.as_bytes() => {}
            Ok(_) => return Ok(State::Other),
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::Other),
            Err(error) => return Err(error),
        }
        expected.insert(directory.join(name));
    }
    let mut open: Vec<_> = WHOLE.iter().map(|name| directory.join(name)).collect();
    while let Some(path) = open.pop() {
        for entry in fs::read_dir(path)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if !expected.contains(&path) {
                return Ok(State::Other);
            }
        }
    }
    Ok(State::Same)
}

/// Whether a directory holds a crate that says it is the SDK.
fn is_sdk(directory: &Path) -> bool {
    let manifest = fs::read_to_string(directory.join("Cargo.toml")).ok();
    let manifest = manifest.and_then(|text| text.parse::<toml::Table>().ok());
    let name = manifest.as_ref().and_then(|manifest| manifest.get("package")?.get("name")?.as_str());
    name == Some("reviver-sdk")
}

/// Writes the SDK into `directory`, which is made.
pub(super) fn write(directory: &Path) -> io::Result<()> {
    for (name, content) in FILES {
        let path = directory.join(name);
        fs::create_dir_all(path.parent().expect("invariant: it is below the directory"))?;
        fs::write(path, content)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::path::PathBuf;

    fn tree(directory: &Path, at: &Path, found: &mut BTreeMap<PathBuf, String>) {
        for entry in fs::read_dir(at).unwrap().flatten() {
            let path = entry.path();
            if path.is_dir() {
                tree(directory, &path, found);
            } else {
                let name = path.strip_prefix(directory).unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }

    #[test]
    fn what_is_carried_is_the_tree() {
        let sdk = Path::new(env!("CARGO_MANIFEST_DIR")).join("../sdk");
        let mut there = BTreeMap::new();
        tree(&sdk, &sdk, &mut there);
        there.retain(|name, _| {
            !["target", "tests", "examples", "benches"].iter().any(|front| name.starts_with(front))
                && !["Cargo.toml", "Cargo.lock"].iter().any(|file| name == Path::new(file))
        });
        assert!(there.contains_key(Path::new("wit/v0.1.0/reviver.wit")));
        let carried = FILES.iter().filter(|(name, _)| *name != "Cargo.toml");
        let carried: BTreeMap<_, _> =
            carried.map(|(name, content)| (PathBuf::from(name), (*content).to_owned())).collect();
        assert!(there == carried, "{:?} are there, {:?} are carried", there.keys(), carried.keys());
    }

    #[test]
    fn the_manifest_needs_no_workspace_and_pins_what_it_depends_on() {
        let (_, text) = FILES.iter().find(|(name, _)| *name == "Cargo.toml").unwrap();
        let manifest: toml::Table = text.parse().unwrap();
        assert_eq!(manifest["package"]["version"].as_str(), Some(env!("CARGO_PKG_VERSION")));
        assert!(manifest["workspace"].as_table().unwrap().is_empty());
        assert!(!text.contains("workspace = true") && !text.contains("path ="), "{text}");
        let version = manifest["dependencies"]["wit-bindgen"]["version"].as_str().unwrap();
        let lock = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("../Cargo.lock")).unwrap();
        let pinned = version.strip_prefix('=').unwrap();
        assert!(lock.contains(&format!("name = \"wit-bindgen\"\nversion = \"{pinned}\"")), "{version}");
        assert_eq!(manifest["dependencies"]["wit-bindgen"]["default-features"].as_bool(), Some(false));
    }

    #[test]
    fn a_written_sdk_is_the_same_until_it_is_changed() {
        let directory = tempfile::tempdir().unwrap();
        let sdk = directory.path().join(DIRECTORY);
        assert_eq!(state(&sdk).unwrap(), State::Absent);
        write(&sdk).unwrap();
        assert_eq!(state(&sdk).unwrap(), State::Same);
        // What cargo leaves there is no change.
        fs::write(sdk.join("Cargo.lock"), "").unwrap();
        fs::create_dir(sdk.join("target")).unwrap();
        assert_eq!(state(&sdk).unwrap(), State::Same);

        fs::write(sdk.join("src/more.rs"), "").unwrap();
        assert_eq!(state(&sdk).unwrap(), State::Other);
        fs::remove_file(sdk.join("src/more.rs")).unwrap();
        fs::remove_file(sdk.join("src/lib.rs")).unwrap();
        assert_eq!(state(&sdk).unwrap(), State::Other);
        fs::write(sdk.join("Cargo.toml"), "[package]\nname = \"other\"\n").unwrap();
        assert_eq!(state(&sdk).unwrap(), State::Foreign);
        assert_eq!(state(&sdk.join("Cargo.toml")).unwrap(), State::Foreign);
    }
}
