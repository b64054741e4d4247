//! `reviver init`: a commented `reviver.toml` to begin with.

use super::exit::Exit;
use crate::repository::root::SETTINGS;
use anyhow::{Context as _, bail};
use clap::Args;
use std::fs::OpenOptions;
use std::io::{ErrorKind, Write};

/// What `init` takes.
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Print it instead of writing it
    #[arg(long)]
    print: bool,
}

const TEXT: &str = include_str!("init.toml");

/// Writes `reviver.toml` into the working directory, unless there is one.
pub(super) fn init(args: &InitArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    if args.print {
        out.write_all(TEXT.as_bytes())?;
        return Ok(Exit::Done);
    }
    let mut file = match OpenOptions::new().write(true).create_new(true).open(SETTINGS) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            bail!(
                "{SETTINGS} exists already; it was left as it is (`reviver init --print` shows what would be written)"
            )
        }
        Err(error) => return Err(error).with_context(|| format!("cannot write {SETTINGS}")),
    };
    file.write_all(TEXT.as_bytes()).with_context(|| format!("cannot write {SETTINGS}"))?;
    writeln!(out, "Wrote {SETTINGS}. Everything in it is a comment: uncomment what you need.")?;
    Ok(Exit::Done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::repository::settings::Settings;
    use std::path::Path;

    #[test]
    fn the_text_is_valid_as_it_is_and_uncommented() {
        assert_eq!(Settings::parse(Path::new("reviver.toml"), TEXT).unwrap(), Settings::default());
        let uncommented: String = TEXT
            .lines()
            .filter_map(|line| line.strip_prefix("#: "))
            .fold(String::new(), |text, line| text + line + "\n");
        let settings = Settings::parse(Path::new("reviver.toml"), &uncommented).unwrap();
        assert_eq!((settings.rules.len(), settings.plugins.len()), (1, 2));
    }
}
