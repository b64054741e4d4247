//! A small workspace that Dune builds: two libraries, a program, and rules that copy.

use super::server::Server;
use anyhow::{Result, ensure};
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// How many modules each library has.
const MODULES: usize = 8;

/// A workspace in a directory of its own.
pub(crate) struct Workspace(TempDir);

impl Workspace {
    /// One that was never built.
    pub(crate) fn new(parent: &Path) -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("workspace").tempdir_in(parent)?;
        let root = directory.path();
        fs::write(root.join("dune-project"), "(lang dune 2.9)\n")?;
        for library in ["first", "second"] {
            fs::create_dir(root.join(library))?;
            fs::write(root.join(library).join("dune"), format!("(library (name {library}))\n"))?;
            for module in 0..MODULES {
                let text = format!(
                    "let rec fib n = if n < 2 then n else fib (n - 1) + fib (n - 2)\nlet it = fib {module}\n"
                );
                fs::write(root.join(library).join(format!("m{module}.ml")), text)?;
            }
        }
        let mut rules = "(executable (name main) (libraries first second))\n".to_owned();
        for rule in 0..20 {
            writeln!(rules, "(rule (with-stdout-to t{rule}.txt (echo \"{rule}\\n\")))")?;
        }
        fs::write(root.join("dune"), rules)?;
        fs::write(root.join("main.ml"), "let () = print_int (First.M3.it + Second.M5.it)\n")?;
        Ok(Self(directory))
    }

    /// Builds it with the cache that this daemon serves.
    pub(crate) fn build(&self, server: &Server) -> Result<Duration> {
        let mut command = Command::new("dune");
        command.args(["build", "--root", ".", "-j2", "@@default"]).current_dir(self.0.path());
        server.serve(&mut command);
        command.env("DUNE_CACHE", "enabled").env("DUNE_CACHE_TRANSPORT", "daemon").stdin(Stdio::null());
        let begun = Instant::now();
        let output = command.output()?;
        let took = begun.elapsed();
        ensure!(output.status.success(), "dune build: {}", String::from_utf8_lossy(&output.stderr));
        Ok(took)
    }

    /// Removes what was built.
    pub(crate) fn clean(&self) -> Result<()> {
        Ok(fs::remove_dir_all(self.0.path().join("_build"))?)
    }
}
