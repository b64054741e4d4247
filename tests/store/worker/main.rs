//! A process that uses a store: what the tests of the store start, limit and kill. The first argument says which part it
//! plays; it exits with 0 unless something was wrong, which it tells.

mod attempt;
mod company;
mod crash;
mod full;
mod mutate;

use anyhow::{Context as _, Result, bail};
use std::path::Path;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let argument = |at: usize| arguments.get(at).context("another argument").map(String::as_str);
    let number = |at: usize| -> Result<u64> { Ok(argument(at)?.parse()?) };
    let directory = || -> Result<&Path> { Ok(Path::new(argument(1)?)) };
    match argument(0)? {
        "crash" => crash::until_killed(directory()?, argument(2)?, number(3)?),
        "write" => {
            company::write(directory()?, argument(2)?, number(3)?, number(4)?, argument(5)? == "removing")
        }
        "read" => company::read(directory()?, argument(2)?, number(3)?, number(4)?),
        "trim" => company::trim(directory()?, number(2)?),
        "verify" => company::verify(directory()?, number(2)?),
        "attempt" => attempt::attempt(directory()?, Path::new(argument(2)?)),
        "full" => full::full(directory()?),
        "mutate" => mutate::mutate(argument(1)?, Path::new(argument(2)?), number(3)?, number(4)?),
        other => bail!("there is no part `{other}`"),
    }
}
