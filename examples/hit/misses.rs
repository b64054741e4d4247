//! One miss: a source that was edited.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};

use crate::measure::{measure, show};
use crate::{Bench, REVIVING, SOURCE};

impl Bench {
    /// Misses, against the compiler alone.
    pub(crate) fn misses(&self, rounds: usize) -> Result<()> {
        let path = self.workshop.path("lua").join(SOURCE);
        let text = fs::read_to_string(&path)?;
        let mut contenders = vec![self.contender("gcc -c", &["gcc"])];
        if self.ccache {
            contenders.push(self.contender("ccache gcc -c, miss", &["ccache", "gcc"]));
            let depend = &["env", "CCACHE_DEPEND=1", "CCACHE_NAMESPACE=depend", "ccache", "gcc", "-MD"];
            contenders.push(self.contender("the same in its depend mode", depend));
        }
        contenders.push(self.contender("reviver run -- gcc -c, miss", REVIVING));
        for contender in &mut contenders {
            contender.prepare = Box::new(|round| {
                fs::write(&path, format!("{text}int round_{round};\n"))?;
                sleep(Duration::from_millis(30));
                self.delete("lua/lapi.o")
            });
        }
        let entries = self.stats()?["entries"].as_u64();
        let taken = measure(rounds, &contenders)?;
        show("misses: the source was edited", rounds, &taken, &taken[0]);
        let stats = self.stats()?;
        let recorded = stats["entries"].as_u64().zip(entries).map(|(now, then)| now - then);
        let why = &stats["unrecorded"];
        ensure!(recorded == Some(rounds as u64), "{recorded:?} of {rounds} misses were recorded: {why}");
        fs::write(&path, &text)?;
        Ok(())
    }
}
