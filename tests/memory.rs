//! Large contents pass through little memory. A child process adds and revives one, and tells its own peak.

use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::SystemTime;

use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::key::Key;
use reviver::store::{Content, Draft, DraftItem, Options, PartitionId, Staging, Store, digest_of};
use reviver::time::Timestamp;

/// Names the directory that the child works in.
const PLACE: &str = "REVIVER_TEST_PLACE";
const LIMIT: u64 = 64 << 20;

#[test]
fn a_file_of_four_gibibytes_most_of_them_holes_needs_little_memory() -> Result<()> {
    let place = tempfile::tempdir()?;
    let file = File::create(place.path().join("source"))?;
    file.set_len(4 << 30)?;
    (&file).write_all(&[1; 5000])?;
    stays_small(place.path())
}

#[test]
fn a_file_of_half_a_gibibyte_needs_little_memory() -> Result<()> {
    let place = tempfile::tempdir()?;
    let mut file = File::create(place.path().join("source"))?;
    for part in 0..512_u32 {
        file.write_all(&part.to_le_bytes().repeat(1 << 18))?;
    }
    stays_small(place.path())
}

fn stays_small(place: &Path) -> Result<()> {
    let mut child = Command::new(std::env::current_exe()?);
    child.args(["--exact", "adds_and_revives", "--ignored", "--nocapture"]).env(PLACE, place);
    let output = child.output()?;
    let text = String::from_utf8_lossy(&output.stdout);
    ensure!(output.status.success(), "{text}");
    let peak =
        text.lines().find_map(|line| line.split_once("peak ")?.1.split(' ').next()?.parse::<u64>().ok());
    let peak = peak.context("the child tells no peak")?;
    ensure!(peak < LIMIT, "{} MiB", peak >> 20);
    Ok(())
}

/// What the child does.
#[test]
#[ignore = "a part of the others, which need a process of their own"]
#[allow(clippy::print_stdout, reason = "what the parent reads")]
fn adds_and_revives() -> Result<()> {
    let place = PathBuf::from(std::env::var_os(PLACE).context("run by the others")?);
    let (source, revived) = (place.join("source"), place.join("revived"));
    let store = Store::open(&place.join("cache"), Options::default())?;
    let partition = store.partition(PartitionId::new([1; 16]));
    let key = Key::new(Digest::of(b"large"));
    let item = DraftItem { path: Vec::new(), content: Content::Path(&source), mode: None };
    let now = Timestamp::of(SystemTime::now());
    partition.add(key, &Draft { items: vec![item], ..Draft::default() }, now)?;
    let entry = partition.find(key)?.context("it was just added")?;
    let mut staging = Staging::new(&store);
    staging.file(&entry, 0, &revived, 0o644)?;
    staging.commit()?;
    let size = fs::metadata(&source)?.len();
    ensure!(digest_of(&File::open(&revived)?, size)? == digest_of(&File::open(&source)?, size)?);
    let status = fs::read_to_string("/proc/self/status")?;
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).context("a peak")?;
    println!("peak {} bytes", peak.trim().trim_end_matches(" kB").parse::<u64>()? * 1024);
    Ok(())
}
