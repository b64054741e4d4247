//! Contenders, their turns, and what they took.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

/// Something that is measured.
pub(crate) struct Contender<'a> {
    pub(crate) name: &'static str,
    /// Goes before each run, and is not measured.
    pub(crate) prepare: Box<dyn Fn(usize) -> Result<()> + 'a>,
    pub(crate) command: Box<dyn Fn() -> Command + 'a>,
}

/// What one contender took.
#[derive(Clone, Debug)]
pub(crate) struct Taken {
    name: &'static str,
    median: Duration,
    best: Duration,
    /// The mean processor time in milliseconds, of all processes together.
    cpu: f64,
}

/// Lets the contenders take turns.
pub(crate) fn measure(rounds: usize, contenders: &[Contender<'_>]) -> Result<Vec<Taken>> {
    let mut took: Vec<(Vec<Duration>, u64)> = vec![(Vec::new(), 0); contenders.len()];
    for round in 0..rounds {
        for (contender, (times, ticks)) in contenders.iter().zip(&mut took) {
            (contender.prepare)(round)?;
            let mut command = (contender.command)();
            let (before, start) = (children_ticks()?, Instant::now());
            let status = command.stdout(Stdio::null()).status()?;
            times.push(start.elapsed());
            *ticks += children_ticks()? - before;
            ensure!(status.success(), "{command:?}: {status}");
        }
    }
    let taken = contenders.iter().zip(took).map(|(contender, (mut times, ticks))| {
        times.sort_unstable();
        let cpu = ticks as f64 * 10.0 / rounds as f64;
        Taken { name: contender.name, median: times[rounds / 2], best: times[0], cpu }
    });
    Ok(taken.collect())
}

/// Shows what was taken, each against `base`, and against ccache where it took part.
pub(crate) fn show(title: &str, rounds: usize, taken: &[Taken], base: &Taken) {
    println!("\n{title}: {rounds} rounds; ratios of medians, and of CPU");
    println!("{:<44}{:>11}{:>11}{:>10}   to {}", "", "median", "best", "CPU", base.name);
    let peer = taken.iter().find(|taken| taken.name.starts_with("ccache"));
    for one in taken {
        let ratios = |other: &Taken| {
            let wall = one.median.as_secs_f64() / other.median.as_secs_f64();
            // Below some ticks a ratio of them means nothing.
            let cpu =
                if other.cpu < 5.0 { String::new() } else { format!(", CPU {:.2} ×", one.cpu / other.cpu) };
            format!("{wall:>6.2} ×{cpu}")
        };
        println!(
            "{:<44}{:>8.2} ms{:>8.2} ms{:>7.1} ms{}{}",
            one.name,
            one.median.as_secs_f64() * 1000.0,
            one.best.as_secs_f64() * 1000.0,
            one.cpu,
            ratios(base),
            peer.map(|peer| format!("   {} ccache", ratios(peer))).unwrap_or_default()
        );
    }
}

/// The processor time of all children so far, in ticks of 10 ms. The kernel rounds only what it shows.
fn children_ticks() -> Result<u64> {
    let stat = fs::read_to_string("/proc/self/stat")?;
    let behind_name = stat.rsplit_once(") ").context("a name")?.1;
    let mut numbers = behind_name.split(' ').skip(13).map(str::parse::<u64>);
    Ok(numbers.next().context("user time")?? + numbers.next().context("system time")??)
}
