//! All of Lua under make, one command after the other: with a cache that is empty, compiled plugins included, and with one
//! that has everything in it.

use std::fs;
use std::io;
use std::thread::sleep;
use std::time::Duration;

use anyhow::{Result, ensure};
use examples::{OPTIONS, files};

use crate::measure::{Contender, measure, show};
use crate::{Bench, version};

const RULES: &str = "\
OBJECTS = $(patsubst %.c,%.o,$(wildcard *.c))
liblua.a: $(OBJECTS)
\tar rc $@ $(OBJECTS)
%.o: %.c
\t$(CC) $(CFLAGS) -c -o $@ $<
";

/// Where the caches that are empty at first are, and those that stay.
const PLACES: [&str; 2] = ["cold", "warm"];

impl Bench {
    /// So many builds with an empty cache, and so many with a full one.
    pub(crate) fn builds(&self, (cold, warm): (usize, usize)) -> Result<()> {
        if version("make").is_none() {
            println!("\nwhole builds SKIPPED: there is no make");
            return Ok(());
        }
        let rules = format!("CFLAGS = {}\n{RULES}", OPTIONS.join(" "));
        fs::write(self.workshop.path("lua/Makefile"), rules)?;
        let all = files(&self.workshop.path("lua"), "c")?.len() as u64;
        // ccache does not trust headers of the present second.
        sleep(Duration::from_millis(2100));

        let mut contenders = vec![self.make("make CC=gcc", "gcc", PLACES[0])];
        contenders.extend(self.caches(PLACES[0]));
        let taken = measure(cold, &contenders)?;
        show("all of Lua under make, the cache empty", cold, &taken, &taken[0]);

        let contenders = self.caches(PLACES[1]);
        measure(1, &contenders)?;
        let hits = self.hits_in(PLACES[1])?;
        let rebuilt = measure(warm, &contenders)?;
        show(&format!("all {all} objects of Lua under make, revived"), warm, &rebuilt, &taken[0]);
        let revived = self.hits_in(PLACES[1])? - hits;
        ensure!(revived == all * warm as u64, "{revived} of {} compilations were revived", all * warm as u64);
        Ok(())
    }

    /// A build through each cache in this place.
    fn caches<'a>(&'a self, place: &'static str) -> Vec<Contender<'a>> {
        let mut contenders = Vec::new();
        if self.ccache {
            contenders.push(self.make("ccache: make CC=\"ccache gcc\"", "ccache gcc", place));
        }
        let front = format!("{} run -- gcc", self.binary.display());
        contenders.push(self.make("reviver: make CC=\"reviver run -- gcc\"", &front, place));
        contenders
    }

    fn make<'a>(&'a self, name: &'static str, compiler: &str, place: &'static str) -> Contender<'a> {
        let compiler = format!("CC={compiler}");
        Contender {
            name,
            prepare: Box::new(move |_| {
                if place == PLACES[0] {
                    match fs::remove_dir_all(self.workshop.path(place)) {
                        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
                        _ => {}
                    }
                }
                self.delete("lua/liblua.a")?;
                let objects = files(&self.workshop.path("lua"), "o")?;
                objects.iter().try_for_each(|path| Ok(fs::remove_file(path)?))
            }),
            command: Box::new(move || {
                let mut command = self.workshop.command("make", "lua");
                command.args(["-j1", &compiler]);
                command.env("REVIVER_CACHE_DIR", self.workshop.path(place).join("reviver"));
                command.env("CCACHE_DIR", self.workshop.path(place).join("ccache"));
                command
            }),
        }
    }

    /// How often Reviver has revived something from the cache in this place.
    fn hits_in(&self, place: &str) -> Result<u64> {
        let mut command = self.workshop.reviver("lua");
        command.args(["stats", "--json"]);
        let output = command.env("REVIVER_CACHE_DIR", self.workshop.path(place).join("reviver")).output()?;
        let stats: serde_json::Value = serde_json::from_slice(&output.stdout)?;
        Ok(stats["hits"].as_u64().unwrap_or(0))
    }
}
