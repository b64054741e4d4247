//! `reviver plugin new`.

use crate::author::new::{Made, Options, SdkOutcome, new as make, renew_sdk};
use crate::author::sdk::DIRECTORY;
use crate::cli::exit::Exit;
use crate::policy::Role;
use crate::repository::root;
use anyhow::Context as _;
use clap::Args;
use clap::builder::{PossibleValuesParser, TypedValueParser as _};
use std::io::Write;
use std::path::{Path, PathBuf};

/// What `plugin new` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct NewArgs {
    /// The name of the plugin and of its crate
    #[arg(required_unless_present = "sdk", requires = "role")]
    name: Option<String>,
    /// What the plugin is for
    #[arg(long, required_unless_present = "sdk", requires = "name", value_parser = roles())]
    role: Option<Role>,
    /// Where the crate's directory is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
    /// Replace an SDK of another version; without a name, do no more than that
    #[arg(long)]
    sdk: bool,
}

fn roles() -> impl clap::builder::TypedValueParser<Value = Role> {
    const ROLES: [Role; 3] = [Role::Key, Role::Metadata, Role::Eviction];
    PossibleValuesParser::new(ROLES.map(Role::name))
        .try_map(|name| ROLES.into_iter().find(|role| role.name() == name).ok_or("no role has this name"))
}

/// Makes a plugin's crate, with the SDK beside it, and tells how to go on.
pub(super) fn new(args: &NewArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let sdk = args.directory.join(DIRECTORY);
    let (Some(name), Some(role)) = (&args.name, args.role) else {
        match renew_sdk(&args.directory)? {
            SdkOutcome::Same => writeln!(out, "{} is this version's already", sdk.display())?,
            _ => writeln!(out, "Wrote {}", sdk.display())?,
        }
        return Ok(Exit::Done);
    };
    let options = Options { role, name, directory: &args.directory, replace_sdk: args.sdk };
    let Made { crate_directory, sdk: became } = make(&options)?;
    writeln!(out, "Wrote {}: {role} plugin `{name}`", crate_directory.display())?;
    match became {
        SdkOutcome::Written => writeln!(out, "Wrote {}: the SDK that it is built with", sdk.display())?,
        SdkOutcome::Replaced => writeln!(out, "Replaced {} by this version's SDK", sdk.display())?,
        SdkOutcome::Same => {}
        SdkOutcome::Kept => eprintln!(
            "reviver: warning: {} is not the SDK of this version; it was left as it is, and `reviver plugin new --sdk{}` replaces it",
            sdk.display(),
            if args.directory == Path::new(".") {
                String::new()
            } else {
                format!(" --directory {}", args.directory.display())
            }
        ),
    }
    next(&crate_directory, name, role, out)?;
    Ok(Exit::Done)
}

/// Tells what to add to `reviver.toml`, and which commands come next.
fn next(crate_directory: &Path, name: &str, role: Role, out: &mut impl Write) -> anyhow::Result<()> {
    let here = std::env::current_dir().context("cannot tell the working directory")?;
    let root = root::find(&here, rustix::process::geteuid().as_raw()).path;
    let absolute = crate_directory.canonicalize().context("cannot find what was just made")?;
    let component = absolute.strip_prefix(&root).unwrap_or(&absolute).join(format!("{name}.wasm"));
    let component = toml::Value::from(component.display().to_string());
    writeln!(out, "\nAdd to {}:\n", root.join(root::SETTINGS).display())?;
    // A setting behind the first table would belong to that.
    match role {
        Role::Key => {}
        Role::Metadata | Role::Eviction => writeln!(out, "    {role} = \"{name}\"    # above all tables\n")?,
    }
    writeln!(out, "    [plugin.{name}]\n    path = {component}")?;
    if role == Role::Key {
        writeln!(out, "    capabilities = [\"read\"]")?;
        writeln!(out, "\n    [[rule]]\n    command = \"COMMAND\"    # the program that the plugin is for")?;
        writeln!(out, "    plugin = \"{name}\"")?;
    }
    writeln!(out, "\nThen:\n")?;
    let directory = crate_directory.display();
    let (used, uses) = match role {
        Role::Key | Role::Metadata => ("reviver run -v -- COMMAND ARGUMENT…", "uses it"),
        Role::Eviction => ("reviver cache trim --dry-run", "tells what would go by it"),
    };
    for (command, does) in [
        (format!("cd {directory}"), "where README.md tells the same, and src/lib.rs is to be edited"),
        ("cargo test".to_owned(), "tests it natively"),
        ("reviver plugin test".to_owned(), "the same, then the component by the same tests"),
        ("reviver plugin build".to_owned(), "makes the component, which belongs into the repository"),
        (format!("reviver plugin pin {name}"), "allows this very component to be used here"),
        (used.to_owned(), uses),
    ] {
        writeln!(out, "    {command:<36} # {does}")?;
    }
    Ok(())
}
