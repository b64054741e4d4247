//! Against `b3sum`.

use crate::table::Table;
use crate::workload::noise;
use anyhow::{Context as _, Result, ensure};
use reviver::digest::Digest;
use reviver::store::digest_of;
use std::fs::File;
use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;
use tempfile::TempDir;

/// One large file.
pub(crate) fn hashing(medium: &str, place: TempDir, size: usize, rounds: usize) -> Result<()> {
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
