//! `reviver plugin inspect`.

use crate::cli::context::{Context, faulty};
use crate::cli::exit::Exit;
use crate::digest::Digest;
use crate::policy::{Fault, Role};
use crate::runtime::{Bytes, inspect as inspect_bytes};
use anyhow::Context as _;
use clap::Args;
use serde_json::json;
use std::fs;
use std::io::Write;
use std::path::Path;

/// What `plugin inspect` takes.
#[derive(Args, Debug)]
pub(in crate::cli) struct InspectArgs {
    /// The name of a plugin, or a component's file
    plugin: String,
    /// As JSON
    #[arg(long)]
    json: bool,
}

/// Shows what a component says of itself. Nothing of it is compiled or run.
pub(super) fn inspect(context: &Context, args: &InspectArgs, out: &mut impl Write) -> anyhow::Result<Exit> {
    let file = Path::new(&args.plugin);
    let bytes = if file.is_file() {
        fs::read(file).with_context(|| format!("cannot read {}", file.display()))?
    } else {
        match context.plugin(&args.plugin)?.bytes {
            Bytes::Embedded(bytes) => bytes.to_vec(),
            Bytes::File(path) => {
                fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
            }
        }
    };
    let inspection = inspect_bytes(&bytes).map_err(|kind| {
        let (plugin, digest) = (args.plugin.clone(), Digest::of(&bytes));
        faulty(Fault { plugin, digest, role: Role::Key, function: "", kind })
    })?;
    let (role, abi, size) = (inspection.role.name(), &inspection.abi, inspection.size);
    if args.json {
        let (imports, exports) = (&inspection.imports, &inspection.exports);
        let digest = inspection.digest.to_hex();
        let line = json!({"role": role, "abi": abi, "digest": digest, "size": size, "imports": imports, "exports": exports});
        writeln!(out, "{line}")?;
        return Ok(Exit::Done);
    }
    writeln!(out, "role     {role}\ncontract {abi}\ndigest   {}\nsize     {size} bytes", inspection.digest)?;
    for (what, names) in [("imports", &inspection.imports), ("exports", &inspection.exports)] {
        for name in names {
            writeln!(out, "{what:<9}{name}")?;
        }
    }
    Ok(Exit::Done)
}
