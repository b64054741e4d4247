//! The bytes that Dune's clients and daemons said to each other, as they are kept in `tests/dune/fixtures`.

use anyhow::{Context as _, Result};
use reviver::protocol::{Limits, Parser, Sexp, Version};
use std::fs;
use std::path::{Path, PathBuf};

/// What one connection carried.
pub(crate) struct Transcript {
    /// Folder and connection.
    pub(crate) name: String,
    /// What both settled on.
    pub(crate) version: Version,
    pub(crate) from_client: Vec<u8>,
    pub(crate) from_daemon: Vec<u8>,
}

/// The folders, with the version of each.
pub(crate) const FOLDERS: [(&str, Version); 5] = [
    ("dune-2.0.1_gen", Version::new(1, 0)),
    ("dune-2.5.1_gen", Version::new(1, 1)),
    ("dune-2.9.3_full", Version::new(1, 2)),
    ("dune-2.9.3_gen", Version::new(1, 2)),
    ("dune-2.9.3_git", Version::new(1, 2)),
];

/// Both connections of each folder.
pub(crate) fn all() -> Result<Vec<Transcript>> {
    let mut all = Vec::new();
    for (folder, version) in FOLDERS {
        for connection in ["conn1", "conn2"] {
            let read = |way: &str| {
                let path = place().join(folder).join(format!("{connection}.{way}.bin"));
                fs::read(&path).with_context(|| path.display().to_string())
            };
            let (from_client, from_daemon) = (read("c2s")?, read("s2c")?);
            all.push(Transcript {
                name: format!("{folder}/{connection}"),
                version,
                from_client,
                from_daemon,
            });
        }
    }
    Ok(all)
}

/// Where they are kept.
pub(crate) fn place() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("dune/fixtures")
}

/// The values that bytes are, all of them.
pub(crate) fn values(bytes: &[u8]) -> Result<Vec<Sexp>> {
    let mut parser = Parser::new(Limits::SESSION);
    parser.feed(bytes);
    let mut found = Vec::new();
    while let Some(value) = parser.next()? {
        found.push(value);
    }
    parser.finish()?;
    Ok(found)
}
