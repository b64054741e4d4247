//! `reviver plugin build`.

use crate::author::build::{Options, build as build_crate};
use crate::cli::exit::Exit;
use crate::digest::Digest;
use crate::runtime::inspect;
use anyhow::{Context as _, anyhow};
use clap::Args;
use std::fs;
use std::io::Write;
use std::path::PathBuf;

/// What `plugin build` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct BuildArgs {
    /// The directory of the plugin's crate
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Where the component goes [default: NAME.wasm in the crate's directory]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Where cargo puts what it makes [default: `target/plugin` in the crate's directory]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Add the target wasm32-unknown-unknown through rustup where it is missing
    #[arg(long)]
    install_target: bool,
    /// Require an up-to-date Cargo.lock
    #[arg(long)]
    locked: bool,
}

/// Builds a plugin's crate into a component.
pub(super) fn build(args: &BuildArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let target_directory = args.target_dir.clone().unwrap_or_else(|| args.directory.join("target/plugin"));
    let target_directory = std::path::absolute(&target_directory)?;
    let options = Options { target_directory, install_target: args.install_target, locked: args.locked };
    let built = build_crate(&args.directory, &options)?;
    eprint!("{}", built.messages);
    let output =
        args.output.clone().unwrap_or_else(|| args.directory.join(format!("{}.wasm", built.package)));
    let inspection = inspect(&built.component).map_err(|kind| anyhow!("the component {kind}"))?;
    fs::write(&output, &built.component).with_context(|| format!("cannot write {}", output.display()))?;
    let (role, size) = (inspection.role, built.component.len());
    let digest = Digest::of(&built.component).short();
    writeln!(out, "{}: {role} plugin, {size} bytes, digest {digest}", output.display())?;
    Ok(Exit::Done)
}
