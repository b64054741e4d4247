//! `reviver plugin test`.

use crate::author::build::{Options as BuildOptions, build};
use crate::author::test::{Options, Subject, run};
use crate::cli::exit::Exit;
use anyhow::Context as _;
use clap::Args;
use std::ffi::OsString;
use std::fs;
use std::path::PathBuf;
use std::process::ExitStatus;

/// What `plugin test` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct TestArgs {
    /// The directory of the plugin's crate
    #[arg(default_value = ".")]
    directory: PathBuf,
    /// Where cargo puts what it makes [default: where it always does, and the component in `target/plugin`]
    #[arg(long, value_name = "DIR")]
    target_dir: Option<PathBuf>,
    /// Add the target wasm32-unknown-unknown through rustup where it is missing
    #[arg(long)]
    install_target: bool,
    /// Require an up-to-date Cargo.lock
    #[arg(long)]
    locked: bool,
    /// What the test programs get as arguments, such as the name of a test
    #[arg(last = true, value_name = "ARGUMENT")]
    arguments: Vec<OsString>,
}

/// Runs a crate's tests natively, then against its component.
pub(super) fn test(args: &TestArgs) -> anyhow::Result<Exit> {
    let target_dir = args.target_dir.as_ref().map(std::path::absolute).transpose()?;
    let options = Options {
        target_directory: target_dir.clone(),
        locked: args.locked,
        arguments: args.arguments.clone(),
    };
    eprintln!("reviver: 1 of 2: the tests, natively");
    let native = run(&args.directory, &options, Subject::Native)?;
    if !native.success() {
        return Ok(failed("natively", native, "the component was not tested"));
    }

    eprintln!("reviver: 2 of 2: the same tests, against the component");
    let component_dir = match target_dir {
        Some(directory) => directory,
        None => std::path::absolute(args.directory.join("target/plugin"))?,
    };
    let build_options = BuildOptions {
        target_directory: component_dir.clone(),
        install_target: args.install_target,
        locked: args.locked,
    };
    let built = build(&args.directory, &build_options)?;
    let file = component_dir.join(format!("{}.wasm", built.package));
    fs::write(&file, &built.component).with_context(|| format!("cannot write {}", file.display()))?;
    let command = std::env::current_exe().context("cannot tell where this program lies")?;
    let component = run(&args.directory, &options, Subject::Component { file: &file, command: &command })?;
    if !component.success() {
        let again = format!("natively they pass; the component is {}", file.display());
        return Ok(failed("against the component", component, &again));
    }
    eprintln!("reviver: the tests pass natively and against the component");
    Ok(Exit::Done)
}

fn failed(how: &str, status: ExitStatus, further: &str) -> Exit {
    eprintln!("reviver: the tests failed {how} (`cargo test`, {status}): {further}");
    Exit::Plugin
}
