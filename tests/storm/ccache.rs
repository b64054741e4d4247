//! The peer: ccache with its usual settings and a cache of its own. It sees the same states in the same order, and is
//! counted by less than what we hold ourselves to: exit status and object.

use crate::compile::Left;
use crate::number;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What became of the compilations through ccache.
pub(crate) struct Ccache {
    directory: PathBuf,
    version: String,
    /// The steps at which it was wrong, with what was asked for and what had happened.
    wrong: Vec<String>,
}

impl Ccache {
    /// It, if it is installed.
    pub(crate) fn find(directory: &Path) -> Option<Self> {
        let output = Command::new("ccache").arg("--version").output().ok()?;
        let version = String::from_utf8_lossy(&output.stdout).lines().next()?.replace(" version", "");
        Some(Self { directory: directory.join("ccache"), version, wrong: Vec::new() })
    }

    /// No setting of this machine reaches it.
    pub(crate) fn arrange(&self, command: &mut Command) {
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("CCACHE_") {
                command.env_remove(name);
            }
        }
        command.env("CCACHE_DIR", &self.directory).env("CCACHE_CONFIGPATH", self.directory.join("none"));
    }

    /// Whether it did what the compiler does.
    pub(crate) fn compare(&mut self, plain: &Left, peer: &Left, story: impl FnOnce() -> String) {
        if (plain.exit, &plain.object) != (peer.exit, &peer.object) {
            let what = if plain.exit == peer.exit { "object" } else { "status" };
            self.wrong.push(format!("{what}: {}", story()));
        }
    }

    fn hits(&self) -> usize {
        let mut command = Command::new("ccache");
        self.arrange(&mut command);
        let output = command.arg("--print-stats").output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let hits = text.lines().filter_map(|line| {
            let (name, number) = line.split_once('\t')?;
            ["direct_cache_hit", "preprocessed_cache_hit"]
                .contains(&name)
                .then(|| number.parse::<usize>().ok())?
        });
        hits.sum()
    }
}

impl fmt::Display for Ccache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} wrong, {} revived", self.version, self.wrong.len(), self.hits())?;
        if number("REVIVER_STORM_STEPS", 0) > 0 {
            self.wrong.iter().try_for_each(|story| write!(f, "\n    wrong {story}"))?;
        }
        Ok(())
    }
}
