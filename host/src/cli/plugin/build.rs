//! `reviver plugin build`.

use crate::author::build::{Options, build as build_crate, component};
use crate::cli::exit::Exit;
use crate::digest::Digest;
use crate::policy::Role;
use crate::runtime::inspect;
use anyhow::{Context as _, anyhow, bail};
use clap::{Args, ValueEnum};
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `plugin build` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct BuildArgs {
    /// The directory of the plugin's crate, or a core module that another compiler made
    #[arg(default_value = ".", value_name = "CRATE|MODULE")]
    source: PathBuf,
    /// What a core module is for that carries no types of the contract
    #[arg(long)]
    role: Option<RoleArg>,
    /// Where the component goes [default: NAME.wasm in the crate's directory, MODULE.component.wasm beside a module]
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

#[derive(Clone, Copy, ValueEnum, Debug)]
enum RoleArg {
    /// Derives keys
    Key,
    /// Encodes metadata
    Metadata,
    /// Scores candidates for eviction
    Eviction,
}

impl From<RoleArg> for Role {
    fn from(role: RoleArg) -> Self {
        match role {
            RoleArg::Key => Self::Key,
            RoleArg::Metadata => Self::Metadata,
            RoleArg::Eviction => Self::Eviction,
        }
    }
}

/// Builds a plugin's crate, or a core module, into a component.
pub(super) fn build(args: &BuildArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let is_module = args.source.is_file() || args.source.extension().is_some_and(|kind| kind == "wasm");
    let (component, usual) = if is_module { of_module(args)? } else { of_crate(args)? };
    let inspection = inspect(&component).map_err(|kind| anyhow!("the component {kind}"))?;
    let output = args.output.clone().unwrap_or(usual);
    fs::write(&output, &component).with_context(|| format!("cannot write {}", output.display()))?;
    let (role, size) = (inspection.role, component.len());
    let digest = Digest::of(&component).short();
    writeln!(out, "{}: {role} plugin, {size} bytes, digest {digest}", output.display())?;
    Ok(Exit::Done)
}

/// The component of a core module, and where it goes if nobody says otherwise.
fn of_module(args: &BuildArgs) -> anyhow::Result<(Vec<u8>, PathBuf)> {
    let path: &Path = &args.source;
    if args.target_dir.is_some() || args.install_target || args.locked {
        bail!("{} is a file: --target-dir, --install-target and --locked are for crates", path.display());
    }
    let module = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let component = component(&module, args.role.map(Role::from))
        .with_context(|| format!("cannot make a component of {}", path.display()))?;
    Ok((component, path.with_extension("component.wasm")))
}

/// The component of a crate, and where it goes if nobody says otherwise.
fn of_crate(args: &BuildArgs) -> anyhow::Result<(Vec<u8>, PathBuf)> {
    if args.role.is_some() {
        bail!("--role is for core modules; a crate says its role with `reviver_sdk::export!`");
    }
    let target_directory = args.target_dir.clone().unwrap_or_else(|| args.source.join("target/plugin"));
    let target_directory = std::path::absolute(&target_directory)?;
    let options = Options { target_directory, install_target: args.install_target, locked: args.locked };
    let built = build_crate(&args.source, &options)?;
    eprint!("{}", built.messages);
    Ok((built.component, args.source.join(format!("{}.wasm", built.package))))
}
