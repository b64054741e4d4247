//! One hit: of a compilation, of a generic command, and the first one after a plugin's answer was forgotten.

use std::ffi::OsString;

use anyhow::{Result, ensure};

use crate::measure::{Contender, measure, show};
use crate::{Bench, REVIVING};

impl Bench {
    /// Hits, and what no process can go below.
    pub(crate) fn hits(&self, rounds: usize) -> Result<()> {
        let mut contenders = vec![self.bare("true", "true".into())];
        if self.static_true {
            let program = self.workshop.path("static-true").into();
            contenders.push(self.bare("a static program that does nothing", program));
        }
        if self.ccache {
            contenders.push(self.contender("ccache gcc -c, direct hit", &["ccache", "gcc"]));
        }
        contenders.push(self.contender("reviver run -- gcc -c, hit", REVIVING));
        contenders.push(self.copying("cp lua.h copy.h", &[]));
        let declared: &[&str] = &["run", "--in", "lua.h", "--out", "copy.h", "--"];
        contenders.push(self.copying("reviver run --in … --out … -- cp, hit", declared));

        measure(3, &contenders)?;
        let (hits, direct) = (self.revived()?, self.direct()?);
        let taken = measure(rounds, &contenders)?;
        show("hits", rounds, &taken, &taken[0]);
        ensure!(self.revived()? - hits == 2 * rounds as u64, "some hits of reviver were none");
        ensure!(!self.ccache || self.direct()? - direct == rounds as u64, "some hits of ccache were none");

        let mut first = self.contender("its derivation forgotten: Wasm runs", REVIVING);
        first.prepare = Box::new(|_| {
            self.delete("lua/lapi.o")?;
            self.workshop.forget()
        });
        let hit = self.contender("reviver run -- gcc -c, hit", REVIVING);
        let rounds = rounds / 2;
        let taken = measure(rounds, &[self.bare("true", "true".into()), hit, first])?;
        show("derivations", rounds, &taken, &taken[0]);
        Ok(())
    }

    fn bare<'a>(&'a self, name: &'static str, program: OsString) -> Contender<'a> {
        let command = Box::new(move || self.workshop.command(&program, "lua"));
        Contender { name, prepare: Box::new(|_| Ok(())), command }
    }

    /// A copy of a header, behind these words to `reviver` if there are any.
    fn copying<'a>(&'a self, name: &'static str, front: &'static [&'static str]) -> Contender<'a> {
        let command = Box::new(move || {
            let mut command = match front {
                [] => self.workshop.command("cp", "lua"),
                front => {
                    let mut command = self.workshop.reviver("lua");
                    command.args(front).arg("cp");
                    command
                }
            };
            command.args(["lua.h", "copy.h"]);
            command
        });
        Contender { name, prepare: Box::new(|_| self.delete("lua/copy.h")), command }
    }
}
