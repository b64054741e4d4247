//! What was measured, and how it is shown.

use std::time::Duration;

/// For each phase, for each contender, what it took.
pub(crate) struct Table(pub(crate) Vec<(&'static str, Vec<Vec<Duration>>)>);

impl Table {
    pub(crate) fn new<const N: usize>(phases: [&'static str; N]) -> Self {
        Self(phases.into_iter().map(|phase| (phase, Vec::new())).collect())
    }

    pub(crate) fn took(&mut self, phase: usize, contender: usize, time: Duration) {
        let times = &mut self.0[phase].1;
        times.resize(times.len().max(contender + 1), Vec::new());
        times[contender].push(time);
    }

    /// Shows medians, and how fast the contenders are relative to the first: above 1 is faster.
    pub(crate) fn show(mut self, title: &str, base: &str, contenders: &[&str]) {
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
