//! What the file cache costs, held against a plain cache that copies into a directory per key, against `cp` and `b3sum`:
//! `cargo bench --bench store -- [--quick] [tmpfs | disk]`.
//!
//! The contenders take turns and times are medians, as in `hit`. Whatever Reviver revives is compared with what was added,
//! outside the measured time. Nothing here fails for being slow; it fails where something is wrong. What is compared with
//! and is not installed is skipped, visibly. Everything is removed again.
#![allow(clippy::print_stdout, reason = "it shows something to people")]

use std::fs::{self, File};
use std::io::{self, Write as _};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread::{available_parallelism, scope};
use std::time::{Duration, Instant, SystemTime};

use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{
    Added, Content, Draft, DraftItem, LinkMode, Options, Partition, PartitionId, Staging, Store, TrimRequest,
    Trimmed, digest_of,
};
use reviver::time::Timestamp;
use tempfile::TempDir;

const METADATA: &[u8] = b"exit 0, and what else there is to say";

fn main() -> Result<()> {
    let quick = std::env::args().any(|argument| argument == "--quick");
    // A medium may be named.
    let named = std::env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let rounds = if quick { 3 } else { 5 };
    let scale = if quick { 20 } else { 1 };
    let cores = available_parallelism()?.get();
    println!("{cores} cores; medians of {rounds} rounds");
    for (medium, parent) in
        [("tmpfs", Path::new("/dev/shm")), ("disk", Path::new(env!("CARGO_TARGET_TMPDIR")))]
    {
        if named.as_deref().is_some_and(|named| named != medium) {
            continue;
        }
        if !parent.is_dir() {
            println!("\n{medium}: SKIPPED: there is no {}", parent.display());
            continue;
        }
        let place = tempfile::Builder::new().prefix("reviver-").tempdir_in(parent)?;
        for (entries, files, size) in [(10_000 / scale, 1, 4096), (2_000 / scale, 3, 65_536)] {
            let workload = Workload::new(place.path(), entries, files, size)?;
            against_plain(medium, place.path(), &workload, rounds.min(3))?;
            fs::remove_dir_all(&workload.sources)?;
        }
        against_cp(medium, place.path(), 10_000 / scale, rounds, cores)?;
        let objects = 10_000 / scale;
        against_links(medium, place.path(), objects, rounds)?;
        hashing(medium, place, if quick { 1 << 28 } else { 1 << 30 }, rounds)?;
    }
    Ok(())
}

/// Entries with so many contents of this size, and the files that they are added from.
struct Workload {
    entries: usize,
    files: usize,
    size: usize,
    sources: PathBuf,
}

impl Workload {
    fn new(place: &Path, entries: usize, files: usize, size: usize) -> Result<Self> {
        let workload = Self { entries, files, size, sources: place.join("sources") };
        for entry in 0..entries {
            let directory = workload.source(entry, 0);
            fs::create_dir_all(directory.parent().context("a parent")?)?;
            for file in 0..files {
                fs::write(workload.source(entry, file), workload.content(entry, file))?;
            }
        }
        Ok(workload)
    }

    fn source(&self, entry: usize, file: usize) -> PathBuf {
        self.sources.join(format!("d{}/e{entry}-{file}", entry / 100))
    }

    /// Bytes that no two contents share.
    fn content(&self, entry: usize, file: usize) -> Vec<u8> {
        noise((entry * self.files + file) as u64, self.size)
    }

    fn destination(&self, out: &Path, entry: usize, file: usize) -> PathBuf {
        debug_assert!(entry < self.entries, "invariant: it is one of the entries");
        out.join(format!("e{entry}/f{file}"))
    }

    fn verify(&self, out: &Path) -> Result<()> {
        for entry in 0..self.entries {
            for file in 0..self.files {
                let path = self.destination(out, entry, file);
                ensure!(fs::read(&path)? == self.content(entry, file), "{} is wrong", path.display());
            }
        }
        Ok(())
    }
}

/// A cache that is measured.
trait Cache {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()>;
    /// Whether the entry was there; then its contents are at their destinations.
    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool>;
    /// Lets half of it go.
    fn halve(&self) -> Result<()>;
    /// How many of the entries are there.
    fn left(&self, workload: &Workload) -> usize;
}

/// A directory per key, as it is usually done.
struct Plain(PathBuf);

impl Plain {
    fn key(&self, entry: usize) -> PathBuf {
        self.0.join(format!("{}.k", key(entry).digest().to_hex()))
    }
}

impl Cache for Plain {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()> {
        let directory = self.key(entry);
        fs::create_dir_all(&directory)?;
        for file in 0..workload.files {
            fs::copy(workload.source(entry, file), directory.join(file.to_string()))?;
        }
        Ok(fs::write(directory.join("metadata"), METADATA)?)
    }

    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool> {
        let directory = self.key(entry);
        match fs::read(directory.join("metadata")) {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error.into()),
        }
        for file in 0..workload.files {
            let (source, to) = (directory.join(file.to_string()), workload.destination(out, entry, file));
            match fs::copy(&source, &to) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    fs::create_dir_all(to.parent().context("a parent")?)?;
                    fs::copy(&source, &to)?;
                }
                copied => drop(copied?),
            }
        }
        Ok(true)
    }

    fn halve(&self) -> Result<()> {
        let mut keys = Vec::new();
        for directory in fs::read_dir(&self.0)? {
            let directory = directory?.path();
            let (mut size, mut last) = (0, SystemTime::UNIX_EPOCH);
            for file in fs::read_dir(&directory)? {
                let metadata = file?.metadata()?;
                size += metadata.len();
                last = last.max(metadata.accessed()?);
            }
            keys.push((last, size, directory));
        }
        keys.sort_unstable();
        let (all, mut gone): (u64, u64) = (keys.iter().map(|key| key.1).sum(), 0);
        for (_, size, directory) in keys {
            if gone * 2 >= all {
                break;
            }
            fs::remove_dir_all(directory)?;
            gone += size;
        }
        Ok(())
    }

    fn left(&self, workload: &Workload) -> usize {
        (0..workload.entries).filter(|&entry| self.key(entry).exists()).count()
    }
}

/// Ours.
struct Ours {
    store: Store,
    partition: Partition,
}

impl Ours {
    fn new(directory: &Path, options: Options) -> Result<Self> {
        let store = Store::open(directory, options)?;
        let partition = store.partition(PartitionId::new([1; 16]));
        Ok(Self { store, partition })
    }

    fn add_all(&self, key: Key, items: Vec<DraftItem<'_>>) -> Result<()> {
        let draft = Draft { metadata: METADATA, cost: 1, items, ..Draft::default() };
        ensure!(matches!(self.partition.add(key, &draft, now())?, Added::Stored { .. }));
        Ok(())
    }
}

impl Cache for Ours {
    fn add(&self, workload: &Workload, entry: usize) -> Result<()> {
        let sources: Vec<_> = (0..workload.files).map(|file| workload.source(entry, file)).collect();
        self.add_all(key(entry), sources.iter().map(|source| item(source)).collect())
    }

    fn revive(&self, workload: &Workload, entry: usize, out: &Path) -> Result<bool> {
        let Some(found) = self.partition.find(key(entry))? else { return Ok(false) };
        let mut staging = Staging::new(&self.store);
        for file in 0..workload.files {
            staging.file(&found, file, &workload.destination(out, entry, file), 0o644)?;
        }
        staging.commit()?;
        self.partition.used(key(entry), now())?;
        Ok(true)
    }

    fn halve(&self) -> Result<()> {
        let half = self.store.usage()?.bytes / 2;
        ensure!(matches!(self.store.trim(&TrimRequest::new(half, now()))?, Trimmed::Done(_)));
        Ok(())
    }

    fn left(&self, workload: &Workload) -> usize {
        (0..workload.entries).filter(|&entry| self.partition.contains(key(entry))).count()
    }
}

fn against_plain(medium: &str, place: &Path, workload: &Workload, rounds: usize) -> Result<()> {
    let Workload { entries, files, size, .. } = *workload;
    let mut table = Table::new([
        "add",
        "add again",
        "revive, new directories",
        "revive over existing",
        "miss",
        "trim to 50 %",
    ]);
    // Nothing is removed between the phases: file systems without a journal look long for inodes that were not just freed.
    let directories = (0..rounds).map(|_| Ok(tempfile::tempdir_in(place)?)).collect::<Result<Vec<_>>>()?;
    let path = |round: usize, name: &str| directories[round].path().join(name);
    let caches = (0..rounds)
        .map(|round| Ok((Plain(path(round, "plain")), Ours::new(&path(round, "ours"), Options::default())?)))
        .collect::<Result<Vec<_>>>()?;
    for (phase, round, turn) in (0..table.0.len())
        .flat_map(|phase| (0..rounds).flat_map(move |round| [(phase, round, 0), (phase, round, 1)]))
    {
        let at = (round + turn) % 2;
        let cache: &dyn Cache = if at == 0 { &caches[round].0 } else { &caches[round].1 };
        let out = path(round, ["out-plain", "out-ours"][at]);
        settle(place)?;
        let start = Instant::now();
        match phase {
            0 | 1 => (0..entries).try_for_each(|entry| cache.add(workload, entry))?,
            2 | 3 => {
                for entry in 0..entries {
                    ensure!(cache.revive(workload, entry, &out)?, "a hit was none");
                }
            }
            4 => {
                for entry in entries..2 * entries {
                    ensure!(!cache.revive(workload, entry, &out)?, "a miss was none");
                }
            }
            _ => cache.halve()?,
        }
        table.took(phase, at, start.elapsed());
        if at == 1 && matches!(phase, 2 | 3) {
            workload.verify(&out)?;
        }
        if phase == 5 {
            let left = cache.left(workload);
            ensure!(left.abs_diff(entries / 2) <= entries / 20, "{left} of {entries} were left");
        }
    }
    table.show(&format!("{medium}: {entries} entries of {files} × {} KiB", size / 1024), "plain", &["ours"]);
    Ok(())
}

/// A tree of small files, revived by one thread and by all, against `cp -a` of it.
fn against_cp(medium: &str, place: &Path, files: usize, rounds: usize, cores: usize) -> Result<()> {
    let workload = Workload::new(place, files, 1, 4096)?;
    let sources: Vec<_> = (0..files).map(|entry| workload.source(entry, 0)).collect();
    let directory = tempfile::tempdir_in(place)?;
    let ours = Ours::new(&directory.path().join("cache"), Options::default())?;
    let whole = key(usize::MAX);
    ours.add_all(whole, sources.iter().map(|source| item(source)).collect())?;
    for entry in 0..files {
        ours.add(&workload, entry)?;
    }
    let mut table = Table::new(["revived as a tree"]);
    for round in 0..rounds {
        for turn in 0..5 {
            let (at, out) = ((round + turn) % 5, directory.path().join(format!("out-{round}-{turn}")));
            let place_of =
                |source: &Path| Ok::<_, anyhow::Error>(out.join(source.strip_prefix(&workload.sources)?));
            let places = sources.iter().map(|source| place_of(source)).collect::<Result<Vec<_>>>()?;
            settle(place)?;
            let start = Instant::now();
            match at {
                0 => run(Command::new("cp").arg("-a").arg(&workload.sources).arg(&out))?,
                1 => {
                    let entry = ours.partition.find(whole)?.context("a hit")?;
                    let mut staging = Staging::new(&ours.store);
                    for (index, to) in places.iter().enumerate() {
                        staging.file(&entry, index, to, 0o644)?;
                    }
                    staging.commit()?;
                }
                2 => {
                    let entry = ours.partition.find(whole)?.context("a hit")?;
                    let mut staging = Staging::new(&ours.store);
                    let steps: Vec<_> =
                        places.iter().enumerate().map(|(index, to)| (index, to.as_path(), 0o644)).collect();
                    staging.files(&entry, &steps)?;
                    staging.commit()?;
                }
                3 => one_by_one(&ours, 0, &places)?,
                _ => {
                    let (share, ours) = (files.div_ceil(cores), &ours);
                    scope(|scope| {
                        let threads: Vec<_> = places
                            .chunks(share)
                            .enumerate()
                            .map(|(at, places)| scope.spawn(move || one_by_one(ours, at * share, places)))
                            .collect();
                        threads.into_iter().try_for_each(|thread| thread.join().expect("a thread that ends"))
                    })?;
                }
            }
            table.took(0, at, start.elapsed());
            for (entry, path) in places.iter().enumerate() {
                ensure!(fs::read(path)? == workload.content(entry, 0), "{} is wrong", path.display());
            }
        }
    }
    let contenders = [
        "one entry, one thread",
        "one entry, all cores",
        "an entry each, one thread",
        "an entry each, all cores",
    ];
    table.show(&format!("{medium}: {files} × 4 KiB"), "cp -a", &contenders);
    Ok(fs::remove_dir_all(&workload.sources)?)
}

/// Revives entries that have one content each.
fn one_by_one(ours: &Ours, first: usize, places: &[PathBuf]) -> Result<()> {
    for (at, to) in places.iter().enumerate() {
        let entry = ours.partition.find(key(first + at))?.context("a hit")?;
        let mut staging = Staging::new(&ours.store);
        staging.file(&entry, 0, to, 0o644)?;
        staging.commit()?;
    }
    Ok(())
}

/// Objects that are linked into place, against `cp -al`, which verifies nothing.
fn against_links(medium: &str, place: &Path, objects: usize, rounds: usize) -> Result<()> {
    let workload = Workload::new(place, objects, 1, 65_536)?;
    let directory = tempfile::tempdir_in(place)?;
    let cache = directory.path().join("cache");
    let sources: Vec<_> = (0..objects).map(|entry| workload.source(entry, 0)).collect();
    let options = Options { link: LinkMode::Hardlink, verify: true };
    let verifying = Ours::new(&cache, options)?;
    verifying.add_all(key(0), sources.iter().map(|source| item(source)).collect())?;
    let trusting = Ours::new(&cache, Options { verify: false, ..options })?;
    let mut table = Table::new(["linked as a tree"]);
    for round in 0..rounds {
        for turn in 0..5 {
            let (at, out) = ((round + turn) % 5, directory.path().join(format!("out-{round}-{turn}")));
            let places: Vec<_> =
                (0..objects).map(|entry| out.join(format!("d{}/e{entry}-0", entry / 100))).collect();
            settle(place)?;
            let start = Instant::now();
            if at == 0 {
                run(Command::new("cp").arg("-al").arg(&workload.sources).arg(&out))?;
            } else {
                let ours = if at < 3 { &trusting } else { &verifying };
                let entry = ours.partition.find(key(0))?.context("a hit")?;
                let mut staging = Staging::new(&ours.store);
                let steps: Vec<_> =
                    places.iter().enumerate().map(|(index, to)| (index, to.as_path(), 0o444)).collect();
                if at % 2 == 1 {
                    steps.iter().try_for_each(|(index, to, mode)| staging.file(&entry, *index, to, *mode))?;
                } else {
                    staging.files(&entry, &steps)?;
                }
                staging.commit()?;
            }
            table.took(0, at, start.elapsed());
            for (entry, path) in places.iter().enumerate().step_by(10) {
                ensure!(fs::read(path)? == workload.content(entry, 0), "{} is wrong", path.display());
            }
            ensure!(at == 0 || fs::metadata(&places[0])?.nlink() >= 2, "nothing was linked");
        }
    }
    let contenders = [
        "not verified, one thread",
        "not verified, all cores",
        "verified, one thread",
        "verified, all cores",
    ];
    table.show(&format!("{medium}: {objects} objects of 64 KiB by hard link"), "cp -al", &contenders);
    Ok(fs::remove_dir_all(&workload.sources)?)
}

/// One large file.
fn hashing(medium: &str, place: TempDir, size: usize, rounds: usize) -> Result<()> {
    let path = place.path().join("large");
    let mut file = File::create(&path)?;
    for part in 0..size >> 20 {
        file.write_all(&noise(part as u64, 1 << 20))?;
    }
    drop(file);
    let b3sum = || {
        Command::new("b3sum")
            .arg(&path)
            .stderr(Stdio::null())
            .output()
            .ok()
            .filter(|out| out.status.success())
    };
    let Some(output) = b3sum() else {
        println!("\n{medium}: hashing SKIPPED: b3sum is not installed");
        return Ok(());
    };
    let expected = String::from_utf8(output.stdout)?;
    let mut table = Table::new(["hashed"]);
    for round in 0..rounds {
        for turn in 0..2 {
            let at = (round + turn) % 2;
            let start = Instant::now();
            if at == 0 {
                b3sum().context("b3sum failed")?;
            } else {
                let digest: Digest = digest_of(&File::open(&path)?, size as u64)?;
                ensure!(expected.starts_with(&digest.to_hex()), "a digest is wrong");
            }
            table.took(0, at, start.elapsed());
        }
    }
    table.show(&format!("{medium}: a file of {} MiB", size >> 20), "b3sum", &["ours"]);
    Ok(place.close()?)
}

fn key(number: usize) -> Key {
    Key::new(Digest::of(&number.to_le_bytes()))
}

fn item(source: &Path) -> DraftItem<'_> {
    DraftItem { path: Vec::new(), content: Content::Path(source), mode: None }
}

fn now() -> Timestamp {
    Timestamp::of(SystemTime::now())
}

/// Bytes that do not compress and that this number alone tells.
fn noise(number: u64, size: usize) -> Vec<u8> {
    let mut state = number.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let words = std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.wrapping_mul(0x2545_f491_4f6c_dd1d).to_le_bytes()
    });
    words.take(size / 8).flatten().collect()
}

/// Lets the disk finish what it was given, so that nobody pays for another.
fn settle(place: &Path) -> Result<()> {
    run(Command::new("sync").arg("-f").arg(place))
}

fn run(command: &mut Command) -> Result<()> {
    let status = command.stdin(Stdio::null()).status()?;
    ensure!(status.success(), "{command:?}: {status}");
    Ok(())
}

/// For each phase, for each contender, what it took.
struct Table(Vec<(&'static str, Vec<Vec<Duration>>)>);

impl Table {
    fn new<const N: usize>(phases: [&'static str; N]) -> Self {
        Self(phases.into_iter().map(|phase| (phase, Vec::new())).collect())
    }

    fn took(&mut self, phase: usize, contender: usize, time: Duration) {
        let times = &mut self.0[phase].1;
        times.resize(times.len().max(contender + 1), Vec::new());
        times[contender].push(time);
    }

    /// Shows medians, and how fast the contenders are relative to the first: above 1 is faster.
    fn show(mut self, title: &str, base: &str, contenders: &[&str]) {
        println!("\n{title}\n{:<56}{:>12}{base:>12}{:>10}", "", "median", "speed");
        for (phase, times) in &mut self.0 {
            let medians: Vec<_> = times
                .iter_mut()
                .map(|times| {
                    times.sort_unstable();
                    times[times.len() / 2].as_secs_f64()
                })
                .collect();
            for (contender, median) in contenders.iter().zip(&medians[1..]) {
                let name = format!("{phase}: {contender}");
                let (ours, base) = (median * 1e3, medians[0] * 1e3);
                println!("{name:<56}{ours:>9.1} ms{base:>9.1} ms{:>8.2} ×", base / ours);
            }
        }
    }
}
