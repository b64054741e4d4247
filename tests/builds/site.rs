//! The place where a project is built, and what came of it.

use crate::recipe::{By, Recipe};
use crate::support::{Repository, files, settle, skipped};
use anyhow::{Context as _, Result, bail, ensure};
use reviver::digest::Digest;
use std::collections::BTreeMap;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};

/// What was built: the objects, libraries and programs in a tree.
type Built = BTreeMap<PathBuf, Digest>;

/// What became of the commands of a build.
#[derive(Default, Clone, Debug)]
struct Counts {
    hits: u64,
    /// Compilations that ran, recorded or not.
    misses: u64,
    /// Commands that ran as if nobody was there, by the reason.
    uncached: BTreeMap<String, u64>,
    unrecorded: BTreeMap<String, u64>,
}

impl Counts {
    /// What happened since.
    fn since(mut self, before: &Self) -> Self {
        self.hits -= before.hits;
        self.misses -= before.misses;
        for (now, then) in
            [(&mut self.uncached, &before.uncached), (&mut self.unrecorded, &before.unrecorded)]
        {
            for (reason, number) in then {
                *now.entry(reason.clone()).or_default() -= number;
            }
            now.retain(|_, number| *number > 0);
        }
        self
    }
}

/// Puts the sources of a project into a directory.
type Plant = Box<dyn Fn(&Path) -> Result<()>>;

/// A project in its place.
pub(crate) struct Site {
    repository: Repository,
    name: String,
    plant: Plant,
}

impl Site {
    /// A place for a project. Its root is a git work tree, as that of a checkout is.
    pub(crate) fn new(name: &str, plant: impl Fn(&Path) -> Result<()> + 'static) -> Result<Self> {
        Ok(Self { repository: Repository::new()?, name: name.to_owned(), plant: Box::new(plant) })
    }

    /// Builds it three times, and holds it to what was promised.
    pub(crate) fn build_twice(&self, recipe: impl Fn(By) -> Recipe) -> Result<()> {
        self.renew()?;
        let plain = recipe(By::Itself);
        self.shell(&plain.configure)?;
        self.shell(&plain.build)?;
        let plain = self.built()?;
        ensure!(!plain.is_empty(), "nothing was built");

        self.renew()?;
        let ours = recipe(By::Reviver);
        self.shell(&ours.configure)?;
        let all = self.compilations(&ours.list)?;
        ensure!(all > 0, "there is nothing to compile");
        let cold = self.count(&ours.build)?;
        self.compare(&plain, "through an empty cache")?;

        self.shell(&ours.clean)?;
        settle();
        let warm = self.count(&ours.build)?;
        self.compare(&plain, "revived")?;
        let hits = warm.hits;
        tell(&format!(
            "{}: {hits} of {all} compilations revived, {} files the compiler's own; first {} missed, uncached: {:?}, \
             unrecorded: {:?}",
            self.name,
            plain.len(),
            cold.misses,
            cold.uncached,
            cold.unrecorded
        ));
        ensure!(hits <= all, "more was revived than the {all} compilations that there are: {warm:?}");
        ensure!(hits * 100 >= all * 99, "{hits} of {all} compilations were revived: {warm:?}");
        if let Some(test) = &ours.test {
            self.shell(test)?;
            tell(&format!("{}: what was revived passes its tests", self.name));
        }
        Ok(())
    }

    /// The sources alone.
    fn renew(&self) -> Result<()> {
        let root = &self.repository.root;
        fs::remove_dir_all(root)?;
        fs::create_dir(root)?;
        (self.plant)(root)?;
        fs::create_dir(root.join(".git"))?;
        settle();
        Ok(())
    }

    /// How many compilations a build is going to run, as the tool that builds says: their number does not depend on what
    /// became of them. Links have no `-c`.
    fn compilations(&self, list: &str) -> Result<u64> {
        let commands = self.shell(list)?;
        Ok(commands.lines().filter(|line| line.contains(" -c ")).count() as u64)
    }

    /// Runs a line of shell in the tree, which has to succeed, and tells what it printed.
    fn shell(&self, line: &str) -> Result<String> {
        let output = self.repository.command("/bin/sh").args(["-c", line]).output()?;
        if !output.status.success() {
            let text = |bytes: &[u8]| {
                String::from_utf8_lossy(&bytes[bytes.len().saturating_sub(4000)..]).into_owned()
            };
            bail!(
                "{}: `{line}`: {}\n{}\n{}",
                self.name,
                output.status,
                text(&output.stdout),
                text(&output.stderr)
            );
        }
        Ok(String::from_utf8(output.stdout)?)
    }

    /// What became of the commands of this line.
    fn count(&self, line: &str) -> Result<Counts> {
        let before = self.counts()?;
        self.shell(line)?;
        Ok(self.counts()?.since(&before))
    }

    fn counts(&self) -> Result<Counts> {
        // Nothing was run where there is no cache yet.
        if !self.repository.cache.exists() {
            return Ok(Counts::default());
        }
        let stats = self.repository.stats()?;
        let number = |name: &str| stats[name].as_u64().with_context(|| format!("`stats` tells no {name}"));
        let reasons = |name: &str| {
            let reasons = stats[name].as_object().into_iter().flatten();
            reasons.filter_map(|(reason, number)| Some((reason.clone(), number.as_u64()?))).collect()
        };
        Ok(Counts {
            hits: number("hits")?,
            misses: number("misses")?,
            uncached: reasons("uncached"),
            unrecorded: reasons("unrecorded"),
        })
    }

    /// All objects, libraries and programs in the tree, known by how they begin.
    fn built(&self) -> Result<Built> {
        let mut built = Built::new();
        for path in files(&self.repository.root) {
            if path.is_symlink() || path.components().any(|part| part.as_os_str() == ".git") {
                continue;
            }
            let bytes = fs::read(&path)?;
            if bytes.starts_with(b"\x7fELF") || bytes.starts_with(b"!<arch>\n") {
                built.insert(path, Digest::of(&bytes));
            }
        }
        Ok(built)
    }

    fn compare(&self, plain: &Built, how: &str) -> Result<()> {
        let built = self.built()?;
        let all = plain.keys().chain(built.keys());
        let differing: Vec<_> = all.filter(|path| plain.get(*path) != built.get(*path)).collect();
        ensure!(
            differing.is_empty(),
            "{}: {how}, these are not the compiler's own: {differing:?}",
            self.name
        );
        Ok(())
    }
}

/// Says something past the test runner, which shows nothing of a test that passes.
fn tell(text: &str) {
    std::io::stderr().write_all(format!("{text}\n").as_bytes()).ok();
}

/// Whether all of these programs are there; says so where one is not.
pub(crate) fn installed(programs: &[&str]) -> bool {
    programs.iter().all(|program| crate::support::installed(program))
}

/// Says that sources are missing.
pub(crate) fn no_sources(project: &str) {
    skipped(&format!("the sources of {project} are not here; run .ci/sources"));
}
